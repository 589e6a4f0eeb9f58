#include "Samples.h"
#include "models/EnglishPlurals.h"
#include "pages/Page.h"
#include "shell/MainWindow.h"

#include <QApplication>
#include <QDialog>
#include <QDir>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QStackedWidget>
#include <QStyle>
#include <QStyleFactory>
#include <QTabWidget>
#include <QTest>

#include <cmath>

using namespace causeway;
using namespace causeway::ui;
using namespace causeway::ui::test;

/// Draws every page, light and dark, wide and narrow, into ./screenshots, and sees to it that no
/// text is cut off.
class ScreenshotTest : public QObject {
    Q_OBJECT

    static QPalette dark()
    {
        QPalette p;
        p.setColor(QPalette::Window, QColor(0x2b, 0x2b, 0x2b));
        p.setColor(QPalette::WindowText, QColor(0xee, 0xee, 0xee));
        p.setColor(QPalette::Base, QColor(0x1e, 0x1e, 0x1e));
        p.setColor(QPalette::AlternateBase, QColor(0x26, 0x26, 0x26));
        p.setColor(QPalette::Text, QColor(0xee, 0xee, 0xee));
        p.setColor(QPalette::PlaceholderText, QColor(0xa0, 0xa0, 0xa0));
        p.setColor(QPalette::Button, QColor(0x3a, 0x3a, 0x3a));
        p.setColor(QPalette::ButtonText, QColor(0xee, 0xee, 0xee));
        p.setColor(QPalette::Highlight, QColor(0x2a, 0x82, 0xda));
        p.setColor(QPalette::HighlightedText, Qt::white);
        p.setColor(QPalette::Light, QColor(0x4a, 0x4a, 0x4a));
        p.setColor(QPalette::Mid, QColor(0x55, 0x55, 0x55));
        p.setColor(QPalette::Dark, QColor(0x14, 0x14, 0x14));
        p.setColor(QPalette::ToolTipBase, QColor(0x3a, 0x3a, 0x3a));
        p.setColor(QPalette::ToolTipText, QColor(0xee, 0xee, 0xee));
        for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
            p.setColor(QPalette::Disabled, role, QColor(0x88, 0x88, 0x88));
        return p;
    }

    static void verifyNothingCut(QWidget *window)
    {
        for (QPushButton *b : window->findChildren<QPushButton *>()) {
            if (b->isVisible() && b->width() + 1 < b->sizeHint().width())
                QFAIL(qPrintable(QStringLiteral("button cut off: ") + b->text()));
        }
        for (QLabel *l : window->findChildren<QLabel *>()) {
            if (!l->isVisible() || l->text().isEmpty() || !l->pixmap().isNull())
                continue;
            const int needed =
                l->wordWrap() ? l->heightForWidth(l->width()) : l->sizeHint().height();
            if (l->height() + 1 < needed)
                QFAIL(qPrintable(QStringLiteral("text cut off below: ") + l->text()));
        }
        for (QScrollArea *a : window->findChildren<QScrollArea *>()) {
            if (a->isVisible() && a->widget() && a->widgetResizable())
                QVERIFY2(a->widget()->minimumSizeHint().width() <= a->viewport()->width(),
                         qPrintable(QStringLiteral("page wider than the window: ") +
                                    a->widget()->objectName()));
        }
    }

    void shoot(QWidget &w, const QString &name)
    {
        QApplication::processEvents();
        QTest::qWait(120); // layouts settle, jobs are polled
        const QString folder = QDir::current().filePath(QStringLiteral("screenshots"));
        QVERIFY(QDir().mkpath(folder));
        QVERIFY(w.grab().save(QStringLiteral("%1/%2-%3.png")
                                  .arg(folder, QLatin1String(QTest::currentDataTag()), name)));
        verifyNothingCut(&w);
    }

private Q_SLOTS:
    void initTestCase()
    {
        QSettings().clear();
        QApplication::installTranslator(new EnglishPlurals(this));
        QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    }

    void everyPage_data()
    {
        QTest::addColumn<bool>("isDark");
        QTest::addColumn<QSize>("size");
        QTest::newRow("light") << false << QSize(1120, 780);
        QTest::newRow("dark") << true << QSize(1120, 780);
        QTest::newRow("narrow") << false << QSize(800, 600);
    }

    void everyPage()
    {
        QFETCH(const bool, isDark);
        QFETCH(const QSize, size);
        QApplication::setPalette(isDark ? dark() : QApplication::style()->standardPalette());
        auto engine = sampleEngine();
        auto app = LiveClient{};
        app.account = QStringLiteral("shop_app");
        app.host = QStringLiteral("10.0.4.21:51544");
        app.database = QStringLiteral("shop");
        app.state = QStringLiteral("Sleep");
        app.seconds = 12;
        engine->migration->sourceClients = {app};
        MainWindow w(engine);
        w.resize(size);
        w.show();
        QVERIFY(QTest::qWaitForWindowExposed(&w));
        const auto click = [&w](const char *name) {
            auto *b = w.findChild<QAbstractButton *>(QString::fromLatin1(name));
            QVERIFY2(b, name);
            b->click();
        };
        const auto *next = w.findChild<QPushButton *>(QStringLiteral("nextButton"));
        shoot(w, QStringLiteral("0-start"));
        click("newMigrationButton");
        shoot(w, QStringLiteral("1-source-empty"));
        w.prefill(sampleAddress("db-old.example.net", "shop"), sampleAddress("db-new.example.net"));
        click("sourceTestButton");
        QTRY_VERIFY(next->isEnabled());
        shoot(w, QStringLiteral("1-source"));
        click("sourceAdvancedButton");
        shoot(w, QStringLiteral("1-source-advanced"));
        click("nextButton");
        click("targetTestButton");
        QTRY_VERIFY(next->isEnabled());
        click("targetAdvancedButton");
        shoot(w, QStringLiteral("2-target"));
        click("nextButton");
        QTRY_VERIFY(next->isEnabled());
        shoot(w, QStringLiteral("3-what-moves"));
        click("nextButton");
        QTRY_VERIFY(w.draft().check.has_value());
        shoot(w, QStringLiteral("4-preflight"));
        click("fixPlanButton");
        auto *plan = w.findChild<QDialog *>(QStringLiteral("fixPlanDialog"));
        QVERIFY(plan);
        shoot(*plan, QStringLiteral("4-all-fixes"));
        plan->close();
        engine->check.findings[1].status = FindingStatus::Pass;
        for (const Finding &f : engine->check.findings)
            w.draft().accepted << f.id;
        w.page(MainWindow::Preflight)->recheck();
        QTRY_VERIFY(next->isEnabled());
        click("nextButton");
        shoot(w, QStringLiteral("5-plan-before"));
        Snapshot draft;
        draft.sourceName = QStringLiteral("db-old.example.net:3306");
        draft.targetName = QStringLiteral("db-new.example.net:3306");
        engine->migration->set(draft);
        engine->migration->planned = sampleSnapshot(Phase::Primary).steps;
        click("prepareButton");
        QTRY_VERIFY(next->isEnabled());
        shoot(w, QStringLiteral("5-plan"));
        click("nextButton");
        const auto take = [&](const Snapshot &s) {
            engine->migration->set(s);
            w.bridge().refresh();
        };
        take(sampleSnapshot(Phase::Copying));
        shoot(w, QStringLiteral("6-copying"));
        Snapshot decision = sampleSnapshot(Phase::Copying);
        decision.runState = RunState::NeedsDecision;
        decision.decision = Decision{
            QStringLiteral("ddl"),
            cwText("core", "The schema of a table changed while its rows were copied. What shall "
                           "become of it?"),
            QStringLiteral("ALTER TABLE shop.orders ADD COLUMN note TEXT"),
            {QStringLiteral("shop.orders")},
            {{QStringLiteral("apply"), cwText("core", "Run the statement and go on")},
             {QStringLiteral("recopy"), cwText("core", "Copy the table again")},
             {QStringLiteral("stop"), cwText("core", "Leave it stopped")}}};
        take(decision);
        shoot(w, QStringLiteral("6-decision"));
        Snapshot failed = sampleSnapshot(Phase::Copying);
        failed.runState = RunState::Failed;
        Error e;
        e.message = cwText("core", "The connection to the target was lost.");
        e.serverWords = QStringLiteral("Server has gone away");
        e.number = 2006;
        e.sqlState = QStringLiteral("HY000");
        e.fix = cwText("core", "Try again: nothing is lost.");
        failed.error = e;
        take(failed);
        shoot(w, QStringLiteral("6-failed"));
        take(sampleSnapshot(Phase::Replica));
        shoot(w, QStringLiteral("6-replica"));
        Snapshot different = sampleSnapshot(Phase::Replica);
        Alarm alarm;
        alarm.count = 1;
        alarm.tables = {QStringLiteral("shop.orders")};
        alarm.lastMs = different.atMs;
        different.alarm = alarm;
        different.tables[1].state = TableState::Different;
        VerifyReport report;
        TableVerdict verdict;
        verdict.name = QStringLiteral("shop.orders");
        verdict.missing = 1;
        verdict.samples = {{QStringLiteral("4711"), QStringLiteral("missing")}};
        report.tables = {verdict};
        engine->migration->end({command::Verify{}, {}, report});
        take(different);
        shoot(w, QStringLiteral("6-alarm"));
        w.goTo(MainWindow::Cutover);
        shoot(w, QStringLiteral("7-alarm"));
        w.goTo(MainWindow::Progress);
        Snapshot paused = sampleSnapshot(Phase::Replica);
        paused.runState = RunState::Paused;
        take(paused);
        shoot(w, QStringLiteral("6-paused"));
        take(sampleSnapshot(Phase::Replica));
        auto *tabs = w.findChild<QTabWidget *>(QStringLiteral("progressTabs"));
        QVERIFY(tabs);
        tabs->setCurrentIndex(1);
        for (int i = 0; i < 240; ++i) {
            Snapshot s = sampleSnapshot(Phase::Replica);
            s.atMs += i * 1'000;
            s.rateBytes = 4e6 + 1.5e6 * std::sin(i / 9.0) + 40'000 * (i % 17);
            s.lagSeconds = i > 100 && i < 140 ? (i - 100) * 0.4 : 0.4 + 0.1 * (i % 5);
            take(s);
        }
        shoot(w, QStringLiteral("6-charts"));
        w.findChild<QAbstractButton *>(QStringLiteral("lagChartSwitch"))->click();
        shoot(w, QStringLiteral("6-charts-table"));
        tabs->setCurrentIndex(0);
        w.goTo(MainWindow::Cutover);
        shoot(w, QStringLiteral("7-before"));
        take(sampleSnapshot(Phase::Primary));
        shoot(w, QStringLiteral("7-after"));
        take(sampleSnapshot(Phase::Finished));
        QTRY_COMPARE(w.currentPage(), MainWindow::Finished);
        shoot(w, QStringLiteral("8-finished"));
        QApplication::setPalette(QApplication::style()->standardPalette());
    }
};

QTEST_MAIN(ScreenshotTest)
#include "ScreenshotTest.moc"
