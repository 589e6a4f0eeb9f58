#include "endpoint/Address.h"

#include <QRegularExpression>
#include <QUrl>

#include <array>

namespace causeway {

namespace {

constexpr quint16 kMySqlPort = 3306;
constexpr quint16 kPostgresPort = 5432;
constexpr std::chrono::milliseconds kDefaultTimeout{10'000};

struct ModeName {
    TlsMode mode;
    const char *mysql;
    const char *postgres;
};
constexpr std::array<ModeName, 5> kModes{{
    {TlsMode::Disabled, "DISABLED", "disable"},
    {TlsMode::Preferred, "PREFERRED", "prefer"},
    {TlsMode::Required, "REQUIRED", "require"},
    {TlsMode::VerifyCa, "VERIFY_CA", "verify-ca"},
    {TlsMode::VerifyIdentity, "VERIFY_IDENTITY", "verify-full"},
}};

/// Parameters that go to the driver as they are.
const QStringList &driverOptions(bool postgres)
{
    static const QStringList mysql{QStringLiteral("ssl-capath"), QStringLiteral("ssl-crl"),
                                   QStringLiteral("ssl-cipher"), QStringLiteral("tls-version")};
    static const QStringList pg{QStringLiteral("application_name"),
                                QStringLiteral("channel_binding"),
                                QStringLiteral("client_encoding"),
                                QStringLiteral("gssencmode"),
                                QStringLiteral("hostaddr"),
                                QStringLiteral("keepalives"),
                                QStringLiteral("keepalives_count"),
                                QStringLiteral("keepalives_idle"),
                                QStringLiteral("keepalives_interval"),
                                QStringLiteral("krbsrvname"),
                                QStringLiteral("options"),
                                QStringLiteral("passfile"),
                                QStringLiteral("require_auth"),
                                QStringLiteral("requirepeer"),
                                QStringLiteral("ssl_max_protocol_version"),
                                QStringLiteral("ssl_min_protocol_version"),
                                QStringLiteral("sslcompression"),
                                QStringLiteral("sslcrl"),
                                QStringLiteral("sslcrldir"),
                                QStringLiteral("sslnegotiation"),
                                QStringLiteral("sslsni"),
                                QStringLiteral("target_session_attrs"),
                                QStringLiteral("tcp_user_timeout")};
    return postgres ? pg : mysql;
}

QString allowedParameters(bool postgres)
{
    QStringList names =
        postgres ? QStringList{QStringLiteral("sslmode"),
                               QStringLiteral("sslrootcert"),
                               QStringLiteral("sslcert"),
                               QStringLiteral("sslkey"),
                               QStringLiteral("tls-server-name"),
                               QStringLiteral("connect_timeout"),
                               QStringLiteral("host"),
                               QStringLiteral("port"),
                               QStringLiteral("user"),
                               QStringLiteral("dbname")}
                 : QStringList{QStringLiteral("ssl-mode"),        QStringLiteral("ssl-ca"),
                               QStringLiteral("ssl-cert"),        QStringLiteral("ssl-key"),
                               QStringLiteral("tls-server-name"), QStringLiteral("connect-timeout"),
                               QStringLiteral("socket")};
    names += driverOptions(postgres);
    return names.join(QStringLiteral(", "));
}

tl::unexpected<Error> badUrl(Text message)
{
    return fail(ErrorCode::Usage, std::move(message), QStringLiteral("bad-url"));
}

Result<QString> decode(QStringView text)
{
    static const QRegularExpression bad(QStringLiteral("%(?![0-9A-Fa-f]{2})"));
    // The text itself may be a password and stays out of the message.
    if (text.toString().contains(bad)) {
        return badUrl(cwText("core", "The URL has a % that is not followed by two hexadecimal "
                                     "digits: write a percent sign as %25."));
    }
    const QByteArray bytes = QByteArray::fromPercentEncoding(text.toUtf8());
    if (bytes.contains('\0'))
        return badUrl(cwText("core", "The URL holds a zero byte."));
    return QString::fromUtf8(bytes);
}

QString encode(const QString &text, const char *keep = "")
{
    return QString::fromLatin1(QUrl::toPercentEncoding(text, keep));
}

Result<quint16> parsePort(const QString &text)
{
    bool ok = false;
    const uint port = text.toUInt(&ok);
    // Not quoted: in "mysql://name:secret", which lacks its host, it is the password.
    if (!ok || port == 0 || port > 65535)
        return badUrl(cwText("core", "The port must be a number from 1 to 65535."));
    return static_cast<quint16>(port);
}

Result<TlsMode> parseMode(const QString &text, bool postgres)
{
    QString wanted = text;
    if (!postgres)
        wanted.replace(QLatin1Char('-'), QLatin1Char('_'));
    QStringList names;
    for (const ModeName &m : kModes) {
        const QString name = QString::fromLatin1(postgres ? m.postgres : m.mysql);
        if (wanted.compare(name, Qt::CaseInsensitive) == 0)
            return m.mode;
        names << name;
    }
    // libpq's "allow" tries without TLS first; what may end up unencrypted is one mode here.
    if (postgres && wanted.compare(QLatin1String("allow"), Qt::CaseInsensitive) == 0)
        return TlsMode::Preferred;
    return badUrl(cwText("core", "\"%1\" is no %2. Allowed: %3.", text,
                         postgres ? "sslmode" : "ssl-mode", names.join(QStringLiteral(", "))));
}

Result<std::chrono::milliseconds> parseTimeout(const QString &name, const QString &text)
{
    bool ok = false;
    const int seconds = text.toInt(&ok);
    if (!ok || seconds < 1 || seconds > 3600) {
        return badUrl(cwText("core", "%1 must be a number of seconds from 1 to 3600, not \"%2\".",
                             name, text));
    }
    return std::chrono::milliseconds(seconds * 1000LL);
}

Status applyParameter(Address &a, const QString &name, const QString &value)
{
    const bool pg = a.engine == Engine::Postgres;
    const auto is = [&](const char *mysql, const char *postgres) {
        return name == QLatin1String(pg ? postgres : mysql);
    };
    if (is("ssl-mode", "sslmode")) {
        CW_TRY_ASSIGN(a.tls.mode, parseMode(value, pg));
    } else if (is("ssl-ca", "sslrootcert")) {
        a.tls.ca = value;
    } else if (is("ssl-cert", "sslcert")) {
        a.tls.cert = value;
    } else if (is("ssl-key", "sslkey")) {
        a.tls.key = value;
    } else if (name == QLatin1String("tls-server-name")) {
        a.tls.serverName = value;
    } else if (is("connect-timeout", "connect_timeout")) {
        CW_TRY_ASSIGN(a.connectTimeout, parseTimeout(name, value));
    } else if (!pg && name == QLatin1String("socket")) {
        a.socket = value;
    } else if (pg && name == QLatin1String("host")) {
        (value.startsWith(QLatin1Char('/')) ? a.socket : a.host) = value;
    } else if (pg && name == QLatin1String("port")) {
        CW_TRY_ASSIGN(a.port, parsePort(value));
    } else if (pg && name == QLatin1String("user")) {
        a.user = value;
    } else if (pg && name == QLatin1String("dbname")) {
        a.database = value;
    } else if (name == QLatin1String("password")) {
        a.password = Secret(value);
    } else if (driverOptions(pg).contains(name)) {
        a.options.insert(name, value);
    } else {
        return badUrl(cwText("core",
                             "The URL has the parameter \"%1\", which is unknown. Allowed: "
                             "%2.",
                             name, allowedParameters(pg)));
    }
    return {};
}

Status parseHost(Address &a, QStringView text)
{
    QStringView host = text;
    QStringView port;
    bool hasPort = false;
    if (text.startsWith(QLatin1Char('['))) {
        const qsizetype end = text.indexOf(QLatin1Char(']'));
        if (end < 0)
            return badUrl(cwText("core", "The IPv6 address in the URL lacks its closing bracket."));
        host = text.mid(1, end - 1);
        const QStringView rest = text.mid(end + 1);
        hasPort = rest.startsWith(QLatin1Char(':'));
        if (!rest.isEmpty() && !hasPort)
            return badUrl(cwText("core",
                                 "After an IPv6 address in brackets only a port may follow, "
                                 "as in [::1]:3306."));
        port = rest.mid(1);
    } else {
        if (text.count(QLatin1Char(':')) > 1)
            return badUrl(
                cwText("core", "Write an IPv6 address in brackets, as in mysql://me@[::1]:3306/."));
        if (text.contains(QLatin1Char(',')))
            return badUrl(cwText("core", "Name one host: a list of hosts is not supported."));
        const qsizetype colon = text.indexOf(QLatin1Char(':'));
        hasPort = colon >= 0;
        host = hasPort ? text.left(colon) : text;
        port = hasPort ? text.mid(colon + 1) : QStringView();
    }
    CW_TRY_ASSIGN(a.host, decode(host));
    // "host:" means the default port, as in any URL.
    if (hasPort && !port.isEmpty()) {
        CW_TRY_ASSIGN(a.port, parsePort(port.toString()));
    }
    if (a.engine == Engine::Postgres && a.host.startsWith(QLatin1Char('/'))) {
        a.socket = a.host; // libpq's way to name a socket's folder
        a.host.clear();
    }
    return {};
}

Status parseAuthority(Address &a, QStringView authority)
{
    // The last @: an @ in a password is often left as it is.
    const qsizetype at = authority.lastIndexOf(QLatin1Char('@'));
    if (at >= 0) {
        const QStringView info = authority.left(at);
        const qsizetype colon = info.indexOf(QLatin1Char(':'));
        CW_TRY_ASSIGN(a.user, decode(colon < 0 ? info : info.left(colon)));
        if (colon >= 0) {
            CW_TRY_ASSIGN(const QString plain, decode(info.mid(colon + 1)));
            a.password = Secret(plain);
        }
    }
    return parseHost(a, authority.mid(at + 1));
}

Status parseQuery(Address &a, QStringView query)
{
    for (const QStringView pair : query.split(QLatin1Char('&'), Qt::SkipEmptyParts)) {
        const qsizetype eq = pair.indexOf(QLatin1Char('='));
        CW_TRY_ASSIGN(const QString name, decode(eq < 0 ? pair : pair.left(eq)));
        CW_TRY_ASSIGN(const QString value, decode(eq < 0 ? QStringView() : pair.mid(eq + 1)));
        CW_TRY(applyParameter(a, name, value));
    }
    return {};
}

Result<Engine> parseScheme(const QString &scheme)
{
    const QString s = scheme.toLower();
    if (s == QLatin1String("mysql"))
        return Engine::MySql;
    if (s == QLatin1String("mariadb"))
        return Engine::MariaDb;
    if (s == QLatin1String("postgresql") || s == QLatin1String("postgres"))
        return Engine::Postgres;
    return badUrl(cwText("core",
                         "A URL begins with mysql://, mariadb:// or postgresql://, not with "
                         "\"%1\".",
                         scheme + QLatin1String("://")));
}

} // namespace

QString toString(Engine engine)
{
    switch (engine) {
    case Engine::MySql:
        return QStringLiteral("mysql");
    case Engine::MariaDb:
        return QStringLiteral("mariadb");
    case Engine::Postgres:
        return QStringLiteral("postgresql");
    }
    return {};
}

QString toString(Side side)
{
    return side == Side::Source ? QStringLiteral("source") : QStringLiteral("target");
}

Result<Address> Address::fromUrl(const QString &url)
{
    const QString text = url.trimmed();
    static const QRegularExpression shape(QStringLiteral("^([A-Za-z][A-Za-z0-9+.-]*)://"));
    const auto match = shape.match(text);
    if (!match.hasMatch()) {
        return badUrl(cwText("core", "That is no URL: write mysql://user@host:3306/database, "
                                     "mariadb://... or postgresql://user@host:5432/database."));
    }
    Address a;
    CW_TRY_ASSIGN(a.engine, parseScheme(match.captured(1)));

    const QStringView rest = QStringView(text).mid(match.capturedLength());
    qsizetype end = 0;
    while (end < rest.size() && rest[end] != QLatin1Char('/') && rest[end] != QLatin1Char('?'))
        ++end;
    const QStringView authority = rest.left(end);
    const QStringView tail = rest.mid(end);
    const qsizetype question = tail.indexOf(QLatin1Char('?'));
    const QStringView path = question < 0 ? tail : tail.left(question);
    // A / or ? in a password ends the host too early: what follows is a part of the secret, which
    // must neither be shown nor be taken for a host to connect to.
    if (path.contains(QLatin1Char('@')) ||
        (!authority.contains(QLatin1Char('@')) && tail.contains(QLatin1Char('@')))) {
        return badUrl(cwText("core", "The URL has an @ after a / or ?. In a user name, password or "
                                     "database name write / as %2F, ? as %3F and @ as %40."));
    }
    CW_TRY(parseAuthority(a, authority));
    CW_TRY_ASSIGN(a.database, decode(path.mid(1)));
    if (question >= 0)
        CW_TRY(parseQuery(a, tail.mid(question + 1)));

    const bool pg = a.engine == Engine::Postgres;
    if (a.host.isEmpty() && a.socket.isEmpty()) {
        return badUrl(pg ? cwText("core", "The URL names neither a host nor a socket "
                                          "(?host=/folder).")
                         : cwText("core", "The URL names neither a host nor a socket "
                                          "(?socket=/path)."));
    }
    if (pg && a.database.isEmpty())
        return badUrl(cwText("core", "The URL names no database, which PostgreSQL needs: "
                                     "postgresql://user@host:5432/database."));
    if (a.port == 0)
        a.port = pg ? kPostgresPort : kMySqlPort;
    return a;
}

QString Address::toUrl() const
{
    const bool pg = engine == Engine::Postgres;
    QString url = toString(engine) + QLatin1String("://");
    if (!user.isEmpty())
        url += encode(user) + QLatin1Char('@');
    if (host.contains(QLatin1Char(':')))
        url += QLatin1Char('[') + encode(host, ":") + QLatin1Char(']');
    else
        url += encode(host);
    // Without a host a port is a parameter (PostgreSQL names its socket by it) or means nothing.
    if (port != 0 && !host.isEmpty())
        url += QLatin1Char(':') + QString::number(port);
    url += QLatin1Char('/') + encode(database);

    QStringList query;
    const auto add = [&](const char *name, const QString &value) {
        query << QString::fromLatin1(name) + QLatin1Char('=') + encode(value, "/:");
    };
    const auto addUnlessEmpty = [&](const char *name, const QString &value) {
        if (!value.isEmpty())
            add(name, value);
    };
    addUnlessEmpty(pg ? "host" : "socket", socket);
    if (pg && host.isEmpty() && port != 0 && port != kPostgresPort)
        add("port", QString::number(port));
    for (const ModeName &m : kModes) {
        if (m.mode == tls.mode && m.mode != TlsMode::Preferred)
            add(pg ? "sslmode" : "ssl-mode", QString::fromLatin1(pg ? m.postgres : m.mysql));
    }
    addUnlessEmpty(pg ? "sslrootcert" : "ssl-ca", tls.ca);
    addUnlessEmpty(pg ? "sslcert" : "ssl-cert", tls.cert);
    addUnlessEmpty(pg ? "sslkey" : "ssl-key", tls.key);
    addUnlessEmpty("tls-server-name", tls.serverName);
    if (connectTimeout != kDefaultTimeout) {
        const auto seconds = std::max<long long>(1, (connectTimeout.count() + 999) / 1000);
        add(pg ? "connect_timeout" : "connect-timeout", QString::number(seconds));
    }
    for (auto it = options.cbegin(); it != options.cend(); ++it)
        query << encode(it.key()) + QLatin1Char('=') + encode(it.value(), "/:");
    return query.isEmpty() ? url : url + QLatin1Char('?') + query.join(QLatin1Char('&'));
}

QString Address::display() const
{
    if (!socket.isEmpty())
        return socket;
    const QString name =
        host.contains(QLatin1Char(':')) ? QLatin1Char('[') + host + QLatin1Char(']') : host;
    return port == 0 ? name : name + QLatin1Char(':') + QString::number(port);
}

} // namespace causeway
