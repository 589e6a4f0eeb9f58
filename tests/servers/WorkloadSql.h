#pragma once

#include "servers/Workload.h"
#include "servers/WriterSql.h"

#include <string>

namespace causeway::test {

/// The application of most tests: customers and orders in the schema `shop`. Random, but such that
/// connections wait for each other at most for a moment and never collide on a key.
class ShopSql final : public WriterSql {
public:
    ShopSql(const WorkloadOptions &options, unsigned writer);

    [[nodiscard]] std::string transaction(const std::string &uuid) override;
    [[nodiscard]] std::string longTransaction(const std::string &uuid) override;

    /// DDL of the schema and its first rows.
    static QString schema(const WorkloadOptions &options);

    static constexpr int kCustomers = 1000; ///< the first rows of customers
    static constexpr int kTags = 400;       ///< swapped, moved, but always so many
    static constexpr int kCategories = 200;
    static constexpr int kFirstNewCustomer = 1'000'000;
    static constexpr int kFirstMovedCustomer = 10'000;
    static constexpr int kFirstSlowCustomer = 2'000;

private:
    [[nodiscard]] std::string ledger(const std::string &uuid) const;
    [[nodiscard]] std::string customer(); ///< id of a customer that may exist, as SQL
    [[nodiscard]] std::string change(const std::string &uuid);
    [[nodiscard]] std::string placeOrder();
    [[nodiscard]] std::string swapTags(const std::string &uuid);

    const WorkloadOptions m_options;
    quint64 m_count = 0;
};

} // namespace causeway::test
