#include "mysql/OwnSessions.h"

#include "base/Log.h"
#include "mysql/Parts.h"
#include "mysql/Session.h"

namespace causeway::mysql {

namespace {
constexpr qsizetype kAskedAtOnce = 200;
} // namespace

/// MariaDB's performance_schema, which has the attributes, is off by default. A user lock is seen
/// by everybody and goes with its session. Inside a block that swallows errors: a cluster or a
/// proxy may refuse user locks.
std::string sessionMarkSql(bool mariaDb)
{
    if (!mariaDb)
        return {};
    return "BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; "
           "DO GET_LOCK(CONCAT('causeway.session.',CONNECTION_ID()),0); END";
}

Result<QSet<quint64>> causewaySessions(Session &s, const QList<quint64> &asked,
                                       std::stop_token stop)
{
    QSet<quint64> out{s.connectionId()};
    for (const quint64 id : asked) {
        if (Session::isOwn(s.address(), id))
            out.insert(id);
    }
    const auto add = [&](const ResultSet &ids) {
        for (const Row &row : ids.rows) {
            for (const Value &id : row) {
                if (id)
                    out.insert(QByteArray::fromStdString(*id).toULongLong());
            }
        }
    };
    if (const auto holders = readHolderSessions(s, stop)) {
        for (const quint64 id : *holders)
            out.insert(id);
    } else {
        logDebug(holders.error().describe());
    }
    if (!s.isMariaDb()) {
        // The second shows one's own account only, to everybody.
        for (const char *table : {"session_connect_attrs", "session_account_connect_attrs"}) {
            const auto ids =
                s.query(QStringLiteral("SELECT processlist_id FROM performance_schema.%1 WHERE "
                                       "attr_name='program_name' AND attr_value='causeway'")
                            .arg(QLatin1String(table)),
                        stop);
            if (ids) {
                add(*ids);
                break;
            }
            if (ids.error().code != ErrorCode::Server)
                return fail(ids.error());
        }
        return out;
    }
    for (qsizetype from = 0; from < asked.size(); from += kAskedAtOnce) {
        QStringList locks;
        for (const quint64 id : asked.mid(from, kAskedAtOnce))
            locks << QStringLiteral("IS_USED_LOCK('causeway.session.%1')").arg(id);
        const auto ids = s.query(QStringLiteral("SELECT ") + locks.join(QLatin1Char(',')), stop);
        if (!ids && ids.error().code != ErrorCode::Server)
            return fail(ids.error());
        if (ids)
            add(*ids);
    }
    return out;
}

} // namespace causeway::mysql
