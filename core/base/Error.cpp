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
    if (code != ErrorCode::Connect)
        return code == ErrorCode::ConnectionLost;
    // Refused for who we are or how we ask: asking again changes nothing, and may lock the account.
    static const QStringList refusals{
        QStringLiteral("mysql-access-denied"),    QStringLiteral("mysql-access-denied-plugin"),
        QStringLiteral("mysql-database-denied"),  QStringLiteral("mysql-unknown-database"),
        QStringLiteral("mysql-host-blocked"),     QStringLiteral("mysql-host-not-allowed"),
        QStringLiteral("mysql-password-expired"), QStringLiteral("mysql-account-locked"),
        QStringLiteral("mysql-tls-required"),     QStringLiteral("mysql-auth-needs-tls"),
        QStringLiteral("mysql-auth-plugin"),      QStringLiteral("mysql-auth-not-allowed")};
    return !refusals.contains(id);
}

} // namespace causeway
