#include "postgres/native/Sequences.h"

#include <algorithm>

namespace causeway::postgres {

namespace {
constexpr int kPerQuery = 200;
constexpr qint64 kLeastMargin = 1'000;
} // namespace

qint64 sequenceMargin(const SequenceState &s, int connections)
{
    return std::max<qint64>(s.cache * std::max(connections, 1), kLeastMargin);
}

QString setvalSql(const SequenceState &s, int connections)
{
    // A bigint sequence near its end must stop at the end, not come round.
    qint64 step = 0, ahead = 0;
    const bool past = __builtin_mul_overflow(sequenceMargin(s, connections), s.increment, &step) ||
                      __builtin_add_overflow(s.last, step, &ahead) ||
                      (s.increment > 0 ? ahead > s.max : ahead < s.min);
    // Without room for the margin the value itself is all there is; one that comes round gives
    // values out again anyhow.
    const qint64 value = s.cycles || past ? s.last : ahead;
    const bool called = value == s.last ? s.called : true;
    return QStringLiteral("SELECT pg_catalog.setval(%1, %2, %3)")
        .arg(quoteText(quoteName(s.name)))
        .arg(value)
        .arg(called ? QStringLiteral("true") : QStringLiteral("false"));
}

Status carrySequences(Session &leader, Server &follower, const Scope &scope, std::stop_token stop)
{
    if (scope.sequences.empty())
        return {};
    CW_TRY_ASSIGN(const auto limit,
                  leader.query(QStringLiteral("SELECT current_setting('max_connections')"), stop));
    const int connections = limit.text(0, 0).toInt();
    for (std::size_t first = 0; first < scope.sequences.size(); first += kPerQuery) {
        const std::size_t end = std::min(first + kPerQuery, scope.sequences.size());
        QStringList parts;
        for (std::size_t i = first; i < end; ++i) {
            parts << QStringLiteral("SELECT %1, s.last_value, s.is_called, q.seqincrement, "
                                    "q.seqcache, q.seqmin, q.seqmax, q.seqcycle FROM %2 s, "
                                    "pg_catalog.pg_sequence q WHERE q.seqrelid = "
                                    "%3::pg_catalog.regclass")
                         .arg(i)
                         .arg(scope.sequences[i].quoted(), quoteText(scope.sequences[i].quoted()));
        }
        CW_TRY_ASSIGN(const auto rows,
                      leader.query(parts.join(QStringLiteral(" UNION ALL ")), stop));
        QStringList sets;
        for (std::size_t r = 0; r < rows.rows.size(); ++r) {
            SequenceState s;
            s.name = scope.sequences[rows.text(r, 0).toULong()].name;
            s.last = rows.text(r, 1).toLongLong();
            s.called = rows.isTrue(r, 2);
            s.increment = rows.text(r, 3).toLongLong();
            s.cache = rows.text(r, 4).toLongLong();
            s.min = rows.text(r, 5).toLongLong();
            s.max = rows.text(r, 6).toLongLong();
            s.cycles = rows.isTrue(r, 7);
            sets << setvalSql(s, connections);
        }
        CW_TRY(follower.act({sets.join(QStringLiteral(";"))}, stop));
    }
    return {};
}

} // namespace causeway::postgres
