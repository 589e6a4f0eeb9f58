#include "mysql/Tls.h"

#include <QFile>
#include <QFileInfo>

#include <mysql.h>
#ifdef MARIADB_PACKAGE_VERSION
#define HAVE_TLS 1
typedef unsigned char uchar; // NOLINT: ma_pvio.h wants it
#include <ma_pvio.h>
#endif

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <memory>

namespace causeway::mysql {

namespace {

bool demandsTls(const Address &a)
{
    return a.tls.mode == TlsMode::Required || a.tls.mode == TlsMode::VerifyCa ||
           a.tls.mode == TlsMode::VerifyIdentity;
}

bool verifies(const Address &a)
{
    return a.tls.mode == TlsMode::VerifyCa || a.tls.mode == TlsMode::VerifyIdentity;
}

/// The library compares with the host that it connects to; another name is compared by proveTls().
bool libraryChecksName(const Address &a)
{
    return a.tls.mode == TlsMode::VerifyIdentity && a.tls.serverName.isEmpty();
}

tl::unexpected<Error> badFile(const char *id, const QString &path, Text message, Text fix = {})
{
    Error e;
    e.code = ErrorCode::Usage;
    e.id = QString::fromLatin1(id);
    e.object = path;
    e.message = std::move(message);
    e.fix = std::move(fix);
    return fail(e);
}

Status checkFiles(const Tls &tls)
{
    for (const QString &path : {tls.ca, tls.cert, tls.key}) {
        if (!path.isEmpty() && !QFileInfo(path).isReadable()) {
            return badFile("tls-file", path,
                           cwText("core", "The TLS file %1 is missing or cannot be read.", path));
        }
    }
    if (tls.cert.isEmpty() != tls.key.isEmpty()) {
        return badFile("tls-cert-and-key", tls.cert.isEmpty() ? tls.key : tls.cert,
                       cwText("core", "A client certificate and its key are given together or not "
                                      "at all (ssl-cert, ssl-key)."));
    }
    if (tls.key.isEmpty())
        return {};
    QFile key(tls.key);
    if (!key.open(QIODevice::ReadOnly))
        return badFile("tls-file", tls.key,
                       cwText("core", "The TLS file %1 is missing or cannot be read.", tls.key));
    if (isEncryptedKey(key.read(1 << 20))) {
        return badFile("tls-key-encrypted", tls.key,
                       cwText("core", "The client key %1 is protected by a phrase.", tls.key),
                       cwText("core",
                              "Give a key without one: openssl pkey -in %1 -out KEY.pem, "
                              "readable by you alone.",
                              tls.key));
    }
    return {};
}

void setFile(MYSQL *m, mysql_option option, const QString &path)
{
    if (!path.isEmpty())
        mysql_options(m, option, QFile::encodeName(path).constData());
}

struct X509Free {
    void operator()(X509 *x) const { X509_free(x); }
};
using Certificate = std::unique_ptr<X509, X509Free>;

#ifdef MARIADB_PACKAGE_VERSION
Certificate peerCertificate(MYSQL *m)
{
    // Built against another TLS library, the pointer would be something else.
    const char *library = nullptr;
    if (mariadb_get_infov(m, MARIADB_TLS_LIBRARY, &library) != 0 || !library ||
        !QByteArray(library).startsWith("OpenSSL"))
        return {};
    if (!m->net.pvio || !m->net.pvio->ctls || !m->net.pvio->ctls->ssl)
        return {};
    return Certificate(SSL_get1_peer_certificate(static_cast<SSL *>(m->net.pvio->ctls->ssl)));
}
#else
struct BioFree {
    void operator()(BIO *b) const { BIO_free(b); }
};
struct SessionFree {
    void operator()(SSL_SESSION *s) const { SSL_SESSION_free(s); }
};
Certificate peerCertificate(MYSQL *m)
{
    // The library hides its SSL object; the session that it exports holds the certificate.
    unsigned length = 0;
    void *data = mysql_get_ssl_session_data(m, 0, &length);
    if (!data)
        return {};
    const std::unique_ptr<BIO, BioFree> bio(BIO_new_mem_buf(data, static_cast<int>(length)));
    const std::unique_ptr<SSL_SESSION, SessionFree> session(
        PEM_read_bio_SSL_SESSION(bio.get(), nullptr, nullptr, nullptr));
    mysql_free_ssl_session_data(m, data);
    X509 *peer = session ? SSL_SESSION_get0_peer(session.get()) : nullptr;
    if (peer)
        X509_up_ref(peer);
    return Certificate(peer);
}
#endif

bool certificateIsFor(X509 *certificate, const QString &name)
{
    const QByteArray text = name.toUtf8();
    unsigned char address[16];
    const bool ip = ::inet_pton(AF_INET, text.constData(), address) == 1 ||
                    ::inet_pton(AF_INET6, text.constData(), address) == 1;
    return ip ? X509_check_ip_asc(certificate, text.constData(), 0) == 1
              : X509_check_host(certificate, text.constData(), static_cast<size_t>(text.size()), 0,
                                nullptr) == 1;
}

} // namespace

bool isEncryptedKey(const QByteArray &pem)
{
    return pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
           (pem.contains("Proc-Type:") && pem.contains("ENCRYPTED"));
}

QString systemCaFile()
{
    const QString own = qEnvironmentVariable("SSL_CERT_FILE");
    for (const QString &path :
         {own, QStringLiteral("/etc/ssl/certs/ca-certificates.crt"),
          QStringLiteral("/etc/pki/tls/certs/ca-bundle.crt"),
          QStringLiteral("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
          QStringLiteral("/etc/ssl/ca-bundle.pem"), QStringLiteral("/etc/ssl/cert.pem")}) {
        if (!path.isEmpty() && QFileInfo(path).isReadable())
            return path;
    }
    return {};
}

Status prepareTls(MYSQL *m, const Address &a)
{
    const bool off = a.tls.mode == TlsMode::Disabled;
    if (!off)
        CW_TRY(checkFiles(a.tls));
    QString ca = a.tls.ca;
    if (ca.isEmpty() && verifies(a) && !a.options.contains(QStringLiteral("ssl-capath"))) {
        ca = systemCaFile();
        if (ca.isEmpty()) {
            return badFile("tls-no-ca", {},
                           cwText("core",
                                  "The system has no list of certificate authorities to "
                                  "verify %1 with.",
                                  a.display()),
                           cwText("core", "Give the CA's file: ssl-ca=..."));
        }
    }
#ifdef MARIADB_PACKAGE_VERSION
    const my_bool enforce = !off;
    mysql_options(m, MYSQL_OPT_SSL_ENFORCE, &enforce);
    // Said either way: from 3.4 on the library verifies unless told not to.
    const my_bool checkName = libraryChecksName(a);
    mysql_options(m, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &checkName);
    if (demandsTls(a)) {
        // Without TLS the library would fetch the server's RSA key from whoever answers and send
        // the password under it. A file that is no key stops that; a missing one would not.
        mysql_options(m, MYSQL_SERVER_PUBLIC_KEY, "/dev/null");
        // Nor may a server ask for it in clear text before we know that it is encrypted and who it
        // is. Where the library itself checks the name it gives up without TLS before signing in.
        if (!libraryChecksName(a))
            mysql_options(m, MARIADB_OPT_RESTRICTED_AUTH,
                          "mysql_native_password,caching_sha2_password,sha256_password,"
                          "client_ed25519,parsec,auth_gssapi_client");
    }
    const auto tlsVersion = static_cast<mysql_option>(MARIADB_OPT_TLS_VERSION);
#else
    unsigned mode = SSL_MODE_PREFERRED;
    switch (a.tls.mode) {
    case TlsMode::Disabled:
        mode = SSL_MODE_DISABLED;
        break;
    case TlsMode::Preferred:
        break;
    case TlsMode::Required:
        mode = SSL_MODE_REQUIRED;
        break;
    case TlsMode::VerifyCa:
        mode = SSL_MODE_VERIFY_CA;
        break;
    case TlsMode::VerifyIdentity:
        mode = libraryChecksName(a) ? SSL_MODE_VERIFY_IDENTITY : SSL_MODE_VERIFY_CA;
        break;
    }
    mysql_options(m, MYSQL_OPT_SSL_MODE, &mode);
    // As libmariadb does by itself; where TLS is demanded, never.
    const bool fetchKey = !demandsTls(a);
    mysql_options(m, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &fetchKey);
    if (!off) {
        const QByteArray sni = (a.tls.serverName.isEmpty() ? a.host : a.tls.serverName).toUtf8();
        unsigned char address[16];
        // An address is no name: RFC 6066 forbids it there.
        if (!sni.isEmpty() && ::inet_pton(AF_INET, sni.constData(), address) != 1 &&
            ::inet_pton(AF_INET6, sni.constData(), address) != 1)
            mysql_options(m, MYSQL_OPT_TLS_SNI_SERVERNAME, sni.constData());
    }
    const auto tlsVersion = MYSQL_OPT_TLS_VERSION;
#endif
    if (off)
        return {};
    setFile(m, MYSQL_OPT_SSL_CA, ca);
    setFile(m, MYSQL_OPT_SSL_CERT, a.tls.cert);
    setFile(m, MYSQL_OPT_SSL_KEY, a.tls.key);
    setFile(m, MYSQL_OPT_SSL_CAPATH, a.options.value(QStringLiteral("ssl-capath")));
    setFile(m, MYSQL_OPT_SSL_CRL, a.options.value(QStringLiteral("ssl-crl")));
    const QByteArray cipher = a.options.value(QStringLiteral("ssl-cipher")).toLatin1();
    if (!cipher.isEmpty())
        mysql_options(m, MYSQL_OPT_SSL_CIPHER, cipher.constData());
    const QByteArray version = a.options.value(QStringLiteral("tls-version")).toLatin1();
    if (!version.isEmpty())
        mysql_options(m, tlsVersion, version.constData());
    return {};
}

Status proveTls(MYSQL *m, const Address &a)
{
    if (!demandsTls(a))
        return {};
    Error e;
    e.code = ErrorCode::Connect;
    e.object = a.display();
    e.number = 2026;
    if (!mysql_get_ssl_cipher(m)) {
        e.id = QStringLiteral("mysql-tls-not-offered");
        e.message = cwText("core",
                           "%1 does not offer encryption (or somebody in between takes it "
                           "out), and it was demanded.",
                           a.display());
        e.fix = cwText("core", "Set up TLS on the server, or use ssl-mode=PREFERRED in a network "
                               "that you trust.");
        return fail(e);
    }
    if (a.tls.mode != TlsMode::VerifyIdentity || libraryChecksName(a))
        return {};
    const Certificate peer = peerCertificate(m);
    if (peer && certificateIsFor(peer.get(), a.tls.serverName))
        return {};
    e.id = QStringLiteral("mysql-tls-wrong-name");
    e.message = peer ? cwText("core", "The certificate of %1 is not for the name %2.", a.display(),
                              a.tls.serverName)
                     : cwText("core",
                              "The certificate of %1 could not be compared with the name "
                              "%2: this client library does not show it.",
                              a.display(), a.tls.serverName);
    return fail(e);
}

} // namespace causeway::mysql
