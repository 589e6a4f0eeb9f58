#include "journal/Snapshot.h"

#include <array>
#include <utility>

namespace causeway {

namespace {
constexpr std::array<std::pair<Phase, const char *>, 10> kPhases{{
    {Phase::Draft, "draft"},
    {Phase::Checked, "checked"},
    {Phase::Copying, "copying"},
    {Phase::CatchingUp, "catching-up"},
    {Phase::Replica, "replica"},
    {Phase::Switching, "switching"},
    {Phase::Primary, "primary"},
    {Phase::SwitchingBack, "switching-back"},
    {Phase::Finished, "finished"},
    {Phase::Cancelled, "cancelled"},
}};
} // namespace

QString toString(Phase p)
{
    for (const auto &[phase, name] : kPhases) {
        if (phase == p)
            return QString::fromLatin1(name);
    }
    return {};
}

std::optional<Phase> phaseFromString(const QString &s)
{
    for (const auto &[phase, name] : kPhases) {
        if (s == QLatin1String(name))
            return phase;
    }
    return std::nullopt;
}

QString toString(RunState s)
{
    switch (s) {
    case RunState::Idle:
        return QStringLiteral("idle");
    case RunState::Running:
        return QStringLiteral("running");
    case RunState::Pausing:
        return QStringLiteral("pausing");
    case RunState::Paused:
        return QStringLiteral("paused");
    case RunState::Stalled:
        return QStringLiteral("stalled");
    case RunState::NeedsDecision:
        return QStringLiteral("needs-decision");
    case RunState::Failed:
        return QStringLiteral("failed");
    }
    return {};
}

QString toString(TableState s)
{
    switch (s) {
    case TableState::Waiting:
        return QStringLiteral("waiting");
    case TableState::Copying:
        return QStringLiteral("copying");
    case TableState::Copied:
        return QStringLiteral("copied");
    case TableState::Following:
        return QStringLiteral("following");
    case TableState::Verified:
        return QStringLiteral("verified");
    case TableState::Different:
        return QStringLiteral("different");
    case TableState::Failed:
        return QStringLiteral("failed");
    }
    return {};
}

std::optional<TableState> tableStateFromString(const QString &name)
{
    for (const TableState s :
         {TableState::Waiting, TableState::Copying, TableState::Copied, TableState::Following,
          TableState::Verified, TableState::Different, TableState::Failed}) {
        if (name == toString(s))
            return s;
    }
    return std::nullopt;
}

QString toString(StepState s)
{
    switch (s) {
    case StepState::Pending:
        return QStringLiteral("pending");
    case StepState::Running:
        return QStringLiteral("running");
    case StepState::Done:
        return QStringLiteral("done");
    case StepState::Skipped:
        return QStringLiteral("skipped");
    case StepState::Failed:
        return QStringLiteral("failed");
    case StepState::Undone:
        return QStringLiteral("undone");
    }
    return {};
}

} // namespace causeway
