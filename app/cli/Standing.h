#pragma once

#include "journal/Journal.h"

#include <QJsonObject>

namespace causeway::cli {

/// Where a migration stands, said to a person: from the `status` JSON, whoever reads it.
struct Standing {
    QString file;
    Settings settings;
    Phase phase = Phase::Draft;
    QJsonObject status; ///< the last snapshot
    QString owner;      ///< who has the file open; empty: nobody
    QString openSql;    ///< how to open the old source that finish left closed
    qint64 nowMs = 0;
    bool reached = true; ///< false: what was asked for is not reached yet (paused, failed)

    /// Reads it from the file; with `owner` empty where `asOwner` (who asks has it open itself).
    static Result<Standing> read(const QString &file);

    /// One sentence: who takes writes, who follows.
    [[nodiscard]] QString roles() const;
    /// All lines of `status`.
    [[nodiscard]] QStringList lines() const;
    /// What can be done next, a command line each.
    [[nodiscard]] QStringList next() const;
    /// In the middle of a switch, and nobody is at work: writes may be held.
    [[nodiscard]] bool isCutShort() const;
    /// The last comparison found tables that are not the same, and it is not over.
    [[nodiscard]] bool differs() const;
    [[nodiscard]] bool isAlarmed() const;   ///< somebody else wrote on the follower
    [[nodiscard]] Error alarmError() const; ///< where it is: how a run ends then
    /// The waiting decision with its choices; empty where there is none.
    [[nodiscard]] QStringList decision() const;

private:
    [[nodiscard]] QStringList interruptedNext() const; ///< next() where isCutShort()
    /// What the follower of a relay has, by what was seen last: how old that is, too.
    [[nodiscard]] QString followerHas(const QString &leader, const QString &follower) const;
};

/// A word as a shell takes it: quoted where it must be.
QString shellWord(const QString &);

} // namespace causeway::cli
