#include "servers/PostgresShop.h"

#include <cstdio>

namespace causeway::test {

PostgresShop::PostgresShop(const PostgresWorkloadOptions &options, unsigned writer)
    : m_options(options), m_writer(writer), m_random(std::random_device{}())
{
}

int PostgresShop::below(int bound)
{
    return std::uniform_int_distribution<int>(0, bound - 1)(m_random);
}

std::string PostgresShop::number(int bound)
{
    return std::to_string(1 + below(bound));
}

std::string PostgresShop::newUuid()
{
    const std::uint64_t a = m_random();
    const std::uint64_t b = m_random();
    char text[37];
    std::snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%012llx",
                  static_cast<unsigned>(a >> 32U), static_cast<unsigned>(a >> 16U) & 0xffffU,
                  static_cast<unsigned>(a) & 0xfffU,
                  0x8000U | (static_cast<unsigned>(b >> 48U) & 0x3fffU),
                  static_cast<unsigned long long>(b & 0xffffffffffffULL));
    return text;
}

std::string PostgresShop::ledger(const std::string &uuid) const
{
    return "INSERT INTO shop.journal_entries (id, writer, number) VALUES ('" + uuid + "', " +
           std::to_string(m_writer) + ", " + std::to_string(m_count) + ");";
}

std::string PostgresShop::transaction(const std::string &uuid)
{
    ++m_count;
    return "BEGIN;" + ledger(uuid) + change(uuid) + "COMMIT";
}

std::string PostgresShop::longTransaction(const std::string &uuid)
{
    ++m_count;
    const std::string id =
        std::to_string(kFirstSlowCustomer + below(kFirstMovedCustomer - 1 - kFirstSlowCustomer));
    return "BEGIN;" + ledger(uuid) + "DELETE FROM shop.customers WHERE id = " + id +
           ";INSERT INTO shop.customers (id, name, balance, rating) VALUES (" + id + ", 'slow " +
           uuid + "', 1, 0.1);INSERT INTO shop.orders (customer_id, note) VALUES (" + id +
           ", 'slow')";
}

std::string PostgresShop::change(const std::string &uuid)
{
    const std::string n = std::to_string(below(1'000'000));
    switch (below(20)) {
    case 0:
    case 1:
    case 2: // an order with its lines, by identity and by the shop's own sequence. Of customers
            // that nobody deletes: their orders would be refused now and then.
        return "WITH o AS (INSERT INTO shop.orders (customer_id, note) VALUES (" +
               number(kCustomers / 2) + ", 'n " + n +
               "') RETURNING id) INSERT INTO shop.order_lines SELECT id, l, 'p" + n + "', " + n +
               "/100.0 FROM o, generate_series(1, 3) l;";
    case 3:
    case 4:
        return "UPDATE shop.customers SET balance = balance + " + n +
               "/100.0, rating = rating * 0.99 + 0.37, touched = clock_timestamp() WHERE id = " +
               number(kCustomers) + ";";
    case 5:
    case 6:
        return "WITH c AS (INSERT INTO shop.customers (name, balance, rating, profile, mood) "
               "VALUES ('c " +
               uuid + "', " + n + "/100.0, " + n + "/7.0, '{\"n\": " + n +
               ", \"tags\": [1, \"\xC3\xA9\"]}', 'happy') RETURNING id) "
               "INSERT INTO shop.orders (customer_id, note) SELECT id, 'welcome' FROM c;";
    case 7: // its orders go with it
        return "DELETE FROM shop.customers WHERE id = (SELECT id FROM shop.customers WHERE id >= " +
               std::to_string(kFirstNewCustomer) + " ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED);";
    case 8: { // three levels go, and the row comes back under its old key
        const std::string id = std::to_string(kCustomers / 2 + 1 + below(kCustomers / 2));
        return "SELECT pg_advisory_xact_lock(" + id +
               ");DELETE FROM shop.customers WHERE id = " + id +
               ";INSERT INTO shop.customers (id, name, balance, rating) VALUES (" + id +
               ", 'again " + uuid +
               "', 0, 0.1);WITH o AS (INSERT INTO shop.orders (customer_id, "
               "note) VALUES (" +
               id +
               ", 'again') RETURNING id) INSERT INTO shop.order_lines "
               "SELECT id, 1, 'again', 0.5 FROM o;";
    }
    case 9:
        return "DELETE FROM shop.orders WHERE id IN (SELECT id FROM shop.orders WHERE customer_id "
               "= " +
               number(kCustomers) + " LIMIT 1 FOR UPDATE SKIP LOCKED);";
    case 10: { // two rows change places under a unique key
        const std::string a = number(kTags / 2);
        const std::string b = std::to_string(kTags / 2 + 1 + below(kTags / 2));
        const std::string of = "(SELECT slug FROM shop.tags WHERE id = ";
        return "UPDATE shop.tags SET slug = '" + uuid + "|' || slug WHERE id = " + a +
               ";UPDATE shop.tags SET slug = split_part(" + of + a +
               "), '|', 2) || '|' || slug WHERE id = " + b +
               ";UPDATE shop.tags SET slug = split_part(" + of + b + "), '|', 2) WHERE id = " + a +
               ";UPDATE shop.tags SET slug = split_part(slug, '|', 1) WHERE id = " + b + ";";
    }
    case 11: // a key change within a composite key
        return "UPDATE shop.order_lines SET line_no = line_no + 1000 WHERE (order_id, line_no) = "
               "(SELECT order_id, line_no FROM shop.order_lines WHERE order_id = " +
               number(2000) + " ORDER BY line_no DESC LIMIT 1 FOR UPDATE SKIP LOCKED);";
    case 12: // its children lose their parent
        return "DELETE FROM shop.categories WHERE id = (SELECT id FROM shop.categories WHERE id "
               ">= " +
               number(kCategories) +
               " ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED);INSERT INTO shop.categories (title, "
               "parent_id) SELECT 'new " +
               n +
               "', (SELECT id FROM shop.categories WHERE id % 7 = 3 ORDER BY id LIMIT 1 FOR KEY "
               "SHARE SKIP LOCKED);";
    case 13:
        if (m_options.truncateEvery.count() > 0)
            return "INSERT INTO shop.scratch (bytes) VALUES ('\\x00ff27" + uuid.substr(0, 8) +
                   "');";
        return {};
    case 14: // the large value stays as it is
    case 15:
        return "UPDATE shop.documents SET reads = reads + 1, note = '" + n +
               "' WHERE id = " + number(kDocuments) + ";";
    case 16: // or is a new one
        return "UPDATE shop.documents SET body = repeat('" + uuid + "', " +
               std::to_string(1 + m_options.documentBytes / 36) +
               ") WHERE id = " + number(kDocuments) + ";";
    case 17: // a row moves to another partition
        return "INSERT INTO shop.events (kind, at, what) VALUES ('" +
               std::string(1, static_cast<char>('a' + below(4))) + "', '2024-01-01'::date + " +
               std::to_string(below(700)) + ", 'e " + n +
               "');UPDATE shop.events SET kind = CASE kind WHEN 'a' THEN 'b' ELSE 'a' END, at = at "
               "+ 30 WHERE id = (SELECT id FROM shop.events WHERE at < '2026-01-01' ORDER BY id "
               "LIMIT 1 OFFSET " +
               std::to_string(below(50)) + ") AND at < '2026-01-01';";
    case 18: // a customer takes another key, and its orders follow
        return "UPDATE shop.customers SET id = id - " +
               std::to_string(kFirstNewCustomer - kFirstMovedCustomer) +
               " WHERE id = (SELECT id FROM shop.customers WHERE id >= " +
               std::to_string(kFirstNewCustomer) + " ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED);";
    default:
        return "UPDATE shop.customers SET name = 'n " + uuid +
               "', profile = NULL WHERE id = " + number(kCustomers) + ";";
    }
}

QString PostgresShop::schema(const PostgresWorkloadOptions &options)
{
    return QStringLiteral(
               "CREATE SCHEMA shop;"
               "CREATE TYPE shop.mood AS ENUM ('sad', 'ok', 'happy');"
               "CREATE SEQUENCE shop.tickets CACHE 5 INCREMENT BY 3;"
               "CREATE TABLE shop.customers (id bigint GENERATED BY DEFAULT AS IDENTITY (START "
               "WITH %4) PRIMARY KEY, name varchar(80) NOT NULL, balance numeric(20,4) NOT NULL "
               "DEFAULT 0, rating real, profile jsonb, touched timestamptz, mood shop.mood DEFAULT "
               "'ok', name_length int GENERATED ALWAYS AS (char_length(name)) STORED);"
               "CREATE INDEX customers_name ON shop.customers (name);"
               "CREATE TABLE shop.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
               " customer_id bigint NOT NULL REFERENCES shop.customers ON DELETE CASCADE ON UPDATE"
               " CASCADE, placed timestamptz(3) NOT NULL DEFAULT clock_timestamp(), note text,"
               " ticket bigint NOT NULL UNIQUE DEFAULT nextval('shop.tickets'));"
               "CREATE INDEX orders_customer ON shop.orders (customer_id);"
               "CREATE TABLE shop.order_lines (order_id bigint NOT NULL REFERENCES shop.orders ON"
               " DELETE CASCADE, line_no int NOT NULL, product varchar(40) NOT NULL, price"
               " numeric(10,2) NOT NULL, PRIMARY KEY (order_id, line_no));"
               "CREATE TABLE shop.categories (id serial PRIMARY KEY, parent_id int REFERENCES"
               " shop.categories ON DELETE SET NULL, title varchar(80) NOT NULL);"
               "CREATE INDEX ON shop.categories (parent_id);"
               "CREATE TABLE shop.tags (id int PRIMARY KEY, slug text NOT NULL UNIQUE);"
               "CREATE TABLE shop.scratch (id bigserial PRIMARY KEY, bytes bytea);"
               "CREATE TABLE shop.documents (id int PRIMARY KEY, body text, reads int NOT NULL"
               " DEFAULT 0, note text);"
               "ALTER TABLE shop.documents ALTER COLUMN body SET STORAGE EXTERNAL;"
               "CREATE TABLE shop.events (id bigint NOT NULL DEFAULT nextval('shop.tickets'), kind"
               " text NOT NULL, at date NOT NULL, what text, PRIMARY KEY (id, kind, at)) PARTITION"
               " BY LIST (kind);"
               "CREATE TABLE shop.events_a PARTITION OF shop.events FOR VALUES IN ('a');"
               "CREATE TABLE shop.events_b PARTITION OF shop.events FOR VALUES IN ('b') PARTITION"
               " BY RANGE (at);"
               "CREATE TABLE shop.events_b_old PARTITION OF shop.events_b FOR VALUES FROM"
               " (MINVALUE) TO ('2024-07-01');"
               "CREATE TABLE shop.events_b_new PARTITION OF shop.events_b FOR VALUES FROM"
               " ('2024-07-01') TO (MAXVALUE);"
               "CREATE TABLE shop.events_rest PARTITION OF shop.events DEFAULT;"
               "CREATE TABLE shop.journal_entries (id uuid PRIMARY KEY, writer int NOT NULL, number"
               " bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());"
               "INSERT INTO shop.customers (id, name, balance, rating, profile)"
               " SELECT n, 'customer ' || n, n / 3.0, n / 7.0, '{\"vip\": false}'"
               " FROM generate_series(1, %1) n;"
               "INSERT INTO shop.orders (customer_id, note) SELECT n, 'first' FROM"
               " generate_series(1, %1) n;"
               "INSERT INTO shop.order_lines SELECT n, l, 'p' || n, 9.99 FROM"
               " generate_series(1, %1) n, generate_series(1, 2) l;"
               "INSERT INTO shop.categories (parent_id, title) SELECT NULLIF(n / 2, 0),"
               " 'category ' || n FROM generate_series(1, %3) n;"
               "INSERT INTO shop.tags SELECT n, 'tag ' || n FROM generate_series(1, %2) n;"
               "INSERT INTO shop.documents SELECT n, repeat(md5(n::text), %6 / 32) FROM"
               " generate_series(1, %5) n;"
               "INSERT INTO shop.events (kind, at, what) SELECT chr(97 + n % 4), date '2024-01-01'"
               " + n, 'first' FROM generate_series(1, 200) n;")
        .arg(kCustomers)
        .arg(kTags)
        .arg(kCategories)
        .arg(kFirstNewCustomer)
        .arg(kDocuments)
        .arg(options.documentBytes);
}

} // namespace causeway::test
