#include "engine/Explain.h"

#include "engine/Engine.h"
#include "mysql/Session.h"

#include <QRegularExpression>

#include <algorithm>
#include <array>
#include <iterator>

namespace causeway {

namespace {

struct Rule {
    const char *pattern; ///< case does not matter
    const char *checks;  ///< ids, separated by spaces
};

/// From the servers' own texts, and from those of PlanetScale's import, AWS DMS, Google's Database
/// Migration Service and pglogical as their documentation prints them. The telling ones first: all
/// that match count.
constexpr std::array kRules{
    // MySQL, MariaDB
    Rule{R"(enforce_gtid_consistency)", "mysql-enforce-gtid-consistency"},
    Rule{R"(gtid_mode|\bgtid\b.*(disabled|off|not enabled)|ER_GTID_MODE)", "mysql-gtid-mode"},
    Rule{
        R"(log_bin\b(?!_)|log-bin\b|binary log(ging)? is (not enabled|disabled|off)|not using binary )"
        R"(logging|\b1381\b|ER_NO_BINARY_LOGGING)",
        "mysql-log-bin"},
    Rule{R"(binlog_format|binlog format|must use row(-based)?|row-based (binary )?log)",
         "mysql-binlog-format"},
    Rule{R"(binlog_row_image|row image)", "mysql-binlog-row-image"},
    Rule{R"(binlog_row_value_options|partial_json)", "mysql-binlog-row-value-options"},
    Rule{
        R"(binlog_expire_logs|expire_logs_days|binlog retention|binlog_retention|retention (hours|period))"
        R"(|purged binary logs|purged required|could not find first log file|lost binlog position)"
        R"(|\b1236\b|ER_MASTER_FATAL_ERROR_READING_BINLOG|ER_SOURCE_FATAL_ERROR_READING_BINLOG)",
        "mysql-binlog-retention"},
    Rule{R"(\bserver[_-]id\b)", "mysql-server-id"},
    Rule{R"(sql_mode|no_zero_date|no_zero_in_date|incorrect (date|datetime) value|ansi_quotes)",
         "mysql-sql-mode"},
    Rule{R"(lower_case_table_names)", "mysql-table-names"},
    Rule{R"(max_allowed_packet|packet bigger|\b1153\b|ER_NET_PACKET_TOO_LARGE)",
         "mysql-max-allowed-packet"},
    Rule{R"(unknown collation|unsupported collation|\b1273\b|ER_UNKNOWN_COLLATION)",
         "mysql-collation"},
    Rule{R"(unknown character set|unsupported charset|\b1115\b|ER_UNKNOWN_CHARACTER_SET)",
         "mysql-charset"},
    Rule{R"((no|without( a)?|missing|requires? a) (primary|unique) key|no unique key|\b3750\b)"
         R"(|ER_TABLE_WITHOUT_PK|sql_require_primary_key)",
         "mysql-unique-key pg-replica-identity"},
    Rule{R"(foreign key)", "mysql-foreign-keys"},
    Rule{R"(storage engine|unknown engine|only innodb|not innodb|myisam)", "mysql-storage-engine"},
    Rule{R"(keyspace .*fetch|fetch.* keyspace|\bvttablet\b|\bvtgate\b)",
         "mysql-vitess-source mysql-grants"},
    Rule{R"(local_infile|loading local data|\b3948\b)", "mysql-local-infile"},
    Rule{R"(definer .*(does not exist|not exist)|\b1449\b|ER_NO_SUCH_USER)", "mysql-definers"},
    Rule{R"(log_bin_trust_function_creators|\b1419\b|\b1418\b|ER_BINLOG_CREATE_ROUTINE_NEED_SUPER)",
         "mysql-trigger-rights"},
    Rule{R"(super_read_only|--read-only|read[_ -]only option|\b1290\b|\b1836\b|innodb_read_only)",
         "mysql-target-writable"},
    Rule{R"(already exists|\b1050\b|ER_TABLE_EXISTS_ERROR)",
         "mysql-target-tables pg-target-tables"},
    Rule{R"(prepared xa|xa recover|\b1399\b|ER_XAER_RMFAIL)", "mysql-xa"},
    Rule{R"(log_(slave|replica)_updates)", "mysql-replica-source"},
    Rule{R"(access denied; you need|\b1227\b|ER_SPECIFIC_ACCESS_DENIED|replication (slave|client))"
         R"(|command denied|\b1142\b|ER_TABLEACCESS_DENIED)",
         "mysql-grants"},
    // PostgreSQL
    Rule{R"(wal_level|rds\.logical_replication|cloudsql\.logical_decoding|logical decoding)",
         "pg-wal-level"},
    Rule{R"(max_replication_slots|all replication slots are in use)", "pg-replication-slots"},
    Rule{R"(max_wal_senders|number of requested standby connections)", "pg-wal-senders"},
    Rule{R"(max_(logical_replication_workers|worker_processes|sync_workers_per_subscription))"
         R"(|out of (logical replication|background) worker)",
         "pg-workers"},
    Rule{R"(max_slot_wal_keep_size|requested wal segment .* (has already been )?removed)"
         R"(|replication slot .*(invalidated|lost)|wal_status)",
         "pg-wal-keep"},
    Rule{R"(replica identity|does not have a replica identity)", "pg-replica-identity"},
    Rule{R"(must be superuser|rds_replication|permission denied to (start|use|create)|REPLICATION )"
         R"(attribute|must have replication|pg_create_subscription)",
         "pg-grants pg-way-back"},
    Rule{R"(extension ".*" is not available|could not open extension|pglogical)", "pg-extensions"},
    Rule{R"(role ".*" does not exist)", "pg-roles"},
    Rule{R"(row[- ]level security|row security)", "pg-row-level-security"},
    Rule{R"(max_prepared_transactions|prepared transaction)", "pg-prepared-xacts"},
    Rule{R"(large object)", "pg-large-objects"},
    Rule{R"(unlogged)", "pg-unlogged-tables"},
    Rule{R"(server version mismatch|aborting because of server version)", "pg-dump-tool"},
    Rule{R"(is in recovery|recovery mode|hot standby)", "pg-standby"},
    Rule{
        R"(encoding ".*" .*(does not match|has no equivalent)|collation ".*" .*(does not exist|version))",
        "pg-locale"},
};

struct Name {
    const char *name;
    unsigned number;
};
/// Errors of connecting, by the names that drivers print in place of the number.
constexpr std::array kNames{Name{"ER_ACCESS_DENIED_ERROR", 1045},
                            Name{"ER_ACCESS_DENIED_NO_PASSWORD_ERROR", 1698},
                            Name{"ER_DBACCESS_DENIED_ERROR", 1044},
                            Name{"ER_BAD_DB_ERROR", 1049},
                            Name{"ER_CON_COUNT_ERROR", 1040},
                            Name{"ER_HOST_IS_BLOCKED", 1129},
                            Name{"ER_HOST_NOT_PRIVILEGED", 1130},
                            Name{"ER_MUST_CHANGE_PASSWORD", 1820},
                            Name{"ER_SECURE_TRANSPORT_REQUIRED", 3159},
                            Name{"ER_ACCOUNT_HAS_BEEN_LOCKED", 3118},
                            Name{"ECONNREFUSED", 2003},
                            Name{"ETIMEDOUT", 2002},
                            Name{"ENOTFOUND", 2005},
                            Name{"CR_AUTH_PLUGIN_ERR", 2061}};
constexpr std::array kConnectNumbers{1040U, 1044U, 1045U, 1049U, 1129U, 1130U, 1698U, 1820U,
                                     2002U, 2003U, 2005U, 2026U, 2061U, 3118U, 3159U};

/// What connecting failed with, if the message says so by name, number or MySQL's own words.
std::optional<unsigned> connectNumber(const QString &message)
{
    for (const Name &n : kNames) {
        if (message.contains(QLatin1String(n.name), Qt::CaseInsensitive))
            return n.number;
    }
    static const QRegularExpression number(
        QStringLiteral(R"((?:ERROR|Error|errno|code|SQL Error)\D{0,4}(\d{4})\b)"));
    for (auto it = number.globalMatch(message); it.hasNext();) {
        const unsigned n = it.next().captured(1).toUInt();
        if (std::find(kConnectNumbers.begin(), kConnectNumbers.end(), n) != kConnectNumbers.end())
            return n;
    }
    if (message.contains(QLatin1String("Access denied for user")))
        return message.contains(QLatin1String("to database")) ? 1044U : 1045U;
    if (message.contains(QLatin1String("Too many connections")))
        return 1040U;
    if (message.contains(QLatin1String("is not allowed to connect")))
        return 1130U;
    return std::nullopt;
}

std::vector<CheckInfo> allChecks()
{
    std::vector<CheckInfo> out = describeChecks(Engine::MySql);
    std::vector<CheckInfo> more = describeChecks(Engine::Postgres);
    std::move(more.begin(), more.end(), std::back_inserter(out));
    return out;
}

} // namespace

std::vector<Explanation> explain(const QString &message)
{
    std::vector<Explanation> out;
    if (const auto number = connectNumber(message)) {
        Address a;
        a.host = QStringLiteral("HOST");
        a.port = 3306;
        a.user = QStringLiteral("USER");
        const Error e = mysql::nameError(*number, {}, message, a, QStringLiteral("connect"));
        out.push_back({e.id, false, e.message, e.fix});
    }
    const std::vector<CheckInfo> known = allChecks();
    QStringList seen;
    for (const Rule &rule : kRules) {
        const QRegularExpression pattern(QLatin1String(rule.pattern),
                                         QRegularExpression::CaseInsensitiveOption);
        if (!pattern.match(message).hasMatch())
            continue;
        for (const QString &id : QString::fromLatin1(rule.checks).split(QLatin1Char(' '))) {
            if (seen.contains(id))
                continue;
            seen << id;
            const auto check = std::find_if(known.begin(), known.end(),
                                            [&](const CheckInfo &c) { return c.id == id; });
            if (check != known.end())
                out.push_back({id, true, check->title, check->why});
        }
    }
    return out;
}

QStringList explainedChecks()
{
    QStringList out;
    for (const Rule &rule : kRules)
        out += QString::fromLatin1(rule.checks).split(QLatin1Char(' '));
    out.removeDuplicates();
    return out;
}

} // namespace causeway
