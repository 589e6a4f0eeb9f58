#pragma once

#include "postgres/PostgresDatabase.h"
#include "preflight/CheckList.h"
#include "preflight/Once.h"
#include "preflight/Silence.h"

#include <QHash>

#include <memory>
#include <mutex>
#include <vector>

namespace causeway::postgres {

struct Role {
    QString name;
    bool super = false, replication = false, bypassRls = false;
    bool createSubscription = false; ///< superuser, pg_create_subscription, a service's own role
    bool mayReplicate = false;       ///< superuser, REPLICATION, rds_replication
};

/// What the checks know of one PostgreSQL database; see mysql/checks/Context.h.
class ServerContext {
public:
    ServerContext(Endpoint endpoint, Side side, const CheckOptions &options);

    Result<const ServerFacts *> facts(std::stop_token);
    Result<const QHash<QString, QString> *> settings(std::stop_token);
    Result<const Role *> role(std::stop_token);
    /// "" where the server does not know it.
    Result<QString> setting(const char *name, std::stop_token);
    /// `{ns}` in the SQL becomes the condition on pg_namespace n.
    Result<ResultSet> query(const QString &sql, std::stop_token);
    Status exec(const QString &sql, std::stop_token);
    /// A target whose database is still to be made: sessions are in another one of the server.
    Result<bool> databaseMissing(std::stop_token);

    [[nodiscard]] const Address &address() const { return m_endpoint.fromHere; }
    [[nodiscard]] const Endpoint &endpoint() const { return m_endpoint; }
    [[nodiscard]] Side side() const { return m_side; }
    [[nodiscard]] const CheckOptions &options() const { return m_options; }
    [[nodiscard]] QStringList schemaNames() const;
    [[nodiscard]] bool inScope(const TableName &) const;
    [[nodiscard]] QString schemaList() const { return schemaNames().join(QLatin1Char(',')); }
    [[nodiscard]] QString expand(QString sql) const;
    /// Process ids of our own sessions.
    [[nodiscard]] QStringList ownBackends();

private:
    /// `again`: once more on a new session where the connection was lost. Not for what writes.
    template <class F>
    auto withSession(const std::stop_token &stop, F &&work, bool again = true)
        -> decltype(work(std::declval<Session &>()));
    Result<std::unique_ptr<Session>> take(const std::stop_token &);
    Endpoint m_endpoint;
    Side m_side;
    CheckOptions m_options;
    std::mutex m_poolMutex;
    std::vector<std::unique_ptr<Session>> m_pool;
    Silence m_silence;
    QStringList m_ownBackends;
    bool m_databaseMissing = false;
    Once<ServerFacts> m_facts;
    Once<QHash<QString, QString>> m_settings;
    Once<Role> m_role;
};

using Look = CheckLook<ServerContext>;
using CheckList = CheckListOf<ServerContext>;
using Servers = CheckServers<ServerContext>;

void addServerChecks(CheckList &);
void addSettingChecks(CheckList &);
void addSchemaChecks(CheckList &);
void addRoleChecks(CheckList &);
void addTargetChecks(CheckList &);
void addInventoryChecks(CheckList &);
std::vector<Check> allChecks(const Servers &, const CheckOptions &);
Result<QStringList> userScript(ServerContext &, const QString &account, std::stop_token);

Platform platformOf(Look &);
/// A server setting, changed where this server runs. `restart`: takes effect after one.
Fix settingFix(Look &, const QString &name, const QString &value, bool restart);
Fix sqlFix(Look &, const QStringList &sql, const Text &, const QString &privilege);
/// Both URLs lead to one server. Only with a target. (ServerChecks.cpp)
Result<bool> isSameServer(Look &);

} // namespace causeway::postgres
