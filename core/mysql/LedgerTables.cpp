#include "base/Log.h"
#include "mysql/LedgerParts.h"

/// The tables that the ledger is kept in: where they are, how they come and go.
namespace causeway::mysql {

namespace {

const char *const kTables[] = {"migration", "stream", "chunk", "fact", "restoration"};

/// The server refuses to let this account make a database, or has no such statement (Vitess).
bool mayNotCreateSchema(const Error &e)
{
    switch (e.number) {
    case 1044: // access denied to database
    case 1142: // command denied
    case 1227: // access denied, needs a privilege
    case 1105: // Vitess: anything it does not do
    case 1235: // not supported
    case 3973: // some hosted servers: database creation is disabled
        return true;
    default:
        return false;
    }
}

/// Held while tables are created or dropped, so that the last migration out and the first one in
/// do not meet half way. A server without user locks (some proxies) goes without.
class StateLock {
public:
    explicit StateLock(Session &s, std::stop_token stop) : m_session(s)
    {
        const auto r =
            s.query(QStringLiteral("SELECT GET_LOCK('causeway.state', 10)"), std::move(stop));
        m_held = r && !r->rows.empty() && r->text(0, std::size_t(0)) == QLatin1String("1");
        if (!r)
            logDebug(r.error().describe());
    }
    ~StateLock()
    {
        if (!m_held || m_session.isDead())
            return;
        if (const auto r = m_session.query(QStringLiteral("SELECT RELEASE_LOCK('causeway.state')"));
            !r)
            logDebug(r.error().describe());
    }
    StateLock(const StateLock &) = delete;
    StateLock &operator=(const StateLock &) = delete;

private:
    Session &m_session;
    bool m_held = false;
};

} // namespace

Result<bool> tableExists(Session &s, const TableName &name, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SELECT 1 FROM information_schema.tables WHERE "
                                         "table_schema=%1 AND table_name=%2")
                              .arg(quoteText(name.schema), quoteText(name.name)),
                          stop));
    return !r.rows.empty();
}

Result<StateNames> findStateNames(Session &s, std::stop_token stop)
{
    const StateNames own;
    CW_TRY_ASSIGN(const bool inOwn, tableExists(s, own.table(QStringLiteral("migration")), stop));
    if (inOwn || s.address().database.isEmpty())
        return own;
    const StateNames beside{false, s.address().database};
    CW_TRY_ASSIGN(const bool inDatabase,
                  tableExists(s, beside.table(QStringLiteral("migration")), stop));
    return inDatabase ? beside : own;
}

QStringList MySqlLedger::tableSql() const
{
    const QString tail =
        QStringLiteral(") ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    const QString head = QStringLiteral("CREATE TABLE IF NOT EXISTS %1 (");
    return {
        head.arg(table("migration")) +
            QStringLiteral("migration CHAR(8) NOT NULL PRIMARY KEY, "
                           "epoch BIGINT UNSIGNED NOT NULL, holder VARCHAR(255) NOT NULL, "
                           "sessions MEDIUMTEXT NOT NULL, created_at DATETIME NOT NULL") +
            tail,
        head.arg(table("stream")) +
            QStringLiteral("migration CHAR(8) NOT NULL, stream VARCHAR(32) NOT NULL, "
                           "epoch BIGINT UNSIGNED NOT NULL, seq BIGINT UNSIGNED NOT NULL, "
                           "position LONGTEXT NULL, PRIMARY KEY (migration, stream)") +
            tail,
        head.arg(table("chunk")) +
            QStringLiteral("migration CHAR(8) NOT NULL, table_schema VARCHAR(64) NOT NULL, "
                           "table_name VARCHAR(64) NOT NULL, number INT NOT NULL, "
                           "after_key LONGBLOB NULL, upto_key LONGBLOB NULL, "
                           "row_count BIGINT NOT NULL, "
                           "PRIMARY KEY (migration, table_schema, table_name, number)") +
            tail,
        head.arg(table("fact")) +
            QStringLiteral("migration CHAR(8) NOT NULL, name VARCHAR(190) NOT NULL, "
                           "value LONGTEXT NOT NULL, PRIMARY KEY (migration, name)") +
            tail,
        head.arg(table("restoration")) +
            QStringLiteral("migration CHAR(8) NOT NULL, id VARCHAR(190) NOT NULL, "
                           "kind VARCHAR(32) NOT NULL, put_back LONGTEXT NOT NULL, "
                           "payload LONGTEXT NOT NULL, PRIMARY KEY (migration, id)") +
            tail,
    };
}

QStringList MySqlLedger::createSql() const
{
    QStringList sql;
    if (m_names.ownSchema) {
        sql << QStringLiteral("CREATE DATABASE IF NOT EXISTS %1 CHARACTER SET utf8mb4 COLLATE "
                              "utf8mb4_bin")
                   .arg(quoteId(m_names.schema));
    }
    return sql + tableSql();
}

Status MySqlLedger::createIn(Session &s, std::stop_token stop)
{
    const QStringList sql = tableSql();
    for (qsizetype i = 0; i < sql.size(); ++i) {
        // CREATE ... IF NOT EXISTS asks for the right to create and logs an event even where the
        // table is there; a DBA may have made the tables and withheld that right.
        CW_TRY_ASSIGN(const bool there,
                      tableExists(s, m_names.table(QString::fromLatin1(kTables[i])), stop));
        if (!there)
            CW_TRY(s.exec(sql[i], stop));
    }
    // The row is what keeps another migration's remove() from dropping the tables.
    return s.exec(QStringLiteral("INSERT INTO %1 (migration, epoch, holder, sessions, created_at) "
                                 "VALUES (%2, 0, '', '[]', UTC_TIMESTAMP()) "
                                 "ON DUPLICATE KEY UPDATE migration=migration")
                      .arg(table("migration"), me()),
                  stop);
}

Status MySqlLedger::create(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    const StateLock lock(*s, stop);
    CW_TRY_ASSIGN(m_names, findStateNames(*s, stop));
    if (m_names.ownSchema) {
        Status made;
        CW_TRY_ASSIGN(const ResultSet there,
                      s->query(QStringLiteral("SELECT 1 FROM information_schema.schemata WHERE "
                                              "schema_name=%1")
                                   .arg(quoteText(m_names.schema)),
                               stop));
        if (there.rows.empty())
            made = s->exec(createSql().constFirst(), stop);
        if (made)
            made = createIn(*s, stop);
        if (made || !mayNotCreateSchema(made.error()))
            return made;
        if (m_address.database.isEmpty()) {
            Error e = made.error();
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("mysql-state-schema");
            e.object = m_names.schema;
            e.message = cwText("core",
                               "The account %1 may not create the database `%2` on %3, in which "
                               "Causeway keeps its state.",
                               m_address.user, m_names.schema, m_address.display());
            e.fix = cwText("core",
                           "Name a database in the URL of this server, so that the state goes into "
                           "tables `_causeway_*` there, or let an administrator run: GRANT ALL ON "
                           "`\\_causeway`.* TO the migration account.");
            return fail(e);
        }
        m_names = StateNames{false, m_address.database};
    }
    return createIn(*s, stop);
}

Result<bool> MySqlLedger::exists(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(m_names, findStateNames(*s, stop));
    CW_TRY_ASSIGN(const bool there,
                  tableExists(*s, m_names.table(QStringLiteral("migration")), stop));
    if (!there)
        return false;
    CW_TRY_ASSIGN(
        const ResultSet r,
        s->query(
            QStringLiteral("SELECT 1 FROM %1 WHERE migration=%2").arg(table("migration"), me()),
            stop));
    return !r.rows.empty();
}

Status MySqlLedger::dropAll(Session &s, std::stop_token stop)
{
    QStringList names;
    for (const char *base : kTables)
        names << table(base);
    CW_TRY(
        s.exec(QStringLiteral("DROP TABLE IF EXISTS ") + names.join(QStringLiteral(", ")), stop));
    if (!m_names.ownSchema)
        return {};
    // Somebody else's objects in it, or a schema that a DBA made and we may not drop: it stays.
    CW_TRY_ASSIGN(const ResultSet rest,
                  s.query(QStringLiteral("SELECT 1 FROM information_schema.tables WHERE "
                                         "table_schema=%1 LIMIT 1")
                              .arg(quoteText(m_names.schema)),
                          stop));
    if (!rest.rows.empty())
        return {};
    Status dropped =
        s.exec(QStringLiteral("DROP DATABASE IF EXISTS ") + quoteId(m_names.schema), stop);
    if (!dropped && !mayNotCreateSchema(dropped.error()))
        return dropped;
    return {};
}

Status MySqlLedger::remove(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    const StateLock lock(*s, stop);
    CW_TRY_ASSIGN(m_names, findStateNames(*s, stop));
    CW_TRY_ASSIGN(const bool there,
                  tableExists(*s, m_names.table(QStringLiteral("migration")), stop));
    // A crash in the middle of an earlier drop may have left some: then nobody's row is left.
    if (!there)
        return dropAll(*s, stop);
    // The migration row goes first: it is what the lease hangs on, so that an old holder is refused
    // instead of writing into what is being removed.
    const Status emptied = inTransaction(*s, stop, [&]() -> Status {
        for (const char *base : kTables)
            CW_TRY(s->exec(
                QStringLiteral("DELETE FROM %1 WHERE migration=%2").arg(table(base), me()), stop));
        return {};
    });
    CW_TRY(emptied);
    CW_TRY(s->exec(QLatin1String("DROP TABLE IF EXISTS ") +
                       quoteName(m_names.table(scratchBase(m_migration))),
                   stop));
    CW_TRY_ASSIGN(
        const ResultSet others,
        s->query(QStringLiteral("SELECT 1 FROM %1 LIMIT 1").arg(table("migration")), stop));
    if (!others.rows.empty())
        return {};
    return dropAll(*s, stop);
}

} // namespace causeway::mysql
