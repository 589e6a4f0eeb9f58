#include "engine/Engine.h"
#include "engine/RelayRoute.h"
#include "engine/RouteFactory.h"
#include "mysql/MySqlDatabase.h"
#include "mysql/ReplicaSource.h"
#include "postgres/PostgresDatabase.h"
#include "postgres/native/NativeRoute.h"

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

Status checkWriter(const Endpoint &source)
{
    if (!source.writer || (source.fromHere.isMySqlFamily() && source.writer->isMySqlFamily()))
        return {};
    return fail(ErrorCode::Usage,
                cwText("core", "--source-writer is for MySQL and MariaDB: for PostgreSQL name the "
                               "primary as the source."),
                QStringLiteral("source-writer-unsupported"));
}

Result<std::shared_ptr<Database>> makeDatabase(const Endpoint &endpoint)
{
    CW_TRY(checkWriter(endpoint));
    if (!endpoint.readsFromReplica())
        return makeDatabase(endpoint.fromHere);
    return std::shared_ptr<Database>(
        std::make_shared<mysql::ReplicaSource>(*endpoint.writer, endpoint.fromHere));
}

Result<std::unique_ptr<Route>> makeRoute(Context &ctx)
{
    const Settings &settings = ctx.settings;
    const bool isPostgres = !settings.source.fromHere.isMySqlFamily();
    if (!isPostgres && settings.route == QLatin1String("native")) {
        return fail(ErrorCode::Usage,
                    cwText("core", "The native route is not built for MySQL and MariaDB: use "
                                   "--route relay."),
                    QStringLiteral("route-unsupported"));
    }
    if (isPostgres && settings.route == QLatin1String("relay")) {
        return fail(ErrorCode::Usage,
                    cwText("core", "The relay route is not built for PostgreSQL: use --route "
                                   "native."),
                    QStringLiteral("route-unsupported"));
    }
    if (settings.route == QLatin1String("auto")) {
        CW_TRY_ASSIGN(const auto told, ctx.journalValue(QStringLiteral("route_explained")));
        if (!told) {
            ctx.event(QStringLiteral("info"),
                      isPostgres
                          ? QStringLiteral("Route: native. The servers replicate directly, so "
                                           "they must reach each other; for PostgreSQL this "
                                           "is the only route that is built.")
                          : QStringLiteral("Route: relay. Rows and changes pass through this "
                                           "computer, so the servers need not reach each "
                                           "other; for MySQL and MariaDB this is the only "
                                           "route that is built."));
            CW_TRY(ctx.setJournalValue(QStringLiteral("route_explained"), QStringLiteral("1")));
        }
    }
    if (isPostgres)
        return std::unique_ptr<Route>(std::make_unique<postgres::NativeRoute>(ctx));
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
