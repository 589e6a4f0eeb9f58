#include "mysql/Parts.h"
#include "mysql/Tls.h"
#include "servers/Certificates.h"
#include "servers/TestServer.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace causeway;
using namespace causeway::mysql;
using test::Certificates;
using test::Product;
using test::TestServer;

namespace {
template <class T> T must(Result<T> r)
{
    if (!r)
        qFatal("%s", qPrintable(r.error().describe()));
    return std::move(*r);
}
} // namespace

/// What each TLS mode promises, against servers with TLS and without.
class ConnectTlsTest : public QObject {
    Q_OBJECT
private:
    std::unique_ptr<Certificates> m_certs;
    std::unique_ptr<TestServer> m_tls[2], m_plain[2];
    TestServer &withTls()
    {
        QFETCH_GLOBAL(int, product);
        return *m_tls[product];
    }
    TestServer &withoutTls()
    {
        QFETCH_GLOBAL(int, product);
        return *m_plain[product];
    }
    Address address(TestServer &server, TlsMode mode, const char *ca = "ca.pem",
                    const char *name = "")
    {
        Address a = server.address();
        a.tls.mode = mode;
        a.tls.serverName = QString::fromLatin1(name);
        if (*ca)
            a.tls.ca = m_certs->path(ca);
        return a;
    }

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<int>("product");
        QTest::newRow("MariaDB") << 0;
        QTest::newRow("MySQL") << 1;
    }
    void initTestCase()
    {
        m_certs = std::make_unique<Certificates>();
        for (int i = 0; i < 2; ++i) {
            test::ServerOptions o;
            o.product = i == 0 ? Product::MariaDb : Product::MySql;
            o.settings = m_certs->serverSettings();
            m_tls[i] = std::make_unique<TestServer>(o);
            o.settings = i == 0 ? QStringList{QStringLiteral("--skip-ssl")}
                                : QStringList{QStringLiteral("--tls-version=")};
            m_plain[i] = std::make_unique<TestServer>(o);
        }
    }

    void encryptsAsTheModeSays_data();
    void encryptsAsTheModeSays();
    void neverSignsInReadablyWhereTlsIsDemanded_data();
    void neverSignsInReadablyWhereTlsIsDemanded();
    void refusesAnotherCa();
    void comparesTheName_data();
    void comparesTheName();
    void signsInWithAClientCertificate();
    void refusesAnEncryptedKeyBeforehand();
    void refusesFilesThatAreMissing();
};

void ConnectTlsTest::encryptsAsTheModeSays_data()
{
    QTest::addColumn<int>("mode");
    QTest::addColumn<bool>("encrypted");
    QTest::newRow("DISABLED") << int(TlsMode::Disabled) << false;
    QTest::newRow("PREFERRED") << int(TlsMode::Preferred) << true;
    QTest::newRow("REQUIRED") << int(TlsMode::Required) << true;
    QTest::newRow("VERIFY_CA") << int(TlsMode::VerifyCa) << true;
    QTest::newRow("VERIFY_IDENTITY") << int(TlsMode::VerifyIdentity) << true;
}

void ConnectTlsTest::encryptsAsTheModeSays()
{
    QFETCH(int, mode);
    QFETCH(bool, encrypted);
    const auto s = must(Session::open(address(withTls(), TlsMode(mode)), Use::Control, {}));
    const ServerFacts f = must(readFacts(*s, {}));
    QCOMPARE(!f.tlsCipher.isEmpty(), encrypted);
    QCOMPARE(f.tlsVersion.startsWith(QStringLiteral("TLS")), encrypted);
    // PREFERRED takes what there is.
    if (TlsMode(mode) == TlsMode::Preferred || TlsMode(mode) == TlsMode::Disabled) {
        const auto plain =
            must(Session::open(address(withoutTls(), TlsMode(mode), ""), Use::Control, {}));
        QVERIFY(must(readFacts(*plain, {})).tlsCipher.isEmpty());
    }
}

void ConnectTlsTest::neverSignsInReadablyWhereTlsIsDemanded_data()
{
    QTest::addColumn<int>("mode");
    QTest::addColumn<bool>("ca");
    QTest::addColumn<QString>("name");
    QTest::addColumn<bool>("clientCertificate");
    QTest::newRow("REQUIRED") << int(TlsMode::Required) << false << QString() << false;
    QTest::newRow("REQUIRED, CA") << int(TlsMode::Required) << true << QString() << false;
    QTest::newRow("REQUIRED, mTLS") << int(TlsMode::Required) << true << QString() << true;
    QTest::newRow("VERIFY_CA") << int(TlsMode::VerifyCa) << true << QString() << false;
    QTest::newRow("VERIFY_IDENTITY") << int(TlsMode::VerifyIdentity) << true << QString() << false;
    QTest::newRow("VERIFY_IDENTITY, tunnel")
        << int(TlsMode::VerifyIdentity) << true << QStringLiteral("db.test") << false;
}

void ConnectTlsTest::neverSignsInReadablyWhereTlsIsDemanded()
{
    QFETCH(int, mode);
    QFETCH(bool, ca);
    QFETCH(QString, name);
    QFETCH(bool, clientCertificate);
    Address a = address(withoutTls(), TlsMode(mode), ca ? "ca.pem" : "");
    a.tls.serverName = name;
    if (clientCertificate) {
        a.tls.cert = m_certs->path("client.pem");
        a.tls.key = m_certs->path("client-key.pem");
    }
    // A full exchange of the password, with nothing cached: it would go under a key that anybody
    // in between could have sent.
    if (withoutTls().product() == Product::MySql)
        withoutTls().exec(QStringLiteral("FLUSH PRIVILEGES"));
    const auto s = Session::open(a, Use::Control, {});
    QVERIFY(!s);
    QCOMPARE(s.error().code, ErrorCode::Connect);
}

void ConnectTlsTest::refusesAnotherCa()
{
    for (const TlsMode mode : {TlsMode::VerifyCa, TlsMode::VerifyIdentity}) {
        const auto s = Session::open(address(withTls(), mode, "other-ca.pem"), Use::Control, {});
        QVERIFY(!s);
        QVERIFY2(s.error().id == QLatin1String("mysql-tls-failed"),
                 qPrintable(s.error().describe()));
        // Without a file the system's authorities count, which do not know ours.
        QVERIFY(!Session::open(address(withTls(), mode, ""), Use::Control, {}));
    }
}

void ConnectTlsTest::comparesTheName_data()
{
    QTest::addColumn<QString>("host");
    QTest::addColumn<QString>("name");
    QTest::addColumn<bool>("passes");
    const QString ip = QStringLiteral("127.0.0.1");
    QTest::newRow("address in it") << ip << QString() << true;
    QTest::newRow("tunnel, right name") << ip << QStringLiteral("db.test") << true;
    QTest::newRow("tunnel, right address") << ip << ip << true;
    QTest::newRow("tunnel, wrong name") << ip << QStringLiteral("evil.test") << false;
    QTest::newRow("localhost is not in it") << QStringLiteral("localhost") << QString() << false;
    QTest::newRow("localhost as a tunnel")
        << QStringLiteral("localhost") << QStringLiteral("db.test") << true;
}

void ConnectTlsTest::comparesTheName()
{
    QFETCH(QString, host);
    QFETCH(QString, name);
    QFETCH(bool, passes);
    Address a = address(withTls(), TlsMode::VerifyIdentity);
    a.host = host;
    a.tls.serverName = name;
    const auto s = Session::open(a, Use::Control, {});
    QVERIFY2(s.has_value() == passes, s ? "let in" : qPrintable(s.error().describe()));
    if (!passes) {
        QVERIFY2(s.error().id.startsWith(QStringLiteral("mysql-tls")),
                 qPrintable(s.error().describe()));
    }
    // The name does not matter to VERIFY_CA.
    a.tls.mode = TlsMode::VerifyCa;
    QVERIFY(Session::open(a, Use::Control, {}).has_value());
}

void ConnectTlsTest::signsInWithAClientCertificate()
{
    withTls().exec(QStringLiteral("DROP USER IF EXISTS certified; CREATE USER certified IDENTIFIED "
                                  "BY 'pass-word' REQUIRE X509"));
    Address a = withTls().address(QStringLiteral("certified"), QStringLiteral("pass-word"));
    a.tls.mode = TlsMode::VerifyCa;
    a.tls.ca = m_certs->path("ca.pem");
    QVERIFY(!Session::open(a, Use::Control, {}));
    a.tls.cert = m_certs->path("client.pem");
    a.tls.key = m_certs->path("client-key.pem");
    QVERIFY(Session::open(a, Use::Control, {}).has_value());
}

void ConnectTlsTest::refusesAnEncryptedKeyBeforehand()
{
    Address a = address(withTls(), TlsMode::Required);
    a.tls.cert = m_certs->path("client.pem");
    a.tls.key = m_certs->path("locked-key.pem");
    const auto s = Session::open(a, Use::Control, {}); // must not ask on the terminal
    QVERIFY(!s);
    QCOMPARE(s.error().id, QStringLiteral("tls-key-encrypted"));
    QVERIFY(isEncryptedKey("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"));
    QVERIFY(!isEncryptedKey("-----BEGIN PRIVATE KEY-----\n"));
}

void ConnectTlsTest::refusesFilesThatAreMissing()
{
    Address a = address(withTls(), TlsMode::VerifyCa, "no-such.pem");
    QCOMPARE(Session::open(a, Use::Control, {}).error().id, QStringLiteral("tls-file"));
    a = address(withTls(), TlsMode::Required);
    a.tls.cert = m_certs->path("client.pem");
    QCOMPARE(Session::open(a, Use::Control, {}).error().id, QStringLiteral("tls-cert-and-key"));
}

QTEST_GUILESS_MAIN(ConnectTlsTest)
#include "ConnectTlsTest.moc"
