#include "mysql/binlog/TransactionAssembler.h"

#include "mysql/Parts.h"
#include "mysql/binlog/XaPrepareEvent.h"

#include <zlib.h>

#include <algorithm>

namespace causeway::mysql {

namespace {

tl::unexpected<Error> refuse(const char *id, Text message, Text fix, const QString &object = {})
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QString::fromLatin1(id);
    e.message = std::move(message);
    e.fix = std::move(fix);
    e.object = object;
    return fail(std::move(e));
}

TableName nameOf(const TableMap &map)
{
    return {QString::fromStdString(map.schema), QString::fromStdString(map.table)};
}

/// The state table that every data transaction of ours updates first (ALGORITHMS 1).
bool isStreamTable(const TableMap &map)
{
    return (map.schema == "_causeway" && map.table == "stream") || map.table == "_causeway_stream";
}

bool isOursByName(const TableName &t)
{
    return t.schema == QLatin1String("_causeway") || t.name.startsWith(QLatin1String("_causeway_"));
}

bool isSystemSchema(const QString &schema)
{
    for (const char *name :
         {"mysql", "sys", "information_schema", "performance_schema", "ndbinfo"}) {
        if (schema.compare(QLatin1String(name), Qt::CaseInsensitive) == 0)
            return true;
    }
    return false;
}

std::uint32_t crc(std::string_view bytes, std::uint32_t start = 0)
{
    return static_cast<std::uint32_t>(::crc32(start, reinterpret_cast<const Bytef *>(bytes.data()),
                                              static_cast<uInt>(bytes.size())));
}

constexpr std::size_t checksumSize = 4;

bool hasValidChecksum(std::string_view event)
{
    if (event.size() < EventHeader::size + checksumSize)
        return false;
    ByteReader tail(event.substr(event.size() - checksumSize));
    return crc(event.substr(0, event.size() - checksumSize)) == tail.u32();
}

} // namespace

TransactionAssembler::TransactionAssembler(Options options)
    : m_options(std::move(options)), m_done(m_options.from)
{
    if (m_done.kind != LogPosition::Kind::MySqlGtid) { // by GTID the server chooses the file
        m_file = m_fromFile = m_options.from.file;
        m_current = m_options.from.offset;
    }
    // The dump command holds 32 bits of a position: a place beyond that is reached by reading the
    // file from its beginning.
    if (m_done.kind == LogPosition::Kind::File && m_done.offset > 0xffffffffULL)
        m_skipUntil = m_done.offset;
}

std::optional<ChangeEvent> TransactionAssembler::take()
{
    if (m_out.empty())
        return std::nullopt;
    ChangeEvent out = std::move(m_out.front());
    m_out.pop_front();
    return out;
}

Position TransactionAssembler::position()
{
    if (!m_doneText)
        m_doneText = m_done.position();
    return *m_doneText;
}

Progress TransactionAssembler::progress()
{
    m_moved = false;
    return {position(), m_timestampUs};
}

/// Cuts the checksum off. False where it is wrong.
bool TransactionAssembler::stripChecksum(const EventHeader &h, std::string_view &event) const
{
    // What the server makes up before and between files may or may not have one, whatever the file
    // says.
    if (!m_haveFormat || (h.flags & EventHeader::artificialFlag) != 0 || h.endPosition == 0) {
        if (hasValidChecksum(event))
            event.remove_suffix(checksumSize);
        return true;
    }
    if (!m_checksums)
        return true;
    if (!hasValidChecksum(event))
        return false;
    event.remove_suffix(checksumSize);
    return true;
}

Status TransactionAssembler::feed(std::string_view event)
{
    ByteReader r(event);
    const EventHeader h = EventHeader::read(r);
    if (!r.ok() || h.length != event.size())
        return fail(damagedEvent(QStringLiteral("event header")));
    if (h.type == EventType::FormatDescription) {
        track(h);
        return formatDescription(event);
    }
    if (!stripChecksum(h, event)) {
        Error e = damagedEvent(QStringLiteral("checksum at %1:%2")
                                   .arg(QString::fromStdString(m_file))
                                   .arg(h.endPosition));
        e.id = QStringLiteral("mysql-binlog-checksum");
        return fail(std::move(e));
    }
    track(h);
    if (m_skipUntil > 0 && h.type != EventType::Rotate) {
        if (m_current <= m_skipUntil)
            return {};
        m_skipUntil = 0;
    }
    return handle(h, event.substr(EventHeader::size));
}

Status TransactionAssembler::feedFirst(std::string_view part)
{
    ByteReader r(part);
    const EventHeader h = EventHeader::read(r);
    if (!r.ok() || h.type != EventType::TransactionPayload || !m_haveFormat)
        return fail(damagedEvent(QStringLiteral("event header")));
    track(h);
    m_skipPart = m_skipUntil > 0 && m_current <= m_skipUntil;
    if (m_skipPart)
        return {};
    m_skipUntil = 0;
    PackedTransaction &p = m_payload.emplace();
    p.checksumSize = m_checksums ? checksumSize : 0;
    if (h.length < part.size() || h.length < EventHeader::size + p.checksumSize)
        return fail(damagedEvent(QStringLiteral("event header")));
    p.left = h.length - p.checksumSize;
    return takePart(part);
}

Status TransactionAssembler::feedMore(std::string_view part)
{
    if (m_skipPart)
        return {};
    if (!m_payload)
        return fail(damagedEvent(QStringLiteral("TRANSACTION_PAYLOAD")));
    return takePart(part);
}

Status TransactionAssembler::takePart(std::string_view part)
{
    PackedTransaction &p = *m_payload;
    const auto body =
        part.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), p.left)));
    p.crc = crc(body, p.crc);
    p.left -= body.size();
    if (!p.reader) {
        CW_TRY_ASSIGN(p.reader, PayloadReader::open(body.substr(EventHeader::size)));
    } else {
        p.reader->add(body);
    }
    p.checksum += part.substr(body.size());
    p.needsMore = false;
    if (p.checksum.size() > p.checksumSize)
        return fail(damagedEvent(QStringLiteral("TRANSACTION_PAYLOAD")));
    if (p.isWhole() && p.checksumSize > 0 && ByteReader(p.checksum).u32() != p.crc) {
        Error e = damagedEvent(
            QStringLiteral("checksum at %1:%2").arg(QString::fromStdString(m_file)).arg(m_current));
        e.id = QStringLiteral("mysql-binlog-checksum");
        return fail(std::move(e));
    }
    return {};
}

Status TransactionAssembler::unpackOne()
{
    PackedTransaction &p = *m_payload;
    std::string kept;
    std::string_view event;
    if (p.end) {
        kept = std::move(*p.end);
        p.end.reset();
        event = kept;
    } else {
        CW_TRY_ASSIGN(const auto next, p.reader->next());
        if (!next) {
            p.needsMore = true;
            return p.isWhole() ? Status(fail(damagedEvent(QStringLiteral("TRANSACTION_PAYLOAD"))))
                               : Status();
        }
        event = *next;
    }
    if (event.empty()) {
        if (p.isWhole())
            m_payload.reset();
        else
            p.needsMore = true;
        return {};
    }
    ByteReader r(event);
    const EventHeader h = EventHeader::read(r);
    // Nothing that is applied may hang on bytes whose checksum is still to come.
    const bool ends = h.type == EventType::Xid || h.type == EventType::XaPrepare ||
                      (h.type == EventType::Query && event.ends_with("COMMIT"));
    if (ends && !p.isWhole()) {
        p.end = std::string(event);
        p.needsMore = true;
        return {};
    }
    return handle(h, event.substr(EventHeader::size));
}

/// Follows the place in the log. Headers have 32 bits; a file can be larger than that through one
/// large transaction.
void TransactionAssembler::track(const EventHeader &h)
{
    if (h.endPosition == 0 || (h.flags & EventHeader::artificialFlag) != 0 ||
        h.type == EventType::Heartbeat || h.type == EventType::HeartbeatV2)
        return;
    std::uint64_t end = (m_current & ~0xffffffffULL) | h.endPosition;
    if (end < m_current && m_current - end > 0x7fffffffULL)
        end += 0x100000000ULL;
    m_current = end;
}

/// An event that belongs to no transaction: the place is done.
void TransactionAssembler::outsideGroup()
{
    if (m_group || m_done.kind == LogPosition::Kind::MySqlGtid)
        return;
    // By GTID, MariaDB first sends the head of a file of which we have read more already.
    if (m_file == m_fromFile && m_current < m_options.from.offset)
        return;
    if (m_done.file != m_file || m_done.offset != m_current || m_done.created != m_created) {
        m_done.file = m_file;
        m_done.offset = m_current;
        m_done.created = m_created;
        m_doneText.reset();
        m_moved = true;
    }
}

Status TransactionAssembler::handle(const EventHeader &h, std::string_view body)
{
    switch (h.type) {
    case EventType::Rotate:
        return rotate(body);
    case EventType::Gtid:
    case EventType::AnonymousGtid:
        return gtid(h, body);
    case EventType::TaggedGtid:
        return taggedGtid(body);
    case EventType::MariaGtid:
        return mariaGtid(h, body);
    case EventType::Query:
    case EventType::ExecuteLoadQuery:
    case EventType::MariaQueryCompressed:
        return query(h, body);
    case EventType::TableMap:
        return tableMap(body);
    case EventType::Xid:
        group(h);
        commit();
        return {};
    case EventType::XaPrepare:
        group(h);
        return xaPrepare(body);
    case EventType::TransactionPayload: {
        PackedTransaction &p = m_payload.emplace(); // whole, its checksum is proven and cut off
        CW_TRY_ASSIGN(p.reader, PayloadReader::open(body));
        return {};
    }
    case EventType::Incident:
        return refuse("mysql-binlog-incident",
                      cwText("core", "The server reports that its binary log lacks changes."),
                      cwText("core", "Find the cause in the server's error log, then copy again."));
    case EventType::Stop:
    case EventType::PreviousGtids:
    case EventType::MariaBinlogCheckpoint:
    case EventType::MariaGtidList:
        // A made-up one carries the place that the server searched from.
        if ((h.flags & EventHeader::artificialFlag) == 0 && h.endPosition != 0)
            outsideGroup();
        return {};
    case EventType::MariaStartEncryption:
        // The server decrypts what it sends; only a copy of the file itself has this event in
        // force.
        if ((h.flags & (EventHeader::artificialFlag | EventHeader::ignorableFlag)) != 0)
            return {};
        return refuse("mysql-binlog-encrypted",
                      cwText("core", "The server sends its binary log encrypted."),
                      cwText("core", "Switch encrypt_binlog off, or let the account read the log "
                                     "through the server."));
    case EventType::Heartbeat:
    case EventType::HeartbeatV2:
    case EventType::IntVar:
    case EventType::AppendBlock:
    case EventType::DeleteFile:
    case EventType::Rand:
    case EventType::UserVar:
    case EventType::BeginLoadQuery:
    case EventType::Ignorable:
    case EventType::RowsQuery:
    case EventType::TransactionContext:
    case EventType::ViewChange:
    case EventType::MariaAnnotateRows:
        return {};
    default:
        break;
    }
    if (RowsEvent::isRowsEvent(h.type))
        return rows(h, body);
    if ((h.flags & EventHeader::ignorableFlag) != 0)
        return {};
    return refuse("mysql-binlog-unknown-event",
                  cwText("core", "The binary log holds an event of type %1, which is not known.",
                         static_cast<int>(h.type)),
                  {});
}

Status TransactionAssembler::formatDescription(std::string_view event)
{
    // The flag for "being written" is not part of the checksum.
    std::string copy(event);
    copy[17] = static_cast<char>(copy[17] & ~EventHeader::inUseFlag);
    ByteReader r(event);
    const EventHeader h = EventHeader::read(r);
    r.skip(2 + 50 + 4 + 1);                        // version, server, time, header length
    constexpr std::size_t tail = 1 + checksumSize; // algorithm and its value, always there
    if (!r.ok() || r.left() < tail + static_cast<std::size_t>(EventType::TableMap))
        return fail(damagedEvent(QStringLiteral("FORMAT_DESCRIPTION")));
    const std::string_view lengths = r.bytes(r.left() - tail);
    m_checksums = r.u8() == 1;
    if (m_checksums && !hasValidChecksum(copy) && !hasValidChecksum(event))
        return fail(damagedEvent(QStringLiteral("FORMAT_DESCRIPTION, checksum")));
    m_haveFormat = true;
    if (m_file == m_options.from.file && m_options.from.created != 0 && h.timestamp != 0 &&
        h.timestamp != m_options.from.created)
        return fail(logReplacedError(
            cwText("core", "its file %1 was begun anew", QString::fromStdString(m_file))));
    m_created = h.timestamp;
    const auto lengthOf = [&lengths](EventType t) {
        return static_cast<std::size_t>(
            static_cast<unsigned char>(lengths[static_cast<std::size_t>(t) - 1]));
    };
    m_wideTableId = lengthOf(EventType::TableMap) != 6;
    m_queryPostHeader = lengthOf(EventType::Query);
    m_loadPostHeader = lengthOf(EventType::ExecuteLoadQuery);
    m_maps.clear();
    if (h.endPosition != 0 && (h.flags & EventHeader::artificialFlag) == 0) {
        // A server that died leaves a transaction without end; the new file begins after it.
        discard();
        outsideGroup();
    }
    return {};
}

Status TransactionAssembler::rotate(std::string_view body)
{
    ByteReader r(body);
    const std::uint64_t offset = r.u64();
    const std::string file(r.rest());
    if (!r.ok() || file.empty())
        return fail(damagedEvent(QStringLiteral("ROTATE")));
    discard();
    const bool sameFile = file == m_file;
    m_file = file;
    if (!sameFile) {
        m_current = offset;
        m_created = 0;
        m_skipUntil = 0;
        outsideGroup();
    } else if (m_skipUntil > 0) {
        m_current = offset;
    }
    return {};
}

LogGroup &TransactionAssembler::group(const EventHeader &h)
{
    if (!m_group) {
        m_group.emplace();
        m_group->id = m_file + ':' + std::to_string(m_current);
    }
    if (m_group->commitUs == 0)
        m_group->commitUs = static_cast<qint64>(h.timestamp) * 1'000'000;
    return *m_group;
}

Status TransactionAssembler::gtid(const EventHeader &h, std::string_view body)
{
    discard();
    ByteReader r(body);
    r.skip(1); // flags
    Gtid id;
    const std::string_view uuid = r.bytes(16);
    if (uuid.size() == 16)
        std::copy(uuid.begin(), uuid.end(), id.source.uuid.begin());
    id.number = static_cast<std::int64_t>(r.u64());
    if (!r.ok())
        return fail(damagedEvent(QStringLiteral("GTID")));
    LogGroup &g = m_group.emplace();
    if (h.type == EventType::Gtid) {
        g.gtid = id;
        g.id = id.text();
    } else if (m_done.kind == LogPosition::Kind::MySqlGtid) {
        return refuse("mysql-gtid-mode",
                      cwText("core", "The server logs transactions without GTID now, so that a "
                                     "position in GTIDs no longer tells what was applied."),
                      cwText("core", "Set gtid_mode=ON again and copy again."));
    } else {
        g.id = m_file + ':' + std::to_string(m_current);
    }
    g.commitUs = static_cast<qint64>(h.timestamp) * 1'000'000;
    // From 5.7 on: logical clock (type 2, two numbers), from 8.0 on the time of the commit.
    if (r.left() >= 1 + 16 + 7 && r.u8() == 2) {
        r.skip(16);
        const std::uint64_t us = r.le(7) & 0x7fffffffffffffULL; // the highest bit is a flag
        if (us > 0)
            g.commitUs = static_cast<qint64>(us);
    }
    return {};
}

Status TransactionAssembler::taggedGtid(std::string_view body)
{
    enum : std::uint64_t { flags, uuid, number, tag, lastCommitted, sequence, commitTime };
    discard();
    ByteReader r(body);
    r.varlen(); // version of the serialisation
    r.varlen(); // size
    r.varlen(); // last field that must be understood
    Gtid id;
    qint64 us = 0;
    while (r.ok() && !r.atEnd()) {
        const std::uint64_t field = r.varlen();
        if (field == flags) {
            r.varlen();
        } else if (field == uuid) {
            for (std::uint8_t &b : id.source.uuid)
                b = static_cast<std::uint8_t>(r.varlen());
        } else if (field == number) {
            id.number = r.signedVarlen();
        } else if (field == tag) {
            id.source.tag = std::string(r.bytes(static_cast<std::size_t>(r.varlen())));
        } else if (field == lastCommitted || field == sequence) {
            r.signedVarlen();
        } else if (field == commitTime) {
            us = static_cast<qint64>(r.varlen());
            break;
        } else {
            break;
        }
    }
    if (!r.ok() || id.number < 1)
        return fail(damagedEvent(QStringLiteral("tagged GTID")));
    LogGroup &g = m_group.emplace();
    g.id = id.text();
    g.gtid = std::move(id);
    g.commitUs = us;
    return {};
}

Status TransactionAssembler::mariaGtid(const EventHeader &h, std::string_view body)
{
    enum : std::uint8_t { standalone = 1 };
    discard();
    ByteReader r(body);
    MariaDbGtidList::Entry e;
    e.server = h.serverId;
    e.sequence = r.u64();
    const std::uint32_t domain = r.u32();
    const std::uint8_t flags = r.u8();
    if (!r.ok())
        return fail(damagedEvent(QStringLiteral("GTID")));
    LogGroup &g = m_group.emplace();
    g.mariaGtid = {domain, e};
    g.id =
        std::to_string(domain) + '-' + std::to_string(e.server) + '-' + std::to_string(e.sequence);
    g.commitUs = static_cast<qint64>(h.timestamp) * 1'000'000;
    // There is no BEGIN: what does not stand alone goes on to its COMMIT.
    g.open = (flags & standalone) == 0;
    return {};
}

Status TransactionAssembler::query(const EventHeader &h, std::string_view body)
{
    const auto q = QueryEvent::parse(
        body, h.type == EventType::ExecuteLoadQuery ? m_loadPostHeader : m_queryPostHeader,
        h.type == EventType::MariaQueryCompressed);
    if (!q)
        return fail(damagedEvent(QStringLiteral("QUERY")));
    LoggedStatement s = classifyStatement(
        q->statement, {q->defaultSchema, q->ansiQuotes(), q->noBackslashEscapes()});
    const bool alone = !m_group || !m_group->open;
    LogGroup &g = group(h);
    using Kind = LoggedStatement::Kind;
    switch (s.kind) {
    case Kind::Begin:
    case Kind::XaStart:
        g.open = true;
        return {};
    case Kind::XaCommit:
        if (alone)
            xaCommit(*q, s.xid);
        commit();
        return {};
    case Kind::XaRollback:
        m_prepared.erase(s.xid);
        commit();
        return {};
    case Kind::Commit:
        commit();
        return {};
    case Kind::Rollback:
        CW_TRY(rollbackTo({}));
        commit();
        return {};
    case Kind::RollbackTo:
        return rollbackTo(s.savepoint);
    case Kind::Savepoint:
        // Setting one again moves it.
        g.savepoints.erase(std::remove_if(g.savepoints.begin(), g.savepoints.end(),
                                          [&s](const LogSavepoint &p) {
                                              return p.name.compare(s.savepoint,
                                                                    Qt::CaseInsensitive) == 0;
                                          }),
                           g.savepoints.end());
        g.savepoints.push_back({s.savepoint, g.rows});
        return {};
    case Kind::ReleaseSavepoint:
    case Kind::XaEnd:
    case Kind::XaPrepare:
        return {};
    case Kind::Dml:
        CW_TRY(dml(*q, s));
        if (alone)
            commit();
        return {};
    case Kind::Ddl:
        return ddl(*q, std::move(s));
    }
    return {};
}

Status TransactionAssembler::rollbackTo(const QString &savepoint)
{
    LogGroup &g = *m_group;
    int keep = 0;
    const auto it =
        std::find_if(g.savepoints.begin(), g.savepoints.end(), [&](const LogSavepoint &p) {
            return p.name.compare(savepoint, Qt::CaseInsensitive) == 0;
        });
    if (it != g.savepoints.end()) {
        keep = it->rows;
        g.savepoints.erase(it + 1, g.savepoints.end());
    }
    const int given = g.rows - static_cast<int>(g.held.size());
    if (keep < given)
        return refuse(
            "mysql-binlog-rollback",
            cwText("core", "A large transaction (%1) is rolled back inside the log.", g.id.c_str()),
            cwText("core", "Copy the tables that it changed again."));
    g.held.resize(static_cast<std::size_t>(keep - given));
    g.rows = keep;
    return {};
}

bool TransactionAssembler::couldBeInScope(const std::vector<TableName> &tables) const
{
    return std::any_of(tables.begin(), tables.end(), [this](const TableName &t) {
        return m_options.resolve(t) || (!isSystemSchema(t.schema) && !isOursByName(t));
    });
}

Status TransactionAssembler::dml(const QueryEvent &q, const LoggedStatement &s)
{
    const auto isTemporary = [this](const TableName &t) {
        return m_temporary.contains(t) && !m_options.resolve(t);
    };
    if (!s.tables.empty() && std::all_of(s.tables.begin(), s.tables.end(), isTemporary))
        return {};
    // A function that writes is logged as the SELECT that called it: it may mean any table, in
    // whatever database it was called.
    if (!s.tables.empty() && !couldBeInScope(s.tables))
        return {};
    if (m_options.watch) {
        foreignStatement(q, s.tables);
        return {};
    }
    flushHeld();
    StatementLogged out;
    out.statement = q.statement;
    out.defaultSchema = q.defaultSchema;
    out.before = position();
    out.tables = s.tables;
    m_out.emplace_back(std::move(out));
    return {};
}

Status TransactionAssembler::ddl(const QueryEvent &q, LoggedStatement &&s)
{
    LogGroup &g = *m_group;
    for (const TableName &t : s.named) {
        if (s.drops)
            m_temporary.erase(t);
        else
            m_temporary.insert(t);
    }
    const bool inside = g.open;
    // Inside a transaction there are only temporary tables, and a CREATE TABLE whose rows follow.
    const bool silent = (inside && s.ddl == DdlKind::Other) ||
                        (s.ddl != DdlKind::Other && !s.tables.empty() && !couldBeInScope(s.tables));
    if (m_options.watch) {
        // What an index or a new table changes, no row tells.
        const bool changesRows = s.ddl == DdlKind::Alter || s.ddl == DdlKind::Drop ||
                                 s.ddl == DdlKind::Rename || s.ddl == DdlKind::Truncate;
        if (!silent && changesRows)
            foreignStatement(q, s.tables);
        if (inside || s.rowsFollow)
            g.open = true;
        else
            commit();
        return {};
    }
    DdlChange out;
    out.kind = s.ddl;
    out.statement = s.text;
    out.defaultSchema = q.defaultSchema;
    out.tables = std::move(s.tables);
    out.sqlMode = q.sqlMode(m_options.mariaDb);
    out.before = position();
    if (inside || s.rowsFollow) {
        // The rows come in the same transaction, so that no position lies between: a reader that
        // begins again at `after` meets the statement again, but never loses the rows.
        g.open = true;
        out.after = out.before;
        if (!silent)
            m_out.emplace_back(std::move(out));
        return {};
    }
    commit();
    if (!silent) {
        out.after = position();
        m_moved = false;
        m_out.emplace_back(std::move(out));
    }
    return {};
}

Status TransactionAssembler::tableMap(std::string_view body)
{
    ByteReader r(body);
    const std::uint64_t id = r.le(m_wideTableId ? 6 : 4);
    const std::string_view rest = r.rest();
    if (!r.ok())
        return fail(damagedEvent(QStringLiteral("TABLE_MAP")));
    MapEntry &entry = m_maps[id];
    if (entry.raw != rest) {
        auto map = TableMap::parse(rest);
        if (!map)
            return fail(damagedEvent(QStringLiteral("TABLE_MAP")));
        entry.raw = std::string(rest);
        entry.map = std::move(*map);
        entry.layout.reset();
    }
    // Asked each time: the selection's tables can change while the stream runs.
    std::shared_ptr<const Table> table = m_options.resolve(nameOf(entry.map));
    if (table != entry.table) {
        entry.table = std::move(table);
        entry.layout.reset();
    }
    return {};
}

Status TransactionAssembler::rows(const EventHeader &h, std::string_view body)
{
    LogGroup &g = group(h);
    g.open = true;
    ByteReader r(body);
    const std::uint64_t id = r.le(m_wideTableId ? 6 : 4);
    const auto found = m_maps.find(id);
    if (found == m_maps.end()) {
        // A rows event for no table only ends a statement.
        if (id == 0xffffff || id == 0xffffffffffffULL)
            return {};
        return fail(damagedEvent(QStringLiteral("rows of an unknown table")));
    }
    MapEntry &entry = found->second;
    if (g.ours && (!entry.table || (m_options.watch && *g.ours)))
        return {};
    CW_TRY_ASSIGN(const RowsEvent event, RowsEvent::parse(h.type, body, m_wideTableId));
    if (!g.ours) {
        g.ours = false;
        if (event.op == RowOp::Update && isStreamTable(entry.map)) {
            const auto migration = firstColumnBefore(event, entry.map);
            g.ours = migration && *migration == m_options.migration.toStdString();
        }
    }
    if (!entry.table)
        return {};
    if (m_options.watch) {
        if (!*g.ours)
            noteForeign(entry.table->name);
        return {};
    }
    if (!entry.layout) {
        auto layout = layOut(TableMap(entry.map), entry.table);
        if (!layout)
            return unreadable(entry.table->name, layout.error());
        entry.layout = std::move(*layout);
    }
    const Status decoded = decodeRows(event, *entry.layout, [&g](RowChange &&change) {
        change.indexInTransaction = g.rows++;
        g.held.push_back(std::move(change));
    });
    if (!decoded)
        return unreadable(entry.table->name, decoded.error());
    g.heldBytes += event.rowBytes().size();
    if (g.streaming || g.heldBytes > m_options.holdBytes) {
        g.streaming = true;
        flushHeld();
    }
    return {};
}

void TransactionAssembler::noteForeign(const TableName &table)
{
    std::vector<TableName> &foreign = m_group->foreign;
    if (std::find(foreign.begin(), foreign.end(), table) == foreign.end())
        foreign.push_back(table);
}

/// Of a watch: a statement that changes tables in scope. Ours say so themselves; where the server
/// writes the statement anew (DROP TABLE), the session's number tells.
void TransactionAssembler::foreignStatement(const QueryEvent &q,
                                            const std::vector<TableName> &tables)
{
    if (isMarkedOwn(q.statement) || (m_options.isOwnSession && m_options.isOwnSession(q.threadId)))
        return;
    ForeignWrite out;
    for (const TableName &t : tables) {
        if (m_options.resolve(t))
            out.tables.push_back(t);
    }
    if (out.tables.empty())
        return;
    out.id = QString::fromStdString(m_group ? m_group->id : m_file);
    out.statement = q.statement.left(500);
    out.after = position();
    out.timestampUs = m_group ? m_group->commitUs : m_timestampUs;
    m_out.emplace_back(std::move(out));
}

/// Whether it matters is not known here: the table may have been copied since.
Status TransactionAssembler::unreadable(const TableName &table, Error why)
{
    if (why.code != ErrorCode::NotReady)
        return fail(std::move(why));
    LogGroup &g = *m_group;
    const bool said = std::any_of(g.unreadable.begin(), g.unreadable.end(),
                                  [&](const RowsUnreadable &u) { return u.table == table; });
    if (!said)
        g.unreadable.push_back({table, std::move(why)});
    return {};
}

void TransactionAssembler::flushHeld()
{
    LogGroup &g = *m_group;
    if (g.held.empty())
        return;
    if (!g.begun) {
        g.begun = true;
        m_out.emplace_back(TransactionBegin{QString::fromStdString(g.id), g.commitUs});
    }
    for (RowChange &change : g.held)
        m_out.emplace_back(std::move(change));
    g.held.clear();
    g.heldBytes = 0;
}

/// The rows of a prepared transaction stand in the log before anybody knows whether it commits:
/// they are left out, and its COMMIT, should it come, stops at what they changed.
Status TransactionAssembler::xaPrepare(std::string_view body)
{
    const auto event = XaPrepareEvent::parse(body);
    if (!event)
        return fail(damagedEvent(QStringLiteral("XA_PREPARE")));
    if (event->onePhase) {
        commit();
        return {};
    }
    LogGroup &g = *m_group;
    if (g.rows > static_cast<int>(g.held.size()))
        return refuse("mysql-xa-transaction",
                      cwText("core",
                             "A large XA transaction (%1) was prepared. Whether it commits "
                             "is not known yet, so that it cannot be applied.",
                             g.id.c_str()),
                      cwText("core", "Cancel, end it, and begin anew; let applications commit "
                                     "without XA while the migration runs."));
    std::vector<TableName> tables;
    for (const RowChange &change : g.held) {
        const TableName &name = change.table->name;
        if (std::find(tables.begin(), tables.end(), name) == tables.end())
            tables.push_back(name);
    }
    m_prepared[event->xid] = std::move(tables);
    g.held.clear();
    g.heldBytes = 0;
    g.rows = 0;
    commit();
    return {};
}

/// One that was prepared before this stream began is unknown: its rows may be in any table.
void TransactionAssembler::xaCommit(const QueryEvent &q, const QString &xid)
{
    const auto it = m_prepared.find(xid);
    const bool known = it != m_prepared.end();
    std::vector<TableName> tables = known ? it->second : std::vector<TableName>();
    if (known) {
        m_prepared.erase(it);
        if (tables.empty()) // nothing of ours
            return;
    }
    if (m_options.watch) {
        foreignStatement(q, tables);
        return;
    }
    flushHeld();
    StatementLogged out;
    out.statement = q.statement;
    out.defaultSchema = q.defaultSchema;
    out.before = position();
    out.tables = std::move(tables);
    m_out.emplace_back(std::move(out));
}

QString TransactionAssembler::place() const
{
    return m_file.empty() ? QString()
                          : QString::fromStdString(m_file + ':' + std::to_string(m_current));
}

LogPosition TransactionAssembler::afterGroup() const
{
    LogPosition out = m_done;
    switch (out.kind) {
    case LogPosition::Kind::MySqlGtid:
        break; // added in place: copying a large set for each transaction costs
    case LogPosition::Kind::MariaDb:
        if (m_group->mariaGtid)
            out.domains.set(m_group->mariaGtid->first, m_group->mariaGtid->second);
        [[fallthrough]];
    case LogPosition::Kind::File:
        out.file = m_file;
        out.offset = m_current;
        out.created = m_created;
    }
    return out;
}

void TransactionAssembler::commit()
{
    flushHeld();
    if (!m_group->unreadable.empty()) {
        if (!m_group->begun) {
            m_group->begun = true;
            m_out.emplace_back(
                TransactionBegin{QString::fromStdString(m_group->id), m_group->commitUs});
        }
        for (RowsUnreadable &u : m_group->unreadable)
            m_out.emplace_back(std::move(u));
    }
    if (m_done.kind == LogPosition::Kind::MySqlGtid) {
        if (m_group->gtid)
            m_done.executed.add(*m_group->gtid);
        m_done.file = m_file;
        m_done.offset = m_current;
        m_done.created = m_created;
    } else {
        m_done = afterGroup();
    }
    m_doneText.reset();
    m_timestampUs = m_group->commitUs;
    m_moved = true;
    if (!m_group->foreign.empty()) {
        m_out.emplace_back(ForeignWrite{QString::fromStdString(m_group->id),
                                        std::move(m_group->foreign),
                                        {},
                                        position(),
                                        m_group->commitUs});
    }
    if (m_group->begun) {
        m_out.emplace_back(TransactionCommit{position(), m_group->ours.value_or(false)});
        m_moved = false;
    }
    endGroup();
}

/// A transaction without end: the server died while it wrote, and rolled it back at its restart.
void TransactionAssembler::discard()
{
    endGroup();
}

void TransactionAssembler::endGroup()
{
    m_group.reset();
}

} // namespace causeway::mysql
