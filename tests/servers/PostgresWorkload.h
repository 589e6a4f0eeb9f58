#pragma once

#include "servers/TestServer.h"

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace causeway::test {

struct PostgresWorkloadOptions {
    int connections = 8;
    /// Transactions per second of all connections together; 0 = as fast as they go.
    int rate = 600;
    /// One more connection holds a transaction open for this long, again and again; 0 = none.
    std::chrono::milliseconds longTransaction{10'000};
    /// How often the scratch table is truncated; 0 = never (the account then needs no TRUNCATE).
    std::chrono::milliseconds truncateEvery{2'000};
    /// Bytes of a document, which is stored out of line and mostly left as it is by updates.
    int documentBytes = 40'000;
};

/// The same application as Workload, on PostgreSQL: pooled connections over the schema `shop` of
/// the database `shop`, each transaction with a uuid of its own in `journal_entries`. It writes by
/// identity and serial columns and by a sequence of its own, moves rows between partitions, changes
/// keys, truncates, and changes rows whose large value stays as it is. Where a write is refused or
/// the connection is lost it tries the next host. Thread-safe.
class PostgresWorkload {
public:
    using Options = PostgresWorkloadOptions;
    static constexpr const char kDatabase[] = "shop";

    /// Makes the database, the schema with its first rows, and the account; on the first source.
    static void createSchema(TestServer &server, const Options & = {});
    /// The account "shop_app". On the target, before the switch: with `creator`, whatever that role
    /// makes in the database from then on is open to the account as well.
    static void createAccount(TestServer &server, const QString &creator = {});
    /// Opens the schema to the account; part of createSchema().
    static void grant(TestServer &server);
    /// How that account signs in on a server, or through a proxy before it.
    static Address address(const TestServer &server, quint16 proxyPort = 0);

    /// Writes to the first host, until it refuses.
    explicit PostgresWorkload(std::vector<Address> hosts, const Options & = {});
    ~PostgresWorkload(); ///< stops
    PostgresWorkload(const PostgresWorkload &) = delete;
    PostgresWorkload &operator=(const PostgresWorkload &) = delete;

    void start();
    void stop(); ///< after the transactions under way; what was recorded stays

    /// As in Workload.
    [[nodiscard]] bool waitForCommits(qint64 more, std::chrono::milliseconds time) const;
    [[nodiscard]] bool waitForCommitsOn(std::size_t host, qint64 count,
                                        std::chrono::milliseconds time) const;
    [[nodiscard]] std::set<std::string> committed() const;
    [[nodiscard]] std::set<std::string> unknown() const;
    [[nodiscard]] qint64 commits() const;
    [[nodiscard]] qint64 commitsOn(std::size_t host) const;
    [[nodiscard]] std::chrono::milliseconds longestGap() const;
    void resetGap();
    [[nodiscard]] double transactionsPerSecond() const;
    [[nodiscard]] int switches() const;

    /// Refusals and conflicts by SQLSTATE.
    [[nodiscard]] std::map<std::string, qint64> errors() const;
    /// Of those the ones nobody expects in this workload, as text: duplicate keys (a sequence that
    /// was left behind by a switch gives them), foreign keys, missing rights.
    [[nodiscard]] QStringList oddErrors() const;
    /// Uuids of committed() that `journal_entries` of this server lacks; empty = no lost write.
    [[nodiscard]] std::vector<std::string> lostOn(TestServer &server) const;

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace causeway::test
