// One model of what a migration did, in three formats.

#include "report/Report.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <QtTest>

using namespace causeway;

namespace {
StepRecord step(const char *id, StepState state, qint64 started, const QString &error = {})
{
    return {QString::fromLatin1(id),
            Side::Source,
            cwText("core", "Close <the> source"),
            {QStringLiteral("SET GLOBAL read_only=ON")},
            state,
            started,
            started + 7,
            error};
}
} // namespace

class ReportTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_dir;
    MigrationReport m_report;

private Q_SLOTS:
    void offersNobodyTheAccountOfTheMigration()
    {
        const auto a = Address::fromUrl(
            QStringLiteral("postgresql://mover:secret@db-new:5433/shop?sslmode=verify-full&"
                           "sslrootcert=/ca.pem&sslcert=/mover.pem&sslkey=/mover.key"));
        QVERIFY(a.has_value());
        QCOMPARE(urlWithoutAccount(*a), QStringLiteral("postgresql://db-new:5433/shop?sslmode="
                                                       "verify-full&sslrootcert=/ca.pem"));
    }

    void initTestCase()
    {
        Settings settings;
        settings.source.fromHere =
            *Address::fromUrl(QStringLiteral("mysql://mover:hunter2-secret@db-old/shop"));
        settings.target.fromHere = *Address::fromUrl(QStringLiteral("mysql://mover@db-new/shop"));
        settings.selection.schemas << QStringLiteral("shop");
        settings.accepted << QStringLiteral("mysql-unique-key");
        const auto journal = Journal::create(m_dir.filePath(QStringLiteral("m")), settings);
        QVERIFY(journal.has_value());
        Journal &j = **journal;
        QVERIFY(j.setPhase(Phase::Finished).has_value());
        Snapshot s;
        s.phase = Phase::Finished;
        s.writePauseSeconds = 0.75;
        s.tables.push_back(
            {QStringLiteral("shop.a,\"b\""), TableState::Verified, 10, 10, 100, 100, {}});
        s.tables.push_back({QStringLiteral("shop.<c>"), TableState::Different, 5, 5, 1, 1, {}});
        const auto store = [&](const char *name, const QJsonObject &o) {
            QVERIFY(
                j.setValue(QString::fromLatin1(name), QString::fromUtf8(QJsonDocument(o).toJson()))
                    .has_value());
        };
        store("snapshot", s.toProgressJson());
        store("verify",
              QJsonDocument::fromJson(
                  "{\"at_ms\":86400000,\"equal\":false,\"tables\":[{\"name\":\"shop.<c>\","
                  "\"rows_source\":5,\"rows_target\":6,\"differing\":0,\"missing\":0,"
                  "\"extra\":1,\"repaired\":0}]}")
                  .object());
        QVERIFY(j.setValue(QStringLiteral("old_source_open_sql"),
                           QStringLiteral("SET GLOBAL read_only=OFF"))
                    .has_value());
        QVERIFY(
            j.recordStep(step("switch.seal", StepState::Failed, 100, QStringLiteral("no <room>")))
                .has_value());
        QVERIFY(j.recordStep(step("switch.seal", StepState::Done, 200)).has_value());
        QVERIFY(j.addEvent({5, QStringLiteral("info"), QStringLiteral("Phase: <finished>")})
                    .has_value());
        auto model = readReport(j);
        QVERIFY(model.has_value());
        m_report = std::move(*model);
    }

    void jsonHoldsEachRunOfEachStep()
    {
        const QJsonObject o = QJsonDocument::fromJson(reportJson(m_report)).object();
        QCOMPARE(o.value(QStringLiteral("phase")).toString(), QStringLiteral("finished"));
        const QJsonArray steps = o.value(QStringLiteral("steps")).toArray();
        QCOMPARE(steps.size(), 2);
        QCOMPARE(steps[0].toObject().value(QStringLiteral("state")).toString(),
                 QStringLiteral("failed"));
        QCOMPARE(steps[0].toObject().value(QStringLiteral("error")).toString(),
                 QStringLiteral("no <room>"));
        QCOMPARE(steps[1].toObject().value(QStringLiteral("state")).toString(),
                 QStringLiteral("done"));
        QCOMPARE(o.value(QStringLiteral("tables")).toArray().size(), 2);
        QCOMPARE(o.value(QStringLiteral("write_pause_seconds")).toDouble(), 0.75);
        QCOMPARE(o.value(QStringLiteral("old_source_open_sql")).toString(),
                 QStringLiteral("SET GLOBAL read_only=OFF"));
    }

    void csvQuotesAndJoinsTheComparison()
    {
        const QList<QByteArray> lines = reportCsv(m_report).trimmed().split('\n');
        QCOMPARE(lines.size(), 3);
        QVERIFY(lines[0].startsWith("table,status,rows,"));
        QCOMPARE(lines[1], QByteArray("\"shop.a,\"\"b\"\"\",verified,10,,,,,,"));
        QCOMPARE(lines[2], QByteArray("shop.<c>,different,5,5,6,0,0,1,0"));
    }

    void htmlEscapesAndSaysHowToOpenTheOldSource()
    {
        const QByteArray html = reportHtml(m_report);
        QVERIFY(html.startsWith("<!DOCTYPE html>"));
        for (const char *wanted : {"shop.&lt;c&gt;", "no &lt;room&gt;", "Close &lt;the&gt; source",
                                   "Phase: &lt;finished&gt;", "SET GLOBAL read_only=OFF", "0.750 s",
                                   "mysql-unique-key", "1970-01-02"})
            QVERIFY2(html.contains(wanted), wanted);
        QVERIFY(!html.contains("<room>"));
        QVERIFY(!html.contains("<script"));
        QVERIFY(!html.contains("http"));
    }

    void noFormatHoldsASecret()
    {
        for (const QByteArray &bytes :
             {reportHtml(m_report), reportJson(m_report), reportCsv(m_report)})
            QVERIFY(!bytes.contains("hunter2"));
    }
};

QTEST_GUILESS_MAIN(ReportTest)
#include "ReportTest.moc"
