#include "base/Error.h"

namespace causeway {

QString Error::describe() const
{
    QString out = message.english();
    if (!serverWords.isEmpty())
        out += QStringLiteral(" (%1)").arg(serverWords);
    if (number != 0 || !sqlState.isEmpty()) {
        QStringList parts;
        if (number != 0)
            parts << QStringLiteral("error %1").arg(number);
        if (!sqlState.isEmpty())
            parts << QStringLiteral("SQLSTATE %1").arg(sqlState);
        out += QStringLiteral(" [%1]").arg(parts.join(QStringLiteral(", ")));
    }
    if (!fix.isEmpty())
        out += QStringLiteral("\n  ") + fix.english();
    return out;
}

int Error::exitStatus() const
{
    switch (code) {
    case ErrorCode::Usage:
        return 2;
    case ErrorCode::NotReady:
    case ErrorCode::NeedsDecision:
    case ErrorCode::Differences:
        return 1;
    case ErrorCode::Connect:
    case ErrorCode::Server:
    case ErrorCode::ConnectionLost:
    case ErrorCode::Cancelled:
    case ErrorCode::LeaseLost:
    case ErrorCode::Io:
        return 3;
    case ErrorCode::Internal:
        return 4;
    }
    return 4;
}

bool Error::isTransient() const
{
    return code == ErrorCode::ConnectionLost || code == ErrorCode::Connect;
}

} // namespace causeway
