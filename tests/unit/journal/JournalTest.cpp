// The migration's file: what survives, who owns it, what is refused.

#include "journal/Journal.h"

#include <QJsonDocument>
#include <QSqlDatabase>
#include <QSqlQuery>
#include <QTemporaryDir>
#include <QtTest>

using namespace causeway;

namespace {
Settings someSettings()
{
    Settings s;
    s.source.fromHere =
        *Address::fromUrl(QStringLiteral("mysql://mover:hunter2-secret@db-old:3307/shop"));
    s.target.fromHere = *Address::fromUrl(QStringLiteral("mariadb://mover@db-new/store"));
    s.selection.schemas << QStringLiteral("shop");
    s.selection.patterns << QStringLiteral("shop.*") << QStringLiteral("!shop.log");
    s.selection.renames.insert(QStringLiteral("shop"), QStringLiteral("store"));
    s.mode = Mode::Once;
    s.workers = 7;
    s.onSwitched = QStringLiteral("notify.sh 'a b'");
    s.accepted << QStringLiteral("mysql-unique-key");
    s.onDdl = QStringLiteral("recopy");
    s.throttleBytesPerSecond = 5'000'000;
    s.oneWayAccepted = true;
    return s;
}

QByteArray allBytes(const QString &folder)
{
    QByteArray out;
    for (const QFileInfo &info : QDir(folder).entryInfoList(QDir::Files | QDir::Hidden)) {
        QFile file(info.filePath());
        if (file.open(QIODevice::ReadOnly))
            out += file.readAll();
    }
    return out;
}

StepRecord step(const char *id, StepState state, qint64 started, const QString &error = {})
{
    return {QString::fromLatin1(id),
            Side::Target,
            cwText("core", "Create %1", QStringLiteral("x")),
            {QStringLiteral("CREATE TABLE x(id INT)"), QStringLiteral("SET @a='%1'")},
            state,
            started,
            state == StepState::Running ? 0 : started + 5,
            error};
}
} // namespace

class JournalTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_dir;
    int m_files = 0;
    QString newPath() { return m_dir.filePath(QStringLiteral("m%1.causeway").arg(++m_files)); }

private Q_SLOTS:
    void settingsComeBackWithoutTheSecret()
    {
        const QString path = newPath();
        const Settings in = someSettings();
        QString id;
        {
            const auto made = Journal::create(path, in);
            QVERIFY2(made, made ? "" : qPrintable(made.error().describe()));
            id = (*made)->settings()->id;
        }
        QCOMPARE(id.size(), 8);
        const auto journal = Journal::open(path, Journal::Access::Own);
        QVERIFY(journal.has_value());
        const Settings out = *(*journal)->settings();
        QCOMPARE(out.id, id);
        QCOMPARE(out.source.fromHere.host, QStringLiteral("db-old"));
        QCOMPARE(out.source.fromHere.port, quint16(3307));
        QVERIFY(out.source.fromHere.password.isEmpty());
        QCOMPARE(out.selection.patterns, in.selection.patterns);
        QCOMPARE(out.selection.renames, in.selection.renames);
        QVERIFY(out.mode == Mode::Once);
        QCOMPARE(out.workers, 7);
        QCOMPARE(out.onSwitched, in.onSwitched);
        QCOMPARE(out.accepted, in.accepted);
        QCOMPARE(out.onDdl, in.onDdl);
        QCOMPARE(out.throttleBytesPerSecond, in.throttleBytesPerSecond);
        QVERIFY(out.oneWayAccepted);
        QVERIFY(!allBytes(m_dir.path()).contains("hunter2"));
        QCOMPARE(QFile::permissions(path) & (QFileDevice::ReadGroup | QFileDevice::ReadOther),
                 QFileDevice::Permissions());
    }

    void aNewFileNeverReplacesOne()
    {
        const QString path = newPath();
        QVERIFY(Journal::create(path, someSettings()).has_value());
        const auto again = Journal::create(path, someSettings());
        QVERIFY(!again.has_value());
        QVERIFY(again.error().code == ErrorCode::Usage);
        const auto nowhere = Journal::create(QStringLiteral("/nonexistent/x"), someSettings());
        QVERIFY(!nowhere.has_value());
        QVERIFY(nowhere.error().code == ErrorCode::Usage);
    }

    void whatIsNoMigrationIsRefusedAndLeftAsItIs_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("text") << QByteArray("root:x:0:0:root:/root:/bin/bash\n");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("begins like a database") << QByteArray("SQLite format 3\0rubbish", 23);
        QTest::newRow("another database") << QByteArray("db");
    }

    void whatIsNoMigrationIsRefusedAndLeftAsItIs()
    {
        QFETCH(QByteArray, content);
        QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("x"));
        if (content == "db") {
            {
                QSqlDatabase db =
                    QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), QStringLiteral("other"));
                db.setDatabaseName(path);
                QVERIFY(db.open());
                QVERIFY(QSqlQuery(db).exec(QStringLiteral("CREATE TABLE mine(a)")));
            }
            QSqlDatabase::removeDatabase(QStringLiteral("other"));
        } else {
            QFile file(path);
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(content);
        }
        const QByteArray before = allBytes(dir.path());
        for (const auto access :
             {Journal::Access::Own, Journal::Access::Read, Journal::Access::LeaveCommand}) {
            const auto journal = Journal::open(path, access);
            QVERIFY(!journal.has_value());
            QCOMPARE(journal.error().id, QStringLiteral("not-a-migration"));
            QCOMPARE(journal.error().exitStatus(), 2);
        }
        QCOMPARE(allBytes(dir.path()), before);
        QCOMPARE(QDir(dir.path()).entryList(QDir::Files | QDir::Hidden),
                 QStringList(QStringLiteral("x")));
        const auto folder = Journal::open(dir.path(), Journal::Access::Read);
        QCOMPARE(folder.error().id, QStringLiteral("not-a-migration"));
        const auto missing =
            Journal::open(dir.filePath(QStringLiteral("y")), Journal::Access::Read);
        QCOMPARE(missing.error().exitStatus(), 2);
    }

    void oneOwnerManyReaders()
    {
        const QString path = newPath();
        {
            const auto owner = Journal::create(path, someSettings());
            QVERIFY(owner.has_value());
            QVERIFY(Journal::hasOwner(path));
            const auto second = Journal::open(path, Journal::Access::Own);
            QVERIFY(!second.has_value());
            QCOMPARE(second.error().id, QStringLiteral("file-in-use"));
            QCOMPARE(second.error().exitStatus(), 1);
            // Who it is, so that somebody can find the other window.
            const QString pid = QString::number(QCoreApplication::applicationPid());
            QVERIFY(Journal::owner(path).contains(pid));
            QVERIFY(second.error().message.english().contains(pid));
            const auto reader = Journal::open(path, Journal::Access::Read);
            QVERIFY(reader.has_value());
            QVERIFY((*owner)->setValue(QStringLiteral("a"), QStringLiteral("1")).has_value());
            QCOMPARE(**(*reader)->value(QStringLiteral("a")), QStringLiteral("1"));
            QVERIFY(!(*reader)->setValue(QStringLiteral("a"), QStringLiteral("2")).has_value());
            QCOMPARE(**(*owner)->value(QStringLiteral("a")), QStringLiteral("1"));
        }
        QVERIFY(!Journal::hasOwner(path));
        QVERIFY(Journal::owner(path).isEmpty());
        QVERIFY(Journal::open(path, Journal::Access::Own).has_value());
    }

    void nothingIsLeftBesideTheFile()
    {
        QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("m.causeway"));
        QVERIFY(Journal::create(path, someSettings()).has_value());
        QVERIFY((*Journal::open(path, Journal::Access::Read))->phase().has_value());
        QVERIFY(!Journal::hasOwner(path));
        QCOMPARE(QDir(dir.path()).entryList(QDir::Files | QDir::Hidden),
                 QStringList(QStringLiteral("m.causeway")));
    }

    void aFileThatMayOnlyBeReadIsRead()
    {
        const QString path = newPath();
        QVERIFY(Journal::create(path, someSettings()).has_value());
        QVERIFY(QFile::setPermissions(path, QFileDevice::ReadOwner));
        const auto reader = Journal::open(path, Journal::Access::Read);
        QVERIFY2(reader.has_value(), reader ? "" : qPrintable(reader.error().describe()));
        QVERIFY((*reader)->settings().has_value());
    }

    void eachRunOfAStepIsKept()
    {
        const auto journal = Journal::create(newPath(), someSettings());
        QVERIFY(journal.has_value());
        Journal &j = **journal;
        QVERIFY(j.recordStep(step("a", StepState::Running, 10)).has_value());
        QVERIFY(j.recordStep(step("a", StepState::Done, 10)).has_value());
        QVERIFY(j.recordStep(step("b", StepState::Running, 20)).has_value());
        QVERIFY(
            j.recordStep(step("b", StepState::Failed, 20, QStringLiteral("no room"))).has_value());
        QVERIFY(j.recordStep(step("a", StepState::Undone, 30)).has_value());
        // The next start finds a done; that is no new run.
        QVERIFY(j.recordStep(step("a", StepState::Running, 40)).has_value());
        QVERIFY(j.recordStep(step("a", StepState::Done, 40)).has_value());
        QVERIFY(j.recordStep(step("a", StepState::Skipped, 50)).has_value());
        const auto last = *j.steps();
        QCOMPARE(last.size(), std::size_t(2));
        QCOMPARE(last[0].id, QStringLiteral("a"));
        QCOMPARE(toString(last[0].state), QStringLiteral("done"));
        QCOMPARE(last[0].startedMs, qint64(40));
        QCOMPARE(last[1].error, QStringLiteral("no room"));
        QCOMPARE(last[1].title.english(), QStringLiteral("Create x"));
        QCOMPARE(last[1].shownSql.size(), 2);
        QVERIFY(last[1].side == Side::Target);
        const auto runs = *j.stepRuns();
        QStringList told;
        for (const StepRecord &r : runs)
            told << QStringLiteral("%1 %2").arg(r.id, toString(r.state));
        QCOMPARE(told, (QStringList{QStringLiteral("a done"), QStringLiteral("b failed"),
                                    QStringLiteral("a undone"), QStringLiteral("a done")}));
    }

    void secretsNeverReachEventsAndErrors()
    {
        const Secret secret(QStringLiteral("sesame-street"));
        QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("m"));
        const auto journal = Journal::create(path, someSettings());
        const QString words = QStringLiteral("CREATE USER a IDENTIFIED BY 'sesame-street'");
        QVERIFY((*journal)->addEvent({1, QStringLiteral("error"), words}).has_value());
        QVERIFY((*journal)->recordStep(step("a", StepState::Failed, 1, words)).has_value());
        QVERIFY(!allBytes(dir.path()).contains("sesame-street"));
    }

    void commandsWaitForTheOwner()
    {
        const QString path = newPath();
        const auto owner = Journal::create(path, someSettings());
        qint64 id = 0;
        {
            const auto other = Journal::open(path, Journal::Access::LeaveCommand);
            QVERIFY(other.has_value());
            const auto left =
                (*other)->leaveCommand(QStringLiteral("cancel"), {QStringLiteral("discard")});
            QVERIFY(left.has_value());
            id = *left;
        }
        QCOMPARE(*(*owner)->waitingCommands(), QStringList(QStringLiteral("cancel")));
        const auto taken = *(*owner)->takeCommands();
        QCOMPARE(taken.size(), std::size_t(1));
        QCOMPARE(taken[0].id, id);
        QCOMPARE(taken[0].args, QStringList(QStringLiteral("discard")));
        QVERIFY((*owner)->takeCommands()->empty());
    }

    void anAnswerEndsTheWaiting()
    {
        const auto journal = Journal::create(newPath(), someSettings());
        Snapshot s;
        s.runState = RunState::NeedsDecision;
        s.decision = Decision{QStringLiteral("ddl"), cwText("core", "What now?"), {}, {}, {}};
        QVERIFY((*journal)
                    ->setValue(QStringLiteral("snapshot"),
                               QString::fromUtf8(QJsonDocument(s.toJson()).toJson()))
                    .has_value());
        QVERIFY((*journal)->answer(QStringLiteral("ddl"), QStringLiteral("apply")).has_value());
        QCOMPARE(**(*journal)->value(QStringLiteral("answer.ddl")), QStringLiteral("apply"));
        const QJsonObject after =
            QJsonDocument::fromJson((*(*journal)->value(QStringLiteral("snapshot")))->toUtf8())
                .object();
        QVERIFY(after.value(QStringLiteral("decision")).isNull());
        QCOMPARE(after.value(QStringLiteral("run_state")).toString(), QStringLiteral("paused"));
    }

    void eventsAndSamplesAreBounded()
    {
        const auto journal = Journal::create(newPath(), someSettings());
        for (int i = 0; i < 30; ++i)
            QVERIFY(
                (*journal)->addEvent({i, QStringLiteral("info"), QString::number(i)}).has_value());
        const auto events = *(*journal)->events(10);
        QCOMPARE(events.size(), std::size_t(10));
        QCOMPARE(events.front().text, QStringLiteral("20"));
        QCOMPARE(events.back().text, QStringLiteral("29"));
        QVERIFY((*journal)->addSample({5, 1.5, 10, 20, 30}).has_value());
        QVERIFY((*journal)->addSample({6, 2.5, 11, 21, 31}).has_value());
        const auto samples = *(*journal)->samples(6);
        QCOMPARE(samples.size(), std::size_t(1));
        QCOMPARE(samples.front().lagSeconds, 2.5);
    }

    void aCopyIsWholeAndReplacesNothing()
    {
        const QString path = newPath(), copy = newPath();
        const auto journal = Journal::create(path, someSettings());
        QVERIFY((*journal)->setPhase(Phase::Replica).has_value());
        QVERIFY((*journal)->saveCopy(copy).has_value());
        QVERIFY(!(*journal)->saveCopy(copy).has_value());
        const auto other = Journal::open(copy, Journal::Access::Own);
        QVERIFY(other.has_value());
        QVERIFY(*(*other)->phase() == Phase::Replica);
        QCOMPARE((*other)->settings()->id, (*journal)->settings()->id);
    }

    void theSnapshotComesBack()
    {
        Snapshot s;
        s.phase = Phase::Copying;
        s.writePauseSeconds = 0.25;
        s.retentionSeconds = 3600;
        s.logNeededFromMs = 77;
        s.tables.push_back(
            {QStringLiteral("shop.a"), TableState::Copied, 100, 100, 5000, 9000, {}});
        s.tables.push_back({QStringLiteral("shop.b"), TableState::Copying, 20, 80, 10, 1000, {}});
        QCOMPARE(s.copiedPart(), (9000.0 + 250.0) / 10000.0);
        Snapshot back;
        back.restore(s.toProgressJson());
        QCOMPARE(back.copiedPart(), s.copiedPart());
        QCOMPARE(back.tables.size(), std::size_t(2));
        QCOMPARE(toString(back.tables[1].state), QStringLiteral("copying"));
        QCOMPARE(back.tables[0].bytes, qint64(5000));
        QCOMPARE(back.writePauseSeconds, 0.25);
        QCOMPARE(back.retentionSeconds, qint64(3600));
        QCOMPARE(back.logNeededFromMs, qint64(77));
        // More rows than estimated is not yet done.
        s.tables[1].rows = 500;
        QVERIFY(s.copiedPart() < 1);
    }
};

QTEST_GUILESS_MAIN(JournalTest)
#include "JournalTest.moc"
