#include "servers/PostgresWorkload.h"

#include "servers/CommitRecord.h"
#include "servers/PostgresClient.h"
#include "servers/PostgresShop.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <thread>
#include <unordered_set>

namespace causeway::test {
namespace {

using Clock = std::chrono::steady_clock;

// Other transactions in the way, or rows that are gone: tried again on the same host.
bool isConflict(const std::string &state)
{
    return state == "40001" || state == "40P01" || state == "55P03" || state == "23503" ||
           state == "23505";
}

} // namespace

struct PostgresWorkload::Private {
    Private(std::vector<Address> list, const Options &o)
        : hosts(std::move(list)), options(o), record(hosts.size())
    {
    }

    void didFail(const PgOutcome &outcome, const std::string *uuid)
    {
        if (uuid != nullptr && outcome.lost())
            record.unknown(*uuid);
        const std::lock_guard lock(mutex);
        ++errors[outcome.sqlState];
        words[outcome.sqlState] = outcome.words;
    }

    // Signs in on the current host, or on the next one that lets us.
    bool ensureOpen(PostgresClient &client, std::size_t &host, const std::stop_token &stop)
    {
        constexpr int kPatience = 120; // seconds for one answer: a fence may hold it that long
        while (!client.isOpen() && !stop.stop_requested()) {
            const PgOutcome outcome = client.connect(hosts[host], kPatience);
            if (outcome.ok())
                return true;
            didFail(outcome, nullptr);
            tryNext(client, host, stop);
        }
        return client.isOpen();
    }

    void tryNext(PostgresClient &client, std::size_t &host, const std::stop_token &stop) const
    {
        constexpr auto kBackOff = std::chrono::milliseconds(20);
        client.close();
        host = (host + 1) % hosts.size();
        record.pause(stop, Clock::now() + kBackOff);
    }

    // One whole transaction is one packet; its last answer is that of COMMIT, which says ROLLBACK
    // where something before it had failed.
    void runOne(PostgresClient &client, std::size_t &host, const std::string &uuid,
                const std::string &sql, const std::stop_token &stop, bool counts)
    {
        const PgOutcome outcome = client.run(sql);
        if (outcome.ok() && client.tag() == "COMMIT") {
            record.committed(uuid, host, counts);
            return;
        }
        didFail(outcome.ok() ? PgOutcome{"25P02", "COMMIT was answered by " + client.tag()}
                             : outcome,
                &uuid);
        if (isConflict(outcome.sqlState) && client.run("ROLLBACK").ok())
            return;
        tryNext(client, host, stop);
    }

    void write(const std::stop_token &stop, int number)
    {
        PostgresShop shop(options, static_cast<unsigned>(number));
        PostgresClient client;
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
                const PgOutcome outcome = client.run("TRUNCATE TABLE shop.scratch");
                if (!outcome.ok()) {
                    didFail(outcome, nullptr);
                    tryNext(client, host, stop);
                    continue;
                }
            }
            const std::string uuid = shop.newUuid();
            runOne(client, host, uuid, shop.transaction(uuid), stop, true);
            if (period.count() > 0) {
                // Late ones catch up for a moment only: after a pause there is no flood.
                due = std::max(due + period, Clock::now() - std::chrono::milliseconds(100));
                if (due > Clock::now())
                    record.pause(stop, due);
            }
        }
    }

    void writeLong(const std::stop_token &stop)
    {
        PostgresShop shop(options, 1000);
        PostgresClient client;
        std::size_t host = 0;
        while (!stop.stop_requested() && ensureOpen(client, host, stop)) {
            const std::string uuid = shop.newUuid();
            const PgOutcome begun = client.run(shop.longTransaction(uuid));
            if (!begun.ok()) {
                didFail(begun, nullptr);
                tryNext(client, host, stop);
                continue;
            }
            record.pause(stop, Clock::now() + options.longTransaction);
            runOne(client, host, uuid, "COMMIT", stop, false);
            record.pause(stop, Clock::now() + options.longTransaction / 2);
        }
    }

    // A pooled connection that nobody uses; signs in again when it is thrown out.
    void idle(const std::stop_token &stop)
    {
        PostgresClient client;
        std::size_t host = 0;
        while (!stop.stop_requested() && ensureOpen(client, host, stop)) {
            if (!client.run("SELECT 1").ok())
                tryNext(client, host, stop);
            else
                record.pause(stop, Clock::now() + std::chrono::seconds(5));
        }
    }

    const std::vector<Address> hosts;
    const Options options;
    CommitRecord record;
    std::mutex mutex; ///< errors and words
    std::map<std::string, qint64> errors;
    std::map<std::string, std::string> words;
    std::vector<std::jthread> threads;
};

PostgresWorkload::PostgresWorkload(std::vector<Address> hosts, const Options &options)
    : d(std::make_unique<Private>(std::move(hosts), options))
{
}

PostgresWorkload::~PostgresWorkload()
{
    stop();
}

void PostgresWorkload::start()
{
    if (!d->threads.empty())
        return;
    for (int i = 0; i < d->options.connections; ++i)
        d->threads.emplace_back([this, i](const std::stop_token &stop) { d->write(stop, i); });
    if (d->options.longTransaction.count() > 0)
        d->threads.emplace_back([this](const std::stop_token &stop) { d->writeLong(stop); });
    d->threads.emplace_back([this](const std::stop_token &stop) { d->idle(stop); });
}

void PostgresWorkload::stop()
{
    for (std::jthread &thread : d->threads)
        thread.request_stop();
    d->threads.clear();
}

bool PostgresWorkload::waitForCommits(qint64 more, std::chrono::milliseconds time) const
{
    return d->record.waitForCommits(more, time);
}

bool PostgresWorkload::waitForCommitsOn(std::size_t host, qint64 count,
                                        std::chrono::milliseconds time) const
{
    return d->record.waitForCommitsOn(host, count, time);
}

std::set<std::string> PostgresWorkload::committed() const
{
    return d->record.committedSet();
}

std::set<std::string> PostgresWorkload::unknown() const
{
    return d->record.unknownSet();
}

qint64 PostgresWorkload::commits() const
{
    return d->record.commits();
}

qint64 PostgresWorkload::commitsOn(std::size_t host) const
{
    return d->record.commitsOn(host);
}

std::chrono::milliseconds PostgresWorkload::longestGap() const
{
    return d->record.longestGap(!d->threads.empty());
}

void PostgresWorkload::resetGap()
{
    d->record.resetGap();
}

double PostgresWorkload::transactionsPerSecond() const
{
    return d->record.transactionsPerSecond();
}

int PostgresWorkload::switches() const
{
    return d->record.switches();
}

std::map<std::string, qint64> PostgresWorkload::errors() const
{
    const std::lock_guard lock(d->mutex);
    return d->errors;
}

QStringList PostgresWorkload::oddErrors() const
{
    const std::lock_guard lock(d->mutex);
    QStringList result;
    for (const auto &[state, count] : d->errors) {
        // Refused because closed or gone, or in each other's way: what an application expects.
        static const std::set<std::string> expected{"25006", "40001", "40P01", "55P03"};
        if (!expected.contains(state) && !PgOutcome{state, {}}.lost())
            result << QStringLiteral("%1 x [%2] %3")
                          .arg(count)
                          .arg(QString::fromStdString(state),
                               QString::fromStdString(d->words.at(state)).simplified());
    }
    return result;
}

std::vector<std::string> PostgresWorkload::lostOn(TestServer &server) const
{
    std::unordered_set<std::string> there;
    for (TestRow &row : server.query(QStringLiteral("SELECT id FROM shop.journal_entries"),
                                     QLatin1String(kDatabase)))
        there.insert(std::move(row.front().value()));
    const std::set<std::string> all = committed();
    std::vector<std::string> lost;
    std::copy_if(all.begin(), all.end(), std::back_inserter(lost),
                 [&there](const std::string &uuid) { return !there.contains(uuid); });
    return lost;
}

void PostgresWorkload::createSchema(TestServer &server, const Options &options)
{
    server.exec(QStringLiteral("CREATE DATABASE shop"));
    server.exec(PostgresShop::schema(options), QLatin1String(kDatabase));
    createAccount(server);
    grant(server);
}

void PostgresWorkload::createAccount(TestServer &server, const QString &creator)
{
    server.exec(QStringLiteral("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "
                               "'shop_app') THEN CREATE ROLE shop_app LOGIN PASSWORD 'app-secret'; "
                               "END IF; END $$"));
    if (creator.isEmpty())
        return;
    server.exec(
        QStringLiteral("ALTER DEFAULT PRIVILEGES FOR ROLE %1 GRANT USAGE ON SCHEMAS TO shop_app;"
                       "ALTER DEFAULT PRIVILEGES FOR ROLE %1 GRANT SELECT, INSERT, UPDATE, DELETE,"
                       " TRUNCATE ON TABLES TO shop_app;"
                       "ALTER DEFAULT PRIVILEGES FOR ROLE %1 GRANT USAGE ON SEQUENCES TO shop_app")
            .arg(creator),
        QLatin1String(kDatabase));
}

void PostgresWorkload::grant(TestServer &server)
{
    server.exec(QStringLiteral("GRANT USAGE ON SCHEMA shop TO shop_app;"
                               "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN"
                               " SCHEMA shop TO shop_app;"
                               "GRANT USAGE ON ALL SEQUENCES IN SCHEMA shop TO shop_app"),
                QLatin1String(kDatabase));
}

Address PostgresWorkload::address(const TestServer &server, quint16 proxyPort)
{
    Address address = server.address(QStringLiteral("shop_app"), QStringLiteral("app-secret"),
                                     QLatin1String(kDatabase));
    if (proxyPort != 0)
        address.port = proxyPort;
    return address;
}

} // namespace causeway::test
