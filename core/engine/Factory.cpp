#include "engine/Engine.h"
#include "engine/RelayRoute.h"
#include "engine/RouteFactory.h"
#include "mysql/MySqlDatabase.h"
#include "postgres/PostgresDatabase.h"

namespace causeway {

Result<std::shared_ptr<Database>> makeDatabase(const Address &address)
{
    switch (address.engine) {
    case Engine::MySql:
    case Engine::MariaDb:
        return std::shared_ptr<Database>(std::make_shared<mysql::MySqlDatabase>(address));
    case Engine::Postgres:
        return std::shared_ptr<Database>(std::make_shared<postgres::PostgresDatabase>(address));
    }
    return fail(ErrorCode::Internal, cwText("core", "Unknown engine."));
}

Result<std::unique_ptr<Route>> makeRoute(Context &ctx)
{
    return std::unique_ptr<Route>(std::make_unique<RelayRoute>(ctx));
}

QString toString(ConnectStage stage)
{
    switch (stage) {
    case ConnectStage::Resolve:
        return QStringLiteral("resolve");
    case ConnectStage::Tcp:
        return QStringLiteral("tcp");
    case ConnectStage::Tls:
        return QStringLiteral("tls");
    case ConnectStage::SignIn:
        return QStringLiteral("sign-in");
    case ConnectStage::Grants:
        return QStringLiteral("grants");
    }
    return {};
}

} // namespace causeway
