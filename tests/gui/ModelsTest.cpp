#include "Samples.h"
#include "models/ClientModel.h"
#include "models/CutoverFacts.h"
#include "models/Draft.h"
#include "models/FindingModel.h"
#include "models/Folders.h"
#include "models/History.h"
#include "models/Pdf.h"
#include "models/StepModel.h"
#include "models/TableListModel.h"
#include "models/TableTreeModel.h"
#include "models/Words.h"
#include "widgets/Placeholders.h"

#include <QAbstractItemModelTester>
#include <QDir>
#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace causeway;
using namespace causeway::ui;
using namespace causeway::ui::test;

class ModelsTest : public QObject {
    Q_OBJECT

    using Tester = QAbstractItemModelTester;

private Q_SLOTS:
    void tableListAnnouncesOnlyTheRowsThatChanged()
    {
        TableListModel model;
        Tester tester(&model, Tester::FailureReportingMode::QtTest);
        auto a = std::make_shared<Snapshot>(sampleSnapshot(Phase::Copying));
        model.setSnapshot(a);
        QCOMPARE(model.rowCount(), 3);
        QSignalSpy resets(&model, &QAbstractItemModel::modelReset);
        QSignalSpy changes(&model, &QAbstractItemModel::dataChanged);
        auto b = std::make_shared<Snapshot>(*a);
        b->tables[1].rows += 1000;
        model.setSnapshot(b);
        QCOMPARE(resets.count(), 0);
        QCOMPARE(changes.count(), 1);
        QCOMPARE(changes[0][0].toModelIndex().row(), 1);
        QCOMPARE(changes[0][1].toModelIndex().row(), 1);
        QVERIFY(model.index(1, TableListModel::Name)
                    .data(Qt::AccessibleTextRole)
                    .toString()
                    .contains(QStringLiteral("42 percent")));
    }

    void tableListWithFiftyThousandTablesStaysFluent()
    {
        auto a = std::make_shared<Snapshot>();
        for (int i = 0; i < 50'000; ++i)
            a->tables.push_back(
                {QStringLiteral("s.t%1").arg(i), TableState::Copying, i, 2 * i, i, 2 * i, {}});
        TableListModel model;
        TableFilter filter;
        filter.setSourceModel(&model);
        model.setSnapshot(a);
        auto b = std::make_shared<Snapshot>(*a);
        for (size_t i = 0; i < b->tables.size(); i += 5'000)
            ++b->tables[i].rows;
        QElapsedTimer timer;
        timer.start();
        model.setSnapshot(b);
        QVERIFY2(timer.elapsed() < 250, "a snapshot must be shown before the next one comes");
        filter.setShow(TableFilter::Show::Failed);
        QCOMPARE(filter.rowCount(), 0);
        filter.setShow(TableFilter::Show::Active);
        filter.setText(QStringLiteral("t4999"));
        QCOMPARE(filter.rowCount(), 11); // t4999 and t49990 to t49999
    }

    void percentNeverReachesHundredWhileRowsCome()
    {
        TableListModel model;
        auto s = std::make_shared<Snapshot>();
        s->tables = {{QStringLiteral("a.b"), TableState::Copying, 300, 200, 300, 200, {}}};
        model.setSnapshot(s);
        QCOMPARE(model.index(0, TableListModel::Percent).data(TableListModel::SortRole).toInt(),
                 99);
        QVERIFY(copyProgress(*s) <= 0.99);
        s->phase = Phase::Finished;
        QCOMPARE(copyProgress(*s), 1.0);
    }

    void treeReadsASchemaWhenItIsTickedAndSelectsByLeavingOut()
    {
        TableTreeModel model;
        Tester tester(&model, Tester::FailureReportingMode::QtTest);
        QSignalSpy needed(&model, &TableTreeModel::schemaNeeded);
        model.setSchemas({QStringLiteral("billing"), QStringLiteral("shop")});
        QVERIFY(model.selection().schemas.isEmpty());
        const QModelIndex shop = model.index(1, 0);
        QVERIFY(model.setData(shop, Qt::Checked, Qt::CheckStateRole));
        QCOMPARE(needed.last().first().toString(), QStringLiteral("shop"));
        QCOMPARE(model.unread(), QStringList{QStringLiteral("shop")});
        const auto engine = sampleEngine();
        model.setTables(QStringLiteral("shop"), engine->tables);
        QCOMPARE(model.rowCount(shop), 3);
        QVERIFY(model.unread().isEmpty());
        Selection s = model.selection();
        QVERIFY(s.wholeSchemas());
        QVERIFY(s.patterns.isEmpty());
        QVERIFY(model.setData(model.index(0, 0, shop), Qt::Unchecked, Qt::CheckStateRole));
        s = model.selection();
        QCOMPARE(shop.data(Qt::CheckStateRole).toInt(), int(Qt::PartiallyChecked));
        QVERIFY2(s.wholeSchemas(), "views and routines must still move");
        QVERIFY(!s.matches({QStringLiteral("shop"), QStringLiteral("customers")}));
        QVERIFY(s.matches({QStringLiteral("shop"), QStringLiteral("orders")}));
        QCOMPARE(model.leftOut(), QStringList{QStringLiteral("shop.customers")});
        QVERIFY(model.index(1, TableTreeModel::Notes, shop)
                    .data()
                    .toString()
                    .contains(QStringLiteral("no usable key")));
    }

    void treeAppliesASelectionToSchemasReadLater()
    {
        TableTreeModel model;
        Tester tester(&model, Tester::FailureReportingMode::QtTest);
        Selection wanted;
        wanted.schemas = {QStringLiteral("shop")};
        wanted.patterns = {QStringLiteral("!shop.log_*")};
        wanted.renames.insert(QStringLiteral("shop"), QStringLiteral("store"));
        model.setSchemas({QStringLiteral("billing"), QStringLiteral("shop")});
        model.apply(wanted);
        model.setTables(QStringLiteral("shop"), sampleEngine()->tables);
        QCOMPARE(model.leftOut(), QStringList{QStringLiteral("shop.log_2024")});
        QCOMPARE(model.selection().renames, wanted.renames);
        // Ticking the schema again means all of it.
        QVERIFY(model.setData(model.index(1, 0), Qt::Checked, Qt::CheckStateRole));
        QVERIFY(model.leftOut().isEmpty());
        QCOMPARE(model.tickMatching(QStringLiteral("shop.o*"), false), 1);
        QCOMPARE(model.leftOut(), QStringList{QStringLiteral("shop.orders")});
    }

    void treeRefusesTwoSchemasWithOneName()
    {
        TableTreeModel model;
        model.setSchemas({QStringLiteral("billing"), QStringLiteral("shop")});
        for (int row = 0; row < 2; ++row) {
            QVERIFY(model.setData(model.index(row, 0), Qt::Checked, Qt::CheckStateRole));
            model.setTables(model.index(row, 0).data().toString(), sampleEngine()->tables);
        }
        QVERIFY(model.nameProblem().isEmpty());
        QVERIFY(model.setData(model.index(0, TableTreeModel::TargetName), QStringLiteral("shop"),
                              Qt::EditRole));
        QVERIFY(!model.nameProblem().isEmpty());
    }

    void unknownNeverCountsAsPassed()
    {
        FindingModel model;
        Tester tester(&model, Tester::FailureReportingMode::QtTest);
        const auto engine = sampleEngine();
        for (const Finding &f : engine->check.findings)
            model.add(f);
        QCOMPARE(model.count(FindingModel::Passed), 1);
        QCOMPARE(model.count(FindingModel::Notes), 1); // to know, though nothing is wrong
        QCOMPARE(model.count(FindingModel::Blockers), 2);
        QCOMPARE(model.count(FindingModel::Warnings), 2);
        Finding unknown = makeFinding("mysql-grants", FindingStatus::Unknown, "Rights");
        model.add(unknown); // the same check again, now one that blocks
        QCOMPARE(model.count(FindingModel::Blockers), 3);
        QCOMPARE(model.count(FindingModel::Warnings), 1);
        model.setAccepted({QStringLiteral("mysql-gtid-mode"), QStringLiteral("mysql-unique-key")});
        QVERIFY2(model.openBlockers().contains(QStringLiteral("mysql-gtid-mode")),
                 "a blocker that may not be accepted stays one");
        QVERIFY(!model.openBlockers().contains(QStringLiteral("mysql-unique-key")));
    }

    void stepsAndClientsAreSoundModels()
    {
        StepModel steps;
        Tester stepTester(&steps, Tester::FailureReportingMode::QtTest);
        auto s = sampleSnapshot(Phase::Primary);
        steps.setSteps(s.steps);
        QSignalSpy resets(&steps, &QAbstractItemModel::modelReset);
        s.steps.back().state = StepState::Failed;
        steps.setSteps(s.steps);
        QCOMPARE(resets.count(), 0);
        ClientModel clients;
        Tester clientTester(&clients, Tester::FailureReportingMode::QtTest);
        LiveClient app, ours;
        app.id = 1;
        ours.id = 2;
        ours.ours = true;
        clients.setClients({ours, app}, {ours});
        QCOMPARE(clients.foreignCount(Side::Source), 1);
        QCOMPARE(clients.foreignCount(Side::Target), 0);
        QCOMPARE(clients.rowCount(), 3);
    }

    void switchIsArmedOnlyWhenEveryFactHolds()
    {
        CutoverFacts facts;
        Snapshot s = sampleSnapshot(Phase::Replica);
        const qint64 t = s.atMs;
        facts.update(s, t);
        QVERIFY2(!facts.obstacle().isEmpty(), "the lag has not been small for long enough");
        s.atMs = t + 6'000;
        facts.update(s, t + 6'000);
        QCOMPARE(facts.obstacle(), QString());
        facts.update(s, t + 6'000 + CutoverFacts::staleAfterMs + 1);
        QVERIFY2(!facts.obstacle().isEmpty(), "old figures disarm");
        s.atMs = t + 60'000;
        facts.update(s, s.atMs);
        QCOMPARE(facts.obstacle(), QString());
        s.lagSeconds = 40;
        facts.update(s, s.atMs);
        QVERIFY(!facts.obstacle().isEmpty());
        s.lagSeconds = 1;
        facts.update(s, s.atMs);
        QVERIFY2(!facts.obstacle().isEmpty(), "small again, but not for long enough");
        s.atMs += 6'000;
        facts.update(s, s.atMs);
        QCOMPARE(facts.obstacle(), QString());
        s.tables[0].state = TableState::Different;
        facts.update(s, s.atMs);
        QVERIFY(!facts.obstacle().isEmpty());
        s.tables[0].state = TableState::Verified;
        s.runState = RunState::Paused;
        facts.update(s, s.atMs);
        QVERIFY(!facts.obstacle().isEmpty());
    }

    void writesOfOthersDisarmTheSwitchUntilACleanComparison()
    {
        for (const Phase phase : {Phase::Replica, Phase::Primary}) {
            CutoverFacts facts;
            Snapshot s = sampleSnapshot(phase);
            facts.update(s, s.atMs);
            s.atMs += 6'000;
            facts.update(s, s.atMs);
            QCOMPARE(facts.obstacle(), QString());
            Alarm alarm;
            alarm.side = s.roles.follower;
            alarm.count = 1;
            alarm.tables = {QStringLiteral("shop.orders")};
            s.alarm = alarm;
            facts.update(s, s.atMs);
            QVERIFY2(facts.obstacle().contains(QStringLiteral("shop.orders")),
                     qPrintable(facts.obstacle()));
            QVERIFY(facts.obstacle().contains(Words::follower(s)));
            s.alarm.reset();
            facts.update(s, s.atMs);
            QCOMPARE(facts.obstacle(), QString());
            s.troubles = {{QStringLiteral("apply-error"), cwText("core", "A row is refused."),
                           cwText("core", "Look at it.")}};
            facts.update(s, s.atMs);
            QVERIFY(facts.obstacle().contains(QStringLiteral("A row is refused.")));
            s.troubles.clear();
            Error e;
            e.code = ErrorCode::Differences;
            e.id = QStringLiteral("sides-differ");
            e.object = QStringLiteral("shop.orders (1)");
            s.error = e;
            facts.update(s, s.atMs);
            QVERIFY(facts.obstacle().contains(QStringLiteral("shop.orders")));
        }
    }

    // The file is this window's: a command of causeway-cli would be refused.
    void whatToDoNamesTheWizardsButtons()
    {
        Error e;
        e.message = cwText("core", "Rows differ.");
        for (const char *fix :
             {"Run \"verify --repair\", find out who writes to the follower, then switch again.",
              "Find out who writes there, and run \"verify --repair\".",
              "Switch back (run --to replica), or finish (run --to finished).",
              "Mend that, or accept it: run --accept one-way.",
              "Leave it out with \"answer FILE object-failed skip\"."}) {
            e.fix = cwText("core", fix);
            const QString words = Words::error(e);
            QVERIFY2(!words.contains(QStringLiteral("--")) &&
                         !words.contains(QStringLiteral("answer FILE")),
                     qPrintable(words));
        }
        e.fix = cwText("core", "Run \"verify --repair\".");
        QVERIFY(Words::error(e).contains(QStringLiteral("Compare and repair")));
        e.fix = cwText("core", "Try again.");
        QVERIFY(Words::error(e).contains(QStringLiteral("Try again.")));
    }

    void theStateSaysWhatIsDoneNowOnly()
    {
        Snapshot s = sampleSnapshot(Phase::Replica);
        s.activity = cwText("core", "Comparing both sides.");
        QVERIFY(Words::state(s, true).contains(QStringLiteral("Comparing")));
        QVERIFY(!Words::state(s, false).contains(QStringLiteral("Comparing")));
        QVERIFY(Words::state(s, false).contains(QStringLiteral("follows")));
        s.runState = RunState::Paused;
        QCOMPARE(Words::state(s, false), QStringLiteral("Replica mode: Paused"));
        s = sampleSnapshot(Phase::Primary);
        s.activity = s.steps.back().title; // a step that is done
        QVERIFY(!Words::state(s, false).contains(s.activity.translated()));
        s.steps.back().state = StepState::Running;
        QVERIFY(Words::state(s, false).contains(s.activity.translated()));
    }

    void theBarSaysWhetherWhatWasCopiedIsCompared()
    {
        QVERIFY(Words::copied(sampleSnapshot(Phase::Copying)).contains(QLatin1Char('%')));
        Snapshot s = sampleSnapshot(Phase::Replica);
        QCOMPARE(Words::copied(s), QStringLiteral("Copied; not yet compared"));
        for (TableProgress &t : s.tables)
            t.state = TableState::Verified;
        QCOMPARE(Words::copied(s), QStringLiteral("Copied and compared"));
        QCOMPARE(copyProgress(s), 1.0);
    }

    void filesGoHomeWhereThereIsNoDocumentsFolder()
    {
        QTemporaryDir home;
        QCOMPARE(filesFolder(home.filePath(QStringLiteral("Documents")), home.path()), home.path());
        QVERIFY(QDir(home.path()).mkdir(QStringLiteral("Documents")));
        QCOMPARE(filesFolder(home.filePath(QStringLiteral("Documents")), home.path()),
                 home.filePath(QStringLiteral("Documents")));
    }

    void placeholdersCanBeReadOnADarkPalette()
    {
        QPalette dark;
        dark.setColor(QPalette::Base, QColor(30, 30, 30));
        dark.setColor(QPalette::Text, Qt::white);
        dark.setColor(QPalette::PlaceholderText, QColor(0, 0, 0, 128));
        const QPalette better = withReadablePlaceholders(dark);
        QVERIFY(contrast(better.color(QPalette::PlaceholderText), QColor(30, 30, 30)) >= 4.5);
        QCOMPARE(withReadablePlaceholders(better), better);
    }

    void aReportBecomesPagesOfPdf()
    {
        QByteArray html = "<h1>Readiness check</h1>";
        for (int i = 0; i < 200; ++i)
            html += "<p>A finding of several words, number " + QByteArray::number(i) + "</p>";
        const QByteArray pdf = pdfFromHtml(html);
        QVERIFY(pdf.startsWith("%PDF-"));
        const qsizetype count = pdf.indexOf("/Count ");
        QVERIFY(count > 0);
        QVERIFY2(pdf.mid(count + 7).split('\n').first().toInt() >= 3, pdf.mid(count, 12));
        QVERIFY(pdfFromHtml("<p>one line</p>").size() < pdf.size());
    }

    void settingsOfADraftComeBackAsTheSameDraft()
    {
        Draft draft;
        draft.id = QStringLiteral("0badcafe");
        draft.source = sampleAddress("db-old.example.net", "shop");
        draft.target = sampleAddress("db-new.example.net");
        draft.follow = Draft::Follow::Hook;
        draft.hook = QStringLiteral("/bin/switch-app");
        draft.accepted = {QStringLiteral("mysql-foreign-keys")};
        draft.selection.schemas = {QStringLiteral("shop")};
        const auto stored = Settings::fromJson(draft.toSettings().toJson());
        QVERIFY(stored.has_value());
        const Draft back = Draft::fromSettings(*stored);
        QCOMPARE(back.source.toUrl(), draft.source.toUrl());
        QVERIFY2(back.source.password.isEmpty(), "no secret is ever in the file");
        QCOMPARE(back.hook, draft.hook);
        QCOMPARE(int(back.follow), int(Draft::Follow::Hook));
        QCOMPARE(back.accepted, draft.accepted);
        QCOMPARE(back.selection.schemas, draft.selection.schemas);
    }

    // The command line sets more than the pages ask for: preparing the plan again in the wizard
    // must not put it back to the defaults.
    void settingsWithoutAPageOutliveTheWizard()
    {
        Settings s;
        s.id = QStringLiteral("0badcafe");
        s.source.fromHere = sampleAddress("replica.example.net", "shop");
        s.source.writer = sampleAddress("primary.example.net");
        s.target.fromHere = sampleAddress("db-new.example.net");
        s.target.fromPeer = sampleAddress("10.0.0.7");
        s.mode = Mode::Once;
        s.fence = FenceKind::Triggers;
        s.lockAccounts = {QStringLiteral("app@%")};
        s.onDdl = QStringLiteral("recopy");
        s.onBeforeSwitch = QStringLiteral("/bin/before");
        s.createdAt = QDateTime::fromSecsSinceEpoch(1'700'000'000, Qt::UTC);
        QCOMPARE(Draft::fromSettings(s).toSettings().toJson(), s.toJson());
    }

    void historyStaysSmallAndKeepsWhatMatters()
    {
        History h;
        QVERIFY(h.isEmpty());
        QVERIFY(h.last(0).empty());
        constexpr qint64 begin = 1'700'000'000'000;
        QVERIFY(h.add({begin, 10, 1}));
        QVERIFY2(!h.add({begin + 999, 99, 9}), "more than one a second");
        QCOMPARE(h.last(0), (std::vector<History::Sample>{{begin, 10, 1}}));
        // Two days, a value a second; a lag of a minute in the middle of them.
        constexpr qint64 seconds = 2 * 86'400;
        for (qint64 i = 1; i < seconds; ++i)
            h.add(
                {begin + i * 1'000, i % 2 == 0 ? 20.0 : 40.0, i == seconds - 40'000 ? 60.0 : 1.0});
        const auto day = h.last(0);
        QVERIFY2(day.size() < 10'000, qPrintable(QString::number(day.size())));
        QVERIFY(day.back().atMs - day.front().atMs > 86'000'000);
        QVERIFY(std::is_sorted(day.begin(), day.end(),
                               [](const auto &a, const auto &b) { return a.atMs < b.atMs; }));
        const auto highest =
            std::max_element(day.begin(), day.end(), [](const auto &a, const auto &b) {
                return a.lagSeconds < b.lagSeconds;
            });
        QCOMPARE(highest->lagSeconds, 60.0);
        QCOMPARE(day.front().rateBytes, 30.0);
        const auto minutes = h.last(300'000);
        QCOMPARE(minutes.size(), std::size_t(301));
        QCOMPARE(minutes.front().atMs, day.back().atMs - 300'000);
        // The clock was set back.
        QVERIFY(h.add({begin, 5, 0}));
        QCOMPARE(h.last(0).size(), std::size_t(1));
    }
};

QTEST_MAIN(ModelsTest)
#include "ModelsTest.moc"
