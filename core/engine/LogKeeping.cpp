#include "engine/LogKeeping.h"

#include "route/LogPurged.h"

#include <QDateTime>

#include <algorithm>

namespace causeway {

namespace {
QString hours(qint64 seconds)
{
    return seconds < 2 * 3600 ? cwText("core", "%1 minutes", seconds / 60).english()
                              : cwText("core", "%1 hours", seconds / 3600).english();
}
} // namespace

void readRetention(Context &ctx, Side leader, std::stop_token stop)
{
    const auto seconds = ctx.db(leader).retentionSeconds(std::move(stop));
    ctx.live.update([&](Snapshot &s) { s.retentionSeconds = seconds.value_or(-1); });
}

Status checkLogKept(Context &ctx, std::stop_token stop)
{
    if (ctx.settings.mode == Mode::Once)
        return {};
    readRetention(ctx, Side::Source, stop);
    CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(Side::Target, stop));
    CW_TRY_ASSIGN(const bool state, ledger->exists(stop));
    if (!state)
        return {};
    CW_TRY_ASSIGN(const Position from, ledger->appliedPosition(stop));
    if (from.isEmpty())
        return {};
    const auto kept = ctx.db(Side::Source).stillHas(from, stop);
    if (kept && *kept)
        return {};
    if (!kept && !isLogGone(kept.error()))
        return fail(kept.error());
    // As where the follower finds it: a person may have everything copied anew.
    ctx.stopped = StreamStop{{}, true, false, from.text};
    return fail(kept ? logPurgedError(from) : kept.error());
}

Text retentionWarning(const Snapshot &s, qint64 nowMs)
{
    if (s.retentionSeconds < 0 || s.logNeededFromMs < 0 || s.phase == Phase::Finished ||
        s.phase == Phase::Cancelled)
        return {};
    const qint64 age = std::max<qint64>(0, (nowMs - s.logNeededFromMs) / 1000);
    const qint64 left = s.retentionSeconds - age;
    const QString leader = s.roles.leader == Side::Source ? s.sourceName : s.targetName;
    if (s.retentionSeconds == 0)
        return cwText("core",
                      "%1 keeps its log only as long as the service itself needs it: set a "
                      "retention, or the migration may have to begin anew.",
                      leader);
    if (left <= 0)
        return cwText("core",
                      "%1 keeps its log for %2, and what is still needed of it is older: it may be "
                      "purged at any moment. Go on at once.",
                      leader, hours(s.retentionSeconds));
    if (s.phase == Phase::Copying && s.etaHigh > left)
        return cwText("core",
                      "The copy needs up to %1 more, but %2 keeps the log that is needed after it "
                      "for %3 more only. Raise the retention now (\"check\" says how).",
                      hours(s.etaHigh), leader, hours(left));
    if (left < s.retentionSeconds / 4)
        return cwText("core",
                      "%1 keeps its log for %2; what is still needed of it can be purged in %3. Go "
                      "on before that, or raise the retention.",
                      leader, hours(s.retentionSeconds), hours(left));
    return {};
}

void watchLog(Context &ctx)
{
    const Text warning = retentionWarning(*ctx.live.get(), QDateTime::currentMSecsSinceEpoch());
    bool begins = false;
    ctx.live.update([&](Snapshot &s) {
        // The hours in it change; one entry for each kind is enough.
        begins = !warning.isEmpty() && warning.source != s.warning.source;
        s.warning = warning;
    });
    if (begins)
        ctx.event(QStringLiteral("warning"), warning.english());
}

} // namespace causeway
