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
// so that nothing in this process gets to tidy up.
void dieIfAsked(const QString &step, const char *mark)
{
    static const QByteArray wanted = qgetenv("CAUSEWAY_KILL_AT");
    if (!wanted.isEmpty() && wanted == step.toUtf8() + ':' + mark)
        ::kill(::getpid(), SIGKILL);
}

qint64 nowMs()
{
    return QDateTime::currentMSecsSinceEpoch();
}
} // namespace

Status StepRunner::run(const std::vector<Step> &steps, std::stop_token stop)
{
    std::vector<const Step *> undoable;
    const auto record = [this](const Step &step, StepRecord &r, StepState state) -> Status {
        r.state = state;
        if (onChange)
            onChange(r);
        (void)step;
        return m_journal.recordStep(r);
    };
    const auto undoAll = [&](const Error &why) -> tl::unexpected<Error> {
        for (auto it = undoable.rbegin(); it != undoable.rend(); ++it) {
            const Step &step = **it;
            StepRecord r{step.id,           step.side, step.title, step.shownSql,
                         StepState::Undone, nowMs(),   0,          {}};
            // Undoing must go on although the work was cancelled: with a token of its own.
            if (const Status undone = step.undo({}); !undone) {
                r.error = redact(undone.error().describe());
                logWarning(QStringLiteral("Undoing %1 failed: %2").arg(step.id, r.error));
            }
            r.finishedMs = nowMs();
            (void)record(step, r, StepState::Undone);
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
                CW_TRY(record(step, r, StepState::Skipped));
                if (step.noReturn)
                    undoable.clear();
                else if (step.undo)
                    undoable.push_back(&step);
                continue;
            }
        }
        CW_TRY(record(step, r, StepState::Running));
        dieIfAsked(step.id, "before");
        const Status acted = step.act(stop);
        dieIfAsked(step.id, "during");
        r.finishedMs = nowMs();
        if (!acted) {
            r.error = redact(acted.error().describe());
            (void)record(step, r, StepState::Failed);
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
        if (const Status s = record(step, r, StepState::Done); !s)
            return undoAll(s.error());
        dieIfAsked(step.id, "after");
    }
    return {};
}

} // namespace causeway
