#include "postgres/ConnectionParameters.h"

#include <QFile>
#include <QStringList>

#include <algorithm>

namespace causeway::postgres {

const char *sslMode(TlsMode mode)
{
    switch (mode) {
    case TlsMode::Disabled:
        return "disable";
    case TlsMode::Preferred:
        return "prefer";
    case TlsMode::Required:
        return "require";
    case TlsMode::VerifyCa:
        return "verify-ca";
    case TlsMode::VerifyIdentity:
        return "verify-full";
    }
    return "prefer";
}

namespace {
/// libpq before 16 looks for root certificates in ~/.postgresql only, never in the system's.
QString systemCa()
{
    for (const char *path : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/cert.pem",
                             "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
        if (QFile::exists(QString::fromLatin1(path)))
            return QString::fromLatin1(path);
    }
    return {};
}

} // namespace

ConnectionParameters connectionParameters(const Address &address, const QStringList &addresses)
{
    ConnectionParameters parameters;
    const auto put = [&parameters](const char *name, const QByteArray &value) {
        if (!value.isEmpty())
            parameters.append({QByteArray(name), value});
    };
    if (!address.socket.isEmpty()) {
        put("host", address.socket.toUtf8());
    } else {
        const QString name =
            address.tls.serverName.isEmpty() ? address.host : address.tls.serverName;
        const qsizetype count = std::max<qsizetype>(1, addresses.size());
        put("host", QStringList(count, name).join(QLatin1Char(',')).toUtf8());
        put("hostaddr", addresses.join(QLatin1Char(',')).toUtf8());
    }
    put("port", QByteArray::number(address.port == 0 ? 5432 : address.port));
    put("user", address.user.toUtf8());
    put("dbname", address.database.toUtf8());
    put("sslmode", sslMode(address.tls.mode));
    const bool verifies =
        address.tls.mode == TlsMode::VerifyCa || address.tls.mode == TlsMode::VerifyIdentity;
    put("sslrootcert",
        (address.tls.ca.isEmpty() && verifies ? systemCa() : address.tls.ca).toUtf8());
    put("sslcert", address.tls.cert.toUtf8());
    put("sslkey", address.tls.key.toUtf8());
    put("client_encoding", "UTF8");
    put("application_name", "causeway");
    for (auto it = address.options.cbegin(); it != address.options.cend(); ++it) {
        const QByteArray key = it.key().toUtf8();
        if (std::none_of(parameters.cbegin(), parameters.cend(),
                         [&key](const auto &p) { return p.first == key; }))
            put(key.constData(), it.value().toUtf8());
    }
    return parameters;
}

QString connectionString(const ConnectionParameters &parameters)
{
    QStringList parts;
    for (const auto &[key, value] : parameters) {
        QString v = QString::fromUtf8(value);
        v.replace(QLatin1Char('\\'), QLatin1String("\\\\"));
        v.replace(QLatin1Char('\''), QLatin1String("\\'"));
        parts << QString::fromUtf8(key) + QLatin1String("='") + v + QLatin1Char('\'');
    }
    return parts.join(QLatin1Char(' '));
}

} // namespace causeway::postgres
