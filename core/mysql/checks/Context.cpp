#include "mysql/checks/Context.h"

#include "base/Stop.h"
#include "mysql/OwnSessions.h"
#include "mysql/Parts.h"
#include "mysql/SchemaRead.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

/// One round trip that does not fail on a name the server does not have.
const char *const kVariables =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ("
    "'log_bin','binlog_format','binlog_row_image','binlog_row_value_options','binlog_row_metadata',"
    "'binlog_transaction_compression','log_bin_compress','binlog_order_commits',"
    "'binlog_expire_logs_seconds','binlog_expire_logs_auto_purge','expire_logs_days',"
    "'max_binlog_total_size','gtid_mode','enforce_gtid_consistency','gtid_strict_mode','server_id',"
    "'server_uuid','log_slave_updates','log_replica_updates','read_only','super_read_only',"
    "'innodb_read_only','sql_mode','character_set_server','collation_server','time_zone',"
    "'lower_case_table_names','max_allowed_packet','max_connections','require_secure_transport',"
    "'event_scheduler','local_infile','sql_require_primary_key',"
    "'sql_generate_invisible_primary_key','log_bin_trust_function_creators','partial_revokes',"
    "'innodb_native_foreign_keys','wsrep_on','aurora_version','version','version_comment',"
    "'explicit_defaults_for_timestamp','innodb_strict_mode','restrict_fk_on_non_standard_key',"
    "'max_execution_time','max_statement_time','hostname','port','datadir')";

const char *const kStatus = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected',"
                            "'wsrep_cluster_size','wsrep_provider_name',"
                            "'Ongoing_anonymous_transaction_count')";

ServerContext::Variables toMap(const ResultSet &rows)
{
    ServerContext::Variables out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        out.insert(rows.text(i, std::size_t{0}).toLower(), rows.text(i, std::size_t{1}));
    return out;
}

ObjectKind kindFrom(const QString &text)
{
    if (text == QLatin1String("trigger"))
        return ObjectKind::Trigger;
    if (text == QLatin1String("event"))
        return ObjectKind::Event;
    if (text == QLatin1String("procedure"))
        return ObjectKind::Procedure;
    if (text == QLatin1String("function"))
        return ObjectKind::Function;
    return ObjectKind::View;
}

TableName nameAt(const ResultSet &r, std::size_t row)
{
    return {r.text(row, std::size_t{0}), r.text(row, std::size_t{1})};
}

} // namespace

ServerContext::ServerContext(Endpoint endpoint, Side side, const CheckOptions &options)
    : m_endpoint(std::move(endpoint)), m_side(side), m_options(options)
{
}

QStringList ServerContext::schemaNames() const
{
    if (m_side == Side::Source)
        return m_options.selection.schemas;
    QStringList out;
    for (const QString &s : m_options.selection.schemas)
        out << m_options.selection.schemaOnTarget(s);
    return out;
}

bool ServerContext::inScope(const TableName &name) const
{
    return m_options.selection.matches(m_side == Side::Source ? name
                                                              : m_options.selection.onSource(name));
}

QString ServerContext::schemaList() const
{
    QStringList quoted;
    for (const QString &s : schemaNames())
        quoted << quoteText(s);
    return quoted.isEmpty() ? QStringLiteral("''") : quoted.join(QLatin1Char(','));
}

Result<std::unique_ptr<Session>> ServerContext::take(std::stop_token stop)
{
    {
        const std::lock_guard lock(m_poolMutex);
        if (!m_pool.empty()) {
            auto s = std::move(m_pool.back());
            m_pool.pop_back();
            return s;
        }
    }
    // Without a default schema: the one named in the URL need not exist on the target yet.
    Address address = m_endpoint.fromHere;
    address.database.clear();
    return Session::open(address, Use::Control, std::move(stop));
}

void ServerContext::giveBack(std::unique_ptr<Session> s)
{
    if (s->isDead())
        return;
    const std::lock_guard lock(m_poolMutex);
    m_pool.push_back(std::move(s));
}

template <class F>
auto ServerContext::withSession(const std::stop_token &stop, F &&work, bool again)
    -> decltype(work(std::declval<Session &>()))
{
    return askOf(
        m_silence, address(), stop, again, [&] { return take(stop); }, std::forward<F>(work),
        [this](std::unique_ptr<Session> s) { giveBack(std::move(s)); },
        [this] {
            const std::lock_guard lock(m_poolMutex);
            m_pool.clear();
        });
}

Result<ResultSet> ServerContext::query(const QString &sql, std::stop_token stop)
{
    return withSession(stop, [&](Session &s) { return askCatalog(s, sql, stop); });
}

Status ServerContext::exec(const QString &sql, std::stop_token stop)
{
    return withSession(
        stop, [&](Session &s) { return s.exec(sql, stop); }, false);
}

Result<const ServerFacts *> ServerContext::facts(std::stop_token stop)
{
    return m_facts.get([&]() -> Result<ServerFacts> {
        return withSession(stop, [&](Session &s) { return readFacts(s, stop); });
    });
}

Result<const ServerContext::Variables *> ServerContext::variables(std::stop_token stop)
{
    return m_variables.get([&]() -> Result<Variables> {
        CW_TRY_ASSIGN(const auto rows, query(QString::fromLatin1(kVariables), stop));
        return toMap(rows);
    });
}

Result<QString> ServerContext::variable(const char *name, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto *all, variables(std::move(stop)));
    return all->value(QString::fromLatin1(name));
}

Result<const ServerContext::Variables *> ServerContext::status(std::stop_token stop)
{
    return m_status.get([&]() -> Result<Variables> {
        CW_TRY_ASSIGN(const auto rows, query(QString::fromLatin1(kStatus), stop));
        return toMap(rows);
    });
}

Result<const GrantsBrief *> ServerContext::grants(std::stop_token stop)
{
    return m_grants.get([&]() -> Result<GrantsBrief> {
        CW_TRY_ASSIGN(const QString partial, variable("partial_revokes", stop));
        return withSession(stop, [&](Session &s) -> Result<GrantsBrief> {
            GrantsBrief out;
            CW_TRY_ASSIGN(const auto who, s.query(QStringLiteral("SELECT CURRENT_USER()"), stop));
            const QString account = who.text(0, std::size_t{0});
            out.account = quoteText(account.section(QLatin1Char('@'), 0, -2)) + QLatin1Char('@') +
                          quoteText(account.section(QLatin1Char('@'), -1));
            QStringList statements{QStringLiteral("SHOW GRANTS FOR CURRENT_USER()")};
            // Roles since MySQL 8.0 and MariaDB 10.0. Only the active ones count: ours are the
            // account's default roles.
            if (s.isMariaDb() || s.version() >= 80000) {
                CW_TRY_ASSIGN(const auto role,
                              s.query(QStringLiteral("SELECT CURRENT_ROLE()"), stop));
                const QString active = role.text(0, std::size_t{0});
                if (!active.isEmpty() && active != QLatin1String("NONE")) {
                    if (s.isMariaDb())
                        statements << QStringLiteral("SHOW GRANTS FOR CURRENT_ROLE");
                    else
                        statements[0] += QLatin1String(" USING ") + active;
                }
            }
            QStringList lines;
            for (const QString &sql : statements) {
                CW_TRY_ASSIGN(const auto rows, s.query(sql, stop));
                for (std::size_t i = 0; i < rows.rows.size(); ++i)
                    lines << rows.text(i, std::size_t{0});
            }
            out.grants = Grants::parse(lines, partial != QLatin1String("ON"));
            return out;
        });
    });
}

Result<const std::vector<TableBrief> *> ServerContext::tables(std::stop_token stop)
{
    return m_tables.get([&]() -> Result<std::vector<TableBrief>> {
        CW_TRY_ASSIGN(
            const auto rows,
            query(
                QStringLiteral(
                    "SELECT table_schema,table_name,table_type,engine,row_format,create_options,"
                    "table_collation,auto_increment,data_length FROM information_schema.tables "
                    "WHERE table_schema IN (%1) AND table_type IN ('BASE TABLE','SYSTEM VERSIONED',"
                    "'SEQUENCE') ORDER BY table_schema,table_name")
                    .arg(schemaList()),
                stop));
        std::vector<TableBrief> out;
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            TableBrief t{
                nameAt(rows, i), rows.text(i, 2), rows.text(i, 3), rows.text(i, 4),
                rows.text(i, 5), rows.text(i, 6), std::nullopt,    rows.text(i, 8).toLongLong()};
            if (!inScope(t.name))
                continue;
            if (!rows.isNull(i, 7))
                t.autoIncrement = rows.text(i, 7).toULongLong();
            out.push_back(std::move(t));
        }
        return out;
    });
}

Result<const QStringList *> ServerContext::schemas(std::stop_token stop)
{
    return m_schemas.get([&]() -> Result<QStringList> {
        CW_TRY_ASSIGN(
            const auto rows,
            query(QStringLiteral("SELECT schema_name FROM information_schema.schemata"), stop));
        QStringList out;
        for (std::size_t i = 0; i < rows.rows.size(); ++i)
            out << rows.text(i, std::size_t{0});
        return out;
    });
}

Result<const std::vector<ColumnBrief> *> ServerContext::specialColumns(std::stop_token stop)
{
    return m_specialColumns.get([&]() -> Result<std::vector<ColumnBrief>> {
        CW_TRY_ASSIGN(
            const auto rows,
            query(
                QStringLiteral(
                    "SELECT table_schema,table_name,column_name,data_type,column_type,extra,"
                    "column_comment FROM information_schema.columns WHERE table_schema IN (%1) "
                    "AND (extra LIKE '%auto_increment%' OR data_type IN ('float','double','uuid',"
                    "'inet4','inet6','xmltype') OR column_type LIKE '%COMPRESSED%' OR column_name "
                    "LIKE 'my\\_row\\_id')")
                    .arg(schemaList()),
                stop));
        // Not by a join: information_schema has no indexes, so that it would compare every column
        // with every index.
        CW_TRY_ASSIGN(const auto leading,
                      query(QStringLiteral("SELECT table_schema,table_name,column_name FROM "
                                           "information_schema.statistics WHERE table_schema IN "
                                           "(%1) AND seq_in_index=1 AND column_name IS NOT NULL")
                                .arg(schemaList()),
                            stop));
        QSet<std::pair<TableName, QString>> leads;
        for (std::size_t i = 0; i < leading.rows.size(); ++i)
            leads.insert({nameAt(leading, i), leading.text(i, 2)});
        std::vector<ColumnBrief> out;
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            ColumnBrief c{nameAt(rows, i),
                          rows.text(i, 2),
                          rows.text(i, 3).toLower(),
                          rows.text(i, 4),
                          rows.text(i, 5),
                          rows.text(i, 6),
                          false};
            c.leadsAnIndex = leads.contains({c.table, c.name});
            if (inScope(c.table))
                out.push_back(std::move(c));
        }
        return out;
    });
}

Result<const std::vector<ColumnCollation> *> ServerContext::columnCollations(std::stop_token stop)
{
    return m_columnCollations.get([&]() -> Result<std::vector<ColumnCollation>> {
        CW_TRY_ASSIGN(
            const auto rows,
            query(
                QStringLiteral(
                    "SELECT c.table_schema,c.table_name,c.character_set_name,c.collation_name,"
                    "MIN(c.column_name) FROM information_schema.columns c WHERE c.table_schema IN "
                    "(%1) AND c.collation_name IS NOT NULL GROUP BY 1,2,3,4")
                    .arg(schemaList()),
                stop));
        std::vector<ColumnCollation> out;
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            ColumnCollation c{nameAt(rows, i), rows.text(i, 2), rows.text(i, 3), rows.text(i, 4)};
            if (inScope(c.table))
                out.push_back(std::move(c));
        }
        return out;
    });
}

Result<const std::vector<ColumnFacts> *> ServerContext::columns(std::stop_token stop)
{
    return m_columns.get([&]() -> Result<std::vector<ColumnFacts>> {
        CW_TRY_ASSIGN(
            const auto rows,
            query(QStringLiteral("SELECT table_schema,table_name,column_name,data_type,extra,"
                                 "character_set_name,collation_name,is_nullable,"
                                 "generation_expression FROM information_schema.columns WHERE "
                                 "table_schema IN (%1) ORDER BY 1,2,ordinal_position")
                      .arg(schemaList()),
                  stop));
        std::vector<ColumnFacts> out;
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            ColumnFacts c;
            c.table = nameAt(rows, i);
            if (!inScope(c.table))
                continue;
            c.name = rows.text(i, 2);
            c.dataType = rows.text(i, 3).toLower();
            c.extra = rows.text(i, 4);
            c.charset = rows.text(i, 5);
            c.collation = rows.text(i, 6);
            c.nullable = rows.text(i, 7) == QLatin1String("YES");
            c.generated = !rows.text(i, 8).isEmpty();
            out.push_back(std::move(c));
        }
        return out;
    });
}

Result<const std::vector<UniqueKeyBrief> *> ServerContext::uniqueKeys(std::stop_token stop)
{
    return m_uniqueKeys.get([&]() -> Result<std::vector<UniqueKeyBrief>> {
        CW_TRY_ASSIGN(
            const auto rows,
            query(QStringLiteral("SELECT table_schema,table_name,index_name,column_name,nullable,"
                                 "sub_part FROM information_schema.statistics WHERE non_unique=0 "
                                 "AND table_schema IN (%1) ORDER BY 1,2,3,seq_in_index")
                      .arg(schemaList()),
                  stop));
        std::vector<UniqueKeyBrief> out;
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            const TableName table = nameAt(rows, i);
            if (!inScope(table))
                continue;
            const QString index = rows.text(i, 2);
            if (out.empty() || out.back().table != table || out.back().name != index)
                out.push_back({table, index, {}, {}, true});
            out.back().columns << rows.text(i, 3);
            out.back().prefixes << rows.text(i, 5).toInt();
            // A functional part has no column name (MySQL 8.0.13).
            if (rows.isNull(i, 3) || rows.text(i, 4) == QLatin1String("YES") || !rows.isNull(i, 5))
                out.back().usable = false;
        }
        return out;
    });
}

/// The tables whose foreign keys concern us, by what InnoDB itself knows: MariaDB opens every table
/// of the server to tell of foreign keys into ours. Empty: none have any; nothing: not known, as
/// without PROCESS.
Result<std::optional<QStringList>> ServerContext::tablesWithForeignKeys(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto *f, facts(stop));
    if (!f->isMariaDb)
        return std::nullopt; // its catalog is a table with an index
    const auto rows =
        query(QStringLiteral("SELECT for_name,ref_name FROM information_schema.innodb_sys_foreign"),
              std::move(stop));
    if (!rows && rows.error().code == ErrorCode::Server)
        return std::nullopt;
    CW_TRY(rows);
    const QStringList ours = schemaNames();
    const auto schemaOf = [](const QString &name) { return name.section(QLatin1Char('/'), 0, 0); };
    QStringList out;
    for (std::size_t i = 0; i < rows->rows.size(); ++i) {
        const QString child = rows->text(i, std::size_t{0}), parent = rows->text(i, 1);
        // Encoded as in a file's name.
        if (child.contains(QLatin1Char('@')) || parent.contains(QLatin1Char('@')))
            return std::nullopt;
        if (ours.contains(schemaOf(child), Qt::CaseInsensitive) ||
            ours.contains(schemaOf(parent), Qt::CaseInsensitive))
            out << quoteText(child.section(QLatin1Char('/'), 1));
    }
    out.removeDuplicates();
    return out;
}

Result<const std::vector<ForeignKeyBrief> *> ServerContext::allForeignKeys(std::stop_token stop)
{
    return m_allForeignKeys.get([&]() -> Result<std::vector<ForeignKeyBrief>> {
        CW_TRY_ASSIGN(const auto children, tablesWithForeignKeys(stop));
        std::vector<ForeignKeyBrief> out;
        if (children && children->isEmpty())
            return out;
        // Once for both directions.
        CW_TRY_ASSIGN(
            const auto rows,
            query(QStringLiteral(
                      "SELECT constraint_schema,table_name,unique_constraint_schema,"
                      "referenced_table_name,constraint_name,update_rule,delete_rule FROM "
                      "information_schema.referential_constraints WHERE (constraint_schema IN (%1) "
                      "OR unique_constraint_schema IN (%1))%2 ORDER BY 1,2,5")
                      .arg(schemaList(), children ? QStringLiteral(" AND table_name IN (%1)")
                                                        .arg(children->join(QLatin1Char(',')))
                                                  : QString()),
                  stop));
        for (std::size_t i = 0; i < rows.rows.size(); ++i)
            out.push_back({nameAt(rows, i),
                           {rows.text(i, 2), rows.text(i, 3)},
                           rows.text(i, 4),
                           rows.text(i, 5),
                           rows.text(i, 6)});
        return out;
    });
}

Result<const std::vector<ForeignKeyBrief> *> ServerContext::foreignKeys(std::stop_token stop)
{
    return m_foreignKeys.get([&]() -> Result<std::vector<ForeignKeyBrief>> {
        CW_TRY_ASSIGN(const auto *all, allForeignKeys(stop));
        std::vector<ForeignKeyBrief> out = *all;
        std::erase_if(out, [this](const ForeignKeyBrief &k) { return !inScope(k.table); });
        return out;
    });
}

Result<const std::vector<ForeignKeyBrief> *>
ServerContext::foreignKeysFromOutside(std::stop_token stop)
{
    return m_foreignKeysFromOutside.get([&]() -> Result<std::vector<ForeignKeyBrief>> {
        CW_TRY_ASSIGN(const auto *all, allForeignKeys(stop));
        std::vector<ForeignKeyBrief> out = *all;
        std::erase_if(out, [this](const ForeignKeyBrief &k) {
            return !inScope(k.referenced) || inScope(k.table);
        });
        return out;
    });
}

Result<const std::vector<ObjectBrief> *> ServerContext::objects(std::stop_token stop)
{
    return m_objects.get([&]() -> Result<std::vector<ObjectBrief>> {
        CW_TRY_ASSIGN(
            const auto rows,
            query(
                QStringLiteral(
                    "SELECT 'view' k,table_schema s,table_name n,definer d,'' t FROM "
                    "information_schema.views WHERE table_schema IN (%1) UNION ALL SELECT "
                    "'trigger',trigger_schema,trigger_name,definer,event_object_table FROM "
                    "information_schema.triggers WHERE trigger_schema IN (%1) UNION ALL SELECT "
                    "'event',event_schema,event_name,definer,'' FROM information_schema.events "
                    "WHERE event_schema IN (%1) UNION ALL SELECT LOWER(routine_type),"
                    "routine_schema,routine_name,definer,'' FROM information_schema.routines WHERE "
                    "routine_schema IN (%1)")
                    .arg(schemaList()),
                stop));
        std::vector<ObjectBrief> out;
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            ObjectBrief o{kindFrom(rows.text(i, std::size_t{0})), rows.text(i, 1), rows.text(i, 2),
                          rows.text(i, 3)};
            // A trigger moves with its table, a view by its name; the others with their schema.
            const QString schema =
                m_side == Side::Source ? o.schema : m_options.selection.schemaOnSource(o.schema);
            const bool moves = o.kind == ObjectKind::Trigger ? inScope({o.schema, rows.text(i, 4)})
                               : o.kind == ObjectKind::View
                                   ? inScope({o.schema, o.name})
                                   : m_options.selection.wholeSchema(schema);
            if (moves)
                out.push_back(std::move(o));
        }
        return out;
    });
}

Result<const Collations *> ServerContext::collations(std::stop_token stop)
{
    return m_collations.get([&]() -> Result<Collations> {
        return withSession(stop, [&](Session &s) { return Collations::read(s, stop); });
    });
}

Result<const QSet<QString> *> ServerContext::accounts(std::stop_token stop)
{
    return m_accounts.get([&]() -> Result<QSet<QString>> {
        CW_TRY_ASSIGN(const auto rows,
                      query(QStringLiteral("SELECT CONCAT(user,'@',host) FROM mysql.user"), stop));
        QSet<QString> out;
        for (std::size_t i = 0; i < rows.rows.size(); ++i)
            out.insert(rows.text(i, std::size_t{0}));
        return out;
    });
}

Result<const ServerAccounts *> ServerContext::serverAccounts(std::stop_token stop)
{
    return m_serverAccounts.get([&]() -> Result<ServerAccounts> {
        return withSession(stop, [&](Session &s) { return ServerAccounts::read(s, stop); });
    });
}

Result<const std::vector<ClientSession> *> ServerContext::clientSessions(std::stop_token stop)
{
    return m_clientSessions.get([&]() -> Result<std::vector<ClientSession>> {
        return withSession(stop, [&](Session &s) {
            return readClientSessions(s, m_endpoint.fromHere.user, stop);
        });
    });
}

Result<const std::vector<ReplicaBrief> *> ServerContext::replicas(std::stop_token stop)
{
    return m_replicas.get([&]() -> Result<std::vector<ReplicaBrief>> {
        return withSession(stop, [&](Session &s) { return readReplicas(s, stop); });
    });
}

Result<const std::vector<OtherSession> *> ServerContext::sameAccountSessions(std::stop_token stop)
{
    return m_sameAccountSessions.get([&]() -> Result<std::vector<OtherSession>> {
        // Without PROCESS this shows one's own account only, which is all that is asked here. Not
        // information_schema.processlist: MySQL 9 fails on it (3854) as soon as any session runs a
        // statement with a character outside utf8mb3.
        const QString sql = QStringLiteral("SHOW PROCESSLIST");
        CW_TRY_ASSIGN(const auto me,
                      query(QStringLiteral("SELECT SUBSTRING_INDEX(CURRENT_USER(),'@',1)"), stop));
        const QString account = me.text(0, std::size_t{0});
        const auto read = [&]() -> Result<std::vector<OtherSession>> {
            CW_TRY_ASSIGN(const auto rows, query(sql, stop));
            std::vector<OtherSession> out;
            QList<quint64> ids;
            for (std::size_t i = 0; i < rows.rows.size(); ++i) {
                // A reader of the binlog writes nothing.
                const QString command = rows.text(i, "Command");
                if (rows.text(i, "User") != account ||
                    command.startsWith(QLatin1String("Binlog Dump")) ||
                    command == QLatin1String("Daemon") || command == QLatin1String("Killed"))
                    continue;
                ids << rows.text(i, std::size_t{0}).toULongLong();
                out.push_back({ids.back(), account, rows.text(i, "Host"), rows.text(i, "db")});
            }
            CW_TRY_ASSIGN(const QSet<quint64> ours, withSession(stop, [&](Session &s) {
                              return causewaySessions(s, ids, stop);
                          }));
            std::erase_if(out, [&](const OtherSession &o) { return ours.contains(o.id); });
            return out;
        };
        CW_TRY_ASSIGN(auto first, read());
        if (first.empty())
            return first;
        // A connection of ours that was closed a moment ago can still be listed.
        pauseFor(stop, std::chrono::milliseconds(300));
        CW_TRY_ASSIGN(const auto second, read());
        std::erase_if(first, [&](const OtherSession &s) {
            return std::none_of(second.begin(), second.end(),
                                [&](const OtherSession &o) { return o.id == s.id; });
        });
        return first;
    });
}

Result<const SealFacts *> ServerContext::sealFacts(std::stop_token stop)
{
    return m_sealFacts.get([&]() -> Result<SealFacts> {
        Selection here = m_options.selection;
        if (m_side == Side::Target)
            here = here.onTargetSide();
        return withSession(stop, [&](Session &s) { return readSealFacts(s, here, stop); });
    });
}

FenceKind ServerContext::fenceKind() const
{
    return m_side == Side::Target && m_options.targetFence != FenceKind::Auto
               ? m_options.targetFence
               : m_options.fence;
}

} // namespace causeway::mysql
