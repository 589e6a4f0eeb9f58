#pragma once

#include "base/Error.h"
#include "engine/Engine.h"
#include "journal/Journal.h"
#include "journal/Snapshot.h"
#include "verify/Verifier.h"

#include <QString>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <variant>

namespace causeway {

enum class Goal { Copied, Replica, Primary, Finished };

namespace command {
/// Drive to a phase. Replica from primary switches back; Primary from replica switches; Finished
/// never switches by itself. `follow`: stay there and replicate until Pause.
struct RunTo {
    Goal goal = Goal::Replica;
    bool follow = false;
    bool oldSourceOpen = false; ///< finish: leave nothing on the old source
    bool differing = false;     ///< finish: although the old source is known to differ
};
struct Pause {}; ///< finishes chunks in flight, keeps everything for RunTo
struct Answer {
    QString decision, choice;
};
struct Verify {
    bool repair = false;
};
struct Cancel {
    bool discard = false; ///< also drop what we created on the target
};
} // namespace command
using Command =
    std::variant<command::RunTo, command::Pause, command::Answer, command::Verify, command::Cancel>;

/// How a command ended.
struct Outcome {
    Command command;
    Status status;
    std::optional<VerifyReport> verify;
};

/// One migration: an engine thread that owns the journal and carries out commands one after the
/// other; Pause, Answer and Cancel also reach a command under way.
class Migration {
public:
    /// Opens the file as its owner. Passwords come with `secrets`; an absent one is looked up by
    /// the caller before (environment, keychain, files, prompt).
    struct Secrets {
        Secret source, target, sourceWriter;
    };
    static Result<std::unique_ptr<Migration>> open(const QString &path, const Secrets &);
    ~Migration(); ///< pauses, joins
    Migration(const Migration &) = delete;
    Migration &operator=(const Migration &) = delete;

    /// Any thread; returns at once.
    void post(Command);
    /// Any thread; never null, never blocks on I/O.
    [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;
    /// Outcome of the newest finished command, and how many have finished so far. Any thread.
    [[nodiscard]] std::pair<quint64, std::optional<Outcome>> lastOutcome() const;
    /// Blocks until more than `seen` commands have finished and returns the first of them: a Pause
    /// that ended it is a command of its own. For the command line.
    Outcome waitOutcome(quint64 seen) const;
    /// Every step that lies ahead, with its SQL, and what is known of time: for the plan page.
    [[nodiscard]] std::vector<StepRecord> plan() const;
    [[nodiscard]] Settings settings() const;
    /// Live clients of one side, at most a few seconds old. Any thread.
    [[nodiscard]] std::vector<LiveClient> liveClients(Side) const;

private:
    Migration();
    struct Private;
    std::unique_ptr<Private> d;
};

/// Opens a source that an interrupted switch left closed; works without the file, refuses once
/// SWITCHED is written on the target. Returns what it did, a line each.
Result<QStringList> unfence(const Endpoint &source, const Endpoint &target, std::stop_token);

} // namespace causeway
