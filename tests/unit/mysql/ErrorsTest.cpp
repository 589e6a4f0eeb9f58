#include "mysql/Errors.h"

#include <QTest>

using namespace causeway;
using namespace causeway::mysql;

class ErrorsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void namesEveryNumber_data();
    void namesEveryNumber();
    void timeOutExplainsTheService_data();
    void timeOutExplainsTheService();
    void readerEndpointIsNamed();
    void whatIsSaidBeforeTlsIsHeard();
    void clientCommandHasNoPassword();
    void knowsPrivateAddresses_data();
    void knowsPrivateAddresses();
};

void ErrorsTest::namesEveryNumber_data()
{
    QTest::addColumn<unsigned>("number");
    QTest::addColumn<bool>("connecting");
    QTest::addColumn<QString>("words");
    QTest::addColumn<QString>("id");
    QTest::addColumn<int>("code");
    QTest::addColumn<bool>("hasFix");
    const auto row = [](unsigned number, bool connecting, const char *words, const char *id,
                        ErrorCode code, bool hasFix = true) {
        QTest::addRow("%u %s %.12s", number, connecting ? "connecting" : "statement", words)
            << number << connecting << QString::fromUtf8(words) << QString::fromUtf8(id)
            << int(code) << hasFix;
    };
    const auto connecting = [&](unsigned n, const char *words, const char *id, bool fix = true) {
        row(n, true, words, id, ErrorCode::Connect, fix);
    };
    const auto statement = [&](unsigned n, const char *id, bool fix = true) {
        row(n, false, "", id, ErrorCode::Server, fix);
    };
    connecting(1040, "", "mysql-too-many-connections");
    connecting(1044, "Access denied for user 'a'@'b' to database 'c'", "mysql-database-denied");
    connecting(1045, "Access denied for user 'a'@'b' (using password: YES)", "mysql-access-denied");
    connecting(1045, "Access denied for user 'a'@'b' (using password: NO)", "mysql-access-denied");
    connecting(1049, "", "mysql-unknown-database", false);
    connecting(1129, "", "mysql-host-blocked");
    connecting(1130, "", "mysql-host-not-allowed");
    connecting(1698, "", "mysql-access-denied-plugin");
    connecting(1820, "", "mysql-password-expired");
    connecting(1862, "", "mysql-password-expired");
    connecting(3118, "", "mysql-account-locked");
    connecting(3159, "", "mysql-tls-required");
    connecting(2002, "Can't connect to server on 'x' (111)", "mysql-connection-refused");
    connecting(2002, "Can't connect to server on 'x' (110)", "mysql-connect-timeout");
    connecting(2002, "Can't connect to server on 'x' (115)", "mysql-connect-timeout");
    connecting(2003, "Can't connect to MySQL server on 'x:1' (113)", "mysql-cannot-connect");
    connecting(2005, "", "mysql-unknown-host");
    connecting(2002, "Unknown server host 'x' (-2)", "mysql-unknown-host");
    connecting(2026, "", "mysql-tls-failed");
    connecting(2061, "", "mysql-auth-needs-tls");
    connecting(2059, "", "mysql-auth-plugin");
    connecting(2013, "", "mysql-handshake-lost");
    connecting(9999, "", "mysql-connect-failed", false);
    for (const unsigned lost : {2006U, 2013U, 2055U, 1927U, 1053U, 4031U, 2026U})
        row(lost, false, "", "mysql-connection-lost", ErrorCode::ConnectionLost, false);
    statement(1044, "mysql-privilege-missing");
    statement(1045, "mysql-privilege-missing");
    statement(1227, "mysql-privilege-missing");
    statement(1142, "mysql-table-denied");
    statement(1143, "mysql-table-denied");
    statement(1290, "mysql-read-only");
    statement(1836, "mysql-read-only");
    statement(1205, "mysql-lock-wait-timeout", false);
    statement(1213, "mysql-deadlock", false);
    statement(1419, "mysql-triggers-need-super");
    statement(1418, "mysql-function-not-deterministic");
    statement(3024, "mysql-statement-timeout");
    statement(1969, "mysql-statement-timeout");
    statement(1153, "mysql-max-allowed-packet");
    statement(2020, "mysql-max-allowed-packet");
    statement(1114, "mysql-disk-full");
    statement(1021, "mysql-disk-full");
    statement(1062, "mysql-duplicate-key", false);
    statement(1820, "mysql-password-expired");
    statement(1040, "mysql-too-many-connections");
    statement(1064, "mysql-statement-failed", false);
    row(1030, false, "Got error 28 from storage engine", "mysql-disk-full", ErrorCode::Server);
}

void ErrorsTest::namesEveryNumber()
{
    QFETCH(unsigned, number);
    QFETCH(bool, connecting);
    QFETCH(QString, words);
    const Address a = *Address::fromUrl(QStringLiteral("mysql://me:hunter2@db.example/shop"));
    const Error e = nameError(number, QStringLiteral("HY000"), words, a,
                              connecting ? QStringLiteral("connect") : QString());
    QTEST(e.id, "id");
    QTEST(int(e.code), "code");
    QTEST(!e.fix.isEmpty(), "hasFix");
    QCOMPARE(e.number, int(number));
    QVERIFY(!e.message.isEmpty());
    QVERIFY2(!e.describe().contains(QLatin1String("%1")), qPrintable(e.describe()));
    QVERIFY(!e.describe().contains(QLatin1String("hunter2")));
}

void ErrorsTest::timeOutExplainsTheService_data()
{
    QTest::addColumn<QString>("host");
    QTest::addColumn<QStringList>("resolved");
    QTest::addColumn<QString>("says");
    const QString rds = QStringLiteral("shop.abc.eu-west-1.rds.amazonaws.com");
    QTest::newRow("rds") << rds << QStringList{QStringLiteral("203.0.113.9")}
                         << QStringLiteral("security group");
    QTest::newRow("rds inside") << rds << QStringList{QStringLiteral("172.31.4.5")}
                                << QStringLiteral("Publicly accessible");
    QTest::newRow("aurora") << QStringLiteral("shop.cluster-abc.eu-west-1.rds.amazonaws.com")
                            << QStringList() << QStringLiteral("cluster-ro-");
    QTest::newRow("private") << QStringLiteral("10.1.2.3") << QStringList()
                             << QStringLiteral("private address");
    QTest::newRow("elsewhere") << QStringLiteral("db.example") << QStringList()
                               << QStringLiteral("inbound rule of the firewall or security group "
                                                 "for TCP port 3307");
}

void ErrorsTest::timeOutExplainsTheService()
{
    QFETCH(QString, host);
    QFETCH(QStringList, resolved);
    QFETCH(QString, says);
    const Address a = *Address::fromUrl(QStringLiteral("mysql://me@%1:3307/shop").arg(host));
    const Error e = connectTimeout(a, resolved);
    QCOMPARE(e.id, QStringLiteral("mysql-connect-timeout"));
    QVERIFY2(e.fix.english().contains(says), qPrintable(e.fix.english()));
}

void ErrorsTest::readerEndpointIsNamed()
{
    const Address a = *Address::fromUrl(
        QStringLiteral("mysql://me@s.cluster-ro-abc.eu-west-1.rds.amazonaws.com/shop"));
    QVERIFY(nameError(1290, {}, {}, a, {}).fix.english().contains(QStringLiteral("readers")));
    QVERIFY(nameError(1836, {}, {}, a, {}).fix.english().contains(QStringLiteral("writer")));
}

/// libmariadb wraps it into an error of its own.
void ErrorsTest::whatIsSaidBeforeTlsIsHeard()
{
    const Address a = *Address::fromUrl(QStringLiteral("mysql://me@db.example/shop"));
    const QString wrapped = QStringLiteral(
        "Received error packet before completion of TLS handshake. The authenticity of the "
        "following error cannot be verified: ");
    const Error full = nameError(2002, {}, wrapped + QStringLiteral("1040 - Too many connections"),
                                 a, QStringLiteral("connect"));
    QCOMPARE(full.id, QStringLiteral("mysql-too-many-connections"));
    QCOMPARE(full.number, 1040);
    QCOMPARE(full.serverWords, QStringLiteral("Too many connections"));
    QCOMPARE(nameError(2002, {}, wrapped + QStringLiteral("1130 - Host 'x' is not allowed"), a,
                       QStringLiteral("connect"))
                 .id,
             QStringLiteral("mysql-host-not-allowed"));
}

void ErrorsTest::clientCommandHasNoPassword()
{
    const Address a = *Address::fromUrl(QStringLiteral(
        "mysql://m%20e:hunter2@db:3307/sh%27op?ssl-mode=VERIFY_CA&ssl-ca=/etc/ca.pem"));
    QCOMPARE(clientCommand(a),
             QStringLiteral("mysql --protocol=TCP --host=db --port=3307 '--user=m e' --password "
                            "--ssl-mode=VERIFY_CA --ssl-ca=/etc/ca.pem 'sh'\\''op'")
                 .replace(QStringLiteral("'--user=m e'"), QStringLiteral("--user='m e'")));
    const Address m = *Address::fromUrl(QStringLiteral("mariadb://me@h/?socket=/run/m.sock"));
    QCOMPARE(clientCommand(m), QStringLiteral("mariadb --socket=/run/m.sock --user=me --password"));
}

void ErrorsTest::knowsPrivateAddresses_data()
{
    QTest::addColumn<QString>("address");
    QTest::addColumn<bool>("isPrivate");
    const auto row = [](const char *address, bool isPrivate) {
        QTest::newRow(address) << QString::fromLatin1(address) << isPrivate;
    };
    row("10.0.0.1", true);
    row("172.16.0.1", true);
    row("172.31.255.1", true);
    row("172.32.0.1", false);
    row("192.168.1.1", true);
    row("192.169.1.1", false);
    row("100.64.0.1", true);
    row("100.128.0.1", false);
    row("8.8.8.8", false);
    row("fd00::1", true);
    row("2001:db8::1", false);
    row("db.example", false);
}

void ErrorsTest::knowsPrivateAddresses()
{
    QFETCH(QString, address);
    QTEST(isPrivateAddress(address), "isPrivate");
}

QTEST_GUILESS_MAIN(ErrorsTest)
#include "ErrorsTest.moc"
