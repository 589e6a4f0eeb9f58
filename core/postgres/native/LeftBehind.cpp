#include "postgres/native/LeftBehind.h"

#include "base/Json.h"
#include "base/Stop.h"
#include "journal/LeftBehind.h"
#include "postgres/TargetDatabase.h"
#include "postgres/native/AccountSettings.h"
#include "postgres/native/Detach.h"
#include "postgres/native/Fence.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace causeway::postgres {

namespace {
/// A server that restarts is back within this.
constexpr int kAttempts = 5;
constexpr std::chrono::seconds kBetween{1};

Result<bool> isAway(Server &server, std::stop_token stop)
{
    static const QStringList refusals{QStringLiteral("pg-access-denied"), QStringLiteral("pg-hba"),
                                      QStringLiteral("pg-tls"),
                                      QStringLiteral("pg-too-many-connections")};
    for (int attempt = 1;; ++attempt) {
        // A session from before may not know yet that its server is gone.
        const auto asked = server.query(QStringLiteral("SELECT 1"), stop);
        if (asked)
            return false;
        server.dropSession();
        if (isMissingDatabase(asked.error()))
            return false;
        if (!asked.error().isTransient() || refusals.contains(asked.error().id))
            return fail(asked.error());
        if (attempt == kAttempts)
            return true;
        if (!pauseFor(stop, kBetween))
            return fail(cancelledError());
    }
}
} // namespace

Result<std::optional<Side>> awaySide(Native &n, std::stop_token stop)
{
    CW_TRY_ASSIGN(const bool source, isAway(n.source, stop));
    CW_TRY_ASSIGN(const bool target, isAway(n.target, stop));
    if (source == target)
        return std::optional<Side>();
    return std::optional<Side>(source ? Side::Source : Side::Target);
}

QStringList removalSql(Server &server, bool open)
{
    const Side here = server.side(), there = otherSide(here);
    const Names &names = server.names();
    const QString database = quoteId(server.address().database);
    const QString subscription = names.stream(there), own = names.stream(here);
    QStringList out{
        QStringLiteral("SET default_transaction_read_only = off"),
        QStringLiteral("DO $do$ BEGIN IF EXISTS (SELECT FROM pg_subscription WHERE subname = %1) "
                       "THEN ALTER SUBSCRIPTION %2 DISABLE; ALTER SUBSCRIPTION %2 SET (slot_name = "
                       "NONE); END IF; END $do$")
            .arg(quoteText(subscription), quoteId(subscription)),
        QStringLiteral("DROP SUBSCRIPTION IF EXISTS %1").arg(quoteId(subscription)),
        QStringLiteral("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE "
                       "slot_name = %1")
            .arg(quoteText(own)),
        QStringLiteral("DROP PUBLICATION IF EXISTS %1").arg(quoteId(own))};
    if (open) {
        out << QStringLiteral("DROP SCHEMA IF EXISTS %1 CASCADE").arg(quoteId(names.seal()))
            << QStringLiteral("ALTER DATABASE %1 RESET default_transaction_read_only")
                   .arg(database);
    }
    out << resetAccountSettingsSql(server)
        << QStringLiteral(
               "DO $do$ BEGIN IF to_regclass('_causeway.migration') IS NOT NULL THEN "
               "DROP TABLE IF EXISTS _causeway.%1; DELETE FROM _causeway.migration WHERE "
               "id = %2; IF NOT EXISTS (SELECT FROM _causeway.migration) THEN DROP "
               "SCHEMA _causeway CASCADE; END IF; END IF; END $do$")
               .arg(names.barrierTable(), quoteText(names.migration()));
    return out;
}

Status rememberLeftBehind(Native &n, Side side, bool open)
{
    Server &server = n.on(side);
    LeftBehind left;
    left.side = side;
    left.server = server.display();
    left.open = open;
    left.sql = removalSql(server, open);
    n.host.event(QStringLiteral("warning"), left.text().english());
    return n.host.setJournalValue(LeftBehind::key(), left.encode());
}

Status removeLeftBehind(Native &n, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto kept, n.host.journalValue(LeftBehind::key()));
    const std::optional<LeftBehind> left = LeftBehind::decode(kept.value_or(QString()));
    if (!left)
        return {};
    Server &server = n.on(left->side);
    if (const auto there = server.session(stop); !there) {
        Error e = there.error();
        e.id = QStringLiteral("pg-left-behind");
        e.object = left->server;
        e.message = left->text();
        e.fix = left->fix();
        return fail(std::move(e));
    }
    Step drop = Native::step(
        QStringLiteral("left.drop"), left->side,
        cwText("core", "Drop what was left on %1 while it was away", server.display()), left->sql);
    drop.act = [&](std::stop_token token) -> Status {
        CW_TRY(dropOwnEnds(server, token));
        return left->open ? openFully(server, token) : leaveClosed(n, server, token);
    };
    CW_TRY(n.host.runSteps({drop, removeStateStep(n, left->side)}, stop));
    CW_TRY(n.host.setJournalValue(LeftBehind::key(), QString()));
    n.host.event(
        QStringLiteral("info"),
        QStringLiteral("Removed what was left on %1 while it was away.").arg(server.display()));
    return {};
}

} // namespace causeway::postgres
