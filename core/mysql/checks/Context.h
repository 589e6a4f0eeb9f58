#pragma once

#include "mysql/FencePlan.h"
#include "mysql/PrivilegedAccounts.h"
#include "mysql/Replicas.h"
#include "mysql/SchemaCollations.h"
#include "mysql/Session.h"
#include "mysql/checks/Grants.h"
#include "preflight/Check.h"
#include "preflight/Once.h"
#include "preflight/Silence.h"

#include <QHash>
#include <QMap>
#include <QSet>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

/// What the checks know of one server. Each part is read once, by the first check that needs it,
/// with a bounded number of queries however many tables there are; a part that cannot be read makes
/// only its own checks unknown.
namespace causeway::mysql {

/// One base table in scope.
struct TableBrief {
    TableName name;
    QString type; ///< "BASE TABLE", "SEQUENCE", "SYSTEM VERSIONED"
    QString engine, rowFormat, createOptions, collation;
    std::optional<quint64> autoIncrement;
    qint64 bytes = 0; ///< of data, as the server estimates; indexes are built anew
};
struct ColumnBrief {
    TableName table;
    QString name, dataType, columnType, extra, comment;
    bool leadsAnIndex = true; ///< of an AUTO_INCREMENT column: what InnoDB asks for
};
/// Any column of a base table in scope.
struct ColumnFacts {
    TableName table;
    QString name, dataType, extra, charset, collation;
    bool nullable = true;
    bool generated = false;
};
struct ColumnCollation {
    TableName table;
    QString charset, collation;
    QString firstColumn; ///< one of those that have it
};
struct UniqueKeyBrief {
    TableName table;
    QString name;
    QStringList columns;
    QList<int> prefixes; ///< of each column; 0 = whole
    bool usable = true;  ///< all columns NOT NULL, whole and no expressions: identifies a row
};
struct ForeignKeyBrief {
    TableName table, referenced;
    QString name, onUpdate, onDelete;
};
struct ObjectBrief {
    ObjectKind kind = ObjectKind::View;
    QString schema, name, definer;
    [[nodiscard]] QString display() const
    {
        return toString(kind) + QLatin1Char(' ') + schema + QLatin1Char('.') + name;
    }
};
struct GrantsBrief {
    QString account; ///< CURRENT_USER() quoted: 'user'@'host'
    Grants grants;
};
struct OtherSession {
    quint64 id = 0;
    QString user, host, database;
};

class ServerContext {
public:
    ServerContext(Endpoint endpoint, Side side, const CheckOptions &options);

    using Variables = QHash<QString, QString>; ///< lower-case name -> value
    Result<const ServerFacts *> facts(std::stop_token);
    Result<const Variables *> variables(std::stop_token);
    Result<const Variables *> status(std::stop_token);
    Result<const GrantsBrief *> grants(std::stop_token);
    Result<const std::vector<TableBrief> *> tables(std::stop_token);
    Result<const QStringList *> schemas(std::stop_token); ///< all that the account can see
    Result<const std::vector<ColumnBrief> *> specialColumns(std::stop_token);
    Result<const std::vector<ColumnCollation> *> columnCollations(std::stop_token);
    Result<const std::vector<ColumnFacts> *> columns(std::stop_token);
    Result<const std::vector<UniqueKeyBrief> *> uniqueKeys(std::stop_token);
    Result<const std::vector<ForeignKeyBrief> *> foreignKeys(std::stop_token);
    /// Of tables that do not move, into tables that do.
    Result<const std::vector<ForeignKeyBrief> *> foreignKeysFromOutside(std::stop_token);
    Result<const std::vector<ObjectBrief> *> objects(std::stop_token);
    Result<const Collations *> collations(std::stop_token);
    Result<const QSet<QString> *> accounts(std::stop_token); ///< user@host of mysql.user
    Result<const ServerAccounts *> serverAccounts(std::stop_token);
    /// Of clients other than those of our account's name.
    Result<const std::vector<ClientSession> *> clientSessions(std::stop_token);
    Result<const std::vector<ReplicaBrief> *> replicas(std::stop_token);
    Result<const std::vector<OtherSession> *> sameAccountSessions(std::stop_token);
    /// How it can be closed. On a target the tables are those that will be there.
    Result<const SealFacts *> sealFacts(std::stop_token);
    [[nodiscard]] FenceKind fenceKind() const;

    /// A statement of a check's own, on a pooled session.
    Result<ResultSet> query(const QString &sql, std::stop_token);
    Status exec(const QString &sql, std::stop_token);

    [[nodiscard]] const Address &address() const { return m_endpoint.fromHere; }
    [[nodiscard]] const Endpoint &endpoint() const { return m_endpoint; }
    [[nodiscard]] Side side() const { return m_side; }
    [[nodiscard]] const CheckOptions &options() const { return m_options; }
    /// Schemas of the selection as they are named on this side.
    [[nodiscard]] QStringList schemaNames() const;
    [[nodiscard]] bool inScope(const TableName &) const;
    /// 'a','b' for IN (...).
    [[nodiscard]] QString schemaList() const;
    /// A variable's value, "" where the server does not know it.
    Result<QString> variable(const char *name, std::stop_token);

private:
    Result<const std::vector<ForeignKeyBrief> *> allForeignKeys(std::stop_token);
    Result<std::optional<QStringList>> tablesWithForeignKeys(std::stop_token);
    /// `again`: once more on a new session where the connection was lost. Not for what writes.
    template <class F>
    auto withSession(const std::stop_token &stop, F &&work, bool again = true)
        -> decltype(work(std::declval<Session &>()));
    Result<std::unique_ptr<Session>> take(std::stop_token);
    void giveBack(std::unique_ptr<Session>);

    Endpoint m_endpoint;
    Side m_side;
    CheckOptions m_options;
    std::mutex m_poolMutex;
    std::vector<std::unique_ptr<Session>> m_pool;
    Silence m_silence;

    Once<ServerFacts> m_facts;
    Once<Variables> m_variables, m_status;
    Once<GrantsBrief> m_grants;
    Once<std::vector<TableBrief>> m_tables;
    Once<QStringList> m_schemas;
    Once<std::vector<ColumnBrief>> m_specialColumns;
    Once<std::vector<ColumnFacts>> m_columns;
    Once<std::vector<ColumnCollation>> m_columnCollations;
    Once<std::vector<UniqueKeyBrief>> m_uniqueKeys;
    Once<std::vector<ForeignKeyBrief>> m_allForeignKeys, m_foreignKeys, m_foreignKeysFromOutside;
    Once<std::vector<ObjectBrief>> m_objects;
    Once<Collations> m_collations;
    Once<QSet<QString>> m_accounts;
    Once<ServerAccounts> m_serverAccounts;
    Once<std::vector<ClientSession>> m_clientSessions;
    Once<std::vector<ReplicaBrief>> m_replicas;
    Once<std::vector<OtherSession>> m_sameAccountSessions;
    Once<SealFacts> m_sealFacts;
};

} // namespace causeway::mysql
