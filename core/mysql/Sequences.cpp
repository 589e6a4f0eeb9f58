#include "mysql/MySqlDatabase.h"
#include "mysql/Parts.h"
#include "mysql/SchemaRead.h"

#include <algorithm>

/// Values of MariaDB's sequences at a switch. They are no rows: nothing of them is in the stream,
/// and drawing from one is undone by no rollback.
namespace causeway::mysql {

namespace {

struct Sequence {
    /// The next value that is not in the server's memory already, ready to be handed out.
    qint64 next = 0;
    qint64 least = 0, most = 0, step = 1, round = 0;
};

__extension__ using Wide = __int128; ///< the ends of BIGINT are legal bounds

/// SETVAL only ever moves a sequence on, in its own direction, rounds of CYCLE included; so this
/// can be repeated.
QString setValue(const QString &name, const Sequence &s, qint64 margin)
{
    const bool up = s.step > 0;
    const Wide step = up ? Wide(s.step) : -Wide(s.step);
    const Wide left = up ? Wide(s.most) - s.next : Wide(s.next) - s.least;
    if (left < 0) {
        // Used up: the next one is refused, or begins a new round. "Used" says so.
        return QStringLiteral("DO SETVAL(%1, %2, 1, %3)")
            .arg(name)
            .arg(up ? s.most : s.least)
            .arg(s.round);
    }
    // A short sequence must not be used up by the margin.
    const Wide skip = std::min(Wide(margin), left / step / 100) * step;
    return QStringLiteral("DO SETVAL(%1, %2, 0, %3)")
        .arg(name)
        .arg(static_cast<qint64>(up ? s.next + skip : s.next - skip))
        .arg(s.round);
}

} // namespace

Result<std::vector<SchemaStatement>>
MySqlDatabase::sequenceStatements(const Selection &selection,
                                  const std::function<TableName(const TableName &)> &elsewhere,
                                  qint64 margin, std::stop_token stop)
{
    std::vector<SchemaStatement> out;
    CW_TRY_ASSIGN(const auto session, Session::open(m_address, Use::Control, stop));
    if (!session->isMariaDb() || session->version() < 100300)
        return out;
    const QString scope =
        selection.schemas.isEmpty()
            ? QString()
            : QLatin1String(" AND ") + schemaCondition("TABLE_SCHEMA", selection.schemas);
    CW_TRY_ASSIGN(const auto names,
                  session->query(QStringLiteral("SELECT TABLE_SCHEMA, TABLE_NAME FROM "
                                                "information_schema.TABLES WHERE "
                                                "TABLE_TYPE = 'SEQUENCE'") +
                                     scope,
                                 stop));
    for (std::size_t i = 0; i < names.rows.size(); ++i) {
        const TableName name{names.text(i, std::size_t{0}), names.text(i, std::size_t{1})};
        if (isSystemSchema(name.schema) || !selection.matches(name))
            continue;
        CW_TRY_ASSIGN(const auto r,
                      session->query(QStringLiteral("SELECT next_not_cached_value, minimum_value, "
                                                    "maximum_value, increment, cycle_count FROM ") +
                                         quoteName(name),
                                     stop));
        if (r.rows.empty())
            continue;
        const auto number = [&](std::size_t column) { return r.text(0, column).toLongLong(); };
        Sequence s{number(0), number(1), number(2), number(3), number(4)};
        if (s.step == 0) // by auto_increment_increment of whoever draws
            s.step = 1;
        const TableName there = elsewhere(name);
        out.push_back({QLatin1String("sequence ") + there.display(),
                       setValue(quoteName(there), s, margin),
                       {}});
    }
    return out;
}

} // namespace causeway::mysql
