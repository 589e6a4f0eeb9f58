#include "pages/ProgressPage.h"

#include "models/CutoverFacts.h"
#include "models/TableListModel.h"
#include "widgets/DecisionBanner.h"
#include "widgets/HistoryChart.h"
#include "widgets/Labels.h"
#include "widgets/RowsView.h"
#include "widgets/TroubleBanner.h"
#include "widgets/TypedConfirm.h"

#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMessageBox>
#include <QProgressBar>
#include <QPushButton>
#include <QTabWidget>
#include <QVBoxLayout>

#include <array>
#include <cmath>

namespace causeway::ui {

namespace {
/// A quantity: caption above, value below in bold, so that seven of them fit a narrow window.
QLabel *addFact(QGridLayout *grid, int place, int perRow, const QString &caption,
                const QString &name)
{
    auto *head = new QLabel(caption);
    head->setObjectName(name + QStringLiteral("Caption"));
    auto *value = makeText(QStringLiteral("-"), name);
    QFont bold = value->font();
    bold.setBold(true);
    value->setFont(bold);
    value->setAccessibleName(caption);
    const int row = place / perRow * 2, column = place % perRow;
    if (row > 0)
        grid->setRowMinimumHeight(row, value->fontMetrics().height() * 3 / 2);
    grid->addWidget(head, row, column, Qt::AlignBottom);
    grid->addWidget(value, row + 1, column);
    grid->setColumnStretch(column, 1);
    return value;
}

void say(QLabel *value, const QString &caption, const QString &text)
{
    value->setText(text);
    value->setAccessibleName(QStringLiteral("%1: %2").arg(caption, text));
}

/// The units of Words::rate().
std::pair<double, QString> byteScale(double highest)
{
    constexpr std::array<std::pair<double, const char *>, 3> units{
        {{1'073'741'824, "GiB/s"}, {1'048'576, "MiB/s"}, {1'024, "KiB/s"}}};
    for (const auto &[size, unit] : units) {
        if (highest >= size)
            return {size, QString::fromLatin1(unit)};
    }
    return {1, QStringLiteral("B/s")};
}

std::pair<double, QString> timeScale(double highest)
{
    if (highest >= 7'200)
        return {3'600, QStringLiteral("h")};
    return highest >= 120 ? std::pair{60.0, QStringLiteral("min")}
                          : std::pair{1.0, QStringLiteral("s")};
}
} // namespace

ProgressPage::ProgressPage(EngineBridge &bridge, Draft &draft)
    : Page(bridge, draft, QStringLiteral("progressPage"), tr("Copy and replicate"), {}),
      m_state(new StatusLine(QStringLiteral("progressState"))),
      m_error(new StatusLine(QStringLiteral("progressError"))),
      m_verified(new StatusLine(QStringLiteral("progressVerified"))), m_bar(new QProgressBar),
      m_decision(new DecisionBanner), m_trouble(new TroubleBanner),
      m_tables(new TableListModel(this)), m_filter(new TableFilter(this)), m_view(new RowsView),
      m_show(new QComboBox), m_search(new QLineEdit), m_tabs(new QTabWidget), m_span(new QComboBox),
      m_throughput(new HistoryChart({tr("Throughput"),
                                     QStringLiteral("throughputChart"),
                                     [](double v) { return Words::rate(v); },
                                     byteScale,
                                     0,
                                     {}})),
      m_lagChart(new HistoryChart({tr("Lag"), QStringLiteral("lagChart"),
                                   [](double v) { return Words::seconds(v); }, timeScale,
                                   CutoverFacts::lagThresholdSeconds,
                                   tr("The dashed line: a switch needs a lag under %1.")
                                       .arg(Words::seconds(CutoverFacts::lagThresholdSeconds))}))
{
    body()->addWidget(m_trouble);
    body()->addWidget(m_state);
    named(m_bar, QStringLiteral("copyBar"), tr("Copied, by size"));
    m_bar->setRange(0, 1000);
    body()->addWidget(m_bar);
    body()->addWidget(m_error);
    m_error->hide();
    body()->addWidget(m_decision);

    auto *grid = new QGridLayout;
    grid->setVerticalSpacing(0);
    m_rows = addFact(grid, 0, 4, tr("Rows"), QStringLiteral("rowsFact"));
    m_size = addFact(grid, 1, 4, tr("Size"), QStringLiteral("sizeFact"));
    m_rate = addFact(grid, 2, 4, tr("Rate"), QStringLiteral("rateFact"));
    m_eta = addFact(grid, 3, 4, tr("Time left"), QStringLiteral("etaFact"));
    m_lag = addFact(grid, 4, 4, tr("Lag"), QStringLiteral("lagFact"));
    m_limit = addFact(grid, 5, 4, tr("Limited by"), QStringLiteral("limitFact"));
    m_retention = addFact(grid, 6, 4, tr("Log kept for"), QStringLiteral("retentionFact"));
    body()->addLayout(grid);
    body()->addWidget(m_verified);

    m_pause = named(new QPushButton(tr("&Pause")), QStringLiteral("pauseButton"), tr("Pause"));
    m_verify = named(new QPushButton(tr("C&ompare now")), QStringLiteral("verifyButton"),
                     tr("Compare source and target now"));
    m_cancel = named(new QPushButton(tr("&Cancel the migration ...")),
                     QStringLiteral("cancelButton"), tr("Cancel the migration"));
    auto *acts = new QHBoxLayout;
    acts->addWidget(m_pause);
    acts->addWidget(m_verify);
    acts->addStretch(1);
    acts->addWidget(m_cancel);
    body()->addLayout(acts);
    for (QPushButton *b : {m_pause, m_verify, m_cancel})
        b->setAutoDefault(false);

    named(m_tabs, QStringLiteral("progressTabs"), tr("Tables, lag and rate"));
    m_tabs->addTab(makeTables(), tr("&Tables"));
    m_tabs->addTab(makeCharts(), tr("&Lag and rate"));
    body()->addWidget(m_tabs, 1);

    connect(m_show, &QComboBox::currentIndexChanged, this,
            [this](int i) { m_filter->setShow(static_cast<TableFilter::Show>(i)); });
    connect(m_search, &QLineEdit::textChanged, m_filter, &TableFilter::setText);
    connect(m_pause, &QPushButton::clicked, this, &ProgressPage::pauseOrResume);
    connect(m_verify, &QPushButton::clicked, this, [this] { m_bridge.verify(); });
    connect(m_trouble, &TroubleBanner::repairRequested, this, [this] { m_bridge.verify(true); });
    connect(&m_bridge, &EngineBridge::outcomeArrived, this, &ProgressPage::snapshotChanged);
    connect(m_cancel, &QPushButton::clicked, this, &ProgressPage::askCancel);
    connect(m_decision, &DecisionBanner::answered, this,
            [this](const QString &decision, const QString &choice) {
                m_bridge.post(command::Answer{decision, choice});
                // An answer is carried out by the next run; "stop" means that there is none.
                if (choice != QLatin1String("stop"))
                    resume();
            });
    snapshotChanged();
}

QWidget *ProgressPage::makeTables()
{
    auto *tab = new QWidget;
    auto *layout = new QVBoxLayout(tab);
    auto *bar = new QHBoxLayout;
    auto *showCaption = new QLabel(tr("&Show"));
    showCaption->setBuddy(m_show);
    named(m_show, QStringLiteral("tableShowCombo"), tr("Which tables are shown"));
    m_show->addItems({tr("All"), tr("Active"), tr("Failed"), tr("Done")});
    named(m_search, QStringLiteral("tableSearchEdit"), tr("Find tables"));
    m_search->setPlaceholderText(tr("Find"));
    m_search->setClearButtonEnabled(true);
    bar->addWidget(showCaption);
    bar->addWidget(m_show);
    bar->addWidget(m_search, 1);
    layout->addLayout(bar);
    named(m_view, QStringLiteral("tableList"), tr("Tables"));
    m_filter->setSourceModel(m_tables);
    m_view->setModel(m_filter);
    m_view->setSortingEnabled(true);
    m_view->sortByColumn(TableListModel::Name, Qt::AscendingOrder);
    m_view->setColumnChars({34, 16, 34, 12, 10, 20});
    m_view->setEmptyText(tr("No table to show."));
    m_view->setMinimumHeight(m_view->fontMetrics().height() * 6);
    layout->addWidget(m_view, 1);
    return tab;
}

QWidget *ProgressPage::makeCharts()
{
    auto *tab = new QWidget;
    auto *layout = new QVBoxLayout(tab);
    auto *bar = new QHBoxLayout;
    auto *caption = new QLabel(tr("&In the last"));
    caption->setBuddy(m_span);
    named(m_span, QStringLiteral("chartSpanCombo"), tr("How far back the graphs go"));
    m_span->addItem(tr("5 minutes"), 300'000);
    m_span->addItem(tr("hour"), 3'600'000);
    m_span->addItem(tr("day, or since this window was opened"), 0);
    bar->addWidget(caption);
    bar->addWidget(m_span);
    bar->addStretch(1);
    layout->addLayout(bar);
    auto *both = new QHBoxLayout;
    both->addWidget(m_throughput, 1);
    both->addWidget(m_lagChart, 1);
    layout->addLayout(both, 1);
    connect(m_span, &QComboBox::currentIndexChanged, this, &ProgressPage::drawCharts);
    return tab;
}

void ProgressPage::drawCharts()
{
    std::vector<HistoryChart::Point> rate, lag;
    for (const History::Sample &s : m_history.last(m_span->currentData().toLongLong())) {
        rate.push_back({s.atMs, s.rateBytes});
        if (s.lagSeconds >= 0)
            lag.push_back({s.atMs, s.lagSeconds});
    }
    m_throughput->setPoints(std::move(rate));
    m_lagChart->setPoints(std::move(lag));
}

void ProgressPage::resume()
{
    const auto &s = m_bridge.snapshot();
    const bool primary = s && s->roles.leader == Side::Target;
    m_bridge.drive({primary ? Goal::Primary : Goal::Replica, true, false});
}

void ProgressPage::pauseOrResume()
{
    const auto &s = m_bridge.snapshot();
    if (!s)
        return;
    if (isActive(*s) && s->runState != RunState::NeedsDecision)
        m_bridge.post(command::Pause{});
    else
        resume();
}

void ProgressPage::askCancel()
{
    const auto &s = m_bridge.snapshot();
    if (!s)
        return;
    auto *box = new QMessageBox(
        QMessageBox::Question, tr("Cancel the migration"),
        tr("The source stays as it is and goes on taking writes. What shall become of the rows "
           "already on %1?")
            .arg(Words::ltr(s->targetName)),
        QMessageBox::NoButton, this);
    box->setObjectName(QStringLiteral("cancelDialog"));
    box->setAttribute(Qt::WA_DeleteOnClose);
    QPushButton *keep = box->addButton(tr("&Keep them"), QMessageBox::ActionRole);
    QPushButton *discard = box->addButton(tr("&Discard them ..."), QMessageBox::ActionRole);
    QPushButton *back = box->addButton(tr("&Go on with the migration"), QMessageBox::RejectRole);
    keep->setObjectName(QStringLiteral("cancelKeepButton"));
    discard->setObjectName(QStringLiteral("cancelDiscardButton"));
    for (QPushButton *b : {keep, discard, back})
        b->setAutoDefault(false);
    box->setEscapeButton(back);
    connect(keep, &QPushButton::clicked, this, [this] { m_bridge.post(command::Cancel{false}); });
    connect(discard, &QPushButton::clicked, this, [this, target = s->targetName] {
        auto *confirm = new TypedConfirm(
            tr("Discard"),
            tr("Everything that Causeway created on %1 is dropped: schemas, tables, rows. This "
               "cannot be undone.")
                .arg(Words::ltr(target)),
            target, tr("Discard"), this);
        connect(confirm, &QDialog::accepted, this,
                [this] { m_bridge.post(command::Cancel{true}); });
        confirm->open();
    });
    box->open();
}

void ProgressPage::snapshotChanged()
{
    const auto &s = m_bridge.snapshot();
    m_tables->setSnapshot(s);
    updateButtons();
    m_trouble->show(s.get(), m_bridge.comparison());
    if (m_historyOf != m_bridge.path() || !s) {
        m_historyOf = m_bridge.path();
        m_history.clear();
        m_heardMs = 0;
        drawCharts();
    }
    if (s && isActive(*s) && m_history.add({s->atMs, s->rateBytes, s->lagSeconds}))
        drawCharts();
    if (!s) {
        m_state->set(Mark::Pending, tr("The copy has not been started."));
        m_bar->setValue(0);
        m_decision->setDecision({});
        m_error->hide();
        m_verified->hide();
        Q_EMIT completeChanged();
        return;
    }
    m_state->set(Words::mark(s->runState), Words::state(*s, m_bridge.isComparing()));
    m_bar->setValue(static_cast<int>(std::floor(copyProgress(*s) * 1000)));
    m_bar->setFormat(Words::copied(*s));
    m_error->setVisible(s->error.has_value());
    if (s->error)
        m_error->set(Mark::Blocked, Words::error(*s->error));
    m_decision->setDecision(s->decision);

    qint64 rows = 0, rowsWhole = 0, bytes = 0;
    int verified = 0, different = 0;
    for (const TableProgress &t : s->tables) {
        const bool copying = t.state == TableState::Waiting || t.state == TableState::Copying;
        rows += t.rows;
        rowsWhole += copying ? std::max(t.rows, t.rowsEstimate) : t.rows;
        bytes += t.bytes;
        verified += t.state == TableState::Verified;
        different += t.state == TableState::Different;
    }
    say(m_rows, tr("Rows"),
        rowsWhole > rows ? tr("%1 of ~%2").arg(Words::number(rows), Words::number(rowsWhole))
                         : Words::number(rows));
    say(m_size, tr("Size"), Words::bytes(bytes));
    say(m_rate, tr("Rate"),
        // A line may end at a comma, not inside a unit.
        tr("%1, %2 rows/s")
            .arg(Words::rate(s->rateBytes), Words::number(std::llround(s->rateRows)))
            .replace(QLatin1Char('/'), QStringLiteral("/\u2060")));
    const bool copying = s->phase == Phase::Copying || s->phase == Phase::CatchingUp;
    say(m_eta, tr("Time left"),
        copying && isActive(*s) ? Words::eta(s->etaLow, s->etaHigh) : QStringLiteral("-"));
    QString lag = s->lagBytes >= 0
                      ? tr("%1, %2").arg(Words::lag(s->lagSeconds), Words::bytes(s->lagBytes))
                      : Words::lag(s->lagSeconds);
    // A figure that nothing renews is told with its age: the real lag grows meanwhile.
    if (isCarrying(*s)) {
        m_heardMs = s->atMs;
    } else if (s->lagSeconds >= 0) {
        const QString value = Words::seconds(s->lagSeconds);
        lag = m_heardMs > 0 ? tr("%1 at %2; not measured since").arg(value, Words::time(m_heardMs))
                            : tr("%1 when it last ran").arg(value);
    }
    say(m_lag, tr("Lag"), lag);
    const QString limit = Words::bottleneck(s->limitedBy);
    say(m_limit, tr("Limited by"), limit.isEmpty() ? QStringLiteral("-") : limit);
    say(m_retention, tr("Log kept for"), Words::logKept(*s));
    const int all = static_cast<int>(s->tables.size());
    m_verified->setVisible(verified > 0 && different == 0); // else the banner says it
    if (verified == all)
        m_verified->set(Mark::Done,
                        tr("All %n table(s) have been compared and are equal.", nullptr, all));
    else
        m_verified->set(Mark::Running, tr("Compared and equal: %1 of %2 tables.")
                                           .arg(Words::number(verified), Words::number(all)));
    Q_EMIT completeChanged();
}

void ProgressPage::updateButtons()
{
    const auto &s = m_bridge.snapshot();
    const bool ended = s && (s->phase == Phase::Finished || s->phase == Phase::Cancelled);
    const bool active = s && isActive(*s) && s->runState != RunState::NeedsDecision;
    m_pause->setEnabled(s && !ended && s->runState != RunState::Pausing);
    m_pause->setText(active                                 ? tr("&Pause")
                     : s && s->runState == RunState::Failed ? tr("Try &again")
                                                            : tr("&Resume"));
    m_pause->setAccessibleName(m_pause->text().remove(QLatin1Char('&')));
    m_verify->setEnabled(s && (s->phase == Phase::Replica || s->phase == Phase::Primary) &&
                         s->runState != RunState::Pausing);
    // From primary mode only switching back or finishing leads out: cancelling would throw away
    // what applications have written since.
    m_cancel->setEnabled(s && !ended && copyStarted(s->phase) && s->roles.leader == Side::Source &&
                         s->phase != Phase::Switching);
}

Readiness ProgressPage::isComplete() const
{
    const auto &s = m_bridge.snapshot();
    if (!s)
        return {false, tr("The copy has not been started.")};
    switch (s->phase) {
    case Phase::Draft:
    case Phase::Checked:
        if (s->runState == RunState::Failed)
            return {false, tr("The copy could not be started.")};
        return {false, tr("The copy is being started.")};
    case Phase::Copying:
        if (s->runState == RunState::NeedsDecision)
            return {false, tr("Your decision is needed.")};
        if (s->runState == RunState::Failed)
            return {false, tr("The copy has stopped on an error.")};
        if (s->runState == RunState::Paused || s->runState == RunState::Idle)
            return {false, tr("The copy is paused.")};
        return {false, tr("The rows are still being copied.")};
    case Phase::CatchingUp:
        if (s->runState == RunState::NeedsDecision)
            return {false, tr("Your decision is needed.")};
        return {false, tr("The target is still catching up.")};
    default:
        return {true, {}};
    }
}

} // namespace causeway::ui
