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
    const auto record = [this](StepRecord &r, StepState state) -> Status {
        r.state = state;
        if (onChange)
            onChange(r);
        return m_journal.recordStep(r);
    };
    // `failed`: the record of the step whose error this is, where one had begun. It keeps its
    // words when it is undone itself: they are why.
    const auto undoAll = [&](const Error &why, const StepRecord *failed) -> tl::unexpected<Error> {
        for (auto it = undoable.rbegin(); it != undoable.rend(); ++it) {
            const Step &step = **it;
            StepRecord r{step.id,           step.side, step.title, step.shownSql,
                         StepState::Undone, nowMs(),   0,          {}};
            if (failed && failed->id == step.id)
                r = *failed;
            if (why.code == ErrorCode::Cancelled && step.side && answers && !answers(*step.side)) {
                r.error = QStringLiteral("Not undone: the server does not answer.");
                r.finishedMs = nowMs();
                (void)record(r, StepState::Failed);
                continue;
            }
            // Undoing must go on although the work was cancelled: with a token of its own.
            const Status undone = step.undo({});
            if (!undone) {
                const QString words = redact(undone.error().describe());
                logWarning(QStringLiteral("Undoing %1 failed: %2").arg(step.id, words));
                r.error += (r.error.isEmpty() ? QString() : QStringLiteral("\n")) +
                           QStringLiteral("Undoing it failed: ") + words;
            }
            r.finishedMs = nowMs();
            (void)record(r, undone ? StepState::Undone : StepState::Failed);
        }
        return fail(why);
    };

    for (const Step &step : steps) {
        if (stop.stop_requested()) {
            Error e;
            e.code = ErrorCode::Cancelled;
            e.id = QStringLiteral("cancelled");
            e.message = cwText("core", "Cancelled before: %1", step.title.english());
            return undoAll(e, nullptr);
        }
        StepRecord r{step.id, step.side, step.title, step.shownSql, StepState::Running,
                     nowMs(), 0,         {}};
        if (step.check) {
            const Result<bool> done = step.check(stop);
            if (!done)
                return undoAll(done.error(), nullptr);
            if (*done) {
                r.finishedMs = nowMs();
                if (const Status s = record(r, StepState::Skipped); !s)
                    return undoAll(s.error(), nullptr);
                if (step.noReturn)
                    undoable.clear();
                else if (step.undo)
                    undoable.push_back(&step);
                continue;
            }
        }
        // A file that takes no more (a full disk) must not leave a server half changed.
        if (const Status s = record(r, StepState::Running); !s)
            return undoAll(s.error(), nullptr);
        dieIfAsked(step.id, "before");
        const Status acted = step.act(stop);
        dieIfAsked(step.id, "during");
        r.finishedMs = nowMs();
        if (!acted) {
            r.error = redact(acted.error().describe());
            (void)record(r, StepState::Failed);
            logWarning(QStringLiteral("%1: %2").arg(step.title.english(), r.error));
            // What a failing step did in part is its own to undo as well.
            if (step.undo)
                undoable.push_back(&step);
            return undoAll(acted.error(), &r);
        }
        if (step.noReturn)
            undoable.clear();
        else if (step.undo)
            undoable.push_back(&step);
        if (const Status s = record(r, StepState::Done); !s)
            return undoAll(s.error(), nullptr);
        dieIfAsked(step.id, "after");
    }
    return {};
}

} // namespace causeway
