#pragma once

#include "servers/PostgresWorkload.h"

#include <random>
#include <string>

namespace causeway::test {

/// The statements of one connection of PostgresWorkload. Random, but such that connections wait for
/// each other at most for a moment and never collide on a key.
class PostgresShop {
public:
    PostgresShop(const PostgresWorkloadOptions &options, unsigned writer);

    [[nodiscard]] std::string newUuid();
    /// BEGIN ... COMMIT with the uuid in the ledger and one of the changes below.
    [[nodiscard]] std::string transaction(const std::string &uuid);
    /// BEGIN and some rows, without COMMIT; touches nothing that others wait for.
    [[nodiscard]] std::string longTransaction(const std::string &uuid);

    /// DDL of the schema and its first rows.
    static QString schema(const PostgresWorkloadOptions &options);

    static constexpr int kCustomers = 1000; ///< the first rows of customers
    static constexpr int kTags = 400;       ///< swapped, but always so many
    static constexpr int kCategories = 200;
    static constexpr int kDocuments = 100;
    static constexpr int kFirstNewCustomer = 1'000'000;
    static constexpr int kFirstMovedCustomer = 10'000;
    static constexpr int kFirstSlowCustomer = 2'000;

private:
    [[nodiscard]] std::string ledger(const std::string &uuid) const;
    [[nodiscard]] int below(int bound);
    [[nodiscard]] std::string number(int bound); ///< 1 to bound, as SQL
    [[nodiscard]] std::string change(const std::string &uuid);

    const PostgresWorkloadOptions m_options;
    const unsigned m_writer;
    std::mt19937_64 m_random;
    quint64 m_count = 0;
};

} // namespace causeway::test
