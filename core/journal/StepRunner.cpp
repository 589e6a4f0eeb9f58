#include "base/Log.h"
#include "base/Secret.h"
#include "base/Stop.h"
#include "journal/Journal.h"
#include "journal/Step.h"

#include <QDateTime>

#include <chrono>
#include <csignal>
#include <thread>
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

constexpr std::chrono::milliseconds kBetweenQuestions{300};

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
    const auto isSilent = [this](const Step &step) {
        return answers &&
               ((step.side && !answers(*step.side)) || (step.undoAlso && !answers(*step.undoAlso)));
    };
    // Undoing goes on although the work was cancelled, but does not wait for a server that says
    // nothing any more.
    const auto undo = [&](const Step &step) -> Status {
        std::stop_source late;
        const std::jthread watch([&](const std::stop_token &undone) {
            while (pauseFor(undone, kBetweenQuestions)) {
                if (!stop.stop_requested() || !isSilent(step))
                    continue;
                late.request_stop();
                return;
            }
        });
        return step.undo(late.get_token());
    };
    // `failed`: the record of the step whose error this is, where one had begun. It keeps its
    // words when it is undone itself: they are why.
    const auto undoAll = [&](const Error &why, const StepRecord *failed) -> tl::unexpected<Error> {
        QStringList left, leftIds;
        for (auto it = undoable.rbegin(); it != undoable.rend(); ++it) {
            const Step &step = **it;
            StepRecord r{step.id,           step.side, step.title, step.shownSql,
                         StepState::Undone, nowMs(),   0,          {}};
            if (failed && failed->id == step.id)
                r = *failed;
            const auto add = [&r](const QString &words) {
                r.error += (r.error.isEmpty() ? QString() : QStringLiteral("\n")) + words;
            };
            const bool skipped = stop.stop_requested() && isSilent(step);
            const Status undone = skipped ? Status(fail(cancelledError())) : undo(step);
            if (!undone && undone.error().code == ErrorCode::Cancelled) {
                add(QStringLiteral("Not undone: the server does not answer."));
            } else if (!undone) {
                const QString words = redact(undone.error().describe());
                logWarning(QStringLiteral("Undoing %1 failed: %2").arg(step.id, words));
                add(QStringLiteral("Undoing it failed: ") + words);
            }
            if (!undone) {
                left << step.title.english();
                leftIds << step.id;
            }
            r.finishedMs = nowMs();
            (void)record(r, undone ? StepState::Undone : StepState::Failed);
        }
        // Whatever it failed with: the user hears of a session that they ended themselves.
        if (left.isEmpty() || (why.code != ErrorCode::Cancelled && !stop.stop_requested()))
            return fail(why);
        Error e;
        e.code = ErrorCode::ConnectionLost;
        e.id = QStringLiteral("not-undone");
        e.object = leftIds.join(QStringLiteral(", "));
        e.message = cwText("core",
                           "Cancelled, but not all of it could be undone, since a server "
                           "does not answer. Still as it was begun: %1.",
                           left.join(QStringLiteral("; ")));
        return fail(std::move(e));
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
