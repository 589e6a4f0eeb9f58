#include "mysql/ApplierBatch.h"

#include "base/Json.h"
#include "mysql/Parts.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace causeway::mysql {

namespace {

Error internalError(Text message, const QString &id)
{
    Error e;
    e.code = ErrorCode::Internal;
    e.id = id;
    e.message = std::move(message);
    return e;
}

/// The transactions of a batch. Without `starts` the whole batch is one transaction that begins at
/// the recorded position, which its row numbers must bear out.
class Transactions {
public:
    Transactions(const ChangeBatch &batch, const Position &recorded)
        : m_starts(batch.starts), m_recorded(recorded)
    {
        if (!m_starts.empty())
            return;
        m_starts.push_back({0, {}, recorded});
        for (std::size_t i = 1; i < batch.rows.size(); ++i) {
            if (batch.rows[i].indexInTransaction <= batch.rows[i - 1].indexInTransaction)
                m_known = false;
        }
    }
    [[nodiscard]] bool isKnown() const { return m_known; }
    /// Of row `i`; rows must be asked for in order.
    const TransactionStart &of(std::size_t i)
    {
        while (m_at + 1 < m_starts.size() && m_starts[m_at + 1].firstRow <= i)
            ++m_at;
        return m_starts[m_at];
    }
    [[nodiscard]] RowMark markAt(const TransactionStart &start, const RowChange &row) const
    {
        return {start.before.isEmpty() ? m_recorded : start.before, start.id,
                row.indexInTransaction};
    }
    [[nodiscard]] bool covers(const RowMark &done, const TransactionStart &start,
                              const RowChange &row) const
    {
        const RowMark here = markAt(start, row);
        const bool same = done.id.isEmpty() || here.id.isEmpty() ? done.before == here.before
                                                                 : done.id == here.id;
        return same && row.indexInTransaction <= done.row;
    }

private:
    std::vector<TransactionStart> m_starts;
    Position m_recorded;
    std::size_t m_at = 0;
    bool m_known = true;
};

void addKeyed(Segment &s, const std::shared_ptr<const ApplierTable> &table,
              std::unordered_map<const ApplierTable *, std::size_t> &slots, const RowChange &c)
{
    const auto [it, added] = slots.try_emplace(table.get(), s.keyed.size());
    if (added)
        s.keyed.push_back({table, {}});
    auto &byKey = s.keyed[it->second].byKey;
    const auto put = [&](const Row &image, const Row *last, bool inserted) {
        Row key = table->keyOf(image);
        std::string packed = packRow(key);
        const auto [entry, isNew] = byKey.try_emplace(
            std::move(packed), KeyedChanges::Entry{std::move(key), last, inserted});
        if (!isNew) {
            entry->second.image = last;
            entry->second.inserted = entry->second.inserted || inserted;
        }
    };
    ++s.keyedRows;
    switch (c.op) {
    case RowOp::Insert:
        put(c.after, &c.after, true);
        return;
    case RowOp::Delete:
        put(c.before, nullptr, false);
        return;
    case RowOp::Update:
        // A change of the key is a delete of the old and a write of the new one; compared by
        // bytes, since 'a' -> 'A' may or may not be the same key to the follower.
        const bool moved = table->keyOf(c.before) != table->keyOf(c.after);
        if (moved)
            put(c.before, nullptr, false);
        put(c.after, &c.after, moved);
        return;
    }
}

bool hasFullImages(const RowChange &c)
{
    const std::size_t n = c.table->columns.size();
    return (c.op == RowOp::Insert || c.before.size() == n) &&
           (c.op == RowOp::Delete || c.after.size() == n);
}

} // namespace

QString RowMark::toText() const
{
    const QJsonObject o{{QStringLiteral("before"), before.text},
                        {QStringLiteral("id"), id},
                        {QStringLiteral("row"), row}};
    return compactJson(o);
}

std::optional<RowMark> RowMark::fromText(const QString &text)
{
    const QJsonDocument doc = QJsonDocument::fromJson(text.toUtf8());
    if (!doc.isObject())
        return std::nullopt;
    const QJsonObject o = doc.object();
    RowMark m;
    m.before.text = o.value(QLatin1String("before")).toString();
    m.id = o.value(QLatin1String("id")).toString();
    m.row = o.value(QLatin1String("row")).toInt(-1);
    if (m.row < 0)
        return std::nullopt;
    return m;
}

Result<std::vector<Segment>> BatchPlanner::plan(const ChangeBatch &batch,
                                                const std::optional<RowMark> &done,
                                                const Position &recorded) const
{
    Transactions transactions(batch, recorded);
    std::vector<Segment> out(1);
    std::unordered_map<const ApplierTable *, std::size_t> slots;
    const RowChange *last = nullptr;
    std::optional<TransactionStart> lastStart;
    const auto cut = [&](std::size_t row) -> Status {
        // What has been done exactly once must be recorded by row, and the row be found again.
        if (!transactions.isKnown()) {
            return fail(internalError(
                cwText("core", "A batch of several transactions came without their beginnings."),
                QStringLiteral("batch-without-starts")));
        }
        out.back().endRow = row;
        out.back().mark = transactions.markAt(*lastStart, *last);
        out.back().after = out.back().mark->before;
        out.emplace_back();
        out.back().firstRow = row;
        slots.clear();
        return {};
    };
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        const RowChange &c = batch.rows[i];
        const TransactionStart &start = transactions.of(i);
        if (done && transactions.covers(*done, start, c)) {
            last = &c;
            lastStart = start;
            continue;
        }
        CW_TRY_ASSIGN(const auto table, find(c.table));
        if (table) {
            if (!hasFullImages(c)) {
                return fail(internalError(cwText("core", "A change of %1 came without all columns.",
                                                 c.table->name.display()),
                                          QStringLiteral("row-image-incomplete")));
            }
            const bool barrier = cascades && cascades->isBarrier(c);
            Segment *s = &out.back();
            const bool full = barrier ? s->alone.size() >= mostAlone
                                      : !s->alone.empty() ||
                                            (!table->hasKey() && s->keyless.size() >= mostKeyless);
            if (full) {
                CW_TRY(cut(i));
                s = &out.back();
            }
            if (barrier)
                s->alone.push_back({table, &c});
            else if (!table->hasKey())
                s->keyless.push_back({table, &c});
            else
                addKeyed(*s, table, slots, c);
        }
        last = &c;
        lastStart = start;
    }
    Segment &end = out.back();
    end.endRow = batch.rows.size();
    end.after = batch.after;
    // A part of a transaction whose end is still to come: its rows count from its beginning.
    if (last && transactions.isKnown()) {
        const RowMark mark = transactions.markAt(*lastStart, *last);
        if (mark.before == batch.after)
            end.mark = mark;
    }
    return out;
}

} // namespace causeway::mysql
