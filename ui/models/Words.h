#pragma once

#include "engine/Engine.h"
#include "journal/Snapshot.h"
#include "preflight/Check.h"

#include <QCoreApplication>
#include <QString>

/// What the wizard calls things: one place, so that a phase has the same word on every page.
namespace causeway::ui {

/// The shape that stands beside a status word (see widgets/StatusIcon.h).
enum class Mark { None, Pending, Running, Done, Info, Warning, Blocked, Unknown, Skipped, Paused };

class Words {
    Q_DECLARE_TR_FUNCTIONS(Words)

public:
    static QString phase(Phase);
    static QString runState(RunState);
    static QString tableState(TableState);
    static QString stepState(StepState);
    static QString finding(FindingStatus);
    static QString findingSide(FindingSide);
    static QString side(Side);
    static QString stage(ConnectStage);
    static QString engine(Engine);
    static QString platform(Platform);
    static QString tlsMode(Engine, TlsMode); ///< the driver's own name
    static QString bottleneck(const QString &limitedBy);

    static Mark mark(TableState);
    static Mark mark(StepState);
    static Mark mark(FindingStatus);
    static Mark mark(RunState);

    static QString number(qint64);
    static QString bytes(qint64); ///< "-" when negative
    static QString rate(double bytesPerSecond);
    static QString seconds(double); ///< "1.4 s", "2 min 05 s", "3 h 10 min", "2 d 4 h"
    static QString eta(qint64 low, qint64 high);
    static QString lag(double seconds);
    /// How long, or how much, the leader keeps of its log for the follower.
    static QString logKept(const Snapshot &);
    static QString time(qint64 unixMs);
    static QString ago(const QDateTime &utc, const QDateTime &now);
    /// Isolated left-to-right: a host name or SQL inside a right-to-left sentence.
    static QString ltr(const QString &);
    static QString error(const Error &); ///< one paragraph: sentence, server's words, fix
    /// What to do, by the wizard's buttons where the engine names a command of causeway-cli: that
    /// is refused while this window has the file.
    static QString fix(const Text &);
    /// Phase, run state, and what is being done: only while it is, since the engine leaves the last
    /// activity standing. `comparing`: a comparison was asked for and has not ended.
    static QString state(const Snapshot &, bool comparing);
    static QString copied(const Snapshot &); ///< for the bar: how far the copy is

    static QString leader(const Snapshot &); ///< host that takes writes
    static QString follower(const Snapshot &);
};

/// 0 to 1, weighted by bytes (by rows where no size is known). Estimates that prove low are
/// re-based on what was really moved, and 0.99 is the most before the rows have been verified.
double copyProgress(const Snapshot &);
bool isActive(const Snapshot &); ///< work is under way that closing the window would stop
bool copyStarted(Phase);
/// Changes are carried to the follower now: by the servers, or by this program while it runs.
bool isCarrying(const Snapshot &);

} // namespace causeway::ui
