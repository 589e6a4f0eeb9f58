#include "base/Log.h"

#include "base/Secret.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <deque>
#include <mutex>

namespace causeway {

namespace {
constexpr std::size_t kRing = 5000;

struct State {
    std::mutex mutex;
    std::deque<LogLine> ring;
    std::atomic<quint64> count{0};
    std::atomic<LogLevel> level{LogLevel::Info};
    std::shared_ptr<spdlog::logger> err, file;
};
State &state()
{
    static auto *s = new State; // outlives every thread that may still log while the process ends
    return *s;
}
spdlog::level::level_enum toSpd(LogLevel l)
{
    switch (l) {
    case LogLevel::Debug:
        return spdlog::level::debug;
    case LogLevel::Info:
        return spdlog::level::info;
    case LogLevel::Warning:
        return spdlog::level::warn;
    case LogLevel::Error:
        return spdlog::level::err;
    }
    return spdlog::level::info;
}
} // namespace

void logLine(LogLevel level, const QString &text)
{
    State &s = state();
    if (level < s.level.load(std::memory_order_relaxed))
        return;
    LogLine line{QDateTime::currentDateTimeUtc(), level, redact(text)};
    const std::string utf8 = line.text.toStdString();
    const std::lock_guard lock(s.mutex);
    if (s.err)
        s.err->log(toSpd(level), "{}", utf8);
    if (s.file)
        s.file->log(toSpd(level), "{}", utf8);
    s.ring.push_back(std::move(line));
    if (s.ring.size() > kRing)
        s.ring.pop_front();
    s.count.fetch_add(1, std::memory_order_relaxed);
}

void setLogLevel(LogLevel level)
{
    state().level.store(level);
}

void setLogToStderr(bool on)
{
    State &s = state();
    const std::lock_guard lock(s.mutex);
    if (!on) {
        s.err.reset();
        return;
    }
    s.err = std::make_shared<spdlog::logger>("causeway",
                                             std::make_shared<spdlog::sinks::stderr_sink_mt>());
    s.err->set_level(spdlog::level::debug);
    s.err->set_pattern("%H:%M:%S %L %v");
}

bool setLogFile(const QString &path)
{
    State &s = state();
    const std::lock_guard lock(s.mutex);
    try { // spdlog reports a file it cannot open only by throwing
        auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path.toStdString(),
                                                                           5 * 1024 * 1024, 3);
        s.file = std::make_shared<spdlog::logger>("file", sink);
        s.file->set_level(spdlog::level::debug);
        s.file->flush_on(spdlog::level::info);
        return true;
    } catch (const spdlog::spdlog_ex &) {
        return false;
    }
}

QList<LogLine> recentLog(int most)
{
    State &s = state();
    const std::lock_guard lock(s.mutex);
    const auto n = std::min<std::size_t>(s.ring.size(), static_cast<std::size_t>(most));
    return {s.ring.end() - static_cast<std::ptrdiff_t>(n), s.ring.end()};
}

quint64 logCount()
{
    return state().count.load(std::memory_order_relaxed);
}

} // namespace causeway
