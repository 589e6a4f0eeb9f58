#pragma once

#include "servers/TestServer.h"
#include "servers/Workload.h"
#include "servers/WriterSql.h"

#include <QStringList>

#include <string>

namespace causeway::test {

/// How large the application of the campaign is.
struct CampaignSize {
    int tables = 60;       ///< all together, the large ones included
    int largeRows = 2'000; ///< of each of the ten large tables
    int smallRows = 20;
    int triggers = 20;
};

/// A database with everything in it that makes moving one hard: two schemas, ten large tables,
/// foreign keys that refer to themselves, in a circle, over three levels, by two columns, into the
/// other schema, with CASCADE, SET NULL and ON UPDATE; triggers that write; string and composite
/// keys. Only types and collations that MariaDB and MySQL both know. Its journal has no key on the
/// uuid, so that a transaction that arrives twice shows.
class CampaignSql final : public WriterSql {
public:
    CampaignSql(const CampaignSize &size, unsigned writer);

    [[nodiscard]] std::string transaction(const std::string &uuid) override;
    [[nodiscard]] std::string longTransaction(const std::string &uuid) override;

    static const QStringList &schemas(); ///< "camp", "camp_far"
    /// Makes both schemas with their rows, and the application's account.
    static void create(TestServer &server, const CampaignSize &size);
    static void createAccount(TestServer &server);
    /// What a Workload needs to be this application.
    static WorkloadOptions workload(const CampaignSize &size);

private:
    [[nodiscard]] std::string change(const std::string &uuid);
    [[nodiscard]] std::string row(); ///< number of a row of a large table that may exist
    [[nodiscard]] std::string placeOrder();
    [[nodiscard]] std::string swapTags(const std::string &uuid);
    [[nodiscard]] std::string family(const std::string &uuid);
    [[nodiscard]] std::string smallTables(const std::string &uuid);

    const CampaignSize m_size;
    unsigned long long m_count = 0;
};

} // namespace causeway::test
