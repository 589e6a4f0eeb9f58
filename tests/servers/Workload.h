#pragma once

#include "servers/TestServer.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace causeway::test {

class WriterSql;

struct WorkloadOptions {
    int connections = 8;
    /// Transactions per second of all connections together; 0 = as fast as they go.
    int rate = 700;
    /// One more connection holds a transaction open for this long, again and again; 0 = none.
    std::chrono::milliseconds longTransaction{10'000};
    /// How often the scratch table is truncated; 0 = never (the account then needs no DROP).
    std::chrono::milliseconds truncateEvery{2'000};
    /// Customers change their key now and then, which ON UPDATE CASCADE carries to their orders.
    bool keyCascades = true;
    /// More pooled connections that nobody uses.
    int idle = 1;

    /// Another application than the shop: what its connections say, the table (with the schema) in
    /// which the uuids are, and how the scratch table is emptied.
    std::function<std::unique_ptr<WriterSql>(unsigned writer)> sql;
    QString journal = QStringLiteral("shop.journal_entries");
    std::string truncate = "TRUNCATE TABLE shop.scratch";
};

/// An application that is writing while its database moves: pooled connections over the schema
/// `shop`, each transaction with a uuid of its own in `journal_entries`, so that it can be told
/// afterwards for each answered COMMIT whether it is still there. Where a write is refused or the
/// connection is lost it tries the next host, as a well-behaved application does. Thread-safe.
class Workload {
public:
    /// Makes the schema with its first rows, and the account; on the first source.
    static void createSchema(TestServer &server, const WorkloadOptions & = {});
    /// The account "shop_app" with rights on `shop` only; also on the target, before the switch.
    static void createAccount(TestServer &server, const WorkloadOptions & = {});
    /// How that account signs in on a server, or through a proxy before it.
    static Address address(const TestServer &server, quint16 proxyPort = 0);

    /// Writes to the first host, until it refuses.
    explicit Workload(std::vector<Address> hosts, const WorkloadOptions & = {});
    ~Workload(); ///< stops
    Workload(const Workload &) = delete;
    Workload &operator=(const Workload &) = delete;

    void start();
    void stop(); ///< after the transactions under way; what was recorded stays

    /// Waits until `more` transactions were committed from now on; false after the time.
    [[nodiscard]] bool waitForCommits(qint64 more, std::chrono::milliseconds time) const;
    /// The same for commits on one host, by its place in the list, from the start on.
    [[nodiscard]] bool waitForCommitsOn(std::size_t host, qint64 count,
                                        std::chrono::milliseconds time) const;

    /// Uuids of transactions whose COMMIT was answered ok: none of these may be lost.
    [[nodiscard]] std::set<std::string> committed() const;
    /// Those whose connection broke before the answer: each may be there or not.
    [[nodiscard]] std::set<std::string> unknown() const;
    [[nodiscard]] qint64 commits() const;
    [[nodiscard]] qint64 commitsOn(std::size_t host) const;
    /// The write pause: the longest time between two answered commits, the one now running
    /// included. Commits of the long transaction do not count.
    [[nodiscard]] std::chrono::milliseconds longestGap() const;
    void resetGap();
    [[nodiscard]] double transactionsPerSecond() const;
    /// How often the commits moved from one host to another one. One switch is exactly 1; more
    /// means that both took writes for a while.
    [[nodiscard]] int switches() const;
    /// Refusals and conflicts by the server's error number.
    [[nodiscard]] std::map<unsigned, qint64> errors() const;
    /// Of those the ones nobody expects in this workload (duplicate keys, foreign keys), as text.
    [[nodiscard]] QStringList oddErrors() const;

    /// Uuids of committed() that the journal on this server lacks; empty = no lost write.
    [[nodiscard]] std::vector<std::string> lostOn(TestServer &server) const;
    /// Uuids that are there more than once, where the journal's key does not forbid it.
    [[nodiscard]] std::vector<std::string> twiceOn(TestServer &server) const;

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace causeway::test
