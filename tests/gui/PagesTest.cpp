#include "Samples.h"
#include "models/EnglishPlurals.h"
#include "pages/Page.h"
#include "shell/MainWindow.h"
#include "widgets/LogDrawer.h"
#include "widgets/RolesBar.h"
#include "widgets/UserScriptDialog.h"

#include <QAbstractButton>
#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QDialog>
#include <QGroupBox>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenuBar>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QProcess>
#include <QProcessEnvironment>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QTabBar>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QTreeView>

using namespace causeway;
using namespace causeway::ui;
using namespace causeway::ui::test;

class PagesTest : public QObject {
    Q_OBJECT

    std::shared_ptr<FakeEngine> m_engine;
    std::unique_ptr<MainWindow> m_window;
    QTemporaryDir m_folder;

    template <class W> W *find(const char *name, QWidget *in = nullptr)
    {
        W *w = (in ? in : m_window.get())->findChild<W *>(QString::fromLatin1(name));
        if (!w)
            qFatal("no control called %s", name);
        return w;
    }
    void click(const char *name) { QTest::mouseClick(find<QAbstractButton>(name), Qt::LeftButton); }
    QString reason() { return find<QLabel>("nextReason")->text(); }
    bool nextEnabled() { return find<QPushButton>("nextButton")->isEnabled(); }

    /// Both servers filled in and tested, schema shop ticked, everything accepted.
    void walkTo(MainWindow::PageId to)
    {
        click("newMigrationButton");
        QCOMPARE(m_window->currentPage(), MainWindow::Source);
        m_window->prefill(sampleAddress("db-old.example.net", "shop"),
                          sampleAddress("db-new.example.net"));
        for (const char *button : {"sourceTestButton", "targetTestButton"}) {
            click(button);
            QTRY_VERIFY2(nextEnabled(), qPrintable(reason()));
            if (m_window->currentPage() == to)
                return;
            click("nextButton");
        }
        QCOMPARE(m_window->currentPage(), MainWindow::Selection);
        QTRY_VERIFY2(nextEnabled(), qPrintable(reason()));
        if (to == MainWindow::Selection)
            return;
        click("nextButton");
        QCOMPARE(m_window->currentPage(), MainWindow::Preflight);
        QTRY_VERIFY(m_window->draft().check.has_value());
        if (to == MainWindow::Preflight)
            return;
        m_engine->check.findings[1].status = FindingStatus::Pass;
        m_window->draft().accepted = {QStringLiteral("mysql-unique-key"),
                                      QStringLiteral("mysql-foreign-keys"),
                                      QStringLiteral("mysql-grants")};
        QTest::keyClick(m_window.get(), Qt::Key_F5);
        QTRY_VERIFY2(nextEnabled(), qPrintable(reason()));
        click("nextButton");
        QCOMPARE(m_window->currentPage(), MainWindow::Plan);
        find<QLineEdit>("fileEdit")->setText(m_folder.filePath(QStringLiteral("a.causeway")));
    }
    void openAt(Phase phase)
    {
        m_engine->migration->set(sampleSnapshot(phase));
        Draft d;
        d.id = QStringLiteral("0badcafe");
        d.source = sampleAddress("db-old.example.net", "shop");
        d.target = sampleAddress("db-new.example.net");
        m_engine->openedSettings = d.toSettings();
        m_window->setPasswords(Secret(QStringLiteral("one word")),
                               Secret(QStringLiteral("other word")));
        m_window->openFile(QStringLiteral("/nowhere/x.causeway"));
        QTRY_VERIFY(m_window->bridge().hasMigration());
    }
    template <class C> int countPosted()
    {
        int n = 0;
        for (const Command &c : m_engine->migration->posted())
            n += std::holds_alternative<C>(c);
        return n;
    }

private Q_SLOTS:
    void initTestCase() { QSettings().clear(); }
    void init()
    {
        m_engine = sampleEngine();
        m_window = std::make_unique<MainWindow>(m_engine);
        m_window->show();
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
    }
    void cleanup() { m_window.reset(); }

    void saysWhyOneCannotGoOn()
    {
        QVERIFY(!nextEnabled());
        QVERIFY(!reason().isEmpty());
        click("newMigrationButton");
        QVERIFY(!nextEnabled());
        QVERIFY(reason().contains(QStringLiteral("host name")));
    }

    void marksARequiredFieldAfterItIsLeft()
    {
        click("newMigrationButton");
        auto *host = find<QLineEdit>("sourceHostEdit");
        QVERIFY(!find<QLabel>("sourceHostError")->isVisible());
        host->setFocus();
        find<QLineEdit>("sourceUserEdit")->setFocus();
        QTRY_VERIFY(find<QLabel>("sourceHostError")->isVisible());
        QVERIFY(host->accessibleName().contains(QStringLiteral("required")));
        QVERIFY(!host->accessibleDescription().isEmpty());
        host->setText(QStringLiteral("db"));
        QVERIFY(!find<QLabel>("sourceHostError")->isVisible());
    }

    void pastedPasswordGoesToItsFieldOnly()
    {
        click("newMigrationButton");
        auto *paste = find<QLineEdit>("sourcePasteEdit");
        QApplication::processEvents();
        paste->setFocus();
        paste->insert(QStringLiteral("mariadb://me:s3cret!word@db.example.net:3307/shop"));
        QCOMPARE(find<QLineEdit>("sourcePasswordEdit")->text(), QStringLiteral("s3cret!word"));
        QCOMPARE(find<QLineEdit>("sourcePasswordEdit")->echoMode(), QLineEdit::Password);
        QCOMPARE(find<QLineEdit>("sourceHostEdit")->text(), QStringLiteral("db.example.net"));
        QCOMPARE(find<QSpinBox>("sourcePortSpin")->value(), 3307);
        for (const QLineEdit *edit : m_window->findChildren<QLineEdit *>()) {
            if (edit->objectName() != QLatin1String("sourcePasswordEdit"))
                QVERIFY(!edit->text().contains(QStringLiteral("s3cret")));
        }
        paste->setText(QStringLiteral("shop.abc123.eu-west-1.rds.amazonaws.com:3310"));
        QTest::keyClick(paste, Qt::Key_Return);
        QCOMPARE(find<QLineEdit>("sourceHostEdit")->text(),
                 QStringLiteral("shop.abc123.eu-west-1.rds.amazonaws.com"));
        QCOMPARE(find<QSpinBox>("sourcePortSpin")->value(), 3310);
    }

    void aReplicaAsSourceIsCheckedWithItsPrimary()
    {
        walkTo(MainWindow::Source);
        click("sourceAdvancedButton");
        auto *writer = find<QLineEdit>("sourceWriterEdit");
        QVERIFY(writer->isVisible());
        QVERIFY(!find<QLineEdit>("sourceFromPeerEdit")->isVisible());
        writer->setText(QStringLiteral("no host name"));
        QVERIFY(!nextEnabled());
        QVERIFY2(reason().contains(QStringLiteral("host:port")), qPrintable(reason()));
        writer->setText(QStringLiteral("primary.example.net:3309"));
        click("sourceTestButton");
        QTRY_VERIFY2(nextEnabled(), qPrintable(reason()));
        const Draft &draft = m_window->draft();
        QVERIFY(draft.sourceWriter.has_value());
        QCOMPARE(draft.sourceWriter->display(), QStringLiteral("primary.example.net:3309"));
        QCOMPARE(draft.sourceWriter->user, draft.source.user);
        QCOMPARE(draft.sourceWriter->password.reveal(), draft.source.password.reveal());
        click("nextButton");
        click("targetTestButton");
        QTRY_VERIFY2(nextEnabled(), qPrintable(reason()));
        click("nextButton");
        QTRY_VERIFY2(nextEnabled(), qPrintable(reason()));
        click("nextButton");
        QTRY_VERIFY(m_window->draft().check.has_value());
        QVERIFY(m_engine->checkedSource.writer.has_value());
        QCOMPARE(m_engine->checkedSource.writer->display(), draft.sourceWriter->display());
        QCOMPARE(draft.toSettings().source.writer->port, quint16(3309));
    }

    void eachServerOfPostgresMayBeReachedOtherwiseByTheOther()
    {
        click("newMigrationButton");
        find<QLineEdit>("sourcePasteEdit")
            ->setText(QStringLiteral("postgresql://me:secret-word@127.0.0.1:6543/shop"));
        click("sourceAdvancedButton");
        QVERIFY(!find<QLineEdit>("sourceWriterEdit")->isVisible());
        auto *fromPeer = find<QLineEdit>("sourceFromPeerEdit");
        QVERIFY(fromPeer->isVisible());
        fromPeer->setText(QStringLiteral("db-old.internal"));
        click("sourceTestButton");
        QTRY_VERIFY2(nextEnabled(), qPrintable(reason()));
        const Settings s = m_window->draft().toSettings();
        QVERIFY(s.source.fromPeer.has_value());
        QCOMPARE(s.source.fromPeer->display(), QStringLiteral("db-old.internal:5432"));
        QCOMPARE(s.source.fromPeer->database, QStringLiteral("shop"));
        QCOMPARE(s.source.fromHere.display(), QStringLiteral("127.0.0.1:6543"));
    }

    void allFixesOfAServerAreShownInOneGo()
    {
        walkTo(MainWindow::Preflight);
        click("fixPlanButton");
        auto *dialog = find<QDialog>("fixPlanDialog");
        QString code;
        for (const QPlainTextEdit *text : dialog->findChildren<QPlainTextEdit *>())
            code += text->toPlainText() + QLatin1Char('\n');
        QVERIFY2(code.contains(QStringLiteral("SET PERSIST gtid_mode = ON;")), qPrintable(code));
        QVERIFY(find<QLabel>("fixPlanServer1", dialog)
                    ->text()
                    .contains(QStringLiteral("db-old.example.net")));
        dialog->close();
    }

    void openingAsksForThePrimarysPasswordToo()
    {
        m_engine->migration->set(sampleSnapshot(Phase::Replica));
        m_engine->openedSettings.source.fromHere = sampleAddress("replica.example.net", "shop");
        m_engine->openedSettings.source.writer = sampleAddress("primary.example.net");
        m_engine->openedSettings.target.fromHere = sampleAddress("db-new.example.net");
        m_window->openFile(QStringLiteral("/nowhere/x.causeway"));
        QTRY_VERIFY(m_window->findChild<QLineEdit *>(QStringLiteral("writerPasswordEdit")));
        auto *dialog = find<QDialog>("passwordsDialog");
        find<QLineEdit>("sourcePasswordEdit", dialog)->setText(QStringLiteral("first word"));
        find<QLineEdit>("targetPasswordEdit", dialog)->setText(QStringLiteral("other word"));
        click("passwordsOpenButton");
        QTRY_VERIFY(m_window->bridge().hasMigration());
        QCOMPARE(m_engine->openedWith.sourceWriter.reveal(), QByteArray("first word"));
    }

    void connectionTestCanBeStopped()
    {
        m_engine->hang = true;
        click("newMigrationButton");
        m_window->prefill(sampleAddress("black.hole"), std::nullopt);
        auto *button = find<QPushButton>("sourceTestButton");
        const QString before = button->text();
        click("sourceTestButton");
        QVERIFY(button->text() != before);
        click("sourceTestButton");
        QCOMPARE(button->text(), before);
        QVERIFY(!nextEnabled());
    }

    void editingAfterTheTestAsksForAnother()
    {
        walkTo(MainWindow::Source);
        QVERIFY(nextEnabled());
        find<QLineEdit>("sourceUserEdit")->setText(QStringLiteral("somebody"));
        QVERIFY(!nextEnabled());
    }

    void warningsAreAcknowledgedOneByOne()
    {
        walkTo(MainWindow::Preflight);
        QVERIFY(!nextEnabled());
        QVERIFY(reason().contains(QStringLiteral("blocker")));
        auto *tree = find<QTreeView>("findingTree");
        auto *model = tree->model();
        const QModelIndex blockers = model->index(0, 0);
        tree->setCurrentIndex(model->index(0, 0, blockers));
        QVERIFY2(!find<QAbstractButton>("acceptCheck")->isVisible(), "may not be accepted");
        QVERIFY(find<QAbstractButton>("applyFixButton")->isVisible());
        tree->setCurrentIndex(model->index(1, 0, blockers));
        QVERIFY(find<QAbstractButton>("acceptCheck")->isVisible());
        find<QAbstractButton>("acceptCheck")->click();
        QCOMPARE(m_window->draft().accepted, QStringList{QStringLiteral("mysql-unique-key")});
        QVERIFY(!nextEnabled());
    }

    void planIsPreparedBeforeTheCopyStarts()
    {
        walkTo(MainWindow::Plan);
        QTRY_VERIFY2(reason().contains(QStringLiteral("Prepare")), qPrintable(reason()));
        const QString pause = find<QWidget>("planPause")
                                  ->findChild<QLabel *>(QStringLiteral("planPauseText"))
                                  ->text();
        QVERIFY2(pause.contains(QStringLiteral("in about 0.3 s")), qPrintable(pause));
        m_engine->migration->planned = sampleSnapshot(Phase::Copying).steps;
        click("prepareButton");
        QTRY_VERIFY2(nextEnabled(), qPrintable(reason()));
        QTRY_COMPARE(find<QTreeView>("planSteps")->model()->rowCount(), 2);
        find<QSpinBox>("workersSpin")->setValue(9);
        QVERIFY2(!nextEnabled(), "the plan shown is no longer the one that would run");
        click("prepareButton");
        QTRY_VERIFY(nextEnabled());
        QCOMPARE(countPosted<command::RunTo>(), 0);
        click("nextButton");
        QCOMPARE(countPosted<command::RunTo>(), 1);
        QCOMPARE(m_window->currentPage(), MainWindow::Progress);
        const auto run = std::get<command::RunTo>(m_engine->migration->posted().back());
        QCOMPARE(int(run.goal), int(Goal::Replica));
        QVERIFY(run.follow);
        m_engine->migration->set(sampleSnapshot(Phase::Copying));
        QTRY_VERIFY(find<QProgressBar>("copyBar")->value() > 0);
        QVERIFY(m_window->windowTitle().contains(QStringLiteral("Copying")));
        m_window->goTo(MainWindow::Source);
        QVERIFY2(find<QLineEdit>("sourceHostEdit")->isReadOnly(), "read, not changed");
    }

    void oneWayMustBeAcceptedByTyping()
    {
        m_engine->back = {false, cwText("core", "its log cannot be read")};
        walkTo(MainWindow::Plan);
        QTRY_VERIFY(find<QAbstractButton>("acceptOneWayButton")->isVisible());
        QVERIFY(!nextEnabled());
        click("acceptOneWayButton");
        auto *act = find<QPushButton>("confirmActionButton");
        QVERIFY(!act->isEnabled());
        QTest::keyClicks(find<QLineEdit>("confirmEdit"), QStringLiteral("db-new.example.net"));
        QVERIFY(act->isEnabled());
        QTest::mouseClick(act, Qt::LeftButton);
        QTRY_VERIFY(m_window->draft().oneWayAccepted);
    }

    void decisionIsAnsweredByItsButton()
    {
        Snapshot s = sampleSnapshot(Phase::Copying);
        s.runState = RunState::NeedsDecision;
        Decision d;
        d.id = QStringLiteral("ddl");
        d.question = cwText("core", "A schema change was met.");
        d.detail = QStringLiteral("ALTER TABLE shop.orders ADD note TEXT");
        d.choices = {{QStringLiteral("apply"), cwText("core", "Run it on the follower")},
                     {QStringLiteral("stop"), cwText("core", "Stay stopped")}};
        s.decision = d;
        openAt(Phase::Copying);
        m_engine->migration->set(s);
        QTRY_VERIFY(find<QWidget>("decisionBanner")->isVisible());
        click("decision_apply");
        QCOMPARE(countPosted<command::Answer>(), 1);
        QCOMPARE(countPosted<command::RunTo>(), 1);
    }

    void throughputAndLagAreDrawnAndReadAsATable()
    {
        openAt(Phase::Copying);
        QTRY_COMPARE(m_window->currentPage(), MainWindow::Progress);
        find<QTabWidget>("progressTabs")->setCurrentIndex(1);
        Snapshot s = sampleSnapshot(Phase::Copying);
        for (int i = 0; i < 30; ++i) {
            s.atMs += 2'000;
            s.rateBytes = 1'048'576.0 * (i + 1);
            s.lagSeconds = i < 10 ? -1 : 0.5 * i;
            m_engine->migration->set(s);
            m_window->bridge().refresh();
        }
        const auto *throughput = find<QWidget>("throughputChart");
        const auto *view = find<QWidget>("throughputChartView");
        QVERIFY(view->isVisible());
        QVERIFY2(view->accessibleDescription().contains(QLatin1String("30")),
                 qPrintable(view->accessibleDescription()));
        QVERIFY2(
            find<QWidget>("lagChartView")->accessibleDescription().contains(QLatin1String("15")),
            "the lag in words");
        click("throughputChartSwitch");
        QVERIFY(!view->isVisible());
        const auto *table = find<QTreeView>("throughputChartTable");
        QVERIFY(table->isVisible());
        QCOMPARE(table->model()->rowCount(), 31);
        const QString newest = table->model()->index(0, 1).data().toString();
        QVERIFY2(newest.contains(QLatin1String("30")), qPrintable(newest));
        // What is not known is not drawn as nothing.
        click("lagChartSwitch");
        QCOMPARE(find<QTreeView>("lagChartTable")->model()->rowCount(), 20);
        QVERIFY(throughput->isVisible());
        find<QComboBox>("chartSpanCombo")->setCurrentIndex(2);
        QCOMPARE(table->model()->rowCount(), 31);
        // Another migration begins with none of it.
        m_engine->migration->set(sampleSnapshot(Phase::Copying));
        m_window->openFile(QStringLiteral("/nowhere/y.causeway"));
        QTRY_VERIFY(find<QTreeView>("lagChartTable")->model()->rowCount() == 0);
    }

    void switchButtonNamesTheHostAndWaitsForTheFacts()
    {
        openAt(Phase::Replica);
        m_window->goTo(MainWindow::Cutover);
        auto *button = find<QPushButton>("enablePrimaryButton");
        QVERIFY(button->text().contains(QStringLiteral("db-new.example.net:3306 takes writes")));
        QVERIFY(!button->isEnabled());
        QVERIFY(!button->isDefault() && !button->autoDefault());
        // Fresh figures keep coming; the lag stays small for the time that is asked for.
        QTRY_VERIFY_WITH_TIMEOUT(
            [&] {
                Snapshot s = sampleSnapshot(Phase::Replica);
                m_engine->migration->set(s);
                return button->isEnabled();
            }(),
            12'000);
        click("enablePrimaryButton");
        const auto run = std::get<command::RunTo>(m_engine->migration->posted().back());
        QCOMPARE(int(run.goal), int(Goal::Primary));
        // What comes before the hold may take minutes.
        QVERIFY(!button->isEnabled());
        const QString says = find<QWidget>("cutoverObstacle")
                                 ->findChild<QLabel *>(QStringLiteral("cutoverObstacleText"))
                                 ->text();
        QVERIFY2(says.contains(QStringLiteral("was asked for")), qPrintable(says));
        Snapshot later = sampleSnapshot(Phase::Replica);
        later.activity = cwText("core", "Comparing both sides");
        m_engine->migration->set(later);
        auto *state =
            find<QWidget>("cutoverState")->findChild<QLabel *>(QStringLiteral("cutoverStateText"));
        QTRY_VERIFY(state->text().contains(QStringLiteral("Comparing both sides")));
        QVERIFY(!button->isEnabled());
    }

    void aWriteOfSomebodyElseStandsOnBothPages()
    {
        openAt(Phase::Primary);
        Snapshot s = sampleSnapshot(Phase::Primary);
        Alarm alarm;
        alarm.side = Side::Source;
        alarm.count = 1;
        alarm.tables = {QStringLiteral("shop.orders")};
        s.alarm = alarm;
        m_engine->migration->set(s);
        auto *cutover = m_window->page(MainWindow::Cutover);
        auto *banner = find<QWidget>("troubleBanner", cutover);
        QTRY_VERIFY(banner->isVisible());
        QVERIFY2(banner->accessibleName().contains(QStringLiteral("shop.orders")),
                 qPrintable(banner->accessibleName()));
        QVERIFY(!find<QPushButton>("enableReplicaButton")->isEnabled());
        m_window->goTo(MainWindow::Progress);
        auto *progress = m_window->page(MainWindow::Progress);
        QVERIFY(find<QWidget>("troubleBanner", progress)->isVisible());
        QVERIFY(find<QPushButton>("repairButton", progress)->isVisible());
        // Finishing goes on only with it being named.
        m_window->goTo(MainWindow::Cutover);
        click("finishButton");
        QString said;
        auto *edit = find<QLineEdit>("confirmEdit");
        for (const QLabel *label : edit->window()->findChildren<QLabel *>())
            said += label->text() + QLatin1Char('\n');
        QVERIFY2(said.contains(QStringLiteral("shop.orders")), qPrintable(said));
        QVERIFY2(said.contains(QStringLiteral("neither compares nor repairs")), qPrintable(said));
        edit->setText(s.targetName);
        QTest::mouseClick(find<QPushButton>("confirmActionButton"), Qt::LeftButton);
        const auto run = std::get<command::RunTo>(m_engine->migration->posted().back());
        QVERIFY(run.goal == Goal::Finished && run.differing);
        s.alarm.reset();
        m_engine->migration->set(s);
        QTRY_VERIFY(!banner->isVisible());
    }

    void rowsThatDifferAreListedAndRepairedHere()
    {
        openAt(Phase::Replica);
        auto *page = m_window->page(MainWindow::Progress);
        Snapshot s = sampleSnapshot(Phase::Replica);
        s.tables[1].state = TableState::Different;
        m_engine->migration->set(s);
        VerifyReport report;
        TableVerdict verdict;
        verdict.name = QStringLiteral("shop.orders");
        verdict.missing = 1;
        verdict.samples = {{QStringLiteral("4711"), QStringLiteral("missing")}};
        report.tables = {verdict};
        m_engine->migration->end({command::Verify{}, {}, report});
        auto *rows = find<QWidget>("troubleBanner", page)->findChild<QPlainTextEdit *>();
        QTRY_VERIFY2(rows->toPlainText().contains(QStringLiteral("row 4711: missing")),
                     qPrintable(rows->toPlainText()));
        QTest::mouseClick(find<QPushButton>("repairButton", page), Qt::LeftButton);
        auto *box = find<QMessageBox>("repairDialog");
        QVERIFY2(box->text().contains(QStringLiteral("overwritten")), qPrintable(box->text()));
        QCOMPARE(countPosted<command::Verify>(), 0);
        QTest::mouseClick(find<QPushButton>("repairNowButton"), Qt::LeftButton);
        QCOMPARE(countPosted<command::Verify>(), 1);
        bool repairs = false;
        for (const Command &c : m_engine->migration->posted()) {
            if (const auto *v = std::get_if<command::Verify>(&c))
                repairs = v->repair;
        }
        QVERIFY(repairs);
    }

    void whatIsNotCarriedOverNowIsNotSaidToFollow()
    {
        openAt(Phase::Replica);
        auto *bar = m_window->findChild<RolesBar *>();
        QTRY_VERIFY(bar->sentence().contains(QStringLiteral("follows.")));
        Snapshot s = sampleSnapshot(Phase::Replica);
        s.runState = RunState::Paused;
        m_engine->migration->set(s);
        QTRY_VERIFY2(bar->sentence().contains(QStringLiteral("does not follow now")),
                     qPrintable(bar->sentence()));
        QVERIFY(find<QLabel>("lagFact")->text().contains(QStringLiteral("not measured since")));
    }

    void theOldSourceIsClosedAndThisOpensIt()
    {
        m_engine->openSql = QStringLiteral("SET GLOBAL read_only=OFF;");
        openAt(Phase::Finished);
        QCOMPARE(m_window->currentPage(), MainWindow::Finished);
        auto *page = m_window->page(MainWindow::Finished);
        QTRY_VERIFY(find<QWidget>("openOldBox", page)->isVisible());
        QCOMPARE(find<QWidget>("openOldBox", page)->findChild<QPlainTextEdit *>()->toPlainText(),
                 m_engine->openSql);
        const QString says =
            page->findChild<QLabel *>(QStringLiteral("finishedOldSourceText"))->text();
        QVERIFY2(says.contains(QStringLiteral("closed for writes")) &&
                     says.contains(QStringLiteral("restart")),
                 qPrintable(says));
    }

    void whoIsRefusedIsNotToldThatEncryptionFailed()
    {
        m_engine->connection.stages.resize(2);
        Error e;
        e.code = ErrorCode::Connect;
        e.message = cwText("core", "The password is wrong.");
        m_engine->connection.stages.push_back({ConnectStage::SignIn, false, e.message});
        m_engine->connection.error = e;
        click("newMigrationButton");
        m_window->prefill(sampleAddress("db-old.example.net", "shop"), std::nullopt);
        const QString idle = find<QPushButton>("sourceTestButton")->text();
        click("sourceTestButton");
        auto *page = m_window->page(MainWindow::Source);
        const auto line = [&](int i) {
            return page->findChild<QLabel *>(QStringLiteral("stage%1Text").arg(i))->text();
        };
        QTRY_VERIFY(line(3).contains(QStringLiteral("failed")));
        // The stages are told while the test runs; a click before its end would stop it.
        QTRY_COMPARE(find<QPushButton>("sourceTestButton")->text(), idle);
        QVERIFY2(!line(2).contains(QStringLiteral("failed")), qPrintable(line(2)));
        m_engine->connection = sampleEngine()->connection;
        m_engine->connection.stages[2].detail = cwText("core", "The connection is not encrypted.");
        click("sourceTestButton");
        QTRY_VERIFY(line(4).contains(QStringLiteral("passed")));
        QVERIFY2(!line(2).contains(QStringLiteral("passed")), qPrintable(line(2)));
        QVERIFY(line(2).contains(QStringLiteral("not encrypted")));
    }

    void theScriptForTheUserHasAPasswordOfItsOwn()
    {
        QStringList seen;
        for (int i = 0; i < 2; ++i) {
            UserScriptDialog dialog(m_window->bridge(), Endpoint{}, Side::Source,
                                    causeway::Selection{}, nullptr);
            dialog.setAttribute(Qt::WA_DeleteOnClose, false);
            auto *text = dialog.findChild<QPlainTextEdit *>();
            QTRY_VERIFY(text->toPlainText().contains(QStringLiteral("IDENTIFIED BY '")));
            const QString password = text->toPlainText().section(QLatin1Char('\''), 5, 5);
            QVERIFY2(password.size() >= 20 && !password.contains(QLatin1Char('$')),
                     qPrintable(text->toPlainText()));
            seen << password;
        }
        QVERIFY(seen[0] != seen[1]);
    }

    void whatCanBeDoneAboutAFindingIsInSight_data()
    {
        QTest::addColumn<QSize>("size");
        QTest::newRow("small") << QSize(800, 600);
        QTest::newRow("usual") << QSize(1120, 780);
    }

    void whatCanBeDoneAboutAFindingIsInSight()
    {
        QFETCH(const QSize, size);
        for (Finding &f : m_engine->check.findings) {
            f.fix.sql = {QStringLiteral("SET GLOBAL binlog_format = ROW"),
                         QStringLiteral("SET GLOBAL binlog_row_image = FULL")};
            f.fix.config = {QStringLiteral("[mysqld]"), QStringLiteral("binlog_format = ROW")};
        }
        m_window->resize(size);
        walkTo(MainWindow::Preflight);
        auto *tree = find<QTreeView>("findingTree");
        tree->setCurrentIndex(tree->model()->index(1, 0, tree->model()->index(0, 0)));
        QApplication::processEvents();
        for (const char *name :
             {"acceptCheck", "checkAgainButton", "fixPlanButton", "exportButton"}) {
            auto *w = find<QWidget>(name);
            QVERIFY2(w->isVisible() && w->visibleRegion().boundingRect().height() == w->height(),
                     name);
        }
        // A line of my.cnf is not to be pasted into a session.
        auto *page = m_window->page(MainWindow::Preflight);
        const QString sql =
            find<QWidget>("fixSql", page)->findChild<QPlainTextEdit *>()->toPlainText();
        QVERIFY2(!sql.contains(QStringLiteral("[mysqld]")), qPrintable(sql));
        QVERIFY(find<QWidget>("fixConfig", page)
                    ->findChild<QPlainTextEdit *>()
                    ->toPlainText()
                    .startsWith(QStringLiteral("[mysqld]")));
    }

    void helpNeedsNoDisplay()
    {
        QProcess program;
        auto environment = QProcessEnvironment::systemEnvironment();
        for (const char *name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"})
            environment.remove(QString::fromLatin1(name));
        program.setProcessEnvironment(environment);
        const auto run = [&program](const QStringList &arguments) {
            program.start(QStringLiteral(CAUSEWAY_PROGRAM), arguments);
            return program.waitForFinished() ? program.exitCode() : -1;
        };
        for (const char *option : {"--help", "--version"}) {
            QCOMPARE(run({QString::fromLatin1(option)}), 0);
            QCOMPARE(program.exitStatus(), QProcess::NormalExit);
            QVERIFY(!program.readAllStandardOutput().isEmpty());
        }
        QCOMPARE(run({}), 2);
        QVERIFY(program.readAllStandardError().contains("no display"));
    }

    void finishAsksForTheNameToBeTyped()
    {
        openAt(Phase::Primary);
        QCOMPARE(m_window->currentPage(), MainWindow::Cutover);
        QVERIFY(m_window->findChild<RolesBar *>()->sentence().startsWith(
            QStringLiteral("db-new.example.net:3306 takes writes")));
        click("finishButton");
        QTest::keyClicks(find<QLineEdit>("confirmEdit"), QStringLiteral("yes"));
        QVERIFY(!find<QPushButton>("confirmActionButton")->isEnabled());
        QTest::keyClick(find<QLineEdit>("confirmEdit"), Qt::Key_Return);
        QCOMPARE(countPosted<command::RunTo>(), 0);
        find<QLineEdit>("confirmEdit")->setText(QStringLiteral("db-new.example.net:3306"));
        QTest::mouseClick(find<QPushButton>("confirmActionButton"), Qt::LeftButton);
        QCOMPARE(countPosted<command::RunTo>(), 1);
        m_engine->migration->set(sampleSnapshot(Phase::Finished));
        QTRY_COMPARE(m_window->currentPage(), MainWindow::Finished);
    }

    void cancelIsNotOfferedOnceTheTargetLeads()
    {
        openAt(Phase::Primary);
        m_window->goTo(MainWindow::Progress);
        QVERIFY(!find<QAbstractButton>("cancelButton")->isEnabled());
    }

    void escapeClosesTheDrawerOnly()
    {
        QTest::keyClick(m_window.get(), Qt::Key_L, Qt::ControlModifier);
        auto *drawer = find<LogDrawer>("logDrawer");
        QTRY_VERIFY(drawer->isVisible());
        QTest::keyClick(m_window.get(), Qt::Key_Escape);
        QVERIFY(!drawer->isVisible());
        QTest::keyClick(m_window.get(), Qt::Key_Escape);
        QVERIFY(m_window->isVisible());
    }

    void f6GoesRoundTheRegions()
    {
        find<QListWidget>("stepList")->setFocus();
        QTest::keyClick(m_window.get(), Qt::Key_F6);
        QCOMPARE(QApplication::focusWidget(), find<QAbstractButton>("newMigrationButton"));
        QTest::keyClick(m_window.get(), Qt::Key_F6); // no way back or on: round to the steps
        QCOMPARE(QApplication::focusWidget(), find<QListWidget>("stepList"));
        click("newMigrationButton");
        find<QListWidget>("stepList")->setFocus();
        QSet<QWidget *> visited;
        for (int i = 0; i < 3; ++i) {
            QTest::keyClick(m_window.get(), Qt::Key_F6);
            visited.insert(QApplication::focusWidget());
        }
        QCOMPARE(visited.size(), 3);
        QVERIFY(visited.contains(find<QListWidget>("stepList")));
    }

    void pluralsReadAsEnglish()
    {
        EnglishPlurals plurals;
        QApplication::installTranslator(&plurals);
        QCOMPARE(Page::tr("%n table(s).", nullptr, 1), QStringLiteral("1 table."));
        QCOMPARE(Page::tr("%n table(s).", nullptr, 2), QStringLiteral("2 tables."));
        QCOMPARE(Words::seconds(7 * 86'400), QStringLiteral("7 d"));
        QCOMPARE(Words::seconds(65), QStringLiteral("1 min 5 s"));
    }

    void closingWhileItRunsAsks()
    {
        openAt(Phase::Copying);
        m_window->close();
        QVERIFY(m_window->isVisible());
        auto *box = find<QMessageBox>("closeDialog");
        QVERIFY(!box->defaultButton());
        QTest::mouseClick(find<QPushButton>("pauseAndQuitButton"), Qt::LeftButton);
        QTRY_VERIFY(!m_window->isVisible());
    }

    void checkOfASourceEndsAtPreflight()
    {
        click("checkOnlyButton");
        m_window->prefill(sampleAddress("db-old.example.net", "shop"), std::nullopt);
        click("sourceTestButton");
        QTRY_VERIFY(nextEnabled());
        click("nextButton");
        QCOMPARE(m_window->currentPage(), MainWindow::Selection);
        QTRY_VERIFY(nextEnabled());
        click("nextButton");
        QTRY_VERIFY(m_window->draft().check.has_value());
        QVERIFY(!nextEnabled());
        QVERIFY(find<QAbstractButton>("exportButton")->isEnabled());
    }

    void everyControlHasNamesAndEveryMnemonicIsItsOwn()
    {
        openAt(Phase::Primary);
        for (int i = 0; i < MainWindow::PageCount; ++i) {
            QHash<QChar, QString> used;
            const auto take = [&](const QString &text) {
                const qsizetype at = text.indexOf(QLatin1Char('&'));
                if (at < 0 || at + 1 >= text.size() || text[at + 1] == QLatin1Char('&'))
                    return;
                const QChar key = text[at + 1].toLower();
                QVERIFY2(!used.contains(key),
                         qPrintable(QStringLiteral("page %1: Alt+%2 is both \"%3\" and \"%4\"")
                                        .arg(i)
                                        .arg(key)
                                        .arg(used.value(key), text)));
                used.insert(key, text);
            };
            for (const QAction *action : m_window->menuBar()->actions())
                take(action->text());
            take(find<QPushButton>("backButton")->text());
            take(QStringLiteral("&Next"));
            Page *page = m_window->page(static_cast<MainWindow::PageId>(i));
            for (QWidget *w : page->findChildren<QWidget *>()) {
                // Parts of Qt's own compound controls have no names of ours.
                const bool inner = w->parentWidget() != page &&
                                   (qobject_cast<QAbstractScrollArea *>(w->parentWidget()) ||
                                    qobject_cast<QAbstractSpinBox *>(w->parentWidget()) ||
                                    qobject_cast<QComboBox *>(w->parentWidget()) ||
                                    qobject_cast<QTabWidget *>(w->parentWidget()) ||
                                    qobject_cast<QLineEdit *>(w->parentWidget()) ||
                                    qobject_cast<QTabBar *>(w->parentWidget()));
                if (!inner && (w->focusPolicy() & Qt::TabFocus) && !qobject_cast<QLabel *>(w)) {
                    QVERIFY2(!w->objectName().isEmpty(),
                             qPrintable(QStringLiteral("page %1: a %2 has no object name")
                                            .arg(i)
                                            .arg(QLatin1String(w->metaObject()->className()))));
                    QVERIFY2(!w->accessibleName().isEmpty(), qPrintable(w->objectName()));
                }
                if (auto *label = qobject_cast<QLabel *>(w); label && label->buddy())
                    take(label->text());
                else if (auto *button = qobject_cast<QAbstractButton *>(w);
                         button && !button->isHidden())
                    take(button->text());
                else if (auto *bar = qobject_cast<QTabBar *>(w)) {
                    for (int t = 0; t < bar->count(); ++t)
                        take(bar->tabText(t));
                }
            }
        }
    }
};

QTEST_MAIN(PagesTest)
#include "PagesTest.moc"
