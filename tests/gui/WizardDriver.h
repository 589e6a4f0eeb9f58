#pragma once

#include "models/EnglishPlurals.h"
#include "pages/Page.h"
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

namespace causeway::test {

using namespace causeway::ui;

/// A person at the wizard, with keyboard and mouse. After each call ask QTest::currentTestFailed().
class WizardDriver {
public:
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

    void begin()
    {
        QSettings().clear();
        m_window = std::make_unique<MainWindow>(makeCoreEngine());
        m_window->show();
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
    }
    void end()
    {
        m_window->close();
        QTRY_VERIFY(!m_window->isVisible());
        m_window.reset();
    }
    /// From the first page until rows are copied.
    void startCopy(const QString &sourceUrl, const QString &targetUrl, const QString &file)
    {
        click("newMigrationButton");
        fillEndpoint("source", sourceUrl);
        QVERIFY(!QTest::currentTestFailed());
        fillEndpoint("target", targetUrl);
        QVERIFY(!QTest::currentTestFailed());
        QCOMPARE(m_window->currentPage(), MainWindow::Selection);
        QTRY_VERIFY2_WITH_TIMEOUT(nextEnabled(), state().constData(), 60'000);
        QVERIFY(m_window->draft().selection.schemas.contains(QStringLiteral("shop")));
        click("nextButton");
        settlePreflight();
        QVERIFY(!QTest::currentTestFailed());

        QCOMPARE(m_window->currentPage(), MainWindow::Plan);
        find<QLineEdit>("fileEdit")->setText(file);
        QTRY_VERIFY(find<QPushButton>("prepareButton")->isEnabled());
        click("prepareButton");
        QTRY_VERIFY2_WITH_TIMEOUT(nextEnabled(), state().constData(), 60'000);
        QVERIFY(find<QTreeView>("planSteps")->model()->rowCount() > 5);
        click("nextButton");
        QCOMPARE(m_window->currentPage(), MainWindow::Progress);
    }
    /// Until the page before the switch.
    void becomeReplica()
    {
        QTRY_VERIFY2_WITH_TIMEOUT(nextEnabled(), state().constData(), 240'000);
        QVERIFY(phase() == Phase::Replica);
        keepPicture("replica");
        click("nextButton");
    }
    /// What another process has left, and goes on with it.
    void open(const QString &file, const Secret &source, const Secret &target)
    {
        m_window->setPasswords(source, target);
        m_window->openFile(file);
        QTRY_VERIFY2_WITH_TIMEOUT(m_window->currentPage() == MainWindow::Progress,
                                  state().constData(), 60'000);
        keepPicture("opened-again");
        QCOMPARE(find<QPushButton>("pauseButton")->text(), QStringLiteral("&Resume"));
        click("pauseButton");
    }
    /// Into the folder that CAUSEWAY_SCREENSHOTS names, for people to look at.
    void keepPicture(const char *name)
    {
        const QString folder = qEnvironmentVariable("CAUSEWAY_SCREENSHOTS");
        if (!folder.isEmpty())
            QVERIFY(m_window->grab().save(folder + QLatin1Char('/') + QString::fromLatin1(name) +
                                          QStringLiteral(".png")));
    }
    template <class Writer> void switchThereAndBack(Writer &app)
    {
        QCOMPARE(m_window->currentPage(), MainWindow::Cutover);
        auto *primary = find<QPushButton>("enablePrimaryButton");
        QTRY_VERIFY2_WITH_TIMEOUT(primary->isEnabled(), state().constData(), 120'000);
        keepPicture("before-the-switch");
        click("enablePrimaryButton");
        QTRY_VERIFY2_WITH_TIMEOUT(phase() == Phase::Primary, state().constData(), 240'000);
        keepPicture("primary");
        QVERIFY2(app.waitForCommitsOn(1, 20, std::chrono::seconds(60)),
                 "the application writes to the target");

        auto *back = find<QPushButton>("enableReplicaButton");
        QTRY_VERIFY2_WITH_TIMEOUT(back->isEnabled(), state().constData(), 120'000);
        const qint64 before = app.commitsOn(0);
        click("enableReplicaButton");
        QTRY_VERIFY2_WITH_TIMEOUT(phase() == Phase::Replica, state().constData(), 240'000);
        QVERIFY2(app.waitForCommitsOn(0, before + 20, std::chrono::seconds(60)),
                 "the application writes to the source again");
    }
    template <class Writer> void switchAndFinish(Writer &app)
    {
        auto *primary = find<QPushButton>("enablePrimaryButton");
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
        keepPicture("finished");
    }

private:
    std::unique_ptr<MainWindow> m_window;
};

} // namespace causeway::test
