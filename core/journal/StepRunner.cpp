#include "base/Log.h"
#include "base/Secret.h"
#include "journal/Journal.h"
#include "journal/Step.h"

#include <QDateTime>

#include <csignal>
#include <unistd.h>

namespace causeway {

namespace {
// The campaign of kills before, during and after every step needs an exact place to die. SIGKILL,
// so that nothing in this process gets to tidy up; or SIGSTOP, as a laptop that is closed.
void dieIfAsked(const QString &step, const char *mark)
{
    static const QByteArray killAt = qgetenv("CAUSEWAY_KILL_AT");
    static const QByteArray stopAt = qgetenv("CAUSEWAY_STOP_AT");
    if (killAt.isEmpty() && stopAt.isEmpty())
        return;
    const QByteArray here = step.toUtf8() + ':' + mark;
    if (here == killAt)
        ::kill(::getpid(), SIGKILL);
    if (here == stopAt)
        ::kill(::getpid(), SIGSTOP);
}

qint64 nowMs()
{
    return QDateTime::currentMSecsSinceEpoch();
}
} // namespace

Status StepRunner::run(const std::vector<Step> &steps, std::stop_token stop)
{
    std::vector<const Step *> undoable;
    std::optional<StepRecord> failed; ///< its error outlives its undoing
    const auto record = [this](StepRecord &r, StepState state) -> Status {
        r.state = state;
        if (onChange)
            onChange(r);
        return m_journal.recordStep(r);
    };
    const auto undoAll = [&](const Error &why) -> tl::unexpected<Error> {
        for (auto it = undoable.rbegin(); it != undoable.rend(); ++it) {
            const Step &step = **it;
            StepRecord r{step.id,           step.side, step.title, step.shownSql,
                         StepState::Undone, nowMs(),   0,          {}};
            if (failed && failed->id == step.id)
                r.error = failed->error;
            if (why.code == ErrorCode::Cancelled && step.side && answers && !answers(*step.side)) {
                r.error = QStringLiteral("Not undone: the server does not answer.");
                r.finishedMs = nowMs();
                (void)record(r, StepState::Failed);
                continue;
            }
            // Undoing must go on although the work was cancelled: with a token of its own.
            if (const Status undone = step.undo({}); !undone) {
                const QString words = redact(undone.error().describe());
                logWarning(QStringLiteral("Undoing %1 failed: %2").arg(step.id, words));
                r.error += (r.error.isEmpty() ? QString() : QStringLiteral("\n")) +
                           QStringLiteral("Undoing it failed: ") + words;
            }
            r.finishedMs = nowMs();
            (void)record(r, StepState::Undone);
        }
        return fail(why);
    };

    for (const Step &step : steps) {
        if (stop.stop_requested()) {
            Error e;
            e.code = ErrorCode::Cancelled;
            e.id = QStringLiteral("cancelled");
            e.message = cwText("core", "Cancelled before: %1", step.title.english());
            return undoAll(e);
        }
        StepRecord r{step.id, step.side, step.title, step.shownSql, StepState::Running,
                     nowMs(), 0,         {}};
        if (step.check) {
            const Result<bool> done = step.check(stop);
            if (!done)
                return undoAll(done.error());
            if (*done) {
                r.finishedMs = nowMs();
                CW_TRY(record(r, StepState::Skipped));
                if (step.noReturn)
                    undoable.clear();
                else if (step.undo)
                    undoable.push_back(&step);
                continue;
            }
        }
        CW_TRY(record(r, StepState::Running));
        dieIfAsked(step.id, "before");
        const Status acted = step.act(stop);
        dieIfAsked(step.id, "during");
        r.finishedMs = nowMs();
        if (!acted) {
            r.error = redact(acted.error().describe());
            (void)record(r, StepState::Failed);
            failed = r;
            logWarning(QStringLiteral("%1: %2").arg(step.title.english(), r.error));
            // What a failing step did in part is its own to undo as well.
            if (step.undo)
                undoable.push_back(&step);
            return undoAll(acted.error());
        }
        if (step.noReturn)
            undoable.clear();
        else if (step.undo)
            undoable.push_back(&step);
        if (const Status s = record(r, StepState::Done); !s)
            return undoAll(s.error());
        dieIfAsked(step.id, "after");
    }
    return {};
}

} // namespace causeway
