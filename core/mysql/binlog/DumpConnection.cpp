#include "mysql/binlog/DumpConnection.h"

#include "base/Log.h"
#include "base/Secret.h"
#include "mysql/binlog/ByteReader.h"
#include "mysql/binlog/EventHeader.h"
#include "mysql/binlog/PacketPieces.h"

#include <mysql.h>

#include <QRandomGenerator>
#include <QUuid>

#include <algorithm>
#include <set>

namespace causeway::mysql {

#ifdef MARIADB_PACKAGE_VERSION
struct DumpConnection::Replication {
    PacketPieces pieces;
};
#else
struct DumpConnection::Replication {
    MYSQL_RPL rpl{};
    std::string file;
    std::string set;
    bool open = false;
};
#endif

namespace {

constexpr std::uint64_t heartbeatNanoseconds = 1'000'000'000;
/// An event may be as large as the largest row; the libraries' own limits differ (64 MB, 1 GB).
constexpr unsigned long largestPacket = 0x40000000;

/// Where a file is read from: the command has 32 bits.
std::uint32_t startOffset(const LogPosition &from)
{
    return from.offset < 4 || from.offset > 0xffffffffULL ? 4U
                                                          : static_cast<std::uint32_t>(from.offset);
}

/// A MariaDB position without any GTID is a place in the file: an empty @slave_connect_state would
/// replay the whole log.
bool connectsByDomains(const LogPosition &from)
{
    return from.kind == LogPosition::Kind::MariaDb && !from.domains.isEmpty();
}

} // namespace

Error nameDumpError(Error e)
{
    const QString &w = e.serverWords;
    const auto says = [&w](const char *part) {
        return w.contains(QLatin1String(part), Qt::CaseInsensitive);
    };
    if (says("same server_uuid") || says("same server_id") || says("same server id")) {
        e.code = ErrorCode::ConnectionLost;
        e.id = QStringLiteral("mysql-dump-displaced");
        e.message =
            cwText("core", "Another reader with the same id took over the stream of changes.");
    } else if (says("purged") || says("could not find first log") ||
               says("could not open log file") || says("not in the master's binlog") ||
               says("not in the primary's binlog") || says("could not find gtid state") ||
               e.number == 1373 || e.number == 1789) {
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("mysql-binlog-purged");
        e.message =
            cwText("core", "The server has deleted the part of its binary log that is needed "
                           "to go on.");
        e.fix = cwText("core", "Keep the log for longer, then copy again.");
    } else if (e.number == 1227 || e.number == 1045) {
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("mysql-grants");
        e.message = cwText("core", "The account may not read the binary log.");
        e.fix = cwText("core", "Grant it REPLICATION SLAVE and REPLICATION CLIENT.");
    } else if (e.code != ErrorCode::ConnectionLost && e.code != ErrorCode::Cancelled) {
        e.code = ErrorCode::Server;
        e.id = QStringLiteral("mysql-binlog-read");
        e.message = cwText("core", "The server stopped sending its binary log.");
    }
    return e;
}

DumpConnection::DumpConnection(std::unique_ptr<Session> session)
    : m_session(std::move(session)), m_replication(std::make_unique<Replication>())
{
}

DumpConnection::~DumpConnection()
{
    // Closing politely would wait for the rest of the stream.
    m_session->interrupt();
}

Result<std::unique_ptr<DumpConnection>>
DumpConnection::open(const Address &address, const LogPosition &from, std::stop_token stop)
{
    CW_TRY_ASSIGN(auto session, Session::open(address, Use::Dump, stop));
    std::unique_ptr<DumpConnection> out(new DumpConnection(std::move(session)));
    CW_TRY(out->negotiate(from, stop));
    CW_TRY_ASSIGN(const std::uint32_t serverId, out->chooseServerId(stop));
    CW_TRY(out->request(from, serverId));
    return out;
}

Status DumpConnection::negotiate(const LogPosition &from, std::stop_token stop)
{
    Session &s = *m_session;
    // The reader may rest for hours while a copy runs; the server must not give up writing.
    CW_TRY(s.exec(QStringLiteral("SET net_write_timeout=604800, net_read_timeout=604800"), stop));
    // Both names, since either alone is ignored by some version; user variables always exist.
    const QString heartbeat = QString::number(heartbeatNanoseconds);
    CW_TRY(s.exec(QStringLiteral("SET @master_heartbeat_period=%1, @source_heartbeat_period=%1")
                      .arg(heartbeat),
                  stop));
    CW_TRY(s.exec(QStringLiteral("SET @master_binlog_checksum=@@global.binlog_checksum, "
                                 "@source_binlog_checksum=@@global.binlog_checksum"),
                  stop));
    // An own identity: a clash throws out the older reader, which may be the customer's replica.
    CW_TRY(s.exec(QStringLiteral("SET @slave_uuid='%1', @replica_uuid='%1'")
                      .arg(QUuid::createUuid().toString(QUuid::WithoutBraces)),
                  stop));
    if (s.isMariaDb()) {
        // Without it GTIDs come as BEGIN statements.
        CW_TRY(s.exec(QStringLiteral("SET @mariadb_slave_capability=4"), stop));
        if (connectsByDomains(from)) {
            CW_TRY(s.exec(QStringLiteral("SET @slave_connect_state=%1, @slave_gtid_strict_mode=0, "
                                         "@slave_gtid_ignore_duplicates=0")
                              .arg(quoteText(QString::fromStdString(from.domains.text()))),
                          stop));
        }
    }
    return {};
}

Result<std::uint32_t> DumpConnection::chooseServerId(std::stop_token stop)
{
    std::set<std::uint32_t> taken{0};
    CW_TRY_ASSIGN(const ResultSet own,
                  m_session->query(QStringLiteral("SELECT @@server_id"), stop));
    taken.insert(own.text(0, std::size_t(0)).toUInt());
    // The old name is gone from MySQL 8.4 on, the new one is unknown before 8.0.22.
    for (const char *sql : {"SHOW REPLICAS", "SHOW SLAVE HOSTS"}) {
        auto replicas = m_session->query(QLatin1String(sql), stop);
        if (!replicas) {
            if (m_session->isDead())
                return fail(std::move(replicas).error());
            continue;
        }
        for (std::size_t i = 0; i < replicas->rows.size(); ++i)
            taken.insert(replicas->text(i, std::size_t(0)).toUInt());
        break;
    }
    // High numbers are seldom chosen by hand.
    std::uint32_t id = 0;
    while (taken.contains(id))
        id = QRandomGenerator::system()->bounded(0x40000000U, 0xfffffff0U);
    return id;
}

#ifdef MARIADB_PACKAGE_VERSION

namespace {

constexpr int comBinlogDump = 0x12;
constexpr int comBinlogDumpGtid = 0x1e;

void appendLe(std::string &out, std::uint64_t v, int n)
{
    for (int i = 0; i < n; ++i)
        out.push_back(static_cast<char>((v >> (8 * i)) & 0xff));
}

} // namespace

Status DumpConnection::request(const LogPosition &from, std::uint32_t serverId)
{
    std::string packet;
    int command = comBinlogDump;
    if (from.kind == LogPosition::Kind::MySqlGtid) {
        constexpr std::uint16_t throughGtid = 4;
        command = comBinlogDumpGtid;
        const std::string set = from.executed.encode();
        appendLe(packet, throughGtid, 2);
        appendLe(packet, serverId, 4);
        appendLe(packet, 0, 4); // no file name: the server finds it
        appendLe(packet, 4, 8);
        appendLe(packet, set.size(), 4);
        packet += set;
    } else {
        const bool byDomains = connectsByDomains(from);
        appendLe(packet, byDomains ? 4 : startOffset(from), 4);
        appendLe(packet, 0, 2); // wait for more at the end
        appendLe(packet, serverId, 4);
        if (!byDomains)
            packet += from.file;
    }
    MYSQL *m = m_session->handle();
    m->net.max_packet_size = largestPacket;
    // The library's own reader of the log (mariadb_rpl_*) dies at MySQL's heartbeats and
    // compressed transactions, so that the command is sent as it is.
    if (m->methods->db_command(m, static_cast<enum_server_command>(command), packet.data(),
                               packet.size(), 1, nullptr) != 0)
        return fail(readError());
    return {};
}

Result<EventPiece> DumpConnection::read()
{
    PacketPieces &pieces = m_replication->pieces;
    const bool begins = !pieces.isInside();
    const auto piece = pieces.next(m_session->handle());
    if (!piece) {
        Error e = readError();
        if (pieces.isRaw() && e.code != ErrorCode::Cancelled)
            e = nameError(2013, QString(), QString(), m_session->address(), QString());
        return fail(std::move(e));
    }
    EventPiece out{*piece, begins, !pieces.isInside()};
    if (!begins)
        return out;
    // An end of file is how a server that shuts down, or whose dump is killed, says goodbye.
    if (out.bytes.empty() || (out.bytes[0] == '\xfe' && out.bytes.size() < 9))
        return fail(nameError(2013, QString(), QString(), m_session->address(), QString()));
    if (out.bytes[0] == '\xff')
        return fail(packetError(out.bytes));
    out.bytes.remove_prefix(1);
    return out;
}

/// The server's error packet: 0xff, number, '#', SQLSTATE, words.
Error DumpConnection::packetError(std::string_view packet) const
{
    unsigned number = 0;
    QString state;
    packet.remove_prefix(1);
    if (packet.size() >= 2) {
        number = static_cast<unsigned char>(packet[0]) |
                 static_cast<unsigned>(static_cast<unsigned char>(packet[1])) << 8;
        packet.remove_prefix(2);
    }
    if (packet.size() >= 6 && packet[0] == '#') {
        state = QString::fromLatin1(packet.data() + 1, 5);
        packet.remove_prefix(6);
    }
    return nameDumpError(
        nameError(number, state,
                  redact(QString::fromUtf8(packet.data(), static_cast<qsizetype>(packet.size()))),
                  m_session->address(), QStringLiteral("binlog")));
}

#else

Status DumpConnection::request(const LogPosition &from, std::uint32_t serverId)
{
    MYSQL *m = m_session->handle();
    m->net.max_packet_size = largestPacket;
    Replication &r = *m_replication;
    r.rpl.server_id = serverId;
    r.rpl.start_position = 4;
    if (from.kind == LogPosition::Kind::MySqlGtid) {
        r.set = from.executed.encode();
        r.rpl.flags = MYSQL_RPL_GTID;
        r.rpl.gtid_set_encoded_size = r.set.size();
        r.rpl.gtid_set_arg = r.set.data();
    } else if (!connectsByDomains(from)) {
        r.file = from.file;
        r.rpl.start_position = startOffset(from);
    }
    r.rpl.file_name = r.file.c_str();
    r.rpl.file_name_length = r.file.size();
    if (mysql_binlog_open(m, &r.rpl) != 0)
        return fail(readError());
    r.open = true;
    return {};
}

Result<EventPiece> DumpConnection::read()
{
    Replication &r = *m_replication;
    if (mysql_binlog_fetch(m_session->handle(), &r.rpl) != 0)
        return fail(readError());
    if (r.rpl.size == 0)
        return fail(nameError(2013, QString(), QString(), m_session->address(), QString()));
    return EventPiece{
        std::string_view(reinterpret_cast<const char *>(r.rpl.buffer), r.rpl.size).substr(1), true,
        true};
}

#endif

Error DumpConnection::readError()
{
    Error e = m_session->lastError(QStringLiteral("binlog"));
    // The client library's own numbers: whatever it stumbled over, this link is gone. Through TLS a
    // cut shows as one of several.
    const bool isClientError = (e.number >= 2000 && e.number < 3000) || e.number >= 5000;
    if (e.code != ErrorCode::Cancelled && (isClientError || e.number == 0)) {
        e.code = ErrorCode::ConnectionLost;
        e.id = QStringLiteral("mysql-connection-lost");
        e.message =
            cwText("core", "The connection to %1 was lost.", m_session->address().display());
    }
    return nameDumpError(std::move(e));
}

Result<std::uint32_t> readFileBegin(const Address &address, const std::string &file,
                                    std::stop_token stop)
{
    LogPosition head;
    head.file = file;
    head.offset = 4;
    CW_TRY_ASSIGN(const auto connection, DumpConnection::open(address, head, stop));
    const std::stop_callback onStop(stop, [&] { connection->interrupt(); });
    constexpr int kAtMost = 5; // a made-up ROTATE stands before it
    for (int i = 0; i < kAtMost; ++i) {
        CW_TRY_ASSIGN(const EventPiece piece, connection->read());
        ByteReader r(piece.bytes);
        const EventHeader h = EventHeader::read(r);
        if (r.ok() && h.type == EventType::FormatDescription)
            return h.timestamp;
    }
    return 0U;
}

} // namespace causeway::mysql
