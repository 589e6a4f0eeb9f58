#include "mysql/binlog/RowDecoder.h"

#include "mysql/binlog/BinaryJson.h"
#include "mysql/binlog/Compression.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

bool bit(std::string_view bits, std::size_t i)
{
    return i / 8 < bits.size() && ((static_cast<unsigned char>(bits[i / 8]) >> (i % 8)) & 1) != 0;
}

std::size_t bitCount(std::string_view bits, std::size_t columns)
{
    std::size_t n = 0;
    for (std::size_t i = 0; i < columns; ++i)
        n += bit(bits, i) ? 1 : 0;
    return n;
}

/// Where each column of one image lies; absent = not in the image, or NULL.
struct Image {
    std::vector<std::optional<std::string_view>> stored;
};

int fractionDigits(const RowLayout &layout, std::size_t column)
{
    return layout.table && column < layout.table->columns.size()
               ? layout.table->columns[column].scale
               : 0;
}

/// Cuts one image out of the rows. `partial` marks the JSON columns that hold diffs.
bool cutImage(ByteReader &r, const RowLayout &layout, std::string_view present,
              std::string_view partialBits, Image &image, std::vector<bool> &isPartial)
{
    const std::vector<LogColumn> &columns = layout.map.columns;
    image.stored.assign(columns.size(), std::nullopt);
    isPartial.assign(columns.size(), false);
    const std::string_view nulls = r.bytes((bitCount(present, columns.size()) + 7) / 8);
    std::size_t inImage = 0, json = 0;
    for (std::size_t i = 0; i < columns.size() && r.ok(); ++i) {
        // There is a bit for each JSON column of the table, in the image or not.
        const bool diffs = columns[i].type == LogType::Json && bit(partialBits, json++);
        if (!bit(present, i))
            continue;
        if (bit(nulls, inImage++))
            continue;
        image.stored[i] = cutValue(r, columns[i], fractionDigits(layout, i));
        isPartial[i] = diffs;
    }
    return r.ok();
}

tl::unexpected<Error> incomplete(const Table &table)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("mysql-binlog-row-image");
    e.object = table.name.display();
    e.message = cwText("core",
                       "A session changed %1 with an incomplete row image: the log lacks columns "
                       "that are needed to apply the change.",
                       table.name.display());
    e.fix = cwText("core", "Set binlog_row_image=FULL for all sessions and copy %1 again.",
                   table.name.display());
    return fail(std::move(e));
}

tl::unexpected<Error> damagedRow(const Table &table, const QString &column)
{
    Error e = damagedEvent(column.isEmpty() ? QStringLiteral("rows of ") + table.name.display()
                                            : table.name.display() + QLatin1Char('.') + column);
    e.object = table.name.display();
    return fail(std::move(e));
}

/// One row under way: which of its images are there, and their wire form.
class RowBuilder {
public:
    RowBuilder(const RowsEvent &event, const RowLayout &layout)
        : m_event(event), m_layout(layout), m_table(*layout.table),
          m_known(layout.table->columns.size())
    {
    }

    Status decodeAll(const RowSink &sink)
    {
        ByteReader r(m_event.rowBytes());
        while (!r.atEnd()) {
            RowChange change;
            change.table = m_layout.table;
            change.op = m_event.op;
            change.foreignKeyChecksOff = m_event.foreignKeyChecksOff;
            CW_TRY(decodeOne(r, change));
            if (!m_layout.rowEnd || keepsPresent(change))
                sink(std::move(change));
        }
        return {};
    }

private:
    /// Makes of a change of a system-versioned table what it does to the rows of the present: there
    /// DELETE is logged as an update of the row's end, and UPDATE adds the old row, ended. False:
    /// it concerns the past only, which is not moved.
    bool keepsPresent(RowChange &change)
    {
        const bool before = change.op != RowOp::Insert && isPresent(m_before);
        const bool after = change.op != RowOp::Delete &&
                           (m_after.stored[*m_layout.rowEnd] ? isPresent(m_after) : before);
        if (!before && !after)
            return false;
        if (change.op == RowOp::Update && !after) {
            change.op = RowOp::Delete;
            change.after.clear();
        } else if (change.op == RowOp::Update && !before) {
            change.op = RowOp::Insert;
            change.before.clear();
        }
        return true;
    }

    /// The row's end is the end of time: 2038, from MariaDB 11.5 on 2106, or the last transaction.
    [[nodiscard]] bool isPresent(const Image &image) const
    {
        const auto &end = image.stored[*m_layout.rowEnd];
        if (!end || end->size() < 4)
            return true;
        const std::string_view seconds = end->substr(0, 4);
        return seconds == std::string_view("\x7f\xff\xff\xff", 4) ||
               seconds == std::string_view("\xff\xff\xff\xff", 4);
    }

    Status decodeOne(ByteReader &r, RowChange &change)
    {
        if (m_event.op != RowOp::Insert) {
            if (!isFull(m_event.before))
                return incomplete(m_table);
            if (!cutImage(r, m_layout, m_event.before, {}, m_before, m_partial))
                return damagedRow(m_table, {});
            CW_TRY(convert(m_before, change.before));
        }
        if (m_event.op == RowOp::Delete)
            return {};
        std::string_view partialBits;
        if (m_event.partialJson && (r.lenenc() & 1) != 0)
            partialBits = r.bytes((static_cast<std::size_t>(m_layout.jsonColumns) + 7) / 8);
        // What an UPDATE leaves out of its after image it did not change; an INSERT leaves out what
        // got its default, which the log does not hold.
        if (m_event.op == RowOp::Insert && !isFull(m_event.after))
            return incomplete(m_table);
        if (!cutImage(r, m_layout, m_event.after, partialBits, m_after, m_partial))
            return damagedRow(m_table, {});
        if (!partialBits.empty() || !isFull(m_event.after))
            return convertAfter(change);
        return convert(m_after, change.after);
    }

    [[nodiscard]] bool isFull(std::string_view bits) const
    {
        for (std::size_t i = 0; i < m_known; ++i) {
            if (!bit(bits, i))
                return false;
        }
        return true;
    }

    Status convertCell(std::size_t i, std::string_view stored, Value &out)
    {
        const Column &c = m_table.columns[i];
        if (!toWire(out.emplace(), stored, m_layout.map.columns[i], c))
            return damagedRow(m_table, c.name);
        return {};
    }

    Status convert(const Image &image, Row &out)
    {
        out.resize(m_known);
        for (std::size_t i = 0; i < m_known; ++i) {
            if (image.stored[i])
                CW_TRY(convertCell(i, *image.stored[i], out[i]));
        }
        return {};
    }

    /// An after image that leans on the before image: JSON diffs, or columns left out.
    Status convertAfter(RowChange &change)
    {
        change.after.resize(m_known);
        for (std::size_t i = 0; i < m_known; ++i) {
            if (!bit(m_event.after, i)) {
                change.after[i] = change.before[i];
            } else if (m_partial[i]) {
                if (!m_before.stored[i] || !m_after.stored[i] ||
                    !applyJsonDiffs(change.after[i].emplace(), *m_before.stored[i],
                                    *m_after.stored[i]))
                    return damagedRow(m_table, m_table.columns[i].name);
            } else if (m_after.stored[i]) {
                CW_TRY(convertCell(i, *m_after.stored[i], change.after[i]));
            }
        }
        return {};
    }

    const RowsEvent &m_event;
    const RowLayout &m_layout;
    const Table &m_table;
    std::size_t m_known;
    Image m_before, m_after;
    std::vector<bool> m_partial;
};

} // namespace

bool RowsEvent::isRowsEvent(EventType type)
{
    switch (type) {
    case EventType::WriteRowsV1:
    case EventType::UpdateRowsV1:
    case EventType::DeleteRowsV1:
    case EventType::WriteRows:
    case EventType::UpdateRows:
    case EventType::DeleteRows:
    case EventType::PartialUpdateRows:
    case EventType::MariaWriteRowsCompressedV1:
    case EventType::MariaUpdateRowsCompressedV1:
    case EventType::MariaDeleteRowsCompressedV1:
    case EventType::MariaWriteRowsCompressed:
    case EventType::MariaUpdateRowsCompressed:
    case EventType::MariaDeleteRowsCompressed:
        return true;
    default:
        return false;
    }
}

Result<RowsEvent> RowsEvent::parse(EventType type, std::string_view body, bool wideTableId)
{
    // sqlForeignKeys: MySQL 9.6 and later perform referential actions above the engine (unless
    // innodb_native_foreign_keys) and log each row that they change. Said of each event, because
    // the setting may have been another one when it was written, here or where it comes from.
    enum : std::uint16_t { stmtEnd = 1, noForeignKeyChecks = 2, sqlForeignKeys = 16 };
    RowsEvent e;
    bool hasExtra = false;
    switch (type) {
    case EventType::MariaWriteRowsCompressed:
    case EventType::MariaWriteRowsCompressedV1:
    case EventType::WriteRows:
    case EventType::WriteRowsV1:
        e.op = RowOp::Insert;
        break;
    case EventType::MariaDeleteRowsCompressed:
    case EventType::MariaDeleteRowsCompressedV1:
    case EventType::DeleteRows:
    case EventType::DeleteRowsV1:
        e.op = RowOp::Delete;
        break;
    default:
        e.op = RowOp::Update;
    }
    switch (type) {
    case EventType::WriteRows:
    case EventType::UpdateRows:
    case EventType::DeleteRows:
    case EventType::PartialUpdateRows:
        hasExtra = true;
        break;
    case EventType::MariaWriteRowsCompressed:
    case EventType::MariaUpdateRowsCompressed:
    case EventType::MariaDeleteRowsCompressed:
        hasExtra = true;
        e.compressed = true;
        break;
    case EventType::MariaWriteRowsCompressedV1:
    case EventType::MariaUpdateRowsCompressedV1:
    case EventType::MariaDeleteRowsCompressedV1:
        e.compressed = true;
        break;
    default:
        break;
    }
    e.partialJson = type == EventType::PartialUpdateRows;

    ByteReader r(body);
    e.tableId = r.le(wideTableId ? 6 : 4);
    const std::uint16_t flags = r.u16();
    e.statementEnd = (flags & stmtEnd) != 0;
    // Either way no action is left for the applier to perform. MariaDB's events are of the older
    // types, and mean other things by their flags.
    const std::uint16_t performed =
        hasExtra ? noForeignKeyChecks | sqlForeignKeys : noForeignKeyChecks;
    e.foreignKeyChecksOff = (flags & performed) != 0;
    if (hasExtra) {
        const std::uint16_t length = r.u16(); // includes itself
        if (length < 2)
            r.fail();
        else
            r.skip(length - 2U);
    }
    const auto width = static_cast<std::size_t>(r.lenenc());
    const std::string_view first = r.bytes(width / 8 + (width % 8 != 0 ? 1 : 0));
    (e.op == RowOp::Insert ? e.after : e.before) = first;
    if (e.op == RowOp::Update)
        e.after = r.bytes(width / 8 + (width % 8 != 0 ? 1 : 0));
    e.rows = r.rest();
    if (!r.ok())
        return fail(damagedEvent(QStringLiteral("rows event")));
    if (e.compressed && !inflateLogPart(e.inflated, e.rows))
        return fail(damagedEvent(QStringLiteral("compressed rows event")));
    return e;
}

Status decodeRows(const RowsEvent &event, const RowLayout &layout, const RowSink &sink)
{
    return RowBuilder(event, layout).decodeAll(sink);
}

std::optional<std::string_view> firstColumnBefore(const RowsEvent &event, const TableMap &map)
{
    RowLayout layout;
    layout.map.columns = map.columns;
    Image image;
    std::vector<bool> partial;
    ByteReader r(event.rowBytes());
    if (map.columns.empty() || !cutImage(r, layout, event.before, {}, image, partial))
        return std::nullopt;
    return image.stored[0];
}

} // namespace causeway::mysql
