#include "postgres/native/Fence.h"
#include "postgres/native/Native.h"
#include "postgres/native/NativeRoute.h"

namespace causeway::postgres {

namespace {
Error noState(const Address &source)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("nothing-fenced");
    e.message =
        cwText("core", "No migration has left its state on %1: it was not closed by Causeway.",
               source.display());
    return e;
}
} // namespace

Result<QStringList> unfence(const Address &source, const Address &target, std::stop_token stop)
{
    QStringList done, ids;
    {
        CW_TRY_ASSIGN(const auto session, Session::open(source, stop));
        CW_TRY_ASSIGN(const auto there,
                      session->query(QStringLiteral("SELECT pg_catalog.to_regclass('_causeway."
                                                    "migration') IS NOT NULL"),
                                     stop));
        if (!there.isTrue(0, 0))
            return fail(noState(source));
        CW_TRY_ASSIGN(const auto rows,
                      session->query(QStringLiteral("SELECT id FROM _causeway.migration"), stop));
        for (std::size_t i = 0; i < rows.rows.size(); ++i)
            ids << rows.text(i, 0);
    }
    if (ids.isEmpty())
        return fail(noState(source));
    for (const QString &id : ids) {
        const Names names(id);
        Server from(Side::Source, source, names), to(Side::Target, target, names);
        CW_TRY_ASSIGN(const bool there, to.hasState(stop));
        if (!there) {
            return fail(ErrorCode::NotReady,
                        cwText("core",
                               "Migration %1 has no state on %2, so nobody can tell who leads. Is "
                               "this its target?",
                               id, target.display()),
                        QStringLiteral("wrong-target"));
        }
        CW_TRY_ASSIGN(const auto onTarget, to.fact(fact::leads, stop));
        CW_TRY_ASSIGN(const auto onSource, from.fact(fact::leads, stop));
        if (onTarget.value_or(QString()).toInt() > onSource.value_or(QString()).toInt()) {
            Error e;
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("switched");
            e.message = cwText("core",
                               "Migration %1 was switched: %2 takes the writes now. Opening the "
                               "source would split the data.",
                               id, target.display());
            e.fix = cwText("core", "Go on with the migration's file, or switch back with it.");
            return fail(std::move(e));
        }
        Fence fence(from);
        CW_TRY_ASSIGN(const bool sealed, fence.isSealed(stop));
        // A Causeway that is still at it loses its lease on both, before anything opens.
        CW_TRY(to.takeLease(stop));
        CW_TRY(from.takeLease(stop));
        CW_TRY_ASSIGN(const auto again, to.fact(fact::leads, stop));
        if (again != onTarget) {
            return fail(ErrorCode::NotReady,
                        cwText("core", "Migration %1 is switching just now.", id),
                        QStringLiteral("switched"));
        }
        CW_TRY(fence.letWrite(stop));
        CW_TRY(fence.remove(std::chrono::milliseconds(1'000), stop));
        CW_TRY_ASSIGN(const SubscriptionState stream, readSubscription(to, Side::Source, stop));
        if (stream.exists && !stream.enabled)
            CW_TRY(enableSubscription(to, Side::Source, stop));
        done << (sealed ? QStringLiteral("migration %1: %2 takes writes again")
                        : QStringLiteral("migration %1: %2 was open already"))
                    .arg(id, source.display());
    }
    return done;
}

} // namespace causeway::postgres
