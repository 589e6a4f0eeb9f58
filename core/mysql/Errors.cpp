#include "mysql/Errors.h"

#include <QRegularExpression>

#include <arpa/inet.h>

namespace causeway::mysql {

namespace {

/// errno in parentheses at the end of a client library's message: "(110)", "(111 \"...\")".
int systemError(const QString &words)
{
    static const QRegularExpression number(QStringLiteral("\\((?:errno: ?)?(\\d+)\\b"));
    const auto match = number.match(words);
    return match.hasMatch() ? match.captured(1).toInt() : 0;
}

bool isTimeOut(const QString &words)
{
    const int e = systemError(words);
    // 110 ETIMEDOUT; 4 and 115 (EINTR, EINPROGRESS) are what the libraries leave behind at theirs.
    return e == 110 || e == 115 || e == 4 ||
           words.contains(QLatin1String("timed out"), Qt::CaseInsensitive) ||
           words.contains(QLatin1String("timeout"), Qt::CaseInsensitive);
}

QString shellQuoted(const QString &word)
{
    static const QRegularExpression plain(QStringLiteral("^[A-Za-z0-9_./:@%+=-]+$"));
    if (plain.match(word).hasMatch())
        return word;
    QString q = word;
    return QLatin1Char('\'') + q.replace(QLatin1Char('\''), QLatin1String("'\\''")) +
           QLatin1Char('\'');
}

/// How the server names who tried: 'user'@'host' with the host that it saw; empty where not told.
QString accountInWords(const QString &words)
{
    static const QRegularExpression account(QStringLiteral("'[^']*'@'[^']*'"));
    return account.match(words).captured(0);
}

Text cannotReachFix(const Address &a, bool privateAddress)
{
    const Platform platform = platformOfHost(a.host);
    const bool amazon = platform == Platform::Rds || platform == Platform::Aurora;
    if (privateAddress) {
        return amazon
                   ? cwText("core",
                            "%1 has a private address, which only its own network (VPC) "
                            "reaches: connect through a VPN or an SSH tunnel, or set \"Publicly "
                            "accessible\" to yes. Its security group needs an inbound rule for "
                            "TCP port %2 from this workstation's address.",
                            a.host, a.port)
                   : cwText("core",
                            "%1 has a private address, which this workstation reaches only from "
                            "inside its network: connect through a VPN or an SSH tunnel, or give "
                            "the server a public address. Its firewall or security group needs "
                            "an inbound rule for TCP port %2 from this workstation's address.",
                            a.host, a.port);
    }
    if (amazon) {
        return cwText("core",
                      "Check that the security group has an inbound rule for TCP port %1 from this "
                      "workstation's public address, that \"Publicly accessible\" is yes (or that "
                      "you are in its network), and that %2 is the endpoint meant: "
                      "NAME.cluster-... is an Aurora cluster's writer, NAME.cluster-ro-... its "
                      "readers.",
                      a.port, a.host);
    }
    return cwText("core",
                  "Something drops packets on the way: check the inbound rule of the firewall or "
                  "security group for TCP port %1 from this workstation's address, that the server "
                  "is publicly accessible (or that you are in its network), and that the name is "
                  "the writer's or cluster endpoint, not a reader's.",
                  a.port);
}

/// Where a server behind a service's reader endpoint refuses to write.
Text readOnlyFix(const Address &a)
{
    if (a.host.contains(QLatin1String(".cluster-ro-"))) {
        return cwText("core",
                      "%1 is the endpoint of an Aurora cluster's readers: use the cluster "
                      "endpoint, NAME.cluster-..., which is its writer.",
                      a.host);
    }
    return cwText("core",
                  "It is a replica, or somebody set read_only: use the writer's address, or "
                  "an account that may write under read_only.");
}

Error named(Error e, ErrorCode code, const char *id, Text message, Text fix = {})
{
    e.code = code;
    e.id = QString::fromLatin1(id);
    e.message = std::move(message);
    e.fix = std::move(fix);
    return e;
}

/// Numbers that mean that the session is gone, whatever was being done.
bool isLoss(unsigned number)
{
    switch (number) {
    case 2006: // server has gone away
    case 2013: // lost connection during query
    case 2055: // lost connection, with the system's error
    case 1053: // server shutdown in progress
    case 1077: // normal shutdown
    case 1079: // shutdown complete
    case 1152: // aborted connection
    case 1158: // 1158 to 1161: the server's network errors and time-outs
    case 1159:
    case 1160:
    case 1161:
    case 1184: // aborted connection of a database user
    case 1927: // MariaDB: connection was killed
    case 4031: // MySQL: disconnected for inactivity
        return true;
    default:
        return false;
    }
}

std::optional<Error> nameSignIn(const Error &e, const Address &a)
{
    const QString account = accountInWords(e.serverWords);
    const QString who = account.isEmpty() ? a.user : account;
    const auto is = [&](const char *id, Text message, Text fix = {}) {
        return named(e, ErrorCode::Connect, id, std::move(message), std::move(fix));
    };
    switch (e.number) {
    case 1040:
        return is(
            "mysql-too-many-connections",
            cwText("core", "%1 has no free connection: max_connections is used up.", a.display()),
            cwText("core", "Wait, end idle connections, or raise max_connections."));
    case 1203:
    case 1226:
        return is("mysql-user-limit",
                  cwText("core",
                         "The account %1 has used up its own limit of connections or "
                         "statements on %2.",
                         a.user, a.display()),
                  cwText("core", "Raise it with ALTER USER ... WITH MAX_USER_CONNECTIONS."));
    case 1044:
        return is("mysql-database-denied",
                  cwText("core", "The account %1 signed in, but may not use the database `%2`.",
                         who, a.database),
                  cwText("core", "Grant it privileges on that database, or name another one."));
    case 1045: {
        const bool none = e.serverWords.contains(QLatin1String("using password: NO"));
        if (none && a.password.isEmpty()) {
            return is(
                "mysql-access-denied",
                cwText("core", "%1 wants a password for %2, and none was given.", a.display(), who),
                cwText("core", "Give the password. By hand: %1", clientCommand(a)));
        }
        return is("mysql-access-denied",
                  cwText("core",
                         "%1 refuses %2: the password is wrong, or there is no account of "
                         "this name for the host that the server sees.",
                         a.display(), who),
                  cwText("core",
                         "The server does not tell which. Check both with an administrator: SELECT "
                         "user, host FROM mysql.user. By hand: %1",
                         clientCommand(a)));
    }
    case 1698:
        return is("mysql-access-denied-plugin",
                  cwText("core",
                         "The account %1 on %2 signs in without a password, by its system "
                         "user on the server's own machine.",
                         who, a.display()),
                  cwText("core", "Use another account, or give this one a password: ALTER USER ... "
                                 "IDENTIFIED BY ..."));
    case 1049:
        return is("mysql-unknown-database",
                  cwText("core", "There is no database `%1` on %2.", a.database, a.display()));
    case 1129:
        return is(
            "mysql-host-blocked",
            cwText("core", "%1 has blocked this host after many broken connections.", a.display()),
            cwText("core", "An administrator runs FLUSH HOSTS, or TRUNCATE TABLE "
                           "performance_schema.host_cache."));
    case 1130:
        return is(
            "mysql-host-not-allowed",
            cwText("core", "%1 has no account at all for the host that we come from.", a.display()),
            cwText("core", "Create the account for this host or for '%', or connect through a "
                           "host that is allowed."));
    case 1820:
    case 1862:
        return is("mysql-password-expired",
                  cwText("core", "The password of %1 on %2 has expired.", who, a.display()),
                  cwText("core", "Set a new one: ALTER USER USER() IDENTIFIED BY ... By hand: %1",
                         clientCommand(a)));
    case 3118:
    case 4151:
        return is("mysql-account-locked",
                  cwText("core", "The account %1 on %2 is locked.", who, a.display()),
                  cwText("core", "An administrator runs ALTER USER ... ACCOUNT UNLOCK."));
    case 3159:
        return is("mysql-tls-required",
                  cwText("core", "%1 accepts encrypted connections only.", a.display()),
                  cwText("core", "Use ssl-mode=REQUIRED or better."));
    case 2061:
        return is("mysql-auth-needs-tls",
                  cwText("core",
                         "The password of %1 may only be sent over TLS, and this connection "
                         "is not encrypted.",
                         a.user),
                  cwText("core", "Use ssl-mode=REQUIRED or better."));
    case 2058:
    case 2059:
    case 1251:
    case 1524:
        return is("mysql-auth-plugin",
                  cwText("core",
                         "The account %1 signs in by a method that this client or server "
                         "does not have.",
                         a.user),
                  cwText("core", "Give the account another method: ALTER USER ... IDENTIFIED WITH "
                                 "caching_sha2_password (MariaDB: mysql_native_password)."));
    case 5010:
        return is("mysql-auth-not-allowed",
                  cwText("core",
                         "%1 asks for the password in clear text, which is only sent to a "
                         "server whose identity was verified.",
                         a.display()),
                  cwText("core", "Use ssl-mode=VERIFY_IDENTITY."));
    default:
        return std::nullopt;
    }
}

std::optional<Error> nameReaching(const Error &e, const Address &a)
{
    const auto is = [&](const char *id, Text message, Text fix = {}) {
        return named(e, ErrorCode::Connect, id, std::move(message), std::move(fix));
    };
    switch (e.number) {
    case 2005:
        return is("mysql-unknown-host", cwText("core", "There is no host named %1.", a.host),
                  cwText("core",
                         "Check the spelling, the name server, and whether the name is only "
                         "known inside a network or VPN."));
    case 2026:
        return is("mysql-tls-failed",
                  cwText("core", "No encrypted connection to %1 came about.", a.display()),
                  cwText("core", "Check ssl-mode, the CA file, and that the certificate is for the "
                                 "host name used (tls-server-name through a tunnel)."));
    case 2002:
    case 2003:
        if (!a.socket.isEmpty()) {
            return is("mysql-socket",
                      cwText("core",
                             "There is no server at the socket %1, or it may not be opened.",
                             a.socket),
                      cwText("core", "Check that the server runs and where its socket is."));
        }
        // libmariadb says 2002 for an unknown name as well.
        if (e.serverWords.contains(QLatin1String("Unknown server host"), Qt::CaseInsensitive)) {
            Error host = e;
            host.number = 2005;
            auto out = nameReaching(host, a);
            out->number = e.number;
            return out;
        }
        if (isTimeOut(e.serverWords)) {
            return is("mysql-connect-timeout", cwText("core", "%1 does not answer.", a.display()),
                      cannotReachFix(a, isPrivateAddress(a.host)));
        }
        if (systemError(e.serverWords) == 111) {
            return is(
                "mysql-connection-refused",
                cwText("core", "%1 refuses the connection: no server listens there.", a.display()),
                cwText("core", "Check the port, that the server runs, and that it listens on "
                               "this address (bind-address, skip-networking)."));
        }
        return is("mysql-cannot-connect", cwText("core", "%1 cannot be reached.", a.display()),
                  cannotReachFix(a, isPrivateAddress(a.host)));
    default:
        return std::nullopt;
    }
}

std::optional<Error> nameStatement(const Error &e, const Address &a)
{
    const auto is = [&](const char *id, Text message, Text fix = {}) {
        return named(e, ErrorCode::Server, id, std::move(message), std::move(fix));
    };
    switch (e.number) {
    case 1044:
    case 1045: // of a statement: on RDS FLUSH TABLES WITH READ LOCK is refused like this
    case 1095:
    case 1227:
    case 3546:
        return is("mysql-privilege-missing",
                  cwText("core", "The account %1 lacks a privilege on %2.", a.user, a.display()),
                  cwText("core", "Grant what the server names; `user-script` prints all that is "
                                 "needed."));
    case 1142:
    case 1143:
    case 1370:
        return is("mysql-table-denied",
                  cwText("core",
                         "The account %1 lacks a privilege on a table, column or routine of "
                         "%2.",
                         a.user, a.display()),
                  cwText("core", "Grant what the server names; `user-script` prints all that is "
                                 "needed."));
    case 1290:
    case 1836:
    case 3032:
        return is("mysql-read-only", cwText("core", "%1 takes no writes.", a.display()),
                  readOnlyFix(a));
    case 1205:
    case 3572: // NOWAIT
        return is(
            "mysql-lock-wait-timeout",
            cwText("core", "Somebody else's lock on %1 was not given up in time.", a.display()));
    case 1213:
        return is(
            "mysql-deadlock",
            cwText("core", "%1 ended a transaction of ours to resolve a deadlock.", a.display()));
    case 1419:
        return is("mysql-triggers-need-super",
                  cwText("core",
                         "%1 lets only SUPER create triggers and functions while its binary "
                         "log is on.",
                         a.display()),
                  cwText("core",
                         "Set log_bin_trust_function_creators=1 (in the parameter group on a "
                         "hosted server)."));
    case 1418:
        return is("mysql-function-not-deterministic",
                  cwText("core",
                         "%1 refuses a function that does not say DETERMINISTIC, NO SQL or "
                         "READS SQL DATA while its binary log is on.",
                         a.display()),
                  cwText("core", "Set log_bin_trust_function_creators=1."));
    case 3024:
    case 1969:
    case 1028:
        return is(
            "mysql-statement-timeout",
            cwText("core", "%1 ended a statement that took longer than it allows.", a.display()),
            cwText("core", "Raise max_execution_time (MariaDB: max_statement_time) for this "
                           "account or server."));
    case 1153:
    case 2020:
    case 1301:
        return is("mysql-max-allowed-packet",
                  cwText("core", "A row or statement is larger than %1 accepts.", a.display()),
                  cwText("core", "Raise max_allowed_packet, up to 1 GB, on both servers."));
    case 1021:
    case 1114:
    case 28:
    case 3886:
        return is("mysql-disk-full", cwText("core", "%1 has no space left.", a.display()),
                  cwText("core", "Give it more storage, then resume."));
    case 1030:
        if (e.serverWords.contains(QLatin1String("28"))) {
            Error full = e;
            full.number = 28;
            auto out = nameStatement(full, a);
            out->number = e.number;
            return out;
        }
        return std::nullopt;
    case 1062:
    case 1586:
        return is(
            "mysql-duplicate-key",
            cwText("core", "%1 refuses a row whose key another row already has.", a.display()));
    case 1317:
        return is("mysql-interrupted",
                  cwText("core", "A statement on %1 was ended by KILL.", a.display()));
    case 1792:
        return is("mysql-read-only",
                  cwText("core", "%1 takes no writes in this transaction.", a.display()));
    default:
        return std::nullopt;
    }
}

} // namespace

Platform platformOfHost(const QString &host)
{
    const QString h = host.toLower();
    const auto ends = [&h](const char *suffix) { return h.endsWith(QLatin1String(suffix)); };
    if (ends(".rds.amazonaws.com") || ends(".rds.amazonaws.com.cn"))
        return h.contains(QLatin1String(".cluster-")) ? Platform::Aurora : Platform::Rds;
    if (ends(".mysql.database.azure.com") || ends(".mariadb.database.azure.com"))
        return Platform::Azure;
    if (ends(".psdb.cloud"))
        return Platform::PlanetScale;
    if (ends(".db.ondigitalocean.com"))
        return Platform::DigitalOcean;
    return Platform::SelfManaged;
}

bool isPrivateAddress(const QString &literal)
{
    const QByteArray text = literal.toLatin1();
    in_addr v4{};
    if (::inet_pton(AF_INET, text.constData(), &v4) == 1) {
        const quint32 ip = ntohl(v4.s_addr);
        return (ip >> 24) == 10 || (ip >> 20) == 0xac1 || (ip >> 16) == 0xc0a8 ||
               (ip >> 22) == 0x191; // 10/8, 172.16/12, 192.168/16, 100.64/10
    }
    in6_addr v6{};
    return ::inet_pton(AF_INET6, text.constData(), &v6) == 1 && (v6.s6_addr[0] & 0xfe) == 0xfc;
}

QString clientCommand(const Address &a)
{
    QStringList words{a.engine == Engine::MariaDb ? QStringLiteral("mariadb")
                                                  : QStringLiteral("mysql")};
    if (!a.socket.isEmpty()) {
        words << QStringLiteral("--socket=") + shellQuoted(a.socket);
    } else {
        words << QStringLiteral("--protocol=TCP") << QStringLiteral("--host=") + shellQuoted(a.host)
              << QStringLiteral("--port=%1").arg(a.port);
    }
    if (!a.user.isEmpty())
        words << QStringLiteral("--user=") + shellQuoted(a.user);
    words << QStringLiteral("--password");
    const auto file = [&words](const char *option, const QString &path) {
        if (!path.isEmpty())
            words << QString::fromLatin1(option) + shellQuoted(path);
    };
    if (a.engine == Engine::MariaDb) {
        if (a.tls.mode == TlsMode::VerifyIdentity)
            words << QStringLiteral("--ssl-verify-server-cert");
        else if (a.tls.mode != TlsMode::Disabled && a.tls.mode != TlsMode::Preferred)
            words << QStringLiteral("--ssl");
    } else {
        static const QMap<TlsMode, QString> modes{
            {TlsMode::Disabled, QStringLiteral("DISABLED")},
            {TlsMode::Required, QStringLiteral("REQUIRED")},
            {TlsMode::VerifyCa, QStringLiteral("VERIFY_CA")},
            {TlsMode::VerifyIdentity, QStringLiteral("VERIFY_IDENTITY")}};
        if (modes.contains(a.tls.mode))
            words << QStringLiteral("--ssl-mode=") + modes.value(a.tls.mode);
    }
    if (a.tls.mode != TlsMode::Disabled) {
        file("--ssl-ca=", a.tls.ca);
        file("--ssl-cert=", a.tls.cert);
        file("--ssl-key=", a.tls.key);
    }
    if (!a.database.isEmpty())
        words << shellQuoted(a.database);
    return words.join(QLatin1Char(' '));
}

Error connectTimeout(const Address &a, const QStringList &resolved)
{
    Error e;
    e.object = a.display();
    e.number = 2003;
    const bool allPrivate =
        !resolved.isEmpty() && std::all_of(resolved.begin(), resolved.end(), isPrivateAddress);
    return named(e, ErrorCode::Connect, "mysql-connect-timeout",
                 cwText("core", "%1 does not answer within %2 seconds.", a.display(),
                        static_cast<double>(a.connectTimeout.count()) / 1000.0),
                 cannotReachFix(a, allPrivate || isPrivateAddress(a.host)));
}

Error nameError(unsigned number, const QString &sqlState, const QString &serverWords,
                const Address &a, const QString &context)
{
    // What a server says before TLS begins (no connection is free, this host is not allowed)
    // libmariadb wraps into "cannot connect", since nobody vouches for it. It is said all the same.
    static const QRegularExpression early(
        QStringLiteral("error packet before completion of TLS handshake\\..*: (\\d{4}) - "));
    if (number == 2002 || number == 2003 || number == 2026) {
        if (const auto told = early.match(serverWords); told.hasMatch()) {
            return nameError(told.captured(1).toUInt(), sqlState,
                             serverWords.mid(told.capturedEnd(0)), a, context);
        }
    }
    Error e;
    e.number = static_cast<int>(number);
    e.sqlState = sqlState;
    e.serverWords = serverWords;
    e.object = a.display();
    const bool connecting = context == QLatin1String("connect");
    if (connecting) {
        if (isLoss(number) || number == 2012) {
            return named(
                e, ErrorCode::Connect, "mysql-handshake-lost",
                cwText("core", "%1 closed the connection before we were signed in.", a.display()),
                cwText("core", "Check that it is a MySQL or MariaDB server, and that no "
                               "proxy in between cuts connections."));
        }
        if (auto known = nameSignIn(e, a))
            return *known;
        if (auto known = nameReaching(e, a))
            return *known;
        return named(e, ErrorCode::Connect, "mysql-connect-failed",
                     cwText("core", "Cannot connect to %1.", a.display()));
    }
    // 2026 after the handshake: libmariadb calls a TLS connection that breaks off a TLS error.
    if (isLoss(number) || number == 2026) {
        return named(e, ErrorCode::ConnectionLost, "mysql-connection-lost",
                     cwText("core", "The connection to %1 was lost.", a.display()));
    }
    if (number == 1317) { // not by us: what we interrupt ends with "cancelled"
        return named(
            e, ErrorCode::ConnectionLost, "mysql-query-killed",
            cwText("core", "Somebody ended a statement of ours on %1 (KILL).", a.display()));
    }
    if (auto known = nameStatement(e, a))
        return *known;
    // 1040, 1049, 1820 and the like can meet a statement, too.
    if (auto known = nameSignIn(e, a)) {
        known->code = ErrorCode::Server;
        return *known;
    }
    return named(e, ErrorCode::Server, "mysql-statement-failed",
                 cwText("core", "%1 refused a statement.", a.display()));
}

} // namespace causeway::mysql
