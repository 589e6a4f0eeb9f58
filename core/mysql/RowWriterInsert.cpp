#include "mysql/ExactWrite.h"
#include "mysql/KeyRange.h"
#include "mysql/Parts.h"
#include "mysql/Periods.h"
#include "mysql/RowWriterParts.h"

#include <algorithm>
#include <unordered_set>

namespace causeway::mysql {

namespace {

constexpr std::size_t rowsPerStatement = 1'000;
constexpr std::size_t bytesPerStatement = 1'000'000;
constexpr std::size_t keysPerLookup = 500;

/// Cells of a row with ENUM's invalid value, see ExactWrite.h.
int invalidEnums(const WritePlan &plan, const RowBatch &batch, std::size_t row)
{
    int n = 0;
    for (int i = 0; i < batch.columns(); ++i) {
        if (plan.columns[static_cast<std::size_t>(i)].leader.typeClass == TypeClass::Enum &&
            !batch.isNull(row, i) && batch.at(row, i) == "0")
            ++n;
    }
    return n;
}

void appendCell(std::string &sql, const WritePlan &plan, const RowBatch &batch, std::size_t row,
                int column)
{
    const WrittenColumn &c = plan.columns[static_cast<std::size_t>(column)];
    // The follower decides how JSON is written; of the leader is the charset that the bytes are in.
    Column as = c.leader;
    as.typeClass = c.follower.typeClass == TypeClass::Json ? TypeClass::Json : c.leader.typeClass;
    appendLiteral(sql, as, batch.value(row, column), c.convert, plan.mariaDb);
}

void appendRow(std::string &sql, const WritePlan &plan, const RowBatch &batch, std::size_t row)
{
    sql += '(';
    for (int i = 0; i < batch.columns(); ++i) {
        if (i != 0)
            sql += ',';
        appendCell(sql, plan, batch, row, i);
    }
    sql += ')';
}

Error tooLargeError(const WritePlan &plan, qint64 maxPacket)
{
    Error e;
    e.code = ErrorCode::Server; // as where the server says so itself
    e.id = QStringLiteral("mysql-max-allowed-packet");
    e.object = plan.follower->name.display();
    e.message = cwText("core", "A row of %1 is larger than the target accepts (%2 bytes).",
                       plan.leader->name.display(), maxPacket);
    e.fix = cwText("core", "Raise max_allowed_packet on the target.");
    return e;
}

Row keyOf(const RowBatch &batch, std::size_t row, const std::vector<int> &places)
{
    Row key;
    for (const int place : places)
        key.push_back(batch.value(row, place));
    return key;
}

} // namespace

Result<WritePlan> WritePlan::make(const TablePlan &tables, bool mariaDb)
{
    WritePlan out;
    out.leader = tables.leader.get();
    out.follower = tables.follower.get();
    out.table = quoteName(tables.follower->name).toStdString();
    out.mariaDb = mariaDb;
    out.periods = mariaDb && !periodKeys(*tables.leader, *tables.follower).empty();
    const auto plainCharset = [](const QString &charset) {
        return charset == QLatin1String("utf8mb3") ? QStringLiteral("utf8") : charset;
    };
    for (const int i : tables.leader->writableColumns()) {
        const Column &leader = tables.leader->columns[static_cast<std::size_t>(i)];
        const int there = tables.follower->columnIndex(leader.name);
        if (there < 0 || tables.follower->columns[static_cast<std::size_t>(there)].generated) {
            Error e;
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("mysql-target-tables");
            e.object = tables.follower->name.display();
            e.message = cwText("core", "%1 on the target has no column %2 that can be written.",
                               tables.follower->name.display(), leader.name);
            return fail(e);
        }
        const Column &follower = tables.follower->columns[static_cast<std::size_t>(there)];
        WrittenColumn c{leader, follower, false};
        c.convert = leader.typeClass == TypeClass::Text && !leader.charset.isEmpty() &&
                    !follower.charset.isEmpty() &&
                    plainCharset(leader.charset) != plainCharset(follower.charset);
        out.converts = out.converts || c.convert;
        if (!out.columnList.empty())
            out.columnList += ',';
        out.columnList += quoteId(follower.name).toStdString();
        out.columns.push_back(std::move(c));
    }
    return out;
}

Result<qint64> insertRows(Session &session, const WritePlan &plan, const RowBatch &batch,
                          const WriteLimits &limits, std::stop_token stop)
{
    const std::string head = "INSERT INTO " + plan.table + " (" + plan.columnList + ") VALUES ";
    // Never INSERT IGNORE: it bends values as well as skipping duplicates. Without any key nothing
    // can be a duplicate.
    std::string tail;
    if (!plan.follower->keys.empty() && !plan.columns.empty() && !plan.periods) {
        const std::string same = quoteId(plan.columns.front().follower.name).toStdString();
        tail = " ON DUPLICATE KEY UPDATE " + same + '=' + same;
    }
    const auto most = static_cast<std::size_t>(limits.maxPacket) - 1024;
    qint64 inserted = 0;
    std::string sql;
    std::string tuple;
    std::size_t rows = 0;
    int invalid = 0;

    const ToleratedColumns tolerated = toleratedColumns(*plan.follower);
    const auto flush = [&]() -> Status {
        if (rows == 0)
            return {};
        sql += tail;
        const auto affected = writeExactly(session, sql, *plan.follower, tolerated, invalid, stop);
        // Row by row, and a duplicate left out: what ON DUPLICATE KEY UPDATE does elsewhere.
        const bool duplicate = !affected && plan.periods && affected.error().number == 1062;
        if (!affected && !duplicate)
            return fail(affected.error());
        if (!duplicate)
            inserted += static_cast<qint64>(*affected);
        rows = 0;
        invalid = 0;
        return {};
    };

    for (const bool strict : {true, false}) {
        for (std::size_t r = 0; r < batch.rows(); ++r) {
            const int invalidHere = invalidEnums(plan, batch, r);
            if ((invalidHere == 0) != strict)
                continue;
            tuple.clear();
            appendRow(tuple, plan, batch, r);
            if (head.size() + tuple.size() + tail.size() > most)
                return fail(tooLargeError(plan, limits.maxPacket));
            if (rows >= (plan.periods ? 1 : rowsPerStatement) || invalid >= mostInvalidEnums ||
                (rows > 0 &&
                 sql.size() + tuple.size() + tail.size() + 1 > std::min(most, bytesPerStatement)))
                CW_TRY(flush());
            if (rows == 0)
                sql = head;
            else
                sql += ',';
            sql += tuple;
            ++rows;
            invalid += invalidHere;
        }
        CW_TRY(flush());
    }
    return inserted;
}

Result<WriteCount> countRows(Session &session, const WritePlan &plan, const RowBatch &batch,
                             qint64 inserted, std::stop_token stop)
{
    WriteCount count;
    count.inserted = inserted;
    const auto total = static_cast<qint64>(batch.rows());
    if (inserted == total)
        return count;
    const auto disproved = [&](const Text &message) {
        Error e;
        e.code = ErrorCode::Differences;
        e.id = QStringLiteral("mysql-rows-lost");
        e.object = plan.follower->name.display();
        e.message = message;
        return fail(e);
    };
    const QString name = plan.follower->name.display();
    if (!plan.follower->rowKey || inserted > total)
        return disproved(
            cwText("core", "The target stored %1 of %2 rows of %3.", inserted, total, name));

    // Where the key's columns are in the batch, in the follower's key order.
    std::vector<int> places;
    bool bytesComparable = true;
    for (const int k : plan.follower->rowKeyColumns()) {
        const QString &column = plan.follower->columns[static_cast<std::size_t>(k)].name;
        const auto it =
            std::find_if(plan.columns.begin(), plan.columns.end(),
                         [&](const WrittenColumn &c) { return c.follower.name == column; });
        if (it == plan.columns.end())
            return disproved(
                cwText("core", "The target stored %1 of %2 rows of %3.", inserted, total, name));
        bytesComparable = bytesComparable && !it->convert;
        places.push_back(static_cast<int>(it - plan.columns.begin()));
    }
    const std::string select = "SELECT " + keyWireList(*plan.follower, plan.mariaDb) + " FROM " +
                               plan.table + forceRowKey(*plan.follower) + " WHERE ";
    const auto lookUp = [&](std::size_t from,
                            std::size_t upTo) -> Result<std::unordered_set<std::string>> {
        std::string sql = select;
        for (std::size_t r = from; r < upTo; ++r) {
            if (r != from)
                sql += " OR ";
            appendKeyEquals(sql, *plan.follower, keyOf(batch, r, places), plan.mariaDb);
        }
        CW_TRY_ASSIGN(const ResultSet found, session.queryBytes(sql, stop));
        std::unordered_set<std::string> keys;
        for (Row row : found.rows) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                const Column &c = plan.columns[static_cast<std::size_t>(places[i])].follower;
                const bool single = c.typeClass == TypeClass::Float;
                if ((single || c.typeClass == TypeClass::Double) && row[i])
                    row[i] = canonicalReal(*row[i], single);
            }
            keys.insert(packRow(row));
        }
        return keys;
    };

    const bool otherUnique =
        std::any_of(plan.follower->keys.begin(), plan.follower->keys.end(), [&](const Key &k) {
            return (k.unique || k.primary) &&
                   &k != &plan.follower->keys[static_cast<std::size_t>(*plan.follower->rowKey)];
        });
    qint64 present = 0;
    for (std::size_t from = 0; from < batch.rows(); from += keysPerLookup) {
        const std::size_t upTo = std::min(batch.rows(), from + keysPerLookup);
        CW_TRY_ASSIGN(const auto keys, lookUp(from, upTo));
        for (std::size_t r = from; r < upTo; ++r) {
            if (bytesComparable && keys.contains(packRow(keyOf(batch, r, places)))) {
                ++present;
                continue;
            }
            CW_TRY_ASSIGN(const auto alone, lookUp(r, r + 1));
            if (!alone.empty() && bytesComparable)
                return disproved(cwText("core",
                                        "Two rows of %1 are one and the same for the target, whose "
                                        "collation does not tell their keys apart.",
                                        plan.leader->name.display()));
            if (!alone.empty())
                ++present;
            else if (otherUnique)
                ++count.collisions;
            else
                return disproved(cwText("core", "A row of %1 did not arrive on the target.", name));
        }
    }
    count.alreadyThere = present - inserted;
    if (count.alreadyThere < 0)
        return disproved(
            cwText("core", "The target stored %1 of %2 rows of %3.", inserted, total, name));
    return count;
}

} // namespace causeway::mysql
