#include "mysql/FencePlan.h"
#include "mysql/Parts.h"

namespace causeway::mysql {

Result<std::optional<QString>> readFact(Session &s, const QString &migration, const QString &name,
                                        std::stop_token stop)
{
    CW_TRY_ASSIGN(const StateNames names, findStateNames(s, stop));
    const TableName fact = names.table(QStringLiteral("fact"));
    CW_TRY_ASSIGN(const ResultSet there,
                  s.query(QStringLiteral("SELECT 1 FROM information_schema.tables WHERE "
                                         "table_schema=%1 AND table_name=%2")
                              .arg(quoteText(fact.schema), quoteText(fact.name)),
                          stop));
    if (there.rows.empty())
        return std::optional<QString>();
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SELECT value FROM %1 WHERE migration=%2 AND name=%3")
                              .arg(quoteName(fact), quoteText(migration), quoteText(name)),
                          stop));
    return r.rows.empty() ? std::optional<QString>()
                          : std::optional<QString>(r.text(0, std::size_t(0)));
}

Result<std::vector<MigrationOnServer>> readClosers(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(std::vector<MigrationOnServer> out, readMigrations(s, stop));
    Status failed;
    std::erase_if(out, [&](const MigrationOnServer &m) {
        for (const char *side : {"source", "target"}) {
            const auto fact =
                readFact(s, m.lease.migration,
                         QStringLiteral("fence.%1.read_only").arg(QLatin1String(side)), stop);
            if (!fact)
                failed = fail(fact.error());
            else if (*fact && !(*fact)->contains(QLatin1String("\"kind\":\"triggers\"")))
                return false;
        }
        return true;
    });
    CW_TRY(failed);
    return out;
}

Status removeFact(Session &s, Ledger *ledger, const Lease &lease, const QString &name,
                  std::stop_token stop)
{
    if (ledger)
        return ledger->clearFact(lease, name, std::move(stop));
    CW_TRY_ASSIGN(const StateNames names, findStateNames(s, stop));
    return s.exec(QStringLiteral("DELETE FROM %1 WHERE migration=%2 AND name=%3")
                      .arg(quoteName(names.table(QStringLiteral("fact"))),
                           quoteText(lease.migration), quoteText(name)),
                  stop);
}

} // namespace causeway::mysql
