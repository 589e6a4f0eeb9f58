#include "models/Words.h"

#include <QDateTime>
#include <QLocale>

#include <algorithm>
#include <cmath>

namespace causeway::ui {

QString Words::phase(Phase p)
{
    switch (p) {
    case Phase::Draft:
        return tr("Draft");
    case Phase::Checked:
        return tr("Checked");
    case Phase::Copying:
        return tr("Copying");
    case Phase::CatchingUp:
        return tr("Catching up");
    case Phase::Replica:
        return tr("Replica mode");
    case Phase::Switching:
        return tr("Switching");
    case Phase::Primary:
        return tr("Primary mode");
    case Phase::SwitchingBack:
        return tr("Switching back");
    case Phase::Finished:
        return tr("Finished");
    case Phase::Cancelled:
        return tr("Cancelled");
    }
    return {};
}

QString Words::runState(RunState s)
{
    switch (s) {
    case RunState::Idle:
        return tr("Idle");
    case RunState::Running:
        return tr("Running");
    case RunState::Pausing:
        return tr("Pausing");
    case RunState::Paused:
        return tr("Paused");
    case RunState::Stalled:
        return tr("Stalled");
    case RunState::NeedsDecision:
        return tr("Needs your decision");
    case RunState::Failed:
        return tr("Failed");
    }
    return {};
}

QString Words::tableState(TableState s)
{
    switch (s) {
    case TableState::Waiting:
        return tr("Waiting");
    case TableState::Copying:
        return tr("Copying");
    case TableState::Copied:
        return tr("Copied");
    case TableState::Following:
        return tr("Following");
    case TableState::Verified:
        return tr("Verified");
    case TableState::Different:
        return tr("Different");
    case TableState::Failed:
        return tr("Failed");
    }
    return {};
}

QString Words::stepState(StepState s)
{
    switch (s) {
    case StepState::Pending:
        return tr("Ahead");
    case StepState::Running:
        return tr("Running");
    case StepState::Done:
        return tr("Done");
    case StepState::Skipped:
        return tr("Not needed");
    case StepState::Failed:
        return tr("Failed");
    case StepState::Undone:
        return tr("Undone");
    }
    return {};
}

QString Words::finding(FindingStatus s)
{
    switch (s) {
    case FindingStatus::Pass:
        return tr("Passed");
    case FindingStatus::Info:
        return tr("Note");
    case FindingStatus::Warning:
        return tr("Warning");
    case FindingStatus::Blocker:
        return tr("Blocker");
    case FindingStatus::Unknown:
        return tr("Unknown");
    case FindingStatus::Skipped:
        return tr("Skipped");
    }
    return {};
}

QString Words::findingSide(FindingSide s)
{
    switch (s) {
    case FindingSide::Source:
        return tr("Source");
    case FindingSide::Target:
        return tr("Target");
    case FindingSide::Pair:
        return tr("Both");
    }
    return {};
}

QString Words::side(Side s)
{
    return s == Side::Source ? tr("Source") : tr("Target");
}

QString Words::stage(ConnectStage s)
{
    switch (s) {
    case ConnectStage::Resolve:
        return tr("Host name");
    case ConnectStage::Tcp:
        return tr("Network");
    case ConnectStage::Tls:
        return tr("Encryption");
    case ConnectStage::SignIn:
        return tr("Sign-in");
    case ConnectStage::Grants:
        return tr("Rights");
    }
    return {};
}

QString Words::engine(Engine e)
{
    switch (e) { // product names, the same in every language
    case Engine::MySql:
        return QStringLiteral("MySQL");
    case Engine::MariaDb:
        return QStringLiteral("MariaDB");
    case Engine::Postgres:
        return QStringLiteral("PostgreSQL");
    }
    return {};
}

QString Words::platform(Platform p)
{
    switch (p) {
    case Platform::SelfManaged:
        return tr("self-managed");
    case Platform::Rds:
        return QStringLiteral("Amazon RDS");
    case Platform::Aurora:
        return QStringLiteral("Amazon Aurora");
    case Platform::CloudSql:
        return QStringLiteral("Google Cloud SQL");
    case Platform::AlloyDb:
        return QStringLiteral("Google AlloyDB");
    case Platform::Azure:
        return QStringLiteral("Azure Database");
    case Platform::DigitalOcean:
        return QStringLiteral("DigitalOcean");
    case Platform::PlanetScale:
        return QStringLiteral("PlanetScale");
    case Platform::Vitess:
        return QStringLiteral("Vitess");
    case Platform::Neon:
        return QStringLiteral("Neon");
    case Platform::Supabase:
        return QStringLiteral("Supabase");
    case Platform::Heroku:
        return QStringLiteral("Heroku");
    }
    return {};
}

QString Words::tlsMode(Engine e, TlsMode m)
{
    const bool pg = e == Engine::Postgres;
    switch (m) {
    case TlsMode::Disabled:
        return pg ? QStringLiteral("disable") : QStringLiteral("DISABLED");
    case TlsMode::Preferred:
        return pg ? QStringLiteral("prefer") : QStringLiteral("PREFERRED");
    case TlsMode::Required:
        return pg ? QStringLiteral("require") : QStringLiteral("REQUIRED");
    case TlsMode::VerifyCa:
        return pg ? QStringLiteral("verify-ca") : QStringLiteral("VERIFY_CA");
    case TlsMode::VerifyIdentity:
        return pg ? QStringLiteral("verify-full") : QStringLiteral("VERIFY_IDENTITY");
    }
    return {};
}

QString Words::bottleneck(const QString &limitedBy)
{
    if (limitedBy == QLatin1String("source"))
        return tr("reading from the source");
    if (limitedBy == QLatin1String("network"))
        return tr("the network");
    if (limitedBy == QLatin1String("target"))
        return tr("writing to the target");
    return {};
}

Mark Words::mark(TableState s)
{
    switch (s) {
    case TableState::Waiting:
        return Mark::Pending;
    case TableState::Copying:
        return Mark::Running;
    case TableState::Copied:
    case TableState::Following:
        return Mark::Info;
    case TableState::Verified:
        return Mark::Done;
    case TableState::Different:
        return Mark::Warning;
    case TableState::Failed:
        return Mark::Blocked;
    }
    return Mark::None;
}

Mark Words::mark(StepState s)
{
    switch (s) {
    case StepState::Pending:
        return Mark::Pending;
    case StepState::Running:
        return Mark::Running;
    case StepState::Done:
        return Mark::Done;
    case StepState::Skipped:
        return Mark::Skipped;
    case StepState::Failed:
        return Mark::Blocked;
    case StepState::Undone:
        return Mark::Warning;
    }
    return Mark::None;
}

Mark Words::mark(FindingStatus s)
{
    switch (s) {
    case FindingStatus::Pass:
        return Mark::Done;
    case FindingStatus::Info:
        return Mark::Info;
    case FindingStatus::Warning:
        return Mark::Warning;
    case FindingStatus::Blocker:
        return Mark::Blocked;
    case FindingStatus::Unknown:
        return Mark::Unknown;
    case FindingStatus::Skipped:
        return Mark::Skipped;
    }
    return Mark::None;
}

Mark Words::mark(RunState s)
{
    switch (s) {
    case RunState::Idle:
        return Mark::Pending;
    case RunState::Running:
        return Mark::Running;
    case RunState::Pausing:
    case RunState::Paused:
        return Mark::Paused;
    case RunState::Stalled:
    case RunState::NeedsDecision:
        return Mark::Warning;
    case RunState::Failed:
        return Mark::Blocked;
    }
    return Mark::None;
}

QString Words::number(qint64 n)
{
    return QLocale().toString(n);
}

QString Words::bytes(qint64 n)
{
    return n < 0 ? QStringLiteral("-") : QLocale().formattedDataSize(n, 1);
}

QString Words::rate(double bytesPerSecond)
{
    return tr("%1/s", "data rate").arg(bytes(std::llround(std::max(0.0, bytesPerSecond))));
}

QString Words::seconds(double s)
{
    const QLocale locale;
    if (s < 0)
        return QStringLiteral("-");
    if (s < 1)
        return tr("%1 ms").arg(locale.toString(std::lround(s * 1000)));
    if (s < 60)
        return tr("%1 s").arg(locale.toString(s, 'f', s < 10 ? 1 : 0));
    // Two units at most, and the smaller one only where it says something.
    const auto whole = static_cast<qint64>(std::llround(s));
    const auto two = [&locale](qint64 n, qint64 m, const QString &one, const QString &both) {
        return m == 0 ? one.arg(locale.toString(n))
                      : both.arg(locale.toString(n), locale.toString(m));
    };
    if (whole < 3600)
        return two(whole / 60, whole < 600 ? whole % 60 : 0, tr("%1 min"), tr("%1 min %2 s"));
    if (whole < 48 * 3600)
        return two(whole / 3600, whole % 3600 / 60, tr("%1 h"), tr("%1 h %2 min"));
    return two(whole / 86'400, whole % 86'400 / 3600, tr("%1 d"), tr("%1 d %2 h"));
}

QString Words::eta(qint64 low, qint64 high)
{
    if (low < 0 || high < 0)
        return tr("estimating");
    if (low == high)
        return tr("about %1").arg(seconds(static_cast<double>(low)));
    return tr("%1 to %2")
        .arg(seconds(static_cast<double>(low)), seconds(static_cast<double>(high)));
}

QString Words::lag(double s)
{
    return s < 0 ? tr("not known") : seconds(s);
}

QString Words::logKept(const Snapshot &s)
{
    if (s.retentionSeconds >= 0)
        return seconds(static_cast<double>(s.retentionSeconds));
    if (s.logKeptBytes < 0)
        return tr("not known");
    // A slot keeps what the follower has not got, and nothing by time.
    return s.logLeftBytes < 0
               ? tr("%1, without limit").arg(bytes(s.logKeptBytes))
               : tr("%1, and %2 more at most").arg(bytes(s.logKeptBytes), bytes(s.logLeftBytes));
}

QString Words::time(qint64 unixMs)
{
    if (unixMs <= 0)
        return {};
    return QLocale().toString(QDateTime::fromMSecsSinceEpoch(unixMs).time(),
                              QStringLiteral("HH:mm:ss"));
}

QString Words::ago(const QDateTime &utc, const QDateTime &now)
{
    if (!utc.isValid())
        return tr("never");
    return tr("%1 ago").arg(seconds(static_cast<double>(std::max<qint64>(0, utc.secsTo(now)))));
}

QString Words::ltr(const QString &s)
{
    return QChar(0x2066) + s + QChar(0x2069);
}

QString Words::error(const Error &e)
{
    QString out = e.message.translated();
    if (!e.serverWords.isEmpty())
        out += QLatin1Char('\n') + tr("The server says: %1").arg(ltr(e.serverWords));
    if (e.number != 0 || !e.sqlState.isEmpty()) {
        out += QLatin1Char(' ') +
               (e.sqlState.isEmpty() ? tr("(error %1)").arg(e.number)
                                     : tr("(error %1, SQLSTATE %2)").arg(e.number).arg(e.sqlState));
    }
    if (!e.fix.isEmpty())
        out += QLatin1Char('\n') + tr("What to do: %1").arg(fix(e.fix));
    return out;
}

QString Words::fix(const Text &text)
{
    const QString english = text.english();
    const auto names = [&english](const char *what) {
        return english.contains(QLatin1String(what));
    };
    if (names("verify --repair"))
        return tr("Press \"Compare and repair\" on the page Copy and replicate, and find out who "
                  "writes to the server that follows.");
    if (names("cancel --discard"))
        return tr("Cancel the migration on the page Copy and replicate and discard what was made: "
                  "that opens the source again.");
    if (names("answer FILE"))
        return tr("Answer the question on the page Copy and replicate.");
    if (names("--accept one-way"))
        return tr("Mend that and try again. A switch without a way back is accepted on the page "
                  "Plan, before the copy starts.");
    if (names("run --accept") || names("Run \"check\""))
        return tr("Press \"Check again\" on the page Preflight: it says how to mend each of them, "
                  "and what can be accepted.");
    if (names("run --to replica"))
        return tr("Switch back, or finish, on the page Cutover.");
    if (names("run --to primary"))
        return tr("Switch first, on the page Cutover.");
    return text.translated();
}

QString Words::state(const Snapshot &s, bool comparing)
{
    QString out = tr("%1: %2", "phase: run state").arg(phase(s.phase), runState(s.runState));
    const bool ended = s.phase == Phase::Finished || s.phase == Phase::Cancelled;
    if (s.activity.isEmpty() || !(isActive(s) || ended))
        return out;
    bool over = !comparing && (s.phase == Phase::Replica || s.phase == Phase::Primary) &&
                s.activity.english() == QLatin1String("Comparing both sides.");
    for (const StepRecord &step : s.steps) {
        if (step.title.english() == s.activity.english())
            over = step.state != StepState::Running;
    }
    if (!over)
        return out + QStringLiteral(". ") + s.activity.translated();
    if ((s.phase != Phase::Replica && s.phase != Phase::Primary) ||
        (s.oneWay && s.roles.leader == Side::Target))
        return out;
    return out + QStringLiteral(". ") + tr("%1 follows %2.").arg(ltr(follower(s)), ltr(leader(s)));
}

QString Words::copied(const Snapshot &s)
{
    const auto count = [&s](TableState state) {
        return std::count_if(s.tables.begin(), s.tables.end(),
                             [state](const TableProgress &t) { return t.state == state; });
    };
    const bool copied =
        copyStarted(s.phase) && s.phase != Phase::Copying && !s.tables.empty() &&
        count(TableState::Waiting) + count(TableState::Copying) + count(TableState::Failed) == 0;
    if (!copied)
        return tr("%1 % copied").arg(static_cast<int>(std::floor(copyProgress(s) * 100)));
    if (const auto n = count(TableState::Different); n > 0)
        return tr("Copied; tables that differ: %1").arg(number(n));
    const auto verified = count(TableState::Verified);
    if (verified == static_cast<qsizetype>(s.tables.size()))
        return tr("Copied and compared");
    return verified > 0 ? tr("Copied; compared: %1 of %2 tables")
                              .arg(number(verified), number(static_cast<qint64>(s.tables.size())))
                        : tr("Copied; not yet compared");
}

QString Words::leader(const Snapshot &s)
{
    return s.roles.leader == Side::Source ? s.sourceName : s.targetName;
}

QString Words::follower(const Snapshot &s)
{
    return s.roles.follower == Side::Source ? s.sourceName : s.targetName;
}

double copyProgress(const Snapshot &s)
{
    double done = 0, whole = 0, rowsDone = 0, rowsWhole = 0;
    bool verified = !s.tables.empty();
    for (const TableProgress &t : s.tables) {
        const bool copied = t.state != TableState::Waiting && t.state != TableState::Copying &&
                            t.state != TableState::Failed;
        verified = verified && t.state == TableState::Verified;
        const auto bytes = static_cast<double>(t.bytes);
        const auto rows = static_cast<double>(t.rows);
        done += bytes;
        rowsDone += rows;
        whole += copied ? bytes : std::max(bytes, static_cast<double>(t.bytesEstimate));
        rowsWhole += copied ? rows : std::max(rows, static_cast<double>(t.rowsEstimate));
    }
    double part = 0;
    if (whole > 0)
        part = done / whole;
    else if (rowsWhole > 0)
        part = rowsDone / rowsWhole;
    else if (!s.tables.empty())
        part = s.phase == Phase::Copying ? 0 : 1;
    if (s.phase == Phase::Finished)
        return 1;
    return verified ? std::min(part, 1.0) : std::min(part, 0.99);
}

bool isActive(const Snapshot &s)
{
    return s.runState == RunState::Running || s.runState == RunState::Pausing ||
           s.runState == RunState::Stalled || s.runState == RunState::NeedsDecision;
}

bool isCarrying(const Snapshot &s)
{
    return s.runState == RunState::Running || s.runState == RunState::Pausing ||
           s.runState == RunState::Stalled || s.route == QLatin1String("native");
}

bool copyStarted(Phase p)
{
    return p != Phase::Draft && p != Phase::Checked;
}

} // namespace causeway::ui
