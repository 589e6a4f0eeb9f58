#include "mysql/binlog/TableMap.h"

#include "mysql/SchemaRead.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

bool readMetadata(ByteReader &r, LogColumn &c)
{
    switch (c.type) {
    case LogType::Float:
    case LogType::Double:
    case LogType::TinyBlob:
    case LogType::MediumBlob:
    case LogType::LongBlob:
    case LogType::Blob:
    case LogType::MariaBlobCompressed:
    case LogType::Json:
    case LogType::Geometry:
    case LogType::Vector:
    case LogType::Timestamp2:
    case LogType::DateTime2:
    case LogType::Time2:
        c.a = r.u8();
        break;
    case LogType::VarChar:
    case LogType::VarString:
    case LogType::MariaVarCharCompressed:
        c.size = r.u16();
        break;
    case LogType::NewDecimal:
    case LogType::Bit:
        c.a = r.u8();
        c.b = r.u8();
        break;
    case LogType::Enum:
    case LogType::Set:
    case LogType::String: {
        const std::uint8_t first = r.u8();
        const std::uint8_t second = r.u8();
        // Two bits of a length above 255 bytes are hidden, inverted, in the type byte.
        const auto real = static_cast<std::uint8_t>(first | 0x30);
        if ((first & 0x30) != 0x30) {
            c.type = static_cast<LogType>(real);
            c.size = second | (static_cast<std::uint32_t>((first & 0x30) ^ 0x30) << 4);
        } else {
            c.type = static_cast<LogType>(first);
            c.size = second;
        }
        if (c.type != LogType::Enum && c.type != LogType::Set)
            c.type = LogType::String;
        break;
    }
    case LogType::Tiny:
    case LogType::Short:
    case LogType::Int24:
    case LogType::Long:
    case LogType::LongLong:
    case LogType::Null:
    case LogType::Year:
    case LogType::Date:
    case LogType::NewDate:
    case LogType::Time:
    case LogType::DateTime:
    case LogType::Timestamp:
        break;
    default:
        return false;
    }
    return true;
}

bool hasSign(LogType t)
{
    switch (t) {
    case LogType::Tiny:
    case LogType::Short:
    case LogType::Int24:
    case LogType::Long:
    case LogType::LongLong:
    case LogType::NewDecimal:
    case LogType::Float:
    case LogType::Double:
        return true;
    default:
        return false;
    }
}

void readOptional(ByteReader &r, TableMap &map)
{
    enum : std::uint8_t { signedness = 1, columnName = 4 };
    while (r.ok() && !r.atEnd()) {
        const std::uint8_t kind = r.u8();
        ByteReader v(r.lenencBytes());
        if (kind == columnName) {
            while (v.ok() && !v.atEnd())
                map.names.emplace_back(v.lenencBytes());
        } else if (kind == signedness) {
            // Some versions give YEAR a bit and others do not, so that with a YEAR in the table the
            // bits cannot be told apart.
            if (std::any_of(map.columns.begin(), map.columns.end(),
                            [](const LogColumn &c) { return c.type == LogType::Year; }))
                continue;
            const std::string_view bits = v.rest();
            std::vector<bool> flags(map.columns.size());
            std::size_t n = 0;
            for (std::size_t i = 0; i < flags.size(); ++i) {
                if (!hasSign(map.columns[i].type))
                    continue;
                flags[i] = n / 8 < bits.size() && ((bits[n / 8] >> (7 - n % 8)) & 1) != 0;
                ++n;
            }
            if (bits.size() == (n + 7) / 8)
                map.unsignedFlags = std::move(flags);
        }
    }
}

bool fits(const LogColumn &l, const Column &c)
{
    const auto is = [&l](std::initializer_list<LogType> types) {
        return std::find(types.begin(), types.end(), l.type) != types.end();
    };
    const bool stringLike =
        is({LogType::String, LogType::VarChar, LogType::VarString, LogType::TinyBlob, LogType::Blob,
            LogType::MediumBlob, LogType::LongBlob, LogType::MariaBlobCompressed,
            LogType::MariaVarCharCompressed});
    switch (c.typeClass) {
    case TypeClass::Integer:
        return is({LogType::Tiny, LogType::Short, LogType::Int24, LogType::Long, LogType::LongLong,
                   LogType::Year});
    case TypeClass::Decimal:
        return is({LogType::NewDecimal});
    case TypeClass::Float:
        return is({LogType::Float});
    case TypeClass::Double:
        return is({LogType::Double});
    case TypeClass::Bit:
        return is({LogType::Bit});
    case TypeClass::Temporal:
        return is({LogType::Timestamp, LogType::Date, LogType::Time, LogType::DateTime,
                   LogType::NewDate, LogType::Timestamp2, LogType::DateTime2, LogType::Time2});
    case TypeClass::Text:
    case TypeClass::Binary:
        return stringLike;
    case TypeClass::Json:
        return stringLike || is({LogType::Json});
    case TypeClass::Enum:
        return is({LogType::Enum});
    case TypeClass::Set:
        return is({LogType::Set});
    case TypeClass::Geometry:
        return is({LogType::Geometry});
    case TypeClass::Vector:
        return stringLike || is({LogType::Vector});
    case TypeClass::Other:
        return is({LogType::String});
    }
    return false;
}

tl::unexpected<Error> drift(const Table &table, Text message)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("mysql-schema-drift");
    e.object = table.name.display();
    e.message = std::move(message);
    e.fix = cwText("core", "Read the schema again and copy the table anew.");
    return fail(std::move(e));
}

/// Columns that MariaDB's log has after the table's own and information_schema does not show: the
/// row period of a system-versioned table, then one for each unique key that it keeps by a hash
/// (whole TEXT or BLOB, or too long for an index).
struct HiddenColumns {
    bool period = false;
    std::size_t count = 0;
};

HiddenColumns hiddenColumns(const TableMap &map, const Table &table)
{
    const std::size_t known = table.columns.size();
    if (map.columns.size() <= known)
        return {};
    const std::size_t more = map.columns.size() - known;
    const auto hashes = static_cast<std::size_t>(
        std::count_if(table.keys.begin(), table.keys.end(), [&table](const Key &k) {
            return k.unique && k.method == QLatin1String("HASH") &&
                   table.engine.compare(QLatin1String("MEMORY"), Qt::CaseInsensitive) != 0;
        }));
    const auto all = [&](std::size_t from, std::size_t n, auto holds) {
        const auto begin = map.columns.begin() + static_cast<std::ptrdiff_t>(from);
        return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(n), holds);
    };
    const auto isPeriod = [](const LogColumn &c) {
        return c.type == LogType::Timestamp2 || c.type == LogType::LongLong;
    };
    const auto isHash = [](const LogColumn &c) { return c.type == LogType::LongLong; };
    if (more == hashes && all(known, hashes, isHash))
        return {false, hashes};
    if (more == hashes + 2 && all(known, 2, isPeriod) && all(known + 2, hashes, isHash) &&
        table.createSql.contains(QLatin1String("WITH SYSTEM VERSIONING"), Qt::CaseInsensitive))
        return {true, hashes + 2};
    return {};
}

} // namespace

std::optional<TableMap> TableMap::parse(std::string_view body)
{
    ByteReader r(body);
    r.skip(2); // flags
    TableMap map;
    map.schema = std::string(r.bytes(r.u8()));
    r.skip(1);
    map.table = std::string(r.bytes(r.u8()));
    r.skip(1);
    const std::uint64_t count = r.lenenc();
    if (!r.ok() || count > r.left())
        return std::nullopt;
    map.columns.resize(static_cast<std::size_t>(count));
    for (LogColumn &c : map.columns)
        c.type = static_cast<LogType>(r.u8());
    ByteReader meta(r.lenencBytes());
    for (LogColumn &c : map.columns) {
        if (!readMetadata(meta, c))
            return std::nullopt;
    }
    r.skip(static_cast<std::size_t>((count + 7) / 8)); // which columns may be NULL
    if (!r.ok() || !meta.ok())
        return std::nullopt;
    readOptional(r, map);
    return map;
}

Result<RowLayout> layOut(TableMap &&map, std::shared_ptr<const Table> table)
{
    RowLayout out;
    out.jsonColumns =
        static_cast<int>(std::count_if(map.columns.begin(), map.columns.end(),
                                       [](const LogColumn &c) { return c.type == LogType::Json; }));
    out.map = std::move(map);
    out.table = std::move(table);
    if (!out.table)
        return out;
    const Table &t = *out.table;
    const std::size_t known = t.columns.size();
    const HiddenColumns hidden = hiddenColumns(out.map, t);
    if (out.map.columns.size() != known + hidden.count)
        return drift(
            t, cwText("core",
                      "%1 has %2 columns in the binary log but %3 in the schema that was read.",
                      t.name.display(), out.map.columns.size(), known));
    if (hidden.period)
        out.rowEnd = known + 1;
    for (std::size_t i = 0; i < known; ++i) {
        if (isRowEnd(t, i))
            out.rowEnd = i;
        const Column &c = t.columns[i];
        const bool named = out.map.names.size() == out.map.columns.size();
        const bool otherName =
            named &&
            QString::fromStdString(out.map.names[i]).compare(c.name, Qt::CaseInsensitive) != 0;
        // The sign decides how an integer's bytes are read; elsewhere the value carries its own.
        const bool otherSign = out.map.unsignedFlags && c.typeClass == TypeClass::Integer &&
                               hasSign(out.map.columns[i].type) &&
                               (*out.map.unsignedFlags)[i] != c.isUnsigned;
        if (otherName || otherSign || !fits(out.map.columns[i], c))
            return drift(t, cwText("core",
                                   "Column %1 of %2 has another name or type in the binary log "
                                   "than in the schema that was read.",
                                   c.name, t.name.display()));
    }
    return out;
}

} // namespace causeway::mysql
