#pragma once

#include "base/Error.h"
#include "endpoint/Address.h"

#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

namespace causeway {

/// One change of a server, repeatable: checked before it acts, recorded after, undone until the
/// point of no return. Shown with its exact SQL (secrets as ${...}) before it runs.
struct Step {
    QString id; ///< stable within the migration: "switch.seal-source"
    std::optional<Side> side;
    Text title;
    QStringList shownSql;
    /// True: already done (seen on the server), act is skipped. Absent: act is idempotent itself.
    std::function<Result<bool>(std::stop_token)> check;
    std::function<Status(std::stop_token)> act;
    std::function<Status(std::stop_token)> undo; ///< absent: nothing to undo
    std::optional<Side> undoAlso;                ///< the other server that undoing asks, if it does
    bool noReturn = false;                       ///< once done, no step before it is undone
};

enum class StepState { Pending, Running, Done, Skipped, Failed, Undone };
QString toString(StepState);

struct StepRecord {
    QString id;
    std::optional<Side> side;
    Text title;
    QStringList shownSql;
    StepState state = StepState::Pending;
    qint64 startedMs = 0, finishedMs = 0; ///< Unix time, milliseconds; 0 = not yet
    QString error;                        ///< redacted, English
};

class Journal;

/// Runs steps in order, each recorded in the journal before and after. On an error, undoes what was
/// done since the last point of no return, newest first, and returns the error. A test can kill the
/// process at any of its marks: CAUSEWAY_KILL_AT="STEP:before|during|after", or stop it:
/// CAUSEWAY_STOP_AT (tests only).
class StepRunner {
public:
    explicit StepRunner(Journal &journal) : m_journal(journal) {}
    Status run(const std::vector<Step> &, std::stop_token);
    /// Called whenever a record changes; engine thread.
    std::function<void(const StepRecord &)> onChange;
    /// Asked before a step is undone and while it is, once the user has cancelled: a server that
    /// does not answer must not keep them waiting. What is not undone stays for the next start, and
    /// the error says so: ConnectionLost, id "not-undone". Any thread.
    std::function<bool(Side)> answers;

private:
    Journal &m_journal;
};

} // namespace causeway
