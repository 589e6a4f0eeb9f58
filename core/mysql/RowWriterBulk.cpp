#include "base/Secret.h"
#include "base/Stop.h"
#include "mysql/Parts.h"
#include "mysql/RowWriterParts.h"

#include <mysql.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace causeway::mysql {

#ifdef MARIADB_PACKAGE_VERSION

namespace {

constexpr std::size_t rowsPerExecute = 5'000;

struct StatementCloser {
    void operator()(MYSQL_STMT *s) const { mysql_stmt_close(s); }
};
using Statement = std::unique_ptr<MYSQL_STMT, StatementCloser>;

/// The arrays that one column is bound to; pointers go into the batch.
struct BoundColumn {
    enum class As { Bytes, Signed, Unsigned, Double } as = As::Bytes;
    std::vector<char *> bytes;
    std::vector<unsigned long> lengths;
    std::vector<quint64> integers;
    std::vector<double> doubles;
    std::vector<char> indicators;
};

BoundColumn::As boundAs(const Column &c)
{
    switch (c.typeClass) {
    case TypeClass::Integer:
        return c.isUnsigned ? BoundColumn::As::Unsigned : BoundColumn::As::Signed;
    case TypeClass::Enum: // as a text, "1" would first be looked for among the labels
    case TypeClass::Set:
        return BoundColumn::As::Unsigned;
    case TypeClass::Float:
    case TypeClass::Double:
        return BoundColumn::As::Double;
    default:
        return BoundColumn::As::Bytes;
    }
}

/// False where the text is not a number of that kind: the caller falls back to INSERT.
bool bindCell(BoundColumn &to, std::size_t at, std::string_view bytes, bool single)
{
    const char *const begin = bytes.data();
    const char *const end = begin + bytes.size();
    switch (to.as) {
    case BoundColumn::As::Bytes:
        // The library takes the array as writable and does not write.
        to.bytes[at] = const_cast<char *>(begin);
        to.lengths[at] = static_cast<unsigned long>(bytes.size());
        return true;
    case BoundColumn::As::Unsigned:
        return std::from_chars(begin, end, to.integers[at]).ptr == end;
    case BoundColumn::As::Signed: {
        qint64 n = 0;
        const bool ok = std::from_chars(begin, end, n).ptr == end;
        to.integers[at] = static_cast<quint64>(n);
        return ok;
    }
    case BoundColumn::As::Double: {
        if (single) {
            float f = 0;
            const bool ok = std::from_chars(begin, end, f).ptr == end;
            to.doubles[at] = static_cast<double>(f);
            return ok;
        }
        return std::from_chars(begin, end, to.doubles[at]).ptr == end;
    }
    }
    return false;
}

Error statementError(MYSQL_STMT *statement, const Session &session)
{
    return nameError(mysql_stmt_errno(statement),
                     QString::fromLatin1(mysql_stmt_sqlstate(statement)),
                     redact(QString::fromUtf8(mysql_stmt_error(statement))), session.address(), {});
}

} // namespace

bool clientHasBulk()
{
    return true;
}

Result<FastResult> bulkRows(Session &session, const WritePlan &plan, const RowBatch &batch,
                            const WriteLimits &limits, std::stop_token stop)
{
    if (plan.converts)
        return FastResult::UseInsert;
    const std::stop_callback onStop(stop, [&session] { session.interrupt(); });
    const Session::Waiting waiting(session);
    const Statement statement(mysql_stmt_init(session.handle()));
    std::string sql = "INSERT INTO " + plan.table + " (" + plan.columnList + ") VALUES (";
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        if (i != 0)
            sql += ',';
        // A binary string is taken for the storage form of UUID and INET6.
        sql +=
            plan.columns[i].leader.typeClass == TypeClass::Other ? "CONVERT(? USING utf8mb4)" : "?";
    }
    sql += ')';
    const auto failed = [&]() -> Result<FastResult> {
        if (stop.stop_requested())
            return fail(cancelledError());
        return fail(statementError(statement.get(), session));
    };
    if (mysql_stmt_prepare(statement.get(), sql.data(), static_cast<unsigned long>(sql.size())) !=
        0)
        return failed();

    const auto columns = plan.columns.size();
    std::vector<BoundColumn> bound(columns);
    for (std::size_t i = 0; i < columns; ++i) {
        BoundColumn &b = bound[i];
        b.as = boundAs(plan.columns[i].leader);
        const std::size_t n = std::min(rowsPerExecute, batch.rows());
        b.indicators.resize(n);
        if (b.as == BoundColumn::As::Bytes) {
            b.bytes.resize(n);
            b.lengths.resize(n);
        } else if (b.as == BoundColumn::As::Double) {
            b.doubles.resize(n);
        } else {
            b.integers.resize(n);
        }
    }
    // The library puts one execute into one packet.
    const auto mostBytes = static_cast<std::size_t>(limits.maxPacket / 2);
    qint64 inserted = 0;
    for (std::size_t from = 0; from < batch.rows();) {
        std::size_t n = 0;
        std::size_t bytes = 0;
        for (; n < rowsPerExecute && from + n < batch.rows(); ++n) {
            std::size_t rowBytes = columns * 10;
            for (std::size_t i = 0; i < columns; ++i)
                rowBytes += batch.at(from + n, static_cast<int>(i)).size();
            if (n > 0 && bytes + rowBytes > mostBytes)
                break;
            bytes += rowBytes;
            for (std::size_t i = 0; i < columns; ++i) {
                const int column = static_cast<int>(i);
                const bool null = batch.isNull(from + n, column);
                bound[i].indicators[n] = null ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
                if (!null && !bindCell(bound[i], n, batch.at(from + n, column),
                                       plan.columns[i].leader.typeClass == TypeClass::Float))
                    return FastResult::UseInsert;
            }
        }
        std::vector<MYSQL_BIND> binds(columns);
        for (std::size_t i = 0; i < columns; ++i) {
            BoundColumn &b = bound[i];
            MYSQL_BIND &bind = binds[i];
            bind.u.indicator = b.indicators.data();
            switch (b.as) {
            case BoundColumn::As::Bytes:
                bind.buffer_type = MYSQL_TYPE_STRING;
                bind.buffer = b.bytes.data();
                bind.length = b.lengths.data();
                break;
            case BoundColumn::As::Double:
                bind.buffer_type = MYSQL_TYPE_DOUBLE;
                bind.buffer = b.doubles.data();
                break;
            case BoundColumn::As::Signed:
            case BoundColumn::As::Unsigned:
                bind.buffer_type = MYSQL_TYPE_LONGLONG;
                bind.buffer = b.integers.data();
                bind.is_unsigned = b.as == BoundColumn::As::Unsigned;
                break;
            }
        }
        const auto array = static_cast<unsigned>(n);
        mysql_stmt_attr_set(statement.get(), STMT_ATTR_ARRAY_SIZE, &array);
        if (mysql_stmt_bind_param(statement.get(), binds.data()) != 0 ||
            mysql_stmt_execute(statement.get()) != 0)
            return failed();
        if (mysql_stmt_warning_count(statement.get()) != 0)
            return FastResult::UseInsert;
        inserted += static_cast<qint64>(mysql_stmt_affected_rows(statement.get()));
        from += n;
    }
    return inserted == static_cast<qint64>(batch.rows()) ? FastResult::Exact
                                                         : FastResult::UseInsert;
}

#else

bool clientHasBulk()
{
    return false;
}

Result<FastResult> bulkRows(Session &, const WritePlan &, const RowBatch &, const WriteLimits &,
                            std::stop_token)
{
    return FastResult::UseInsert;
}

#endif

} // namespace causeway::mysql
