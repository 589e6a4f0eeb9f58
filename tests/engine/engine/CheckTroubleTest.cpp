// The check on servers that refuse one question, hang at one, drop the connection or fall silent:
// "unknown" is what could not be told, in time, and the rest is told.

#include "engine/Engine.h"
#include "engine/engine/PostgresMigrationSupport.h"
#include "servers/MySqlClient.h"

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {

using Statuses = std::map<QString, Finding>; // "mysql-version (source)"

Statuses statuses(const Result<CheckReport> &report)
{
    Statuses out;
    if (!report)
        qFatal("%s", qPrintable(report.error().describe()));
    for (const Finding &f : report->findings)
        out[QStringLiteral("%1 (%2)").arg(f.id, toString(f.side))] = f;
    return out;
}

QStringList unknownIn(const Statuses &all)
{
    QStringList out;
    for (const auto &[name, f] : all) {
        if (f.status == FindingStatus::Unknown)
            out << name;
    }
    return out;
}

/// What is told otherwise than `before`, apart from those that are not known.
QStringList otherwise(const Statuses &before, const Statuses &now)
{
    QStringList out;
    for (const auto &[name, f] : before) {
        const auto it = now.find(name);
        if (it == now.end())
            out << name + QStringLiteral(" is missing");
        else if (it->second.status != f.status && it->second.status != FindingStatus::Unknown)
            out << QStringLiteral("%1: %2, was %3")
                       .arg(name, toString(it->second.status), toString(f.status));
    }
    return out;
}

} // namespace

class CheckTroubleTest : public QObject {
    Q_OBJECT

    struct Two {
        std::unique_ptr<TestServer> source, target;
    };
    std::map<QString, Two> m_servers;
    Two *m_pair = nullptr;
    QString m_product;

    [[nodiscard]] bool isPostgres() const { return m_product == QLatin1String("postgres"); }

    void use()
    {
        QFETCH_GLOBAL(QString, product);
        m_product = product;
        m_pair = &m_servers[product];
        if (m_pair->source)
            return;
        ServerOptions o;
        o.product = isPostgres()                          ? Product::Postgres
                    : m_product == QLatin1String("mysql") ? Product::MySql
                                                          : Product::MariaDb;
        m_pair->source = std::make_unique<TestServer>(o);
        m_pair->target = std::make_unique<TestServer>(o);
        TestServer &s = *m_pair->source;
        s.exec(QStringLiteral("CREATE DATABASE shop"));
        if (isPostgres()) {
            s.exec(QStringLiteral("CREATE ROLE poor LOGIN PASSWORD 'poor-secret'; REVOKE SELECT ON "
                                  "pg_largeobject_metadata FROM PUBLIC; CREATE TABLE t (id int "
                                  "PRIMARY KEY); CREATE TABLE keyless (a int); GRANT SELECT ON t, "
                                  "keyless TO poor"),
                   QStringLiteral("shop"));
        } else {
            s.exec(QStringLiteral("CREATE TABLE shop.t (id INT PRIMARY KEY); CREATE TABLE "
                                  "shop.keyless (a INT); CREATE VIEW shop.v AS SELECT 1; CREATE "
                                  "USER poor@'%' IDENTIFIED BY 'poor-secret'; GRANT SELECT, SHOW "
                                  "VIEW, TRIGGER, EXECUTE ON shop.* TO poor@'%'"));
        }
    }

    [[nodiscard]] Endpoint source(const QString &user = {}, quint16 port = 0) const
    {
        Endpoint e{m_pair->source->address(
                       user, user.isEmpty() ? QString() : QStringLiteral("poor-secret"),
                       QStringLiteral("shop")),
                   {},
                   {}};
        if (port)
            e.fromHere.port = port;
        return e;
    }
    [[nodiscard]] Endpoint target() const
    {
        return {m_pair->target->address({}, {}, QStringLiteral("shop")), {}, {}};
    }
    [[nodiscard]] CheckOptions options() const
    {
        CheckOptions o;
        if (!isPostgres())
            o.selection.schemas << QStringLiteral("shop");
        return o;
    }

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<QString>("product");
        for (const char *product : {"mariadb", "mysql", "postgres"})
            QTest::newRow(product) << QString::fromLatin1(product);
    }
    void init() { use(); }

    void oneQuestionIsDenied()
    {
        const Statuses all =
            statuses(runPreflight(source(QStringLiteral("poor")), target(), options(), {}, {}));
        const QStringList unknown = unknownIn(all);
        // What the account may not ask, and nothing else.
        const QStringList wanted =
            isPostgres() ? QStringList{QStringLiteral("pg-large-objects (source)")} : QStringList{};
        if (isPostgres())
            QCOMPARE(unknown, wanted);
        QVERIFY2(unknown.contains(isPostgres()
                                      ? wanted.front()
                                      : QStringLiteral("mysql-long-transactions (source)")),
                 qPrintable(unknown.join(QLatin1Char('\n'))));
        QVERIFY2(unknown.size() < 10, qPrintable(unknown.join(QLatin1Char('\n'))));
        for (const QString &name : unknown) {
            const QString said = all.at(name).found.english();
            QVERIFY2(said.contains(QLatin1String("denied")) ||
                         said.contains(QLatin1String("may not")),
                     qPrintable(name + said));
        }
        QCOMPARE(toString(all.at(isPostgres() ? QStringLiteral("pg-replica-identity (source)")
                                              : QStringLiteral("mysql-unique-key (source)"))
                              .status),
                 QStringLiteral("blocker"));
    }

    void oneQuestionHangs()
    {
        const Statuses before = statuses(runPreflight(source(), target(), options(), {}, {}));
        QCOMPARE(unknownIn(before), QStringList());
        MySqlClient mySql;
        PostgresClient postgresClient;
        if (isPostgres()) {
            QVERIFY(postgresClient.connect(source().fromHere, 10).ok());
            QVERIFY(postgresClient
                        .run("BEGIN; LOCK TABLE pg_catalog.pg_largeobject_metadata IN ACCESS "
                             "EXCLUSIVE MODE")
                        .ok());
        } else {
            QVERIFY(mySql.connect(source().fromHere, 10).ok());
            QVERIFY(mySql
                        .run(m_product == QLatin1String("mysql")
                                 ? "LOCK TABLES mysql.user WRITE"
                                 : "LOCK TABLES mysql.global_priv WRITE")
                        .ok());
        }
        CheckOptions o = options();
        o.timeoutPerCheck = 1s;
        QElapsedTimer time;
        time.start();
        const auto report = runPreflight(source(), target(), o, {}, {});
        const qint64 took = time.elapsed();
        mySql.close();
        postgresClient.close();
        const Statuses now = statuses(report);
        const QStringList unknown = unknownIn(now);
        QVERIFY2(unknown.contains(isPostgres() ? QStringLiteral("pg-large-objects (source)")
                                               : QStringLiteral("mysql-definers (source)")),
                 qPrintable(unknown.join(QLatin1Char('\n'))));
        QVERIFY2(unknown.size() <= (isPostgres() ? 1 : 3),
                 qPrintable(unknown.join(QLatin1Char('\n'))));
        QStringList other = otherwise(before, now);
        // The session that locks has our account.
        other.removeIf(
            [](const QString &s) { return s.contains(QLatin1String("shared-account")); });
        QVERIFY2(other.isEmpty(), qPrintable(other.join(QLatin1Char('\n'))));
        QVERIFY2(took < 8'000, qPrintable(QString::number(took)));
        const Finding &f = now.at(unknown.front());
        QVERIFY2(f.found.english().contains(QLatin1String("1 seconds")),
                 qPrintable(f.found.english()));
    }

    void theConnectionsDrop()
    {
        const Statuses before = statuses(runPreflight(source(), target(), options(), {}, {}));
        TcpProxy proxy(m_pair->source->port());
        int told = 0;
        const auto report = runPreflight(source({}, proxy.port()), target(), options(),
                                         [&](const Finding &) {
                                             if (++told % 20 == 5)
                                                 proxy.cut();
                                         },
                                         {});
        const Statuses now = statuses(report);
        const QStringList unknown = unknownIn(now), other = otherwise(before, now);
        // What was asked just then may be lost; no more is.
        QVERIFY2(unknown.size() <= 6, qPrintable(unknown.join(QLatin1Char('\n'))));
        QVERIFY2(other.isEmpty(), qPrintable(other.join(QLatin1Char('\n'))));
    }

    void theSourceFallsSilent()
    {
        const Statuses before = statuses(runPreflight(source(), target(), options(), {}, {}));
        TcpProxy proxy(m_pair->source->port());
        int told = 0;
        CheckOptions o = options();
        o.timeoutPerCheck = 1s;
        QElapsedTimer time;
        time.start();
        const auto report = runPreflight(source({}, proxy.port()), target(), o,
                                         [&](const Finding &) {
                                             if (++told == 8)
                                                 proxy.stall(true);
                                         },
                                         {});
        const qint64 took = time.elapsed();
        const Statuses now = statuses(report);
        const QStringList unknown = unknownIn(now), other = otherwise(before, now);
        QVERIFY2(other.isEmpty(), qPrintable(other.join(QLatin1Char('\n'))));
        QVERIFY2(took < 10'000, qPrintable(QString::number(took)));
        QVERIFY2(unknown.size() > 3, qPrintable(unknown.join(QLatin1Char('\n'))));
        // The target goes on being asked.
        for (const char *id : {"version", "shared-account", "connections", "standby"}) {
            const auto it =
                now.find((isPostgres() ? QStringLiteral("pg-") : QStringLiteral("mysql-")) +
                         QLatin1String(id) + QStringLiteral(" (target)"));
            if (it != now.end() && QLatin1String(id) != QLatin1String("version"))
                QVERIFY2(it->second.status != FindingStatus::Unknown, id);
        }
        QCOMPARE(report->verdict(), QStringLiteral("blocked"));
    }
};

QTEST_GUILESS_MAIN(CheckTroubleTest)
#include "CheckTroubleTest.moc"
