#pragma once

#include "base/Error.h"
#include "base/Secret.h"

#include <QMap>
#include <QString>

#include <chrono>
#include <optional>

namespace causeway {

enum class Engine { MySql, MariaDb, Postgres };
/// Identity of a server in a migration; never changes, whoever leads.
enum class Side { Source, Target };

QString toString(Engine);
QString toString(Side); ///< "source" | "target"
inline Side otherSide(Side s)
{
    return s == Side::Source ? Side::Target : Side::Source;
}

/// MySQL's --ssl-mode and PostgreSQL's sslmode in one list; each driver uses its own names.
enum class TlsMode { Disabled, Preferred, Required, VerifyCa, VerifyIdentity };

struct Tls {
    TlsMode mode = TlsMode::Preferred;
    QString ca;         ///< PEM file; empty = the system's CAs where a mode verifies
    QString cert;       ///< client certificate (mTLS)
    QString key;        ///< client key
    QString serverName; ///< name to verify instead of the host (through a tunnel); empty = host
    bool operator==(const Tls &) const = default;
};

/// How to reach one server from one place.
struct Address {
    Engine engine = Engine::MySql;
    QString host;
    quint16 port = 0; ///< 0 = the engine's default; after parsing never 0
    QString
        socket; ///< Unix socket instead of host and port (MySQL: ?socket=, PostgreSQL: host=/dir)
    QString user;
    QString database; ///< MySQL: default schema, may be empty; PostgreSQL: required
    Secret password;
    Tls tls;
    std::chrono::milliseconds connectTimeout{10'000};
    QMap<QString, QString> options; ///< further driver parameters of the URL, as given

    /// `mysql://user:pass@host:3306/db?ssl-mode=...`, `mariadb://`, `postgresql://` or
    /// `postgres://`, each with its driver's own parameter names (ssl-mode, ssl-ca, ssl-cert,
    /// ssl-key, tls-server-name, connect-timeout, socket; sslmode, sslrootcert, sslcert, sslkey,
    /// ...). Unknown parameters and bad values are errors that say what is allowed.
    static Result<Address> fromUrl(const QString &url);
    /// The URL without its password; fromUrl(toUrl()) gives the same address less the password.
    [[nodiscard]] QString toUrl() const;
    /// "host:port" or the socket, for people.
    [[nodiscard]] QString display() const;
    [[nodiscard]] bool isMySqlFamily() const { return engine != Engine::Postgres; }
};

/// Everything known about how one server is reached.
struct Endpoint {
    Address fromHere;
    std::optional<Address>
        fromPeer;                  ///< as the other server reaches it (native route, NAT, tunnels)
    std::optional<Address> writer; ///< when the source is a replica: the primary to be fenced
    /// The server that applications write to and that the switch closes.
    [[nodiscard]] const Address &primary() const { return writer ? *writer : fromHere; }
    /// The named writer is another server than the one that is read.
    [[nodiscard]] bool readsFromReplica() const
    {
        return writer && writer->display() != fromHere.display();
    }
};

} // namespace causeway
