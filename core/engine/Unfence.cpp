#include "engine/Migration.h"

#include "database/Database.h"
#include "engine/Restorations.h"
#include "postgres/native/NativeRoute.h"

namespace causeway {

Result<QStringList> unfence(const Endpoint &source, const Endpoint &target, std::stop_token stop)
{
    if (!source.fromHere.isMySqlFamily())
        return postgres::unfence(source.fromHere, target.fromHere, std::move(stop));
    QStringList done;
    CW_TRY_ASSIGN(const auto sourceDb, makeDatabase(source.fromHere));
    CW_TRY_ASSIGN(const auto targetDb, makeDatabase(target.fromHere));
    CW_TRY_ASSIGN(const QStringList ids, sourceDb->migrations(stop));
    if (ids.isEmpty()) {
        return fail(ErrorCode::NotReady,
                    cwText("core",
                           "No migration has left its state on %1: it was not closed by "
                           "Causeway.",
                           source.fromHere.display()),
                    QStringLiteral("nothing-fenced"));
    }
    for (const QString &id : ids) {
        CW_TRY_ASSIGN(const auto targetLedger, targetDb->ledger(id, stop));
        CW_TRY_ASSIGN(const bool there, targetLedger->exists(stop));
        if (!there) {
            return fail(ErrorCode::NotReady,
                        cwText("core",
                               "Migration %1 has no state on %2, so nobody can tell who "
                               "leads. Is this its target?",
                               id, target.fromHere.display()),
                        QStringLiteral("wrong-target"));
        }
        CW_TRY_ASSIGN(const auto sourceLedger, sourceDb->ledger(id, stop));
        CW_TRY_ASSIGN(const auto onTarget, targetLedger->fact(QStringLiteral("leads"), stop));
        CW_TRY_ASSIGN(const auto onSource, sourceLedger->fact(QStringLiteral("leads"), stop));
        if (onTarget.value_or(QString()).toInt() > onSource.value_or(QString()).toInt()) {
            Error e;
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("switched");
            e.message = cwText("core",
                               "Migration %1 was switched: %2 takes the writes now. Opening "
                               "the source would split the data.",
                               id, target.fromHere.display());
            e.fix = cwText("core", "Go on with the migration's file, or switch back with it.");
            return fail(std::move(e));
        }
        CW_TRY_ASSIGN(const Lease lease, sourceLedger->takeLease(QStringLiteral("unfence"), stop));
        FenceRequest request;
        request.lease = lease;
        if (const auto stored = sourceLedger->fact(QStringLiteral("selection"), stop);
            stored && *stored)
            request.selection = Selection::decode(**stored);
        CW_TRY_ASSIGN(const auto fence, sourceDb->fence(request, stop));
        CW_TRY_ASSIGN(const bool sealed, fence->isSealed(stop));
        CW_TRY(fence->open(stop));
        CW_TRY_ASSIGN(const auto kept, sourceLedger->restorations(stop));
        for (const Restoration &r : kept) {
            if (r.kind == kept::event && !r.putBack.isEmpty()) {
                CW_TRY(sourceDb->execute(putBackStatements(r), stop));
                CW_TRY(sourceLedger->forget(lease, r.id, stop));
                done << QStringLiteral("%1: enabled again").arg(r.id);
            }
        }
        done << (sealed ? QStringLiteral("migration %1: %2 takes writes again")
                        : QStringLiteral("migration %1: %2 was open already"))
                    .arg(id, source.fromHere.display());
    }
    return done;
}

} // namespace causeway
