#pragma once

#include "base/Text.h"
#include "endpoint/Address.h"
#include "journal/Step.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QString>

#include <optional>
#include <vector>

namespace causeway {

enum class Phase {
    Draft,
    Checked,
    Copying,
    CatchingUp,
    Replica,
    Switching,
    Primary,
    SwitchingBack,
    Finished,
    Cancelled
};
enum class RunState { Idle, Running, Pausing, Paused, Stalled, NeedsDecision, Failed };
QString toString(Phase);    ///< "draft", ..., "catching-up", ..., as in JSON
QString toString(RunState); ///< "idle", ..., "needs-decision"
std::optional<Phase> phaseFromString(const QString &);

struct Roles {
    Side leader = Side::Source;
    Side follower = Side::Target;
};

struct Choice {
    QString id; ///< what `answer FILE DECISION CHOICE` takes: "apply", "recopy", "stop", ...
    Text label;
};
/// The engine asks a person; the wizard shows it, the command line answers by option or `answer`.
struct Decision {
    QString id; ///< "ddl", "unfence", "keyless", "object-failed", ...
    Text question;
    QString detail; ///< a statement or a server's words, redacted
    QStringList objects;
    std::vector<Choice> choices;
};

/// Somebody else than this migration wrote on the server that follows.
struct Alarm {
    Side side = Side::Target;       ///< who followed then
    QStringList tables;             ///< the first of them
    QString statement;              ///< where it was one
    qint64 count = 0;               ///< transactions
    qint64 firstMs = 0, lastMs = 0; ///< Unix time when they were seen
    bool gap = false;               ///< the log was gone before it was looked at
    QString position;               ///< of the last one, in the follower's log

    [[nodiscard]] Text text(const QString &follower) const;
    [[nodiscard]] QJsonObject toJson() const;
    static Alarm fromJson(const QJsonObject &);
};

/// What is wrong with replication itself: found by whoever looks, also when nothing runs.
struct Trouble {
    QString id; ///< "pg-slot-lost", "apply-error", ...
    Text text, fix;
};

enum class TableState { Waiting, Copying, Copied, Following, Verified, Different, Failed };
QString toString(TableState); ///< "waiting", "copying", "copied", "following", ...
std::optional<TableState> tableStateFromString(const QString &);

struct TableProgress {
    QString name; ///< schema.table on the source
    TableState state = TableState::Waiting;
    qint64 rows = 0, rowsEstimate = 0, bytes = 0, bytesEstimate = 0;
    QString error;
};

/// What a face of the engine shows; immutable, taken a few times a second.
struct Snapshot {
    Phase phase = Phase::Draft;
    RunState runState = RunState::Idle;
    Roles roles;
    QString route;                  ///< "relay" | "native"
    QString sourceName, targetName; ///< host:port for people
    bool oneWay = false;            ///< there is no way back after the switch
    std::optional<Decision> decision;
    std::optional<Error> error;          ///< why the run state is Failed
    std::optional<Alarm> alarm;          ///< until a clean comparison
    std::vector<Trouble> troubles;       ///< while they last; `status` then exits 1
    std::optional<bool> followerWatched; ///< its log is read for writes of others
    std::vector<TableProgress> tables;
    double lagSeconds = -1; ///< -1 unknown
    qint64 lagBytes = -1;
    double rateRows = 0, rateBytes = 0; ///< per second, of the last few seconds
    qint64 etaLow = -1, etaHigh = -1;   ///< seconds; -1 unknown
    qint64 retentionSeconds = -1;  ///< how long the leader keeps its log; -1 unknown or for ever
    qint64 logNeededFromMs = -1;   ///< Unix time of the oldest change still to be read from it
    qint64 logKeptBytes = -1;      ///< of its log that the leader keeps for the follower alone
    qint64 logLeftBytes = -1;      ///< that may still be added before it stops doing so; -1 no end
    Text warning;                  ///< what is not wrong yet but will be; may be empty
    double writePauseSeconds = -1; ///< of the last switch
    double sealSeconds = -1;       ///< making the triggers of the last switch; -1 = none made
    qint64 sealTables = 0;         ///< how many tables they closed
    std::vector<StepRecord> steps;
    QString limitedBy; ///< "source" | "network" | "target" | ""
    Text activity;     ///< what is being done or waited for just now
    QString retrying;  ///< what a server said that is asked again; empty: nothing is in the way
    QString logPlace;  ///< of the leader's log, where the follower reads
    qint64 atMs = 0;   ///< Unix time when this was taken

    [[nodiscard]] QJsonObject toJson() const; ///< the published `status` schema
    /// The same without the SQL of the steps (of a thousand tables it is megabytes): for progress,
    /// a line a second.
    [[nodiscard]] QJsonObject toProgressJson() const;
    /// Takes over from the last `status` what the servers do not tell: tables, the last write
    /// pause.
    void restore(const QJsonObject &);
    /// How much of the copy is done, 0 to 1: by rows against their estimate, since the server's
    /// bytes count pages and free space and ours count values.
    [[nodiscard]] double copiedPart() const;
};

/// Of `status` and of whatever fails with --json; an error without an id of its own gets that of
/// its kind ("usage", "not-ready", ...), so that there always is one.
QJsonObject errorJson(const Error &);
QJsonArray troublesJson(const std::vector<Trouble> &);
/// Of `status`, as in Snapshot::toJson(); `withSql` false leaves the statements out.
QJsonObject stepJson(const StepRecord &, bool withSql = true);

} // namespace causeway
