#include "engine/Context.h"
#include "engine/Restorations.h"
#include "engine/SwitchParts.h"

#include <QDateTime>

/// Mode once: the application stands still, and the source is closed before anything is copied.
namespace causeway {

void warnOfPassing(Context &ctx, const QStringList &refused)
{
    for (const QString &who : refused) {
        ctx.event(QStringLiteral("warning"),
                  QStringLiteral("%1 may write on a closed server, and this account may neither "
                                 "lock it nor end its sessions.")
                      .arg(who));
    }
}

Status closeSourceForOnce(Context &ctx, std::stop_token stop)
{
    CW_TRY(ctx.setFact(Side::Source, QStringLiteral("selection"), ctx.settings.selection.encode(),
                       stop));
    CW_TRY_ASSIGN(const auto fence, ctx.fence(Side::Source, stop));
    CW_TRY_ASSIGN(const bool sealed, fence->isSealed(stop));
    if (sealed)
        return {};
    Step close;
    close.id = kCloseForOnce;
    close.side = Side::Source;
    close.title = cwText("core", "Close the source for writes (%1)", fence->sealKind());
    close.shownSql = fence->holdSql() + fence->sealSql();
    close.act = [&](std::stop_token token) -> Status {
        CW_TRY(noteHeldSince(ctx, QDateTime::currentMSecsSinceEpoch()));
        CW_TRY(disableEvents(ctx, Side::Source, token));
        CW_TRY_ASSIGN(QStringList passing, fence->passingWriters(kLookForWriters, token));
        passing += ctx.settings.lockAccounts;
        CW_TRY_ASSIGN(const QStringList refused, fence->lockAccounts(passing, token));
        warnOfPassing(ctx, refused);
        CW_TRY(fence->hold(token));
        CW_TRY(fence->seal(token));
        return fence->release(token);
    };
    close.undo = [&](std::stop_token token) -> Status {
        CW_TRY(fence->open(token));
        CW_TRY(putBackEvents(ctx, Side::Source, token));
        return forgetKept(ctx, Side::Source, token);
    };
    return ctx.runSteps({close}, stop);
}

} // namespace causeway
