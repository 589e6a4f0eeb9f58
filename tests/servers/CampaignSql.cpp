#include "servers/CampaignSql.h"

#include <algorithm>
#include <memory>

namespace causeway::test {
namespace {

constexpr int kLargeTables = 10;
constexpr int kOtherTables = 11; ///< neither large nor numbered
constexpr int kTags = 400;
constexpr int kEmployees = 200;
constexpr int kTeams = 40;
// Keys that change get a value below what AUTO_INCREMENT gives: MariaDB's counter does not follow
// an UPDATE upwards, and a later INSERT would collide.
constexpr int kMoved = 100'000'000;
constexpr int kFirstNew = 1'000'000'000;
constexpr int kSlowCustomer = 400'000'000;
constexpr int kWriters = 64;

int numbered(const CampaignSize &size)
{
    return std::max(4, size.tables - kLargeTables - kOtherTables);
}

/// The four shapes of the small tables, told by the number's remainder.
QString smallTable(int i)
{
    return QStringLiteral("camp.t%1").arg(i, 4, 10, QLatin1Char('0'));
}
std::string smallName(int i)
{
    return smallTable(i).toStdString();
}

QString largeTables()
{
    return QStringLiteral(
               "CREATE TABLE camp.customers (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,"
               " email VARCHAR(80) NOT NULL, name VARCHAR(80) NOT NULL, balance DECIMAL(20,4) NOT "
               "NULL"
               " DEFAULT 0, rating FLOAT, profile JSON, touched DATETIME(6), changed TIMESTAMP NOT "
               "NULL"
               " DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, name_length INT GENERATED "
               "ALWAYS"
               " AS (CHAR_LENGTH(name)) STORED, UNIQUE KEY email (email), KEY name (name))"
               " AUTO_INCREMENT=%1;"
               "CREATE TABLE camp.orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer_id INT "
               "UNSIGNED"
               " NOT NULL, placed TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), note "
               "VARCHAR(200),"
               " FOREIGN KEY (customer_id) REFERENCES camp.customers (id) ON DELETE CASCADE ON "
               "UPDATE"
               " CASCADE) AUTO_INCREMENT=%1;"
               "CREATE TABLE camp.order_lines (order_id BIGINT NOT NULL, line_no INT NOT NULL, "
               "product"
               " VARCHAR(40) NOT NULL, price DECIMAL(10,2) NOT NULL, PRIMARY KEY (order_id, "
               "line_no),"
               " FOREIGN KEY (order_id) REFERENCES camp.orders (id) ON DELETE CASCADE ON UPDATE "
               "CASCADE);"
               "CREATE TABLE camp.shipments (id BIGINT AUTO_INCREMENT PRIMARY KEY, order_id BIGINT,"
               " line_no INT, state ENUM('open','sent','lost') NOT NULL DEFAULT 'open', changed "
               "TIMESTAMP"
               " NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, FOREIGN KEY "
               "(order_id,"
               " line_no) REFERENCES camp.order_lines (order_id, line_no) ON DELETE SET NULL ON "
               "UPDATE"
               " CASCADE) AUTO_INCREMENT=%1;"
               "CREATE TABLE camp.accounts (code VARCHAR(60) CHARACTER SET utf8mb4 COLLATE "
               "utf8mb4_bin NOT"
               " NULL PRIMARY KEY, title VARCHAR(60) NOT NULL, opened DATE NOT NULL);"
               "CREATE TABLE camp.entries (id BIGINT AUTO_INCREMENT PRIMARY KEY, code VARCHAR(60) "
               "CHARACTER"
               " SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, amount DECIMAL(14,2) NOT NULL, at "
               "DATETIME(3)"
               " NOT NULL, FOREIGN KEY (code) REFERENCES camp.accounts (code) ON UPDATE CASCADE)"
               " AUTO_INCREMENT=%1;"
               "CREATE TABLE camp.events_log (id BIGINT AUTO_INCREMENT PRIMARY KEY, kind"
               " ENUM('a','b','c') NOT NULL, flags SET('x','y','z') NOT NULL, bits BIT(10), payload"
               " VARBINARY(200), at TIME(2), seen YEAR, KEY kind (kind)) AUTO_INCREMENT=%1;"
               "CREATE TABLE camp.documents (id CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY, "
               "body"
               " TEXT NOT NULL, meta JSON, raw BLOB);"
               "CREATE TABLE camp_far.addresses (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer_id "
               "INT"
               " UNSIGNED NOT NULL, street VARCHAR(120) CHARACTER SET latin1 NOT NULL, FOREIGN KEY"
               " (customer_id) REFERENCES camp.customers (id) ON DELETE CASCADE ON UPDATE CASCADE)"
               " AUTO_INCREMENT=%1;"
               "CREATE TABLE camp_far.measurements (sensor INT NOT NULL, at DATETIME(3) NOT NULL, "
               "value"
               " DOUBLE NOT NULL, noise FLOAT, PRIMARY KEY (sensor, at));")
        .arg(kFirstNew);
}

QString otherTables()
{
    return QStringLiteral(
        "CREATE TABLE camp.employees (id INT AUTO_INCREMENT PRIMARY KEY, boss_id INT, title"
        " VARCHAR(80) NOT NULL, FOREIGN KEY (boss_id) REFERENCES camp.employees (id) ON DELETE SET"
        " NULL);"
        "CREATE TABLE camp.nodes (id INT AUTO_INCREMENT PRIMARY KEY, parent_id INT, label"
        " VARCHAR(80) NOT NULL, FOREIGN KEY (parent_id) REFERENCES camp.nodes (id) ON DELETE"
        " CASCADE);"
        "CREATE TABLE camp.teams (id INT AUTO_INCREMENT PRIMARY KEY, lead_id INT, name VARCHAR(40)"
        " NOT NULL);"
        "CREATE TABLE camp.people (id INT AUTO_INCREMENT PRIMARY KEY, team_id INT NOT NULL, name"
        " VARCHAR(40) NOT NULL, FOREIGN KEY (team_id) REFERENCES camp.teams (id) ON DELETE"
        " CASCADE);"
        "ALTER TABLE camp.teams ADD CONSTRAINT team_lead FOREIGN KEY (lead_id) REFERENCES"
        " camp.people (id) ON DELETE SET NULL;"
        "CREATE TABLE camp.tags (id INT PRIMARY KEY, slug VARCHAR(60) NOT NULL, UNIQUE KEY slug"
        " (slug));"
        "CREATE TABLE camp.tally (writer INT PRIMARY KEY, n BIGINT NOT NULL);"
        "CREATE TABLE camp.slow (id BIGINT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(80) NOT NULL);"
        "CREATE TABLE camp.scratch (id BIGINT AUTO_INCREMENT PRIMARY KEY, bytes VARBINARY(40));"
        "CREATE TABLE camp.trigger_log (id BIGINT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(40) NOT"
        " NULL, n BIGINT);"
        "CREATE TABLE camp.journal (seq BIGINT AUTO_INCREMENT PRIMARY KEY, id CHAR(36) CHARACTER "
        "SET"
        " ascii NOT NULL, writer INT NOT NULL, number BIGINT NOT NULL, KEY id (id));"
        "CREATE TABLE camp_far.notes (id INT AUTO_INCREMENT PRIMARY KEY, employee_id INT, text"
        " VARCHAR(80), FOREIGN KEY (employee_id) REFERENCES camp.employees (id) ON DELETE SET"
        " NULL);");
}

/// %1 is the number of rows; camp.n holds 0 to 999.
QString largeRows(int rows)
{
    return QStringLiteral(
               "INSERT INTO camp.customers (id, email, name, balance, rating, profile) SELECT n,"
               " CONCAT('c', n, '@example.org'), CONCAT('customer ', n), n / 3, n / 7,"
               " CONCAT('{\"n\": ', n, ', \"vip\": false}') FROM camp.many WHERE n <= %1;"
               "INSERT INTO camp.customers (id, email, name) VALUES (%2, 'slow', 'the slow one');"
               "INSERT INTO camp.orders (id, customer_id, note) SELECT n, n, 'first' FROM camp.many"
               " WHERE n <= %1;"
               "INSERT INTO camp.order_lines SELECT n, 1, CONCAT('p', n), 9.99 FROM camp.many WHERE"
               " n <= %1;"
               "INSERT INTO camp.shipments (id, order_id, line_no) SELECT n, n, 1 FROM camp.many"
               " WHERE n <= %1;"
               "INSERT INTO camp.accounts SELECT CONCAT('acc ', n), CONCAT('account ', n),"
               " '2020-01-01' + INTERVAL n MOD 1000 DAY FROM camp.many WHERE n <= %1;"
               "INSERT INTO camp.entries (id, code, amount, at) SELECT n, CONCAT('acc ', n), n / 9,"
               " '2021-01-01' + INTERVAL n SECOND FROM camp.many WHERE n <= %1;"
               "INSERT INTO camp.events_log (id, kind, flags, bits, payload, at, seen) SELECT n, 1 "
               "+"
               " n MOD 3, n MOD 8, n MOD 1024, UNHEX(SHA2(n, 512)), SEC_TO_TIME(n MOD 80000), 2000 "
               "+"
               " n MOD 50 FROM camp.many WHERE n <= %1;"
               "INSERT INTO camp.documents SELECT CONCAT('doc ', n), REPEAT(CONCAT('text \u00E4 "
               "',"
               " n, ' '), 1 + n MOD 9), CONCAT('[', n, ', \"\u20AC\"]'), UNHEX(SHA2(n, 256))"
               " FROM camp.many WHERE n <= %1;"
               "INSERT INTO camp_far.addresses (id, customer_id, street) SELECT n, n,"
               " CONCAT('Stra\u00DFe ', n) FROM camp.many WHERE n <= %1;"
               "INSERT INTO camp_far.measurements SELECT n MOD 100, '2022-01-01' + INTERVAL n"
               " SECOND, n / 7e0, n / 11e0 FROM camp.many WHERE n <= %1;"
               "INSERT INTO camp.employees (id, boss_id, title) SELECT n, NULLIF(FLOOR(n / 2), 0),"
               " CONCAT('employee ', n) FROM camp.many WHERE n <= %3 ORDER BY n;"
               "INSERT INTO camp.nodes (id, parent_id, label) SELECT n, NULLIF(FLOOR(n / 3), 0),"
               " CONCAT('node ', n) FROM camp.many WHERE n <= %3 ORDER BY n;"
               "INSERT INTO camp.teams (id, name) SELECT n, CONCAT('team ', n) FROM camp.many "
               "WHERE n"
               " <= %4;"
               "INSERT INTO camp.people (id, team_id, name) SELECT n, 1 + n MOD %4, CONCAT('person "
               "',"
               " n) FROM camp.many WHERE n <= 4 * %4;"
               "UPDATE camp.teams SET lead_id = id;"
               "INSERT INTO camp.tags SELECT n, CONCAT('tag ', n) FROM camp.many WHERE n <= %5;"
               "INSERT INTO camp.tally SELECT n, 0 FROM camp.many WHERE n <= %6;"
               "INSERT INTO camp.tally VALUES (0, 0), (1000, 0);"
               "INSERT INTO camp_far.notes (employee_id, text) SELECT n, CONCAT('note ', n) FROM"
               " camp.many WHERE n <= %3;")
        .arg(rows)
        .arg(kSlowCustomer)
        .arg(kEmployees)
        .arg(kTeams)
        .arg(kTags)
        .arg(kWriters);
}

QString smallTableSql(int i, int rows)
{
    const QString name = smallTable(i);
    switch (i % 4) {
    case 0:
        return QStringLiteral(
                   "CREATE TABLE %1 (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(60), b"
                   " INT, c DECIMAL(10,2), KEY b (b));"
                   "INSERT INTO %1 (id, a, b, c) SELECT n, CONCAT('a ', n), n MOD 7, n / 3"
                   " FROM camp.many WHERE n <= %2;")
            .arg(name)
            .arg(rows);
    case 1:
        return QStringLiteral("CREATE TABLE %1 (k VARCHAR(60) NOT NULL PRIMARY KEY, v TEXT, at"
                              " DATETIME);"
                              "INSERT INTO %1 SELECT CONCAT('key ', n), REPEAT('v', n MOD 50), NULL"
                              " FROM camp.many WHERE n <= %2;")
            .arg(name)
            .arg(rows);
    case 2:
        return QStringLiteral(
                   "CREATE TABLE %1 (x INT NOT NULL, y INT NOT NULL, note CHAR(40), f"
                   " FLOAT, PRIMARY KEY (x, y), UNIQUE KEY u (y, x));"
                   "INSERT INTO %1 SELECT n MOD 5, n, CONCAT('n', n), n / 7 FROM camp.many"
                   " WHERE n <= %2;")
            .arg(name)
            .arg(rows);
    default:
        // To the nearest table of the first shape, each in its own way.
        return QStringLiteral("CREATE TABLE %1 (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, ref"
                              " INT, e ENUM('one','two') NOT NULL, s SET('p','q') NOT NULL, j JSON,"
                              " FOREIGN KEY (ref) REFERENCES %3 (id) ON DELETE %4);"
                              "INSERT INTO %1 (id, ref, e, s, j) SELECT n, n, 1 + n MOD 2, n MOD 4,"
                              " CONCAT('{\"k\": [', n, ']}') FROM camp.many WHERE n <= %2;")
            .arg(name)
            .arg(rows)
            .arg(smallTable(i - 3),
                 i % 8 == 3 ? QStringLiteral("CASCADE") : QStringLiteral("SET NULL"));
    }
}

QString triggerSql(int j)
{
    const QString table = smallTable(4 * (j / 3));
    const QString name = QStringLiteral("camp.trg_%1").arg(j);
    switch (j % 3) {
    case 0:
        return QStringLiteral("CREATE TRIGGER %1 BEFORE INSERT ON %2 FOR EACH ROW SET NEW.c ="
                              " IFNULL(NEW.c, 0) + 1")
            .arg(name, table);
    case 1:
        return QStringLiteral("CREATE TRIGGER %1 AFTER UPDATE ON %2 FOR EACH ROW INSERT INTO"
                              " camp.trigger_log (what, n) VALUES ('update', NEW.id)")
            .arg(name, table);
    default:
        return QStringLiteral("CREATE TRIGGER %1 AFTER DELETE ON %2 FOR EACH ROW INSERT INTO"
                              " camp.trigger_log (what, n) VALUES ('delete', OLD.id)")
            .arg(name, table);
    }
}

} // namespace

CampaignSql::CampaignSql(const CampaignSize &size, unsigned writer)
    : WriterSql(writer), m_size(size)
{
}

const QStringList &CampaignSql::schemas()
{
    static const QStringList names{QStringLiteral("camp"), QStringLiteral("camp_far")};
    return names;
}

void CampaignSql::create(TestServer &server, const CampaignSize &size)
{
    server.exec(
        QStringLiteral("CREATE DATABASE camp CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;"
                       "CREATE DATABASE camp_far CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;"
                       "CREATE TABLE camp.digits (d INT PRIMARY KEY);"
                       "INSERT INTO camp.digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);"
                       "CREATE TABLE camp.many (n INT PRIMARY KEY);"));
    // As many numbers as the largest table has rows, and never fewer than the small ones need.
    server.exec(
        QStringLiteral("INSERT INTO camp.many SELECT * FROM (SELECT 1 + a.d + 10 * b.d + 100"
                       " * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d AS n FROM"
                       " camp.digits a, camp.digits b, camp.digits c, camp.digits d,"
                       " camp.digits e, camp.digits f) x WHERE n <= %1")
            .arg(std::max(size.largeRows, 1'000)));
    server.exec(largeTables());
    server.exec(otherTables());
    server.exec(largeRows(size.largeRows));
    for (int i = 0; i < numbered(size); ++i)
        server.exec(smallTableSql(i, size.smallRows));
    server.exec(QStringLiteral("DROP TABLE camp.digits, camp.many"));
    for (int j = 0; j < size.triggers; ++j)
        server.exec(triggerSql(j));
    // Each by itself: MySQL keeps the ";" behind a routine that came with others.
    for (const char *sql :
         {"CREATE VIEW camp.rich AS SELECT id, name FROM camp.customers WHERE balance > 1000",
          "CREATE FUNCTION camp.twice(n INT) RETURNS INT DETERMINISTIC NO SQL RETURN 2 * n",
          "CREATE PROCEDURE camp.count_all() SELECT COUNT(*) FROM camp.customers",
          "CREATE EVENT camp.nightly ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DO "
          "DELETE FROM camp.scratch WHERE 0"})
        server.exec(QString::fromLatin1(sql));
    createAccount(server);
}

void CampaignSql::createAccount(TestServer &server)
{
    server.exec(
        QStringLiteral("CREATE USER IF NOT EXISTS shop_app@'%' IDENTIFIED BY 'app-secret'"));
    for (const QString &schema : schemas()) {
        server.exec(QStringLiteral("GRANT SELECT, INSERT, UPDATE, DELETE, DROP ON %1.* TO"
                                   " shop_app@'%'")
                        .arg(schema));
    }
}

WorkloadOptions CampaignSql::workload(const CampaignSize &size)
{
    WorkloadOptions options;
    options.sql = [size](unsigned writer) { return std::make_unique<CampaignSql>(size, writer); };
    options.journal = QStringLiteral("camp.journal");
    options.truncate = "TRUNCATE TABLE camp.scratch";
    return options;
}

std::string CampaignSql::transaction(const std::string &uuid)
{
    ++m_count;
    const std::string me = std::to_string(writer());
    return "START TRANSACTION;INSERT INTO camp.journal (id, writer, number) VALUES ('" + uuid +
           "', " + me + ", " + std::to_string(m_count) + ");" + change(uuid) +
           "UPDATE camp.tally SET n = n + 1 WHERE writer = " + me + ";COMMIT";
}

std::string CampaignSql::longTransaction(const std::string &uuid)
{
    ++m_count;
    return "START TRANSACTION;INSERT INTO camp.journal (id, writer, number) VALUES ('" + uuid +
           "', 1000, " + std::to_string(m_count) + ");INSERT INTO camp.slow (note) VALUES ('" +
           uuid +
           "');DELETE FROM camp.slow WHERE id < LAST_INSERT_ID() - 5 LIMIT 1;"
           "INSERT INTO camp.orders (customer_id, note) VALUES (" +
           std::to_string(kSlowCustomer) +
           ", 'slow');UPDATE camp.tally SET n = n + 1 WHERE writer = 1000";
}

std::string CampaignSql::row()
{
    return std::to_string(1 + below(m_size.largeRows));
}

std::string CampaignSql::placeOrder()
{
    // The customer may be gone: then nothing is inserted, and no foreign key complains.
    std::string sql =
        "SET @o = NULL, @c = NULL;SELECT id INTO @c FROM camp.customers WHERE id = " + row() +
        " FOR UPDATE;INSERT INTO camp.orders (customer_id, note) SELECT @c, 'order \xC3"
        "\xA4' FROM DUAL WHERE @c IS NOT NULL;SET @o = IF(@c IS NULL, NULL,"
        " LAST_INSERT_ID());";
    const int lines = 1 + below(3);
    for (int i = 1; i <= lines; ++i) {
        const std::string n = std::to_string(i);
        sql.append("INSERT INTO camp.order_lines (order_id, line_no, product, price) SELECT @o, ")
            .append(n)
            .append(", 'p")
            .append(std::to_string(below(500)))
            .append("', ")
            .append(std::to_string(below(100'000)))
            .append("/100 FROM DUAL WHERE @o IS NOT NULL;"
                    "INSERT INTO camp.shipments (order_id, line_no) SELECT @o, ")
            .append(n)
            .append(" FROM DUAL WHERE @o IS NOT NULL;");
    }
    return sql;
}

std::string CampaignSql::swapTags(const std::string &uuid)
{
    // Always the lower one first, so that two swaps cannot deadlock; a third value in between,
    // because a unique key is checked row by row.
    int a = 1 + below(kTags);
    int b = 1 + below(kTags - 1);
    if (b >= a)
        ++b;
    if (a > b)
        std::swap(a, b);
    const std::string first = std::to_string(a);
    const std::string second = std::to_string(b);
    return "SET @a = NULL, @b = NULL;SELECT slug INTO @a FROM camp.tags WHERE id = " + first +
           " FOR UPDATE;SELECT slug INTO @b FROM camp.tags WHERE id = " + second +
           " FOR UPDATE;UPDATE camp.tags SET slug = 'swap " + uuid + "' WHERE id = " + first +
           ";UPDATE camp.tags SET slug = @a WHERE id = " + second +
           ";UPDATE camp.tags SET slug = @b WHERE id = " + first + ";";
}

/// What refers to itself and in a circle.
std::string CampaignSql::family(const std::string &uuid)
{
    const std::string employee = std::to_string(1 + below(kEmployees));
    const std::string team = std::to_string(1 + below(kTeams));
    switch (below(7)) {
    case 0:
        return "INSERT INTO camp.employees (boss_id, title) SELECT id, 'e " + uuid +
               "' FROM camp.employees WHERE id >= " + employee + " ORDER BY id LIMIT 1;";
    case 1: // those who work for this one, and the notes in the other schema, lose it
        return "DELETE FROM camp.employees WHERE id >= " + employee +
               " ORDER BY id LIMIT 1;INSERT INTO camp.employees (title) VALUES ('new');";
    case 2:
        return "INSERT INTO camp.nodes (parent_id, label) SELECT id, 'n " + uuid +
               "' FROM camp.nodes WHERE id >= " + employee + " ORDER BY id LIMIT 1;";
    case 3: // a whole branch goes
        return "DELETE FROM camp.nodes WHERE id >= " + employee +
               " ORDER BY id DESC LIMIT 1;INSERT INTO camp.nodes (label) VALUES ('root');";
    case 4:
        return "SET @t = NULL;SELECT id INTO @t FROM camp.teams WHERE id = " + team +
               " FOR UPDATE;INSERT INTO camp.people (team_id, name) SELECT @t, 'p " +
               uuid.substr(0, 8) +
               "' FROM DUAL WHERE @t IS NOT NULL;UPDATE camp.teams SET lead_id = LAST_INSERT_ID()"
               " WHERE id = @t;";
    case 5: // the team loses its lead
        return "DELETE FROM camp.people WHERE id >= " + std::to_string(1 + below(4 * kTeams)) +
               " ORDER BY id LIMIT 1;";
    default: // the team goes with its people, and comes back under its old key
        return "DELETE FROM camp.teams WHERE id = " + team +
               ";INSERT INTO camp.teams (id, name) VALUES (" + team + ", 'again');";
    }
}

std::string CampaignSql::smallTables(const std::string &uuid)
{
    const int i = below(numbered(m_size));
    const std::string name = smallName(i);
    const std::string n = std::to_string(1 + below(m_size.smallRows));
    switch (i % 4) {
    case 0:
        switch (below(3)) {
        case 0:
            return "INSERT INTO " + name + " (a, b) VALUES ('" + uuid + "', " + n + ");";
        case 1:
            return "UPDATE " + name + " SET a = '" + uuid + "', b = b + 1 WHERE id = " + n + ";";
        default: // the next table's rows go with it, or lose it
            return "DELETE FROM " + name + " WHERE id = " + n + ";INSERT INTO " + name +
                   " (id, a, b) VALUES (" + n + ", 'again', 1);";
        }
    case 1:
        return below(2) == 0 ? "INSERT INTO " + name + " (k, v) VALUES ('key " + n +
                                   "', 'x') ON DUPLICATE KEY UPDATE v = '" + uuid + "';"
                             : "UPDATE " + name + " SET k = CONCAT('moved ', '" + uuid +
                                   "') WHERE k = 'key " + n + "';";
    case 2:
        return below(2) == 0 ? "UPDATE " + name + " SET f = f * 0.99 + 0.37, note = 'u" +
                                   uuid.substr(0, 8) + "' WHERE y = " + n + ";"
                             : "UPDATE " + name + " SET x = x + 5 WHERE y = " + n + ";";
    default:
        return "INSERT INTO " + name + " (ref, e, s, j) SELECT id, 'two', 'p,q', '{\"u\": \"" +
               uuid + "\"}' FROM " + smallName(i - 3) + " WHERE id = " + n + ";";
    }
}

std::string CampaignSql::change(const std::string &uuid)
{
    const std::string n = std::to_string(below(1'000'000));
    switch (below(24)) {
    case 0:
    case 1:
    case 2:
        return placeOrder();
    case 3:
    case 4:
        return "UPDATE camp.customers SET balance = balance + " + n +
               "/100, rating = rating * 0.99 + 0.37, touched = NOW(6) WHERE id = " + row() + ";";
    case 5:
        return "INSERT INTO camp.customers (email, name, balance, profile) VALUES ('" + uuid +
               "', 'c " + uuid + "', " + n + "/100, '{\"n\": " + n +
               "}');SET @c = LAST_INSERT_ID();INSERT INTO camp.orders (customer_id, note) VALUES "
               "(@c,"
               " 'welcome');INSERT INTO camp_far.addresses (customer_id, street) VALUES (@c, "
               "'new');";
    case 6: // three levels and the other schema go; shipments lose theirs
        return "DELETE FROM camp.customers WHERE id = " + row() + ";";
    case 7: // and here the row comes back under its old key
        return "SET @i = " + row() +
               ";DELETE FROM camp.customers WHERE id = @i;INSERT INTO camp.customers (id, email, "
               "name)"
               " VALUES (@i, '" +
               uuid + "', 'again');";
    case 8: // carried to orders and addresses
        return "UPDATE camp.customers SET id = id + " + std::to_string(kMoved) +
               " WHERE id = " + row() + ";";
    case 9: // carried over two levels
        return "UPDATE camp.orders SET id = id + " + std::to_string(kMoved) +
               " WHERE id = " + row() + ";";
    case 10: // a part of a composite key, carried on
        return "UPDATE camp.order_lines SET line_no = line_no + 1000 WHERE order_id = " + row() +
               " ORDER BY line_no DESC LIMIT 1;";
    case 11: // a key that is a text
        return "UPDATE camp.accounts SET code = '" + uuid + "' WHERE code = 'acc " + row() + "';";
    case 12:
        return "INSERT INTO camp.entries (code, amount, at) SELECT code, " + n +
               ", NOW(3) FROM camp.accounts WHERE code = 'acc " + row() +
               "';UPDATE camp.entries SET amount = amount + 1 WHERE id = " + row() + ";";
    case 13:
    case 14:
        return "INSERT INTO camp.events_log (kind, flags, bits, payload) VALUES ('a', 'x,z', 5, "
               "x'00ff27" +
               uuid.substr(0, 8) +
               "'), ('b', '', 1023, ''), ('c', 'y', NULL, NULL);"
               "DELETE FROM camp.events_log WHERE id = " +
               row() + ";";
    case 15:
        return "UPDATE camp.documents SET body = CONCAT('changed ', body), meta = '{\"by\": \"" +
               uuid + "\"}' WHERE id = 'doc " + row() +
               "';REPLACE INTO camp.documents (id, body) VALUES ('doc " + row() + "', 'replaced');";
    case 16:
        return "REPLACE INTO camp_far.measurements VALUES (" + std::to_string(below(100)) +
               ", NOW(3), " + n + "/7e0, " + n +
               "/11e0);UPDATE camp_far.addresses SET street = 'moved"
               " " +
               n + "' WHERE id = " + row() + ";";
    case 17:
        return swapTags(uuid);
    case 18: // the value moves to a row of another key, in one transaction
        return "SET @s = NULL, @i = " + std::to_string(1 + below(kTags)) +
               ";SELECT slug INTO @s FROM camp.tags WHERE id = @i FOR UPDATE;DELETE FROM camp.tags"
               " WHERE id = @i;INSERT INTO camp.tags (id, slug) VALUES (@i, @s);";
    case 19:
        return "INSERT INTO camp.scratch (bytes) VALUES (x'00ff27" + uuid.substr(0, 8) + "');";
    case 20:
    case 21:
        return family(uuid);
    default:
        return smallTables(uuid) + smallTables(uuid);
    }
}

} // namespace causeway::test
