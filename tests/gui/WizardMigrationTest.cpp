#include "models/EnglishPlurals.h"
#include "pages/Page.h"
#include "servers/Compare.h"
#include "servers/TestServer.h"
#include "servers/Workload.h"
#include "shell/MainWindow.h"

#include <QAbstractButton>
#include <QApplication>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <QTreeView>

using namespace causeway;
using namespace causeway::ui;
using namespace causeway::test;

/// The whole wizard, by keyboard and mouse, moving a database under load between two real servers.
class WizardMigrationTest : public QObject {
    Q_OBJECT

    std::unique_ptr<MainWindow> m_window;
    QTemporaryDir m_folder;

    template <class W> W *find(const char *name)
    {
        W *w = m_window->findChild<W *>(QString::fromLatin1(name));
        if (!w)
            qFatal("no control called %s", name);
        return w;
    }
    void click(const char *name)
    {
        auto *button = find<QAbstractButton>(name);
        QVERIFY2(button->isEnabled(), name);
        QTest::mouseClick(button, Qt::LeftButton);
    }
    QByteArray state()
    {
        QStringList out{find<QLabel>("nextReason")->text()};
        for (const char *name : {"progressStateText", "progressErrorText", "cutoverStateText",
                                 "cutoverObstacleText", "planStateText"})
            out << find<QLabel>(name)->text();
        return out.join(QStringLiteral(" | ")).toUtf8();
    }
    bool nextEnabled() { return find<QPushButton>("nextButton")->isEnabled(); }
    Phase phase()
    {
        const auto &s = m_window->bridge().snapshot();
        return s ? s->phase : Phase::Draft;
    }

    void fillEndpoint(const char *prefix, const QString &url)
    {
        const QByteArray paste = QByteArray(prefix) + "PasteEdit";
        auto *edit = find<QLineEdit>(paste.constData());
        edit->setFocus();
        QTest::keyClicks(edit, url);
        QTest::keyClick(edit, Qt::Key_Tab);
        const QByteArray button = QByteArray(prefix) + "TestButton";
        click(button.constData());
        QTRY_VERIFY2_WITH_TIMEOUT(nextEnabled(), state().constData(), 30'000);
        click("nextButton");
    }

    /// Reads each warning, accepts what may be accepted, by the tree and the tick.
    void settlePreflight()
    {
        QTRY_VERIFY_WITH_TIMEOUT(m_window->draft().check.has_value(), 120'000);
        auto *tree = find<QTreeView>("findingTree");
        auto *accept = find<QAbstractButton>("acceptCheck");
        const auto *model = tree->model();
        for (int group = 0; group < 2; ++group) {
            const QModelIndex parent = model->index(group, 0);
            for (int row = 0; row < model->rowCount(parent); ++row) {
                const QModelIndex finding = model->index(row, 0, parent);
                tree->setCurrentIndex(finding);
                QVERIFY2(accept->isVisible(),
                         qPrintable(finding.data().toString() + QStringLiteral(": ") +
                                    finding.siblingAtColumn(2).data().toString()));
                if (!accept->isChecked())
                    accept->click();
            }
        }
        QTRY_VERIFY2(nextEnabled(), state().constData());
        click("nextButton");
    }

private Q_SLOTS:
    void initTestCase()
    {
        QSettings().clear();
        QApplication::installTranslator(new EnglishPlurals(this));
    }

    void movesADatabaseUnderLoadAndBackAndFinishes()
    {
        TestServer source, target;
        WorkloadOptions load;
        load.connections = 3;
        load.rate = 60;
        load.longTransaction = std::chrono::milliseconds(0);
        load.truncateEvery = std::chrono::milliseconds(0);
        Workload::createSchema(source, load);
        Workload::createAccount(target, load);
        Workload app({Workload::address(source), Workload::address(target)}, load);
        app.start();
        QVERIFY(app.waitForCommits(20, std::chrono::seconds(30)));

        m_window = std::make_unique<MainWindow>(makeCoreEngine());
        m_window->show();
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        click("newMigrationButton");
        fillEndpoint("source", source.url(QStringLiteral("shop")));
        QVERIFY(!QTest::currentTestFailed());
        fillEndpoint("target", target.url());
        QVERIFY(!QTest::currentTestFailed());
        QCOMPARE(m_window->currentPage(), MainWindow::Selection);
        QTRY_VERIFY2_WITH_TIMEOUT(nextEnabled(), state().constData(), 60'000);
        QCOMPARE(m_window->draft().selection.schemas, QStringList{QStringLiteral("shop")});
        click("nextButton");
        settlePreflight();
        QVERIFY(!QTest::currentTestFailed());

        QCOMPARE(m_window->currentPage(), MainWindow::Plan);
        find<QLineEdit>("fileEdit")->setText(m_folder.filePath(QStringLiteral("shop.causeway")));
        QTRY_VERIFY(find<QPushButton>("prepareButton")->isEnabled());
        click("prepareButton");
        QTRY_VERIFY2_WITH_TIMEOUT(nextEnabled(), state().constData(), 60'000);
        QVERIFY(find<QTreeView>("planSteps")->model()->rowCount() > 5);
        click("nextButton");
        QCOMPARE(m_window->currentPage(), MainWindow::Progress);
        QTRY_VERIFY2_WITH_TIMEOUT(nextEnabled(), state().constData(), 240'000);
        QVERIFY(phase() == Phase::Replica);
        click("nextButton");

        QCOMPARE(m_window->currentPage(), MainWindow::Cutover);
        auto *primary = find<QPushButton>("enablePrimaryButton");
        QTRY_VERIFY2_WITH_TIMEOUT(primary->isEnabled(), state().constData(), 120'000);
        click("enablePrimaryButton");
        QTRY_VERIFY2_WITH_TIMEOUT(phase() == Phase::Primary, state().constData(), 240'000);
        QVERIFY2(app.waitForCommitsOn(1, 20, std::chrono::seconds(60)),
                 "the application writes to the target");

        auto *back = find<QPushButton>("enableReplicaButton");
        QTRY_VERIFY2_WITH_TIMEOUT(back->isEnabled(), state().constData(), 120'000);
        const qint64 before = app.commitsOn(0);
        click("enableReplicaButton");
        QTRY_VERIFY2_WITH_TIMEOUT(phase() == Phase::Replica, state().constData(), 240'000);
        QVERIFY2(app.waitForCommitsOn(0, before + 20, std::chrono::seconds(60)),
                 "the application writes to the source again");

        QTRY_VERIFY2_WITH_TIMEOUT(primary->isVisible() && primary->isEnabled(), state().constData(),
                                  120'000);
        click("enablePrimaryButton");
        QTRY_VERIFY2_WITH_TIMEOUT(phase() == Phase::Primary, state().constData(), 240'000);
        app.stop();
        QTRY_VERIFY2_WITH_TIMEOUT(find<QPushButton>("finishButton")->isEnabled(),
                                  state().constData(), 60'000);
        click("finishButton");
        auto *typed = find<QLineEdit>("confirmEdit");
        QTest::keyClicks(typed, m_window->bridge().snapshot()->targetName);
        click("confirmActionButton");
        QTRY_VERIFY2_WITH_TIMEOUT(m_window->currentPage() == MainWindow::Finished,
                                  state().constData(), 240'000);

        QVERIFY2(app.lostOn(target).empty(), "a committed transaction is missing");
        const QStringList differences =
            compareServers(source, target, {QStringLiteral("shop")}, [] {
                CompareOptions o;
                o.objects = false; // the old source keeps its own closing triggers
                return o;
            }());
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        QCOMPARE(target.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.schemata "
                                              "WHERE schema_name = '_causeway'")),
                 QStringLiteral("0"));
        m_window->close();
        QTRY_VERIFY(!m_window->isVisible());
        m_window.reset();
    }
};

QTEST_MAIN(WizardMigrationTest)
#include "WizardMigrationTest.moc"
