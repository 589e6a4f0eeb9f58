#include "base/Stop.h"
#include "mysql/Parts.h"
#include "mysql/binlog/DumpConnection.h"
#include "mysql/checks/CheckList.h"

/// Settings and privileges say that the log can be read; this reads it, as following does, up to
/// the first event of its newest file. Nothing is written and no lock taken.
namespace causeway::mysql {

namespace {

Status probeDump(Look &look)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    CW_TRY_ASSIGN(const ResultSet end,
                  look.here.query(logStatusSql(facts->isMariaDb, facts->versionNumber), look.stop));
    if (end.rows.empty())
        return look.skip(cwText("core", "There is no binary log to read."));
    const std::string file = end.text(0, std::size_t{0}).toStdString();
    auto begun = readFileBegin(look.here.address(), file, look.stop);
    // Once may be chance; what stands between and passes no replication on does it every time.
    if (!begun && begun.error().isTransient() && !look.stop.stop_requested())
        begun = readFileBegin(look.here.address(), file, look.stop);
    if (begun && *begun != 0)
        return look.pass(cwText("core", "The server sends its log."));
    if (look.stop.stop_requested())
        return fail(begun ? cancelledError() : begun.error());
    look.out.fix.text = cwText("core", "Mend what the server complains of. Where it only closes "
                                       "the connection: something between (a proxy, a pooler) may "
                                       "let queries through but not replication.");
    return look.block(
        begun ? cwText("core", "What the server sends does not begin as a log does.")
              : cwText("core", "The server does not send its log: %1", begun.error().describe()));
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
