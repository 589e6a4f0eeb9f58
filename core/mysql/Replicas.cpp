#include "mysql/Replicas.h"

namespace causeway::mysql {

Result<std::vector<ReplicaBrief>> readReplicas(Session &s, std::stop_token stop)
{
    const bool newNames = !s.isMariaDb() && s.version() >= 80022;
    CW_TRY_ASSIGN(const auto rows, s.query(s.isMariaDb() ? QStringLiteral("SHOW ALL SLAVES STATUS")
                                           : newNames    ? QStringLiteral("SHOW REPLICA STATUS")
                                                         : QStringLiteral("SHOW SLAVE STATUS"),
                                           std::move(stop)));
    std::vector<ReplicaBrief> out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const auto field = [&](const char *newName, const char *oldName) {
            return rows.text(i, newNames ? newName : oldName);
        };
        const auto runs = [](const QString &v) { return !v.isEmpty() && v != QLatin1String("No"); };
        ReplicaBrief r;
        r.source = field("Source_Host", "Master_Host") + QLatin1Char(':') +
                   field("Source_Port", "Master_Port");
        r.sourceId = field("Source_Server_Id", "Master_Server_Id");
        r.sourceUuid = field("Source_UUID", "Master_UUID");
        const bool fetches = runs(field("Replica_IO_Running", "Slave_IO_Running"));
        const bool replays = runs(field("Replica_SQL_Running", "Slave_SQL_Running"));
        r.running = fetches || replays;
        r.wholly = fetches && replays;
        if (!r.wholly)
            r.error = rows.text(i, replays ? "Last_IO_Error" : "Last_SQL_Error");
        const QString behind = field("Seconds_Behind_Source", "Seconds_Behind_Master");
        if (!behind.isEmpty())
            r.behindSeconds = behind.toLongLong();
        for (const char *name :
             {"Replicate_Do_DB", "Replicate_Ignore_DB", "Replicate_Do_Table",
              "Replicate_Ignore_Table", "Replicate_Wild_Do_Table", "Replicate_Wild_Ignore_Table",
              "Replicate_Do_Domain_Ids", "Replicate_Ignore_Domain_Ids", "Replicate_Rewrite_DB"}) {
            if (const QString v = rows.text(i, name); !v.isEmpty())
                r.filters << QStringLiteral("%1: %2").arg(QLatin1String(name), v);
        }
        out.push_back(std::move(r));
    }
    return out;
}

} // namespace causeway::mysql
