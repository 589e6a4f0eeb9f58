#pragma once

#include "base/Error.h"
#include "database/Fence.h"
#include "endpoint/Address.h"
#include "journal/Snapshot.h"
#include "journal/Step.h"
#include "schema/Selection.h"

#include <QDateTime>
#include <QJsonObject>
#include <QString>

#include <memory>
#include <optional>
#include <vector>

namespace causeway {

enum class Mode { Live, Once };

/// Everything a person set for a migration; stored in the file, without secrets.
struct Settings {
    QString id; ///< eight hex digits, made once
    Endpoint source, target;
    Selection selection;
    QString route = QStringLiteral("auto"); ///< as asked for
    Mode mode = Mode::Live;
    int workers = 4;
    QString onSwitched;     ///< hook command between seal and open
    QString onBeforeSwitch; ///< hook command before the fence; its failure stops before anything
    QStringList accepted;   ///< ids of findings accepted
    QString onDdl = QStringLiteral("stop");  ///< stop | recopy | apply
    qint64 throttleBytesPerSecond = 0;       ///< 0 = none
    FenceKind fence = FenceKind::Auto;       ///< how a server is closed
    FenceKind targetFence = FenceKind::Auto; ///< the target until the switch, where set apart
    QStringList lockAccounts; ///< user@host: accounts to lock at the switch, by the user's tick
    bool oneWayAccepted = false;
    QDateTime createdAt;
    /// After a switch the old leader follows.
    [[nodiscard]] bool hasWayBack() const { return mode != Mode::Once && !oneWayAccepted; }

    [[nodiscard]] QJsonObject toJson() const;
    static Result<Settings> fromJson(const QJsonObject &);
};

struct Event {
    qint64 atMs = 0;
    QString level; ///< "info" | "warning" | "error"
    QString text;  ///< redacted, English
};

struct Sample {
    qint64 atMs = 0;
    double lagSeconds = -1, rateRows = 0, rateBytes = 0;
    qint64 rows = 0;
};

/// A command left in the file by a process that does not own it. What became of it is written back
/// under the name answerName(id).
struct LeftCommand {
    qint64 id = 0;
    QString name; ///< "answer" | "cancel"
    QStringList args;
};

/// The .causeway file: SQLite, WAL, synchronous=FULL. One owner holds a lock (a second opener for
/// writing gets Error{NotReady, "file-in-use"}); readers read at any time. A file that is no
/// migration is Error{Usage, "not-a-migration"} and is not touched. Used by the thread that opened
/// it only.
class Journal {
public:
    /// Makes a new file; fails if it exists.
    static Result<std::unique_ptr<Journal>> create(const QString &path, const Settings &);
    enum class Access { Own, Read, LeaveCommand };
    static Result<std::unique_ptr<Journal>> open(const QString &path, Access);
    ~Journal();
    Journal(const Journal &) = delete;
    Journal &operator=(const Journal &) = delete;

    [[nodiscard]] QString path() const;
    Result<Settings> settings();
    Status setSettings(const Settings &);

    /// The phase as last recorded; the servers win where they say otherwise.
    Result<Phase> phase();
    Status setPhase(Phase);
    /// Small named values: last snapshot as JSON ("snapshot"), last verification ("verify"), ...
    Result<std::optional<QString>> value(const QString &name);
    Status setValue(const QString &name, const QString &value);

    Status recordStep(const StepRecord &);
    Result<std::vector<StepRecord>> steps(); ///< the last run of each, in the order first recorded
    /// Every run of every step, oldest first: what the report tells.
    Result<std::vector<StepRecord>> stepRuns();
    Status addEvent(const Event &);
    Result<std::vector<Event>> events(int most = 1000);
    Status addSample(const Sample &);
    Result<std::vector<Sample>> samples(qint64 sinceMs);

    /// Writes down how a decision was answered, for the next run; the decision waits no more.
    Status answer(const QString &decision, const QString &choice);
    /// Returns its number.
    Result<qint64> leaveCommand(const QString &name, const QStringList &args);
    Result<QStringList> waitingCommands();           ///< names of those left
    Result<std::vector<LeftCommand>> takeCommands(); ///< and removes them
    static QString answerName(qint64 command) { return QStringLiteral("command.%1").arg(command); }
    /// Whether some process owns the file just now.
    static bool hasOwner(const QString &path);
    /// Who owns it, for people: "process 4711 on db-admin"; empty where nobody does.
    static QString owner(const QString &path);
    /// A checkpointed copy for another workstation.
    Status saveCopy(const QString &path);

private:
    Journal();
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace causeway
