#include "endpoint/Address.h"

#include <QTest>

using namespace causeway;

class AddressTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void readsUrls_data();
    void readsUrls();
    void writesWhatItReads_data() { readsUrls_data(); }
    void writesWhatItReads();
    void refusesWhatIsWrong_data();
    void refusesWhatIsWrong();
    void aPasswordNeverComesOut_data();
    void aPasswordNeverComesOut();
    void readsTlsOfEachDriver_data();
    void readsTlsOfEachDriver();
    void displaysForPeople_data();
    void displaysForPeople();
};

void AddressTest::readsUrls_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QString>("engine");
    QTest::addColumn<QString>("user");
    QTest::addColumn<QString>("password");
    QTest::addColumn<QString>("host");
    QTest::addColumn<int>("port");
    QTest::addColumn<QString>("database");
    QTest::addColumn<QString>("socket");
    const auto row = [](const char *name, const char *url, const char *engine, const char *user,
                        const char *password, const char *host, int port, const char *database,
                        const char *socket = "") {
        QTest::newRow(name) << QString::fromUtf8(url) << QString::fromUtf8(engine)
                            << QString::fromUtf8(user) << QString::fromUtf8(password)
                            << QString::fromUtf8(host) << port << QString::fromUtf8(database)
                            << QString::fromUtf8(socket);
    };
    row("mysql", "mysql://me:pw@db.example:3310/shop", "mysql", "me", "pw", "db.example", 3310,
        "shop");
    row("default port", "mysql://me@db/shop", "mysql", "me", "", "db", 3306, "shop");
    row("no database", "mysql://me@db", "mysql", "me", "", "db", 3306, "");
    row("slash only", "mysql://me@db/", "mysql", "me", "", "db", 3306, "");
    row("empty port", "mysql://me@db:/x", "mysql", "me", "", "db", 3306, "x");
    row("query without path", "mysql://me@db?ssl-mode=REQUIRED", "mysql", "me", "", "db", 3306, "");
    row("mariadb", "mariadb://me@db/shop", "mariadb", "me", "", "db", 3306, "shop");
    row("scheme in capitals", "MySQL://me@db/shop", "mysql", "me", "", "db", 3306, "shop");
    row("postgresql", "postgresql://me:pw@db/shop", "postgresql", "me", "pw", "db", 5432, "shop");
    row("postgres", "postgres://me@db:6432/shop", "postgresql", "me", "", "db", 6432, "shop");
    row("encoded", "mysql://m%40e:p%3A%2F%3F%23%25%40%C3%A4@db/sh%2Fop", "mysql", "m@e",
        "p:/?#%@\xc3\xa4", "db", 3306, "sh/op");
    row("raw @ in password", "mysql://me:p@ss@db/shop", "mysql", "me", "p@ss", "db", 3306, "shop");
    row("raw : in password", "mysql://me:p:ss@db/shop", "mysql", "me", "p:ss", "db", 3306, "shop");
    row("plus is a plus", "mysql://me:a+b@db/x+y", "mysql", "me", "a+b", "db", 3306, "x+y");
    row("IPv6", "mysql://me@[2001:db8::1]:3307/shop", "mysql", "me", "", "2001:db8::1", 3307,
        "shop");
    row("IPv6 zone", "mysql://me@[fe80::1%25eth0]/shop", "mysql", "me", "", "fe80::1%eth0", 3306,
        "shop");
    row("IPv6 no port", "postgresql://me@[::1]/shop", "postgresql", "me", "", "::1", 5432, "shop");
    row("socket", "mysql://me@localhost/shop?socket=/run/mysqld.sock", "mysql", "me", "",
        "localhost", 3306, "shop", "/run/mysqld.sock");
    row("socket without host", "mysql://me@/shop?socket=%2Frun%2Fm.sock", "mysql", "me", "", "",
        3306, "shop", "/run/m.sock");
    row("pg socket", "postgresql://me@/shop?host=/run/pg", "postgresql", "me", "", "", 5432, "shop",
        "/run/pg");
    row("pg socket as host", "postgresql://me@%2Frun%2Fpg/shop", "postgresql", "me", "", "", 5432,
        "shop", "/run/pg");
    row("pg socket and port", "postgresql://me@/shop?host=/run/pg&port=5433", "postgresql", "me",
        "", "", 5433, "shop", "/run/pg");
    row("pg everything in parameters", "postgresql:///?host=db&user=me&dbname=shop&password=pw",
        "postgresql", "me", "pw", "db", 5432, "shop");
    row("surrounding blanks", "  mysql://me@db/shop\n", "mysql", "me", "", "db", 3306, "shop");
    row("no user", "mysql://db/shop", "mysql", "", "", "db", 3306, "shop");
}

void AddressTest::readsUrls()
{
    QFETCH(QString, url);
    const auto a = Address::fromUrl(url);
    QVERIFY2(a.has_value(), a ? "" : qPrintable(a.error().describe()));
    QTEST(toString(a->engine), "engine");
    QTEST(a->user, "user");
    QTEST(QString::fromUtf8(a->password.reveal()), "password");
    QTEST(a->host, "host");
    QTEST(int(a->port), "port");
    QTEST(a->database, "database");
    QTEST(a->socket, "socket");
}

void AddressTest::writesWhatItReads()
{
    QFETCH(QString, url);
    const Address a = *Address::fromUrl(url);
    const auto again = Address::fromUrl(a.toUrl());
    QVERIFY2(again.has_value(), qPrintable(a.toUrl()));
    QTEST(again->user, "user");
    QTEST(again->host, "host");
    QTEST(int(again->port), "port");
    QTEST(again->database, "database");
    QTEST(again->socket, "socket");
    QVERIFY(again->tls == a.tls);
    QVERIFY(again->password.isEmpty());
    QCOMPARE(again->toUrl(), a.toUrl());
}

void AddressTest::refusesWhatIsWrong_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QString>("says");
    const auto row = [](const char *name, const char *url, const char *says) {
        QTest::newRow(name) << QString::fromUtf8(url) << QString::fromUtf8(says);
    };
    row("nothing", "", "mysql://");
    row("a host", "db.example", "mysql://");
    row("unknown scheme", "oracle://me@db/x", "postgresql://");
    row("http", "https://db/x", "mysql://");
    row("port word", "mysql://me@db:port/x", "1 to 65535");
    row("port 0", "mysql://me@db:0/x", "1 to 65535");
    row("port too large", "mysql://me@db:65536/x", "1 to 65535");
    row("negative port", "mysql://me@db:-1/x", "1 to 65535");
    row("pg port parameter", "postgresql://me@db/x?port=no", "1 to 65535");
    row("bare IPv6", "mysql://me@::1/x", "brackets");
    row("open bracket", "mysql://me@[::1/x", "closing bracket");
    row("after bracket", "mysql://me@[::1]x/x", "only a port");
    row("hosts", "postgresql://me@a,b/x", "one host");
    row("no host", "mysql://me@/x", "neither a host nor a socket");
    row("pg no host", "postgresql:///x", "neither a host nor a socket");
    row("pg no database", "postgresql://me@db", "no database");
    row("unknown parameter", "mysql://me@db/x?sslmode=require", "ssl-mode");
    row("unknown pg parameter", "postgresql://me@db/x?ssl-mode=REQUIRED", "sslmode");
    row("bad mode", "mysql://me@db/x?ssl-mode=yes", "VERIFY_IDENTITY");
    row("bad pg mode", "postgresql://me@db/x?sslmode=REQUIRED_", "verify-full");
    row("bad timeout", "mysql://me@db/x?connect-timeout=soon", "seconds");
    row("zero timeout", "mysql://me@db/x?connect-timeout=0", "seconds");
    row("bad percent", "mysql://me:100%@db/x", "%25");
    row("zero byte", "mysql://me@db/x%00", "zero byte");
    row("slash in password", "mysql://me:p/w@db/x", "%2F");
    row("question mark in password", "mysql://me:p?w@db/x", "%3F");
    row("slash after @ in password", "mysql://me:p@q/w@db/x", "%2F");
}

void AddressTest::refusesWhatIsWrong()
{
    QFETCH(QString, url);
    QFETCH(QString, says);
    const auto a = Address::fromUrl(url);
    QVERIFY(!a);
    QCOMPARE(a.error().code, ErrorCode::Usage);
    QCOMPARE(a.error().exitStatus(), 2);
    QVERIFY2(a.error().describe().contains(says), qPrintable(a.error().describe()));
}

void AddressTest::aPasswordNeverComesOut_data()
{
    QTest::addColumn<QString>("url");
    for (const char *url : {
             "mysql://me:hunter2@db/x",
             "mysql://me:hunter2@db/x?nonsense=1",
             "mysql://me:hunter2@db:port/x",
             "mysql://me:hunter2@/x",
             "mysql://me:hunter2",        // host forgotten: looks like a port
             "mysql://me:hunter2/x@db/x", // unencoded slash
             "mysql://me:a@hunter2/x@db/x",
             "mysql://me:a?hunter2@db/x",
             "mysql://me:hunter2%@db/x",
             "mysql://me:hunter2@::1/x",
             "postgresql://me@db/x?password=hunter2",
             "postgresql://me:hunter2@db",
         })
        QTest::newRow(url) << QString::fromLatin1(url);
}

void AddressTest::aPasswordNeverComesOut()
{
    QFETCH(QString, url);
    const auto a = Address::fromUrl(url);
    const QString shown = a ? a->toUrl() + a->display() : a.error().describe();
    QVERIFY2(!shown.contains(QStringLiteral("hunter2")), qPrintable(shown));
}

void AddressTest::readsTlsOfEachDriver_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<int>("mode");
    QTest::addColumn<QString>("ca");
    QTest::addColumn<QString>("name");
    const auto row = [](const char *url, TlsMode mode, const char *ca = "", const char *name = "") {
        QTest::newRow(url) << QString::fromUtf8(url) << int(mode) << QString::fromUtf8(ca)
                           << QString::fromUtf8(name);
    };
    row("mysql://me@db/x", TlsMode::Preferred);
    row("mysql://me@db/x?ssl-mode=DISABLED", TlsMode::Disabled);
    row("mysql://me@db/x?ssl-mode=required", TlsMode::Required);
    row("mysql://me@db/x?ssl-mode=VERIFY_CA&ssl-ca=/etc/ca%20x.pem", TlsMode::VerifyCa,
        "/etc/ca x.pem");
    row("mysql://me@db/x?ssl-mode=VERIFY-IDENTITY&tls-server-name=real", TlsMode::VerifyIdentity,
        "", "real");
    row("postgresql://me@db/x", TlsMode::Preferred);
    row("postgresql://me@db/x?sslmode=disable", TlsMode::Disabled);
    row("postgresql://me@db/x?sslmode=require", TlsMode::Required);
    row("postgresql://me@db/x?sslmode=verify-ca&sslrootcert=/ca.pem", TlsMode::VerifyCa, "/ca.pem");
    row("postgresql://me@db/x?sslmode=verify-full", TlsMode::VerifyIdentity);
}

void AddressTest::readsTlsOfEachDriver()
{
    QFETCH(QString, url);
    const Address a = *Address::fromUrl(url);
    QTEST(int(a.tls.mode), "mode");
    QTEST(a.tls.ca, "ca");
    QTEST(a.tls.serverName, "name");
    const Address again = *Address::fromUrl(a.toUrl());
    QVERIFY(again.tls == a.tls);
    const Address full =
        *Address::fromUrl(QStringLiteral("mysql://me@db/x?ssl-cert=/c&ssl-key=/k&connect-timeout=3"
                                         "&tls-version=TLSv1.3"));
    QCOMPARE(full.connectTimeout.count(), 3000LL);
    QCOMPARE(full.options.value(QStringLiteral("tls-version")), QStringLiteral("TLSv1.3"));
    const Address same = *Address::fromUrl(full.toUrl());
    QVERIFY(same.tls == full.tls && same.connectTimeout == full.connectTimeout &&
            same.options == full.options);
}

void AddressTest::displaysForPeople_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QString>("shown");
    QTest::newRow("host") << QStringLiteral("mysql://me@db/x") << QStringLiteral("db:3306");
    QTest::newRow("v6") << QStringLiteral("postgresql://me@[::1]/x")
                        << QStringLiteral("[::1]:5432");
    QTest::newRow("socket") << QStringLiteral("mysql://me@h/x?socket=/s") << QStringLiteral("/s");
}

void AddressTest::displaysForPeople()
{
    QFETCH(QString, url);
    QTEST(Address::fromUrl(url)->display(), "shown");
}

QTEST_GUILESS_MAIN(AddressTest)
#include "AddressTest.moc"
