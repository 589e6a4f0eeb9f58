#include "postgres/native/Silence.h"

#include "base/Stop.h"

namespace causeway::postgres {

Status beSilent(Session &session, const TableName &table, std::stop_token stop)
{
    if (session.exec(
            QStringLiteral("SAVEPOINT quiet; SET LOCAL session_replication_role = replica"), stop))
        return {};
    if (session.isDead())
        return fail(cancelledError());
    CW_TRY(session.exec(QStringLiteral("ROLLBACK TO SAVEPOINT quiet"), stop));
    CW_TRY_ASSIGN(
        const auto fires,
        session.query(QStringLiteral("SELECT 1 FROM pg_catalog.pg_trigger WHERE tgrelid = "
                                     "%1::pg_catalog.regclass AND tgenabled <> 'D' AND tgname NOT "
                                     "LIKE 'causeway\\_sealed\\_%'")
                          .arg(quoteText(quoteName(table))),
                      stop));
    if (fires.rows.empty())
        return {};
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("pg-write-fires-triggers");
    e.object = table.display();
    e.message = cwText("core",
                       "Rows of %1 cannot be written: triggers or foreign keys would act on "
                       "them.",
                       e.object);
    e.fix = cwText("core", "Use an account that may set session_replication_role, or disable those "
                           "triggers meanwhile.");
    return fail(std::move(e));
}

} // namespace causeway::postgres
