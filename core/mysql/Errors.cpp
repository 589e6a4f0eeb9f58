#include "mysql/Session.h"

namespace causeway::mysql {

Error nameError(unsigned number, const QString &sqlState, const QString &serverWords,
                const Address &a, const QString &context)
{
    Error e;
    e.number = static_cast<int>(number);
    e.sqlState = sqlState;
    e.serverWords = serverWords;
    e.object = a.display();
    switch (number) {
    case 2006:
    case 2013:
    case 2055:
    case 1927:
    case 1053:
    case 1077:
        e.code = ErrorCode::ConnectionLost;
        e.id = QStringLiteral("mysql-connection-lost");
        e.message = cwText("core", "The connection to %1 was lost.", a.display());
        return e;
    default:
        break;
    }
    if (context == QLatin1String("connect")) {
        e.code = ErrorCode::Connect;
        e.message = cwText("core", "Cannot connect to %1.", a.display());
    } else {
        e.code = ErrorCode::Server;
        e.message = cwText("core", "%1 refused a statement.", a.display());
    }
    return e;
}

} // namespace causeway::mysql
