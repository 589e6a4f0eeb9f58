#include "cli/Arguments.h"
#include "cli/Commands.h"
#include "cli/Drive.h"
#include "cli/SignalPause.h"
#include "cli/Standing.h"

namespace causeway::cli {

namespace {
void sayTable(const Output &out, const TableVerdict &t)
{
    out.say(QStringLiteral("%1: %2 differing, %3 missing, %4 extra, %5 repaired")
                .arg(t.name)
                .arg(t.differing)
                .arg(t.missing)
                .arg(t.extra)
                .arg(t.repaired));
    for (const RowDifference &d : t.samples)
        out.say(QStringLiteral("    %1 %2").arg(d.kind, d.key));
}

Result<int> verify(const QStringList &arguments, Output &out)
{
    Arguments args(
        QStringLiteral("verify"),
        QStringLiteral("Compares both sides row by row, also while writes go on; follows "
                       "meanwhile. A row is missing or extra on the side that follows."));
    args.positional(QStringLiteral("FILE"), QStringLiteral("the migration"));
    args.option(QStringLiteral("repair"), QStringLiteral("make the follower equal"));
    args.option(QStringLiteral("json"), QStringLiteral("result as JSON"));
    CW_TRY(args.parse(arguments));
    CW_TRY_ASSIGN(const QString path, args.required(0));
    SignalPause signals;
    CW_TRY_ASSIGN(const auto migration, openMigration(path));
    // With --json standard output is for the result alone.
    Output quiet(false);
    const bool repair = args.isSet(QStringLiteral("repair"));
    const Outcome outcome =
        carryOut(*migration, command::Verify{repair}, out.json() ? quiet : out, signals);
    if (!outcome.status && outcome.status.error().code == ErrorCode::NeedsDecision) {
        CW_TRY_ASSIGN(const Standing standing, Standing::read(path));
        for (const QString &line : standing.decision())
            out.complain(line);
    }
    CW_TRY(outcome.status);
    const VerifyReport &report = *outcome.verify;
    out.emitJson(report.toJson());
    qint64 rows = 0, repaired = 0;
    for (const TableVerdict &t : report.tables) {
        rows += t.rowsSource;
        repaired += t.repaired;
        if (!t.equal() || t.repaired > 0)
            sayTable(out, t);
    }
    const QString count = QStringLiteral("%L1").arg(rows);
    if (report.equal()) {
        out.say(repaired > 0
                    ? cwText("cli", "Equal now: %1 tables, %2 rows; %3 of them were repaired.",
                             static_cast<qint64>(report.tables.size()), count, repaired)
                          .translated()
                    : cwText("cli", "Equal: %1 tables, %2 rows.",
                             static_cast<qint64>(report.tables.size()), count)
                          .translated());
        return Exit::Done;
    }
    out.say(cwText("cli", "Different.").translated());
    if (!repair)
        out.say(cwText("cli", "verify --repair makes the follower equal. Find out who wrote there: "
                              "nobody but Causeway should.")
                    .translated());
    return Exit::NotReady;
}
} // namespace

int verifyCommand(const QStringList &a)
{
    return guarded(verify, a);
}

} // namespace causeway::cli
