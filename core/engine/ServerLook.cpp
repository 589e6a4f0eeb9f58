#include "engine/ServerLook.h"

#include "engine/Engine.h"
#include "engine/ForeignWrites.h"
#include "postgres/StreamRights.h"
#include "postgres/native/Health.h"

namespace causeway {

bool replicatesWithoutUs(const Settings &settings)
{
    return settings.source.fromHere.engine == Engine::Postgres;
}

Result<Support> wayBack(const Address &source, const Address &target, std::stop_token stop)
{
    if (target.engine == Engine::Postgres)
        return postgres::wayBack(source, target, std::move(stop));
    CW_TRY_ASSIGN(const auto database, makeDatabase(target));
    CW_TRY_ASSIGN(const Capabilities can, database->capabilities(std::move(stop)));
    return can.reverse;
}

Status lookAtServers(const Settings &settings, const Address &source, const Address &target,
                     QJsonObject &status, std::stop_token stop)
{
    if (!replicatesWithoutUs(settings)) {
        const bool targetLeads =
            status.value(QStringLiteral("leader")).toString() == QLatin1String("target");
        const Roles roles = targetLeads ? Roles{Side::Target, Side::Source} : Roles{};
        CW_TRY_ASSIGN(const auto alarm,
                      lookForAlarm(settings, source, target, roles, std::move(stop)));
        status.insert(QStringLiteral("alarm"), alarm ? QJsonValue(alarm->toJson()) : QJsonValue());
        return {};
    }
    CW_TRY_ASSIGN(const auto look,
                  postgres::lookFromOutside(settings.id, source, target, settings.oneWayAccepted,
                                            std::move(stop)));
    if (!look)
        return {};
    const auto known = [](qint64 n) { return n >= 0 ? QJsonValue(n) : QJsonValue(); };
    status.insert(QStringLiteral("leader"), toString(look->roles.leader));
    status.insert(QStringLiteral("lag_bytes"), known(look->lagBytes));
    status.insert(QStringLiteral("log_kept_bytes"), known(look->keptBytes));
    status.insert(QStringLiteral("log_left_bytes"), known(look->leftBytes));
    status.insert(QStringLiteral("troubles"), troublesJson(look->troubles));
    return {};
}

} // namespace causeway
