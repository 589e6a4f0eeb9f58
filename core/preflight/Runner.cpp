#include "preflight/Check.h"

#include "base/Secret.h"
#include "base/Stop.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace causeway {

namespace {

/// Few: the checks share what they read, and each thread may hold one connection per server.
constexpr std::size_t kThreads = 4;

Finding unknownFinding(const Check &check, const Error &error, bool timedOut,
                       std::chrono::milliseconds timeout)
{
    Finding f;
    f.status = FindingStatus::Unknown;
    if (timedOut) {
        f.found = cwText("core", "This check did not end within %1 seconds.",
                         static_cast<qint64>(timeout.count() / 1000));
    } else {
        f.found = cwText("core", "This check could not be made: %1",
                         redact(error.describe().simplified()));
    }
    f.fix.text = error.fix;
    f.blocksMigration = check.blocking;
    return f;
}

Finding skippedFinding(Text why)
{
    Finding f;
    f.status = FindingStatus::Skipped;
    f.found = std::move(why);
    return f;
}

Finding runOne(const Check &check, const CheckOptions &options, const std::stop_token &stop)
{
    Finding out;
    const auto timeout = check.timeout.count() > 0 ? check.timeout : options.timeoutPerCheck;
    if (stop.stop_requested()) {
        out = unknownFinding(check, cancelledError(), false, timeout);
    } else if (check.isProbe && !options.probes) {
        out = skippedFinding(cwText("core", "A probe that writes; made only when asked for."));
    } else if (check.readsRows && !options.data.wanted) {
        out = skippedFinding(
            cwText("core", "A look at the rows themselves; made only when asked for (--data)."));
    } else {
        // The check's own stop: requested by the caller's, and by the time-out.
        std::stop_source own;
        const std::stop_callback forward(stop, [&own] { own.request_stop(); });
        std::atomic<bool> timedOut{false};
        Result<Finding> result = fail(cancelledError());
        {
            const std::jthread watch([&](const std::stop_token &finished) {
                if (pauseFor(finished, timeout)) {
                    timedOut = true;
                    own.request_stop();
                }
            });
            result = check.run(own.get_token());
        }
        // An error after the time-out is the time-out's doing; a result in time is a result.
        out = result ? std::move(*result)
                     : unknownFinding(check, result.error(), timedOut && !stop.stop_requested(),
                                      timeout);
    }
    out.id = check.id;
    if (out.title.isEmpty())
        out.title = check.title;
    if (out.why.isEmpty())
        out.why = check.why;
    out.side = check.side;
    out.server = check.server;
    out.acceptable = out.acceptable || check.acceptable;
    out.blocksMigration = check.blocking;
    return out;
}

} // namespace

std::vector<Finding> runChecks(const std::vector<Check> &checks, const CheckOptions &options,
                               const std::function<void(const Finding &)> &onFinding,
                               std::stop_token stop)
{
    std::vector<Finding> findings(checks.size());
    std::atomic<std::size_t> next{0};
    std::mutex reporting;
    const auto work = [&] {
        for (std::size_t i = next++; i < checks.size(); i = next++) {
            findings[i] = runOne(checks[i], options, stop);
            if (onFinding) {
                const std::lock_guard lock(reporting);
                onFinding(findings[i]);
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < std::min(kThreads, checks.size()); ++t)
            threads.emplace_back(work);
    }
    return findings;
}

} // namespace causeway
