#include "mysql/ApplierFacts.h"
#include "mysql/LedgerParts.h"

/// What is recorded for a migration on a server.
namespace causeway::mysql {

Result<Session *> MySqlLedger::session(std::stop_token stop)
{
    if (!m_session || m_session->isDead()) {
        CW_TRY_ASSIGN(m_session, Session::open(m_address, Use::Control, stop));
        CW_TRY_ASSIGN(m_names, findStateNames(*m_session, stop));
    }
    return m_session.get();
}

Result<Position> MySqlLedger::appliedPosition(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(const ResultSet r,
                  s->query(QStringLiteral("SELECT position FROM %1 WHERE migration=%2 AND "
                                          "stream='apply'")
                               .arg(table("stream"), me()),
                           stop));
    return Position{r.rows.empty() ? QString() : r.text(0, std::size_t(0))};
}

Status MySqlLedger::setAppliedPosition(const Lease &lease, const Position &position,
                                       std::stop_token stop)
{
    CW_TRY(clearFact(lease, applierFact::exact, stop));
    return writeUnderLease(
        lease,
        QStringLiteral("INSERT INTO %1 (migration, stream, epoch, seq, position) VALUES "
                       "(%2, 'apply', %3, 1, %4) ON DUPLICATE KEY UPDATE seq=seq+1, position=%4")
            .arg(table("stream"), quoteText(lease.migration), QString::number(lease.epoch),
                 quoteText(position.text)),
        stop);
}

Result<std::optional<QString>> MySqlLedger::fact(const QString &name, std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(const ResultSet r,
                  s->query(QStringLiteral("SELECT value FROM %1 WHERE migration=%2 AND name=%3")
                               .arg(table("fact"), me(), quoteText(name)),
                           stop));
    if (r.rows.empty())
        return std::optional<QString>();
    return std::optional<QString>(r.text(0, std::size_t(0)));
}

Status MySqlLedger::setFact(const Lease &lease, const QString &name, const QString &value,
                            std::stop_token stop)
{
    return writeUnderLease(
        lease,
        QStringLiteral("INSERT INTO %1 (migration, name, value) VALUES "
                       "(%2, %3, %4) ON DUPLICATE KEY UPDATE value=%4")
            .arg(table("fact"), quoteText(lease.migration), quoteText(name), quoteText(value)),
        stop);
}

Status MySqlLedger::clearFact(const Lease &lease, const QString &name, std::stop_token stop)
{
    return writeUnderLease(lease, clearFactSql(m_names, lease.migration, name), stop);
}

Result<std::vector<ChunkRecord>> MySqlLedger::chunks(const TableName &leaderTable,
                                                     std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(
        const ResultSet r,
        s->query(QStringLiteral("SELECT number, after_key, upto_key, row_count FROM %1 WHERE "
                                "migration=%2 AND table_schema=%3 AND table_name=%4 "
                                "ORDER BY number")
                     .arg(table("chunk"), me(), quoteText(leaderTable.schema),
                          quoteText(leaderTable.name)),
                 stop));
    std::vector<ChunkRecord> out;
    for (const Row &row : r.rows) {
        ChunkRecord c;
        c.table = leaderTable;
        c.mark.number = std::stoi(row[0].value());
        if (row[1]) {
            CW_TRY_ASSIGN(c.mark.range.after, unpackRow(*row[1]));
        }
        if (row[2]) {
            CW_TRY_ASSIGN(c.mark.range.upTo, unpackRow(*row[2]));
        }
        c.rows = std::stoll(row[3].value());
        out.push_back(std::move(c));
    }
    return out;
}

Result<std::vector<TableName>> MySqlLedger::tablesWithChunks(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(const ResultSet r,
                  s->query(QStringLiteral("SELECT DISTINCT table_schema, table_name FROM %1 WHERE "
                                          "migration=%2")
                               .arg(table("chunk"), me()),
                           stop));
    std::vector<TableName> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        out.push_back({r.text(i, std::size_t(0)), r.text(i, 1)});
    return out;
}

Status MySqlLedger::forgetChunks(const Lease &lease, const TableName &leaderTable,
                                 std::stop_token stop)
{
    return writeUnderLease(
        lease,
        QStringLiteral("DELETE FROM %1 WHERE migration=%2 AND table_schema=%3 AND table_name=%4")
            .arg(table("chunk"), quoteText(lease.migration), quoteText(leaderTable.schema),
                 quoteText(leaderTable.name)),
        stop);
}

Status MySqlLedger::remember(const Lease &lease, const Restoration &r, std::stop_token stop)
{
    // The first record wins: after a crash between recording and changing, a second attempt would
    // otherwise record what we had set ourselves.
    return writeUnderLease(
        lease,
        QStringLiteral("INSERT INTO %1 (migration, id, kind, put_back, payload) VALUES "
                       "(%2, %3, %4, %5, %6) ON DUPLICATE KEY UPDATE migration=migration")
            .arg(table("restoration"), quoteText(lease.migration), quoteText(r.id),
                 quoteText(r.kind), quoteText(r.putBack), quoteText(r.payload)),
        stop);
}

Result<std::vector<Restoration>> MySqlLedger::restorations(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(const ResultSet r,
                  s->query(QStringLiteral("SELECT id, kind, put_back, payload FROM %1 WHERE "
                                          "migration=%2 ORDER BY id")
                               .arg(table("restoration"), me()),
                           stop));
    std::vector<Restoration> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        out.push_back({r.text(i, std::size_t(0)), r.text(i, 1), r.text(i, 2), r.text(i, 3)});
    return out;
}

Status MySqlLedger::forget(const Lease &lease, const QString &restorationId, std::stop_token stop)
{
    return writeUnderLease(
        lease,
        QStringLiteral("DELETE FROM %1 WHERE migration=%2 AND id=%3")
            .arg(table("restoration"), quoteText(lease.migration), quoteText(restorationId)),
        stop);
}

Result<std::unique_ptr<Ledger>> makeLedger(const Address &address, const QString &migration,
                                           std::stop_token stop)
{
    CW_TRY_ASSIGN(auto session, Session::open(address, Use::Control, stop));
    CW_TRY_ASSIGN(StateNames names, findStateNames(*session, stop));
    return std::unique_ptr<Ledger>(
        new MySqlLedger(address, migration, std::move(session), std::move(names)));
}

} // namespace causeway::mysql
