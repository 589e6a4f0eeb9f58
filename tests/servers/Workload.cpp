#include "servers/Workload.h"

#include "servers/CommitRecord.h"
#include "servers/MySqlClient.h"
#include "servers/WorkloadSql.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <unordered_set>

namespace causeway::test {
namespace {

using Clock = std::chrono::steady_clock;

// Other transactions in the way, or rows that are gone: tried again on the same host.
bool isConflict(unsigned number)
{
    switch (number) {
    case 1020: // MariaDB: record has changed since last read
    case 1048: // a row to swap with had been deleted
    case 1062:
    case 1205:
    case 1213:
    case 1451:
    case 1452:
        return true;
    default:
        return false;
    }
}

} // namespace

struct Workload::Private {
    Private(std::vector<Address> list, const WorkloadOptions &o)
        : hosts(std::move(list)), options(o), record(hosts.size())
    {
    }

    bool pause(const std::stop_token &stop, Clock::time_point until) const
    {
        return record.pause(stop, until);
    }

    void didCommit(const std::string &uuid, std::size_t host, bool counts)
    {
        record.committed(uuid, host, counts);
    }

    void didFail(const SqlOutcome &outcome, const std::string *uuid)
    {
        if (uuid != nullptr && outcome.lost())
            record.unknown(*uuid);
        const std::lock_guard lock(mutex);
        ++errors[outcome.number];
        words[outcome.number] = outcome.words;
    }

    // Signs in on the current host, or on the next one that lets us.
    bool ensureOpen(MySqlClient &client, std::size_t &host, const std::stop_token &stop)
    {
        constexpr int kPatience = 120; // seconds for one answer: a fence may hold it that long
        while (!client.isOpen() && !stop.stop_requested()) {
            const SqlOutcome outcome = client.connect(hosts[host], kPatience);
            if (outcome.ok())
                return true;
            didFail(outcome, nullptr);
            tryNext(client, host, stop);
        }
        return client.isOpen();
    }

    void tryNext(MySqlClient &client, std::size_t &host, const std::stop_token &stop) const
    {
        constexpr auto kBackOff = std::chrono::milliseconds(20);
        client.close();
        host = (host + 1) % hosts.size();
        pause(stop, Clock::now() + kBackOff);
    }

    // One whole transaction is one packet; its last answer is that of COMMIT.
    void runOne(MySqlClient &client, std::size_t &host, const std::string &uuid,
                const std::string &sql, const std::stop_token &stop, bool counts)
    {
        const SqlOutcome outcome = client.run(sql);
        if (outcome.ok()) {
            didCommit(uuid, host, counts);
            return;
        }
        didFail(outcome, &uuid);
        if (isConflict(outcome.number) && client.run("ROLLBACK").ok())
            return;
        tryNext(client, host, stop);
    }

    [[nodiscard]] std::unique_ptr<WriterSql> newWriter(unsigned number) const
    {
        if (options.sql)
            return options.sql(number);
        return std::make_unique<ShopSql>(options, number);
    }

    void write(const std::stop_token &stop, int number)
    {
        const auto sql = newWriter(static_cast<unsigned>(number));
        MySqlClient client;
        std::size_t host = 0;
        const auto period =
            options.rate > 0
                ? std::chrono::microseconds(1'000'000LL * options.connections / options.rate)
                : std::chrono::microseconds(0);
        auto due = Clock::now();
        auto truncateAt = Clock::now() + options.truncateEvery;
        while (!stop.stop_requested() && ensureOpen(client, host, stop)) {
            if (number == 0 && options.truncateEvery.count() > 0 && Clock::now() >= truncateAt) {
                truncateAt = Clock::now() + options.truncateEvery;
                const SqlOutcome outcome = client.run(options.truncate);
                if (!outcome.ok()) {
                    didFail(outcome, nullptr);
                    tryNext(client, host, stop);
                    continue;
                }
            }
            const std::string uuid = sql->newUuid();
            runOne(client, host, uuid, sql->transaction(uuid), stop, true);
            if (period.count() > 0) {
                // Late ones catch up for a moment only: after a pause there is no flood.
                due = std::max(due + period, Clock::now() - std::chrono::milliseconds(100));
                if (due > Clock::now())
                    pause(stop, due);
            }
        }
        client.close();
        MySqlClient::endThread();
    }

    void writeLong(const std::stop_token &stop)
    {
        const auto sql = newWriter(1000);
        MySqlClient client;
        std::size_t host = 0;
        while (!stop.stop_requested() && ensureOpen(client, host, stop)) {
            const std::string uuid = sql->newUuid();
            const SqlOutcome begun = client.run(sql->longTransaction(uuid));
            if (!begun.ok()) {
                didFail(begun, nullptr);
                tryNext(client, host, stop);
                continue;
            }
            pause(stop, Clock::now() + options.longTransaction);
            runOne(client, host, uuid, "COMMIT", stop, false);
            pause(stop, Clock::now() + options.longTransaction / 2);
        }
        client.close();
        MySqlClient::endThread();
    }

    // A pooled connection that nobody uses; signs in again when it is thrown out.
    void idle(const std::stop_token &stop)
    {
        MySqlClient client;
        std::size_t host = 0;
        while (!stop.stop_requested() && ensureOpen(client, host, stop)) {
            if (!client.run("SELECT 1").ok())
                tryNext(client, host, stop);
            else
                pause(stop, Clock::now() + std::chrono::seconds(5));
        }
        client.close();
        MySqlClient::endThread();
    }

    const std::vector<Address> hosts;
    const WorkloadOptions options;
    CommitRecord record;
    std::mutex mutex; ///< errors and words
    std::map<unsigned, qint64> errors;
    std::map<unsigned, std::string> words;
    std::vector<std::jthread> threads;
};

Workload::Workload(std::vector<Address> hosts, const WorkloadOptions &options)
    : d(std::make_unique<Private>(std::move(hosts), options))
{
}

Workload::~Workload()
{
    stop();
}

void Workload::start()
{
    if (!d->threads.empty())
        return;
    for (int i = 0; i < d->options.connections; ++i)
        d->threads.emplace_back([this, i](const std::stop_token &stop) { d->write(stop, i); });
    if (d->options.longTransaction.count() > 0)
        d->threads.emplace_back([this](const std::stop_token &stop) { d->writeLong(stop); });
    for (int i = 0; i < d->options.idle; ++i)
        d->threads.emplace_back([this](const std::stop_token &stop) { d->idle(stop); });
}

void Workload::stop()
{
    for (std::jthread &thread : d->threads)
        thread.request_stop();
    d->threads.clear();
}

bool Workload::waitForCommits(qint64 more, std::chrono::milliseconds time) const
{
    return d->record.waitForCommits(more, time);
}

bool Workload::waitForCommitsOn(std::size_t host, qint64 count,
                                std::chrono::milliseconds time) const
{
    return d->record.waitForCommitsOn(host, count, time);
}

std::set<std::string> Workload::committed() const
{
    return d->record.committedSet();
}

std::set<std::string> Workload::unknown() const
{
    return d->record.unknownSet();
}

qint64 Workload::commits() const
{
    return d->record.commits();
}

qint64 Workload::commitsOn(std::size_t host) const
{
    return d->record.commitsOn(host);
}

std::chrono::milliseconds Workload::longestGap() const
{
    return d->record.longestGap(!d->threads.empty());
}

void Workload::resetGap()
{
    d->record.resetGap();
}

double Workload::transactionsPerSecond() const
{
    return d->record.transactionsPerSecond();
}

int Workload::switches() const
{
    return d->record.switches();
}

std::map<unsigned, qint64> Workload::errors() const
{
    const std::lock_guard lock(d->mutex);
    return d->errors;
}

QStringList Workload::oddErrors() const
{
    const std::lock_guard lock(d->mutex);
    QStringList result;
    for (const unsigned number : {1048U, 1062U, 1451U, 1452U}) {
        const auto found = d->errors.find(number);
        if (found != d->errors.end())
            result << QStringLiteral("%1 x [%2] %3")
                          .arg(found->second)
                          .arg(number)
                          .arg(QString::fromStdString(d->words.at(number)));
    }
    return result;
}

std::vector<std::string> Workload::lostOn(TestServer &server) const
{
    std::unordered_set<std::string> there;
    for (TestRow &row : server.query(QStringLiteral("SELECT id FROM ") + d->options.journal))
        there.insert(std::move(row.front().value()));
    const std::set<std::string> all = committed();
    std::vector<std::string> lost;
    std::copy_if(all.begin(), all.end(), std::back_inserter(lost),
                 [&there](const std::string &uuid) { return !there.contains(uuid); });
    return lost;
}

std::vector<std::string> Workload::twiceOn(TestServer &server) const
{
    std::vector<std::string> twice;
    for (TestRow &row :
         server.query(QStringLiteral("SELECT id FROM %1 GROUP BY id HAVING COUNT(*) > 1")
                          .arg(d->options.journal)))
        twice.push_back(std::move(row.front().value()));
    return twice;
}

} // namespace causeway::test
