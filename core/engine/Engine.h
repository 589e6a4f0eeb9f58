#pragma once

#include "base/Error.h"
#include "database/Database.h"
#include "preflight/Check.h"

#include <functional>
#include <future>
#include <memory>
#include <stop_token>
#include <thread>

namespace causeway {

struct Settings;

/// A piece of work on its own thread, with cancel. The result is fetched by polling isDone() (the
/// wizard, from a timer) or by wait(). Destroying a running job cancels and joins it.
template <class T> class Job {
public:
    explicit Job(std::function<Result<T>(std::stop_token)> task)
        : m_result(m_promise.get_future()),
          m_thread([this, work = std::move(task)](std::stop_token stop) {
              m_promise.set_value(work(std::move(stop)));
          })
    {
    }
    void cancel() { m_thread.request_stop(); }
    [[nodiscard]] bool isDone() const
    {
        return m_result.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    }
    /// Once only.
    Result<T> take() { return m_result.get(); }

private:
    std::promise<Result<T>> m_promise;
    std::future<Result<T>> m_result;
    std::jthread m_thread;
};

/// The one place that names the engines.
Result<std::shared_ptr<Database>> makeDatabase(const Address &);
/// Error{Usage, "source-writer-unsupported"} where a primary is named and no such source can be
/// read.
Status checkWriter(const Endpoint &source);
/// Reads from a replica and closes its primary where the endpoint names one.
Result<std::shared_ptr<Database>> makeDatabase(const Endpoint &);

enum class ConnectStage { Resolve, Tcp, Tls, SignIn, Grants };
QString toString(ConnectStage);
struct StageReport {
    ConnectStage stage = ConnectStage::Resolve;
    bool passed = false;
    Text detail; ///< what was found: addresses, cipher, version
};
struct ConnectionReport {
    std::vector<StageReport> stages;
    std::optional<Error> error; ///< of the first stage that failed
    ServerFacts facts;
    qint64 dataBytes = -1;
    int tables = -1, foreignKeys = -1;
    QStringList schemas;
};

/// Job: connect stage by stage; `onStage` is called from the job's thread.
ConnectionReport testConnection(const Address &,
                                const std::function<void(const StageReport &)> &onStage,
                                std::stop_token);

/// What a migration with these settings is to be checked for.
CheckOptions checkOptions(const Settings &);
/// Job: all checks for these endpoints. Without target: source only.
Result<CheckReport> runPreflight(const Endpoint &source, const std::optional<Endpoint> &target,
                                 const CheckOptions &,
                                 const std::function<void(const Finding &)> &onFinding,
                                 std::stop_token);
struct CheckInfo {
    QString id;
    Text title, why;
};
/// All checks of an engine, each once; connects to nothing.
std::vector<CheckInfo> describeChecks(Engine);
/// The SQL of all checks that would run, for a DBA to run by hand.
Result<QStringList> preflightSql(const Endpoint &source, const std::optional<Endpoint> &target,
                                 const CheckOptions &, std::stop_token);
struct AppliedFix {
    Finding before; ///< with the SQL that was run, and the value that it replaced
    Finding after;
    bool ran = false; ///< false: there was nothing to mend
};
/// Applies the fix of one finding (canApply), then checks that one again.
Result<AppliedFix> applyFix(const Endpoint &source, const std::optional<Endpoint> &target,
                            const CheckOptions &, const QString &id, std::stop_token);
/// Least-privilege account for exactly this server and selection.
Result<QStringList> userScript(const Endpoint &, Side, const CheckOptions &,
                               const QString &accountName, std::stop_token);

} // namespace causeway
