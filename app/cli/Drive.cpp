#include "cli/Drive.h"

#include "base/Stop.h"
#include "cli/Passwords.h"

namespace causeway::cli {

Result<Settings> settingsOf(const QString &path)
{
    CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::Read));
    return journal->settings();
}

Result<std::unique_ptr<Migration>> openMigration(const QString &path)
{
    CW_TRY_ASSIGN(Settings settings, settingsOf(path));
    Migration::Secrets secrets;
    secrets.source = findPassword(settings.source.fromHere, Side::Source);
    secrets.target = findPassword(settings.target.fromHere, Side::Target);
    if (settings.source.writer)
        secrets.sourceWriter = findPassword(*settings.source.writer, Side::Source);
    return Migration::open(path, secrets);
}

Outcome carryOut(Migration &migration, Command command, Output &out, SignalPause &signals)
{
    const quint64 seen = migration.lastOutcome().first;
    out.beginProgress(*migration.snapshot());
    migration.post(std::move(command));
    // Not before: a pause posted before the command would not be one of it.
    signals.attach(&migration);
    while (migration.lastOutcome().first <= seen) {
        pauseFor({}, std::chrono::milliseconds(100));
        out.progress(*migration.snapshot());
    }
    Outcome outcome = migration.waitOutcome(seen);
    signals.detach();
    out.progress(*migration.snapshot()); // steps that ended since
    out.endProgress();
    return outcome;
}

} // namespace causeway::cli
