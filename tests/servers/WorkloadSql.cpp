#include "servers/WorkloadSql.h"

namespace causeway::test {

ShopSql::ShopSql(const WorkloadOptions &options, unsigned writer)
    : WriterSql(writer), m_options(options)
{
}

std::string ShopSql::ledger(const std::string &uuid) const
{
    return "INSERT INTO shop.journal_entries (id, writer, number) VALUES ('" + uuid + "', " +
           std::to_string(writer()) + ", " + std::to_string(m_count) + ");";
}

std::string ShopSql::transaction(const std::string &uuid)
{
    ++m_count;
    return "START TRANSACTION;" + ledger(uuid) + change(uuid) + "COMMIT";
}

std::string ShopSql::longTransaction(const std::string &uuid)
{
    ++m_count;
    // A key of its own range, with rows on both ends: nobody's scan passes there, and no gap that
    // is locked here reaches to where the others insert.
    const std::string id =
        std::to_string(kFirstSlowCustomer + below(kFirstMovedCustomer - 1 - kFirstSlowCustomer));
    return "START TRANSACTION;" + ledger(uuid) + "DELETE FROM shop.customers WHERE id = " + id +
           ";INSERT INTO shop.customers (id, name, balance, rating) VALUES (" + id + ", 'slow " +
           uuid + "', 1, 0.1);INSERT INTO shop.orders (customer_id, note) VALUES (" + id +
           ", 'slow')";
}

std::string ShopSql::customer()
{
    return std::to_string(1 + below(kCustomers));
}

std::string ShopSql::placeOrder()
{
    // The customer may be gone: then nothing is inserted, and no foreign key complains.
    std::string sql =
        "SET @o = NULL, @c = NULL;"
        "SELECT id INTO @c FROM shop.customers WHERE id = " +
        customer() +
        " FOR UPDATE;"
        "INSERT INTO shop.orders (customer_id, note) SELECT @c, '\xC3\xA4 \xF0\x9F\x9A"
        "\x9A' FROM DUAL WHERE @c IS NOT NULL;"
        "SET @o = IF(@c IS NULL, NULL, LAST_INSERT_ID());";
    const int lines = 1 + below(4);
    for (int i = 1; i <= lines; ++i)
        sql += "INSERT INTO shop.order_lines (order_id, line_no, product, price) SELECT @o, " +
               std::to_string(i) + ", 'p" + std::to_string(below(500)) + "', " +
               std::to_string(below(100'000)) + "/100 FROM DUAL WHERE @o IS NOT NULL;";
    return sql;
}

std::string ShopSql::swapTags(const std::string &uuid)
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
    return "SET @a = NULL, @b = NULL;"
           "SELECT slug INTO @a FROM shop.tags WHERE id = " +
           first + " FOR UPDATE;SELECT slug INTO @b FROM shop.tags WHERE id = " + second +
           " FOR UPDATE;UPDATE shop.tags SET slug = 'swap " + uuid + "' WHERE id = " + first +
           ";UPDATE shop.tags SET slug = @a WHERE id = " + second +
           ";UPDATE shop.tags SET slug = @b WHERE id = " + first + ";";
}

std::string ShopSql::change(const std::string &uuid)
{
    const std::string n = std::to_string(below(1'000'000));
    switch (below(20)) {
    case 0:
    case 1:
    case 2:
    case 3:
        return placeOrder();
    case 4:
    case 5:
    case 6:
        return "UPDATE shop.customers SET balance = balance + " + n +
               "/100, rating = rating * 0.99 + 0.37, touched = NOW(6) WHERE id = " + customer() +
               ";";
    case 7:
    case 8:
        return "INSERT INTO shop.customers (name, balance, rating, profile) VALUES ('c " + uuid +
               "', " + n + "/100, " + n + "/7e0, '{\"n\": " + n +
               ", \"tags\": [1, \"\xC3\xA9\"]}');"
               "SET @c = LAST_INSERT_ID();"
               "INSERT INTO shop.orders (customer_id, note) VALUES (@c, 'welcome');";
    case 9: // its orders go with it
        return "DELETE FROM shop.customers WHERE id >= " + std::to_string(kFirstNewCustomer) +
               " ORDER BY id LIMIT 1;";
    case 10: // three levels go, and the row comes back under its old key
        return "SET @i = " + customer() +
               ";DELETE FROM shop.customers WHERE id = @i;"
               "INSERT INTO shop.customers (id, name, balance, rating) VALUES (@i, 'again " +
               uuid + "', 0, 0.1);";
    case 11:
        return "DELETE FROM shop.orders WHERE customer_id = " + customer() + " LIMIT 1;";
    case 12:
    case 13:
        return swapTags(uuid);
    case 14: // the value moves to a row of another key, in one transaction
        return "SET @s = NULL, @i = " + std::to_string(1 + below(kTags)) +
               ";SELECT slug INTO @s FROM shop.tags WHERE id = @i FOR UPDATE;"
               "DELETE FROM shop.tags WHERE id = @i;"
               "INSERT INTO shop.tags (id, slug) VALUES (@i, @s);";
    case 15: // a key change within a composite key
        return "UPDATE shop.order_lines SET line_no = line_no + 1000 WHERE order_id = " +
               std::to_string(1 + below(2000)) + " ORDER BY line_no DESC LIMIT 1;";
    case 16:
        return "INSERT INTO shop.categories (parent_id, title) SELECT id, 'c " + n +
               "' FROM shop.categories WHERE id >= " + std::to_string(1 + below(kCategories)) +
               " ORDER BY id LIMIT 1;UPDATE shop.categories SET title = '" + n +
               "' WHERE id = " + std::to_string(1 + below(kCategories)) + ";";
    case 17: // its children lose their parent
        return "DELETE FROM shop.categories WHERE id >= " + std::to_string(1 + below(kCategories)) +
               " ORDER BY id LIMIT 1;INSERT INTO shop.categories (title) VALUES ('new " + n + "');";
    case 18:
        if (m_options.truncateEvery.count() > 0)
            return "INSERT INTO shop.scratch (bytes) VALUES (x'00ff27" + uuid.substr(0, 8) + "');";
        return {};
    default:
        if (m_options.keyCascades)
            return "UPDATE shop.customers SET id = id - " +
                   std::to_string(kFirstNewCustomer - kFirstMovedCustomer) +
                   " WHERE id >= " + std::to_string(kFirstNewCustomer) + " ORDER BY id LIMIT 1;";
        return "UPDATE shop.customers SET name = 'n " + uuid + "' WHERE id = " + customer() + ";";
    }
}

QString ShopSql::schema(const WorkloadOptions &options)
{
    // Customers that change their key get one below what AUTO_INCREMENT gives: MariaDB's counter
    // does not follow an UPDATE upwards, and a later INSERT would collide.
    const QString keys = options.keyCascades ? QStringLiteral(" ON UPDATE CASCADE") : QString();
    return QStringLiteral(
               "CREATE DATABASE shop CHARACTER SET utf8mb4;"
               "CREATE TABLE shop.customers (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,"
               " name VARCHAR(80) NOT NULL, balance DECIMAL(20,4) NOT NULL DEFAULT 0,"
               " rating FLOAT, profile JSON, touched DATETIME(6),"
               " name_length INT GENERATED ALWAYS AS (CHAR_LENGTH(name)) STORED, KEY (name)) "
               "AUTO_INCREMENT=%4;"
               "CREATE TABLE shop.orders (id BIGINT AUTO_INCREMENT PRIMARY KEY,"
               " customer_id INT UNSIGNED NOT NULL, placed TIMESTAMP(3) NOT NULL DEFAULT"
               " CURRENT_TIMESTAMP(3), note VARCHAR(200), FOREIGN KEY (customer_id)"
               " REFERENCES shop.customers (id) ON DELETE CASCADE%1);"
               "CREATE TABLE shop.order_lines (order_id BIGINT NOT NULL, line_no INT NOT NULL,"
               " product VARCHAR(40) NOT NULL, price DECIMAL(10,2) NOT NULL,"
               " PRIMARY KEY (order_id, line_no), FOREIGN KEY (order_id) REFERENCES"
               " shop.orders (id) ON DELETE CASCADE);"
               "CREATE TABLE shop.categories (id INT AUTO_INCREMENT PRIMARY KEY, parent_id INT,"
               " title VARCHAR(80) NOT NULL, FOREIGN KEY (parent_id) REFERENCES"
               " shop.categories (id) ON DELETE SET NULL);"
               "CREATE TABLE shop.tags (id INT PRIMARY KEY, slug VARCHAR(60) NOT NULL,"
               " UNIQUE KEY slug (slug));"
               "CREATE TABLE shop.scratch (id BIGINT AUTO_INCREMENT PRIMARY KEY,"
               " bytes VARBINARY(40));"
               "CREATE TABLE shop.journal_entries (id CHAR(36) CHARACTER SET ascii NOT NULL"
               " PRIMARY KEY, writer INT NOT NULL, number BIGINT NOT NULL,"
               " at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6));"
               // 1..1000 without recursive queries, whose depth is limited
               "CREATE TEMPORARY TABLE shop.digits (d INT);"
               "INSERT INTO shop.digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);"
               "CREATE TEMPORARY TABLE shop.tens AS SELECT * FROM shop.digits;"
               "CREATE TEMPORARY TABLE shop.hundreds AS SELECT * FROM shop.digits;"
               "CREATE TEMPORARY TABLE shop.n AS SELECT 1 + a.d + 10 * b.d + 100 * c.d AS n"
               " FROM shop.digits a, shop.tens b, shop.hundreds c ORDER BY n;"
               "INSERT INTO shop.customers (id, name, balance, rating, profile)"
               " SELECT n, CONCAT('customer ', n), n / 3, n / 7,"
               " CONCAT('{\"n\": ', n, ', \"vip\": false}') FROM shop.n ORDER BY n;"
               "INSERT INTO shop.customers (id, name) VALUES (%5, 'end of the slow ones');"
               "INSERT INTO shop.orders (id, customer_id, note)"
               " SELECT n, n, 'first' FROM shop.n ORDER BY n;"
               "INSERT INTO shop.order_lines SELECT n, 1, CONCAT('p', n), 9.99 FROM shop.n;"
               "INSERT INTO shop.order_lines SELECT n, 2, CONCAT('q', n), 0.01 FROM shop.n;"
               "INSERT INTO shop.categories (id, parent_id, title)"
               " SELECT n, NULLIF(FLOOR(n / 2), 0), CONCAT('category ', n) FROM shop.n"
               " WHERE n <= %2 ORDER BY n;"
               "INSERT INTO shop.tags SELECT n, CONCAT('tag ', n) FROM shop.n WHERE n <= %3;"
               "DROP TEMPORARY TABLE shop.digits, shop.tens, shop.hundreds, shop.n")
        .arg(keys)
        .arg(kCategories)
        .arg(kTags)
        .arg(kFirstNewCustomer)
        .arg(kFirstMovedCustomer - 1);
}

void Workload::createSchema(TestServer &server, const WorkloadOptions &options)
{
    server.exec(ShopSql::schema(options));
    createAccount(server, options);
}

void Workload::createAccount(TestServer &server, const WorkloadOptions &options)
{
    const QString truncate =
        options.truncateEvery.count() > 0 ? QStringLiteral(", DROP") : QString();
    server.exec(QStringLiteral("CREATE USER IF NOT EXISTS shop_app@'%' IDENTIFIED BY 'app-secret';"
                               "GRANT SELECT, INSERT, UPDATE, DELETE%1 ON shop.* TO shop_app@'%'")
                    .arg(truncate));
}

Address Workload::address(const TestServer &server, quint16 proxyPort)
{
    Address address = server.address(QStringLiteral("shop_app"), QStringLiteral("app-secret"));
    if (proxyPort != 0)
        address.port = proxyPort;
    return address;
}

} // namespace causeway::test
