#pragma once

#include "base/Error.h"
#include "database/Database.h"
#include "journal/Journal.h"
#include "journal/Snapshot.h"
#include "journal/Step.h"

#include <QMap>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

namespace causeway {

/// What a route needs of the engine that drives it: its steps recorded, its words heard, its state
/// shown. The engine implements it, so that a route can live beside its own database client without
/// knowing the engine. Engine thread only, unless said otherwise.
class RouteHost {
public:
    virtual ~RouteHost() = default;

    /// What a person set; unchanged while the migration is open. Any thread.
    [[nodiscard]] virtual const Settings &configuration() const = 0;
    /// A server as an ordinary client sees it: facts, catalog, hashes, live clients. Any thread.
    [[nodiscard]] virtual Database &db(Side) = 0;
    /// As the other server reaches this one (Endpoint::fromPeer, else as it is reached from here),
    /// with its password. Any thread.
    [[nodiscard]] virtual Address addressFromPeer(Side) const = 0;
    /// Selection under the names of one side.
    [[nodiscard]] virtual Selection selectionOn(Side) const = 0;

    /// Phase as last recorded and shown; the route tells the truth about it (Route::phase).
    virtual Result<Phase> recordedPhase() = 0;
    virtual Status setPhase(Phase) = 0;
    /// Small named values in the migration's file; what decides correctness is on the servers.
    virtual Result<std::optional<QString>> journalValue(const QString &name) = 0;
    virtual Status setJournalValue(const QString &name, const QString &value) = 0;

    /// Runs steps in order, recorded and shown; undone on an error (StepRunner).
    virtual Status runSteps(const std::vector<Step> &, std::stop_token) = 0;
    /// Runs the user's command; no password is in its environment.
    virtual Status runHookCommand(const QString &command, const QMap<QString, QString> &environment,
                                  std::stop_token) = 0;
    /// What is being done or waited for just now.
    virtual void activity(const Text &) = 0;
    /// "info" | "warning" | "error", for the log and the journal.
    virtual void event(const QString &level, const QString &text) = 0;
    /// Changes what is shown. Any thread; the function must not block.
    virtual void show(const std::function<void(Snapshot &)> &change) = 0;
    [[nodiscard]] virtual std::shared_ptr<const Snapshot> shown() const = 0;
    /// From waiting loops, a few times a second: stores what is shown for readers of the file and
    /// takes commands left in it. False when one of them asks to stop.
    virtual bool tick() = 0;
};

} // namespace causeway
