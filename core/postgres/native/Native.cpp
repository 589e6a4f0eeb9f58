#include "postgres/native/Native.h"

#include "base/Stop.h"
#include "postgres/StreamRights.h"
#include "postgres/native/Drift.h"

namespace causeway::postgres {

namespace {
/// Then somebody should look, even if every change that is pending can be applied.
constexpr int kUnexplained = 4;
} // namespace

Native::Native(RouteHost &h)
    : host(h), names(h.configuration().id),
      source(Side::Source, h.db(Side::Source).address(), names),
      target(Side::Target, h.db(Side::Target).address(), names)
{
}

Result<Scope> Native::scopeOn(Side side, std::stop_token stop)
{
    return readScope(on(side), host.selectionOn(side), std::move(stop));
}

Result<Roles> Native::roles(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto onTarget, target.fact(fact::leads, stop));
    if (!onTarget)
        return Roles{};
    CW_TRY_ASSIGN(const auto onSource, source.fact(fact::leads, stop));
    if (onTarget->toInt() > onSource.value_or(QString()).toInt())
        return Roles{Side::Target, Side::Source};
    return Roles{};
}

Result<SubscriptionOptions> Native::optionsFor(Roles roles, std::stop_token stop)
{
    CW_TRY_ASSIGN(const int there, on(roles.leader).version(stop));
    CW_TRY_ASSIGN(const int here, on(roles.follower).version(stop));
    SubscriptionOptions options;
    options.streaming = there >= 140000 && here >= 140000;
    if (there >= 160000 && here >= 160000) {
        // A second lock on the door against changes that come back: the two directions never run at
        // once anyhow. But where the leader follows somebody else too, those rows have an origin,
        // and would silently be left out.
        CW_TRY_ASSIGN(
            const auto others,
            on(roles.leader)
                .query(QStringLiteral("SELECT count(*) FROM pg_catalog.pg_replication_origin o "
                                      "WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_subscription "
                                      "s WHERE s.subname LIKE %1 AND o.roname LIKE 'pg\\_' || "
                                      "s.oid || '%')")
                           .arg(quoteText(QStringLiteral("causeway\\_") + names.migration() +
                                          QStringLiteral("\\_%"))),
                       stop));
        options.originNone = others.text(0, 0) == QLatin1String("0");
    }
    return options;
}

Status Native::idle(Roles roles)
{
    observer.look(host, on(roles.leader), on(roles.follower));
    if (!host.tick())
        return fail(cancelledError());
    if (!observer.failure())
        return {};
    const std::optional<Error> reason = diagnose(roles, *observer.failure());
    if (reason)
        return fail(*reason);
    observer.forget();
    return {};
}

std::optional<Error> Native::diagnose(Roles roles, const Error &failure)
{
    Error e = failure;
    Server &leader = on(roles.leader), &follower = on(roles.follower);
    // A column that the follower lacks is the most likely reason, and has an answer of its own.
    if (const auto drift = driftNow(*this, roles, {}); drift && !drift->empty())
        return driftError(*drift);
    auto found = findApplyTrouble(leader, follower, {});
    if (!found && found.error().isTransient())
        return found.error(); // one of them is away: that is all
    trouble = found ? std::move(*found) : std::nullopt;
    if (!trouble && e.id != QLatin1String("apply-error"))
        return e;
    if (found && !trouble && ++unexplained < kUnexplained)
        return std::nullopt;
    e.code = ErrorCode::NeedsDecision;
    e.id = QStringLiteral("apply-error");
    if (trouble) {
        e.object = trouble->table.display();
        e.serverWords = trouble->words;
        e.message = cwText("core", "%1 cannot apply a change of %2 from %3.", follower.display(),
                           e.object, leader.display());
        e.fix = cwText("core",
                       "Look at that table on both servers. Nothing is lost: %1 keeps the "
                       "changes meanwhile.",
                       leader.display());
    }
    return e;
}

Status Native::catchUp(Roles roles, std::chrono::milliseconds limit, bool durably,
                       std::stop_token stop)
{
    Barrier barrier(on(roles.leader), on(roles.follower), [&] { return idle(roles); });
    return durably ? barrier.passDurably(limit, std::move(stop))
                   : barrier.pass(limit, std::move(stop));
}

Step Native::step(const QString &id, std::optional<Side> side, Text title, QStringList sql)
{
    Step s;
    s.id = id;
    s.side = side;
    s.title = std::move(title);
    s.shownSql = std::move(sql);
    return s;
}

Result<Phase> derivePhase(Native &n, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Phase recorded, n.host.recordedPhase());
    if (recorded == Phase::Finished || recorded == Phase::Cancelled)
        return recorded;
    CW_TRY_ASSIGN(const Roles now, n.roles(stop));
    if (now.leader == Side::Target)
        return Phase::Primary;
    CW_TRY_ASSIGN(const bool state, n.target.hasState(stop));
    if (!state)
        return recorded == Phase::Checked ? Phase::Checked : Phase::Draft;
    CW_TRY_ASSIGN(const auto copied, n.target.fact(fact::copied, stop));
    if (!copied)
        return Phase::Copying;
    CW_TRY_ASSIGN(const auto complete, n.target.fact(fact::complete, stop));
    return complete ? Phase::Replica : Phase::CatchingUp;
}

Result<Support> wayBack(Native &n, std::stop_token stop)
{
    // The target must be able to publish, the source to subscribe.
    CW_TRY_ASSIGN(Session *const target, n.target.session(stop));
    CW_TRY_ASSIGN(Support publishes, canPublish(*target, stop));
    if (!publishes.yes)
        return publishes;
    CW_TRY_ASSIGN(Session *const source, n.source.session(stop));
    return canSubscribe(*source, stop);
}

} // namespace causeway::postgres
