#include "mysql/binlog/DumpConnection.h"
#include "mysql/binlog/EventHeader.h"
#include "mysql/checks/CheckList.h"

/// Settings and privileges say that the log can be read; this reads it, as following does, up to
/// the first event that describes the log's format. Nothing is written and no lock taken: where the
/// log ends is exact enough for a look.
namespace causeway::mysql {

namespace {

Result<std::optional<LogPosition>> endOfLog(Look &look)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    const bool newName = !facts->isMariaDb && facts->versionNumber >= 80200;
    CW_TRY_ASSIGN(const ResultSet r,
                  look.here.query(newName ? QStringLiteral("SHOW BINARY LOG STATUS")
                                          : QStringLiteral("SHOW MASTER STATUS"),
                                  look.stop));
    if (r.rows.empty())
        return std::optional<LogPosition>();
    LogPosition end;
    end.file = r.text(0, std::size_t{0}).toStdString();
    end.offset = r.text(0, 1).toULongLong();
    return std::optional(end);
}

/// Heartbeats and the name of the file come before it.
Status readFormat(const Address &address, const LogPosition &from, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto connection, DumpConnection::open(address, from, stop));
    const std::stop_callback onStop(stop, [&] { connection->interrupt(); });
    for (;;) {
        CW_TRY_ASSIGN(const EventPiece piece, connection->read());
        if (piece.begins && piece.bytes.size() > 4 &&
            static_cast<EventType>(static_cast<unsigned char>(piece.bytes[4])) ==
                EventType::FormatDescription)
            return {};
    }
}

Status probeDump(Look &look)
{
    CW_TRY_ASSIGN(const auto end, endOfLog(look));
    if (!end)
        return look.skip(cwText("core", "There is no binary log to read."));
    const Status read = readFormat(look.here.address(), *end, look.stop);
    if (read)
        return look.pass(cwText("core", "The server sends its log."));
    if (look.stop.stop_requested())
        return read;
    look.out.fix.text = cwText("core", "Mend what the server complains of. Where it only closes "
                                       "the connection: something between (a proxy, a pooler) may "
                                       "let queries through but not replication.");
    return look.block(
        cwText("core", "The server does not send its log: %1", read.error().describe()));
}

} // namespace

void addBinlogProbe(CheckList &list)
{
    list.add(
        {.id = QStringLiteral("mysql-binlog-probe"),
         .title = cwText("core", "Reading the binary log, tried"),
         .needed = cwText("core", "The server sends its log, as to a replica."),
         .why = cwText("core", "Settings and privileges say what should work; proxies, poolers "
                               "and hosted services have their own mind."),
         .onlyLive = true,
         .sql = {QStringLiteral("SHOW MASTER STATUS")},
         .look = probeDump});
}

} // namespace causeway::mysql
