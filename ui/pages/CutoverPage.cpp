#include "pages/CutoverPage.h"

#include "models/ClientModel.h"
#include "models/StepModel.h"
#include "widgets/Labels.h"
#include "widgets/RowsView.h"
#include "widgets/TroubleBanner.h"
#include "widgets/TypedConfirm.h"

#include <QCheckBox>
#include <QDateTime>
#include <QGroupBox>
#include <QHBoxLayout>
#include <QPushButton>
#include <QTabWidget>
#include <QVBoxLayout>

namespace causeway::ui {

namespace {
constexpr int clientEveryTicks = 3;

std::vector<StepRecord> switchSteps(const Snapshot &s)
{
    std::vector<StepRecord> out;
    for (const StepRecord &step : s.steps) {
        if (!step.id.startsWith(QLatin1String("copy.")) &&
            !step.id.startsWith(QLatin1String("replica.")))
            out.push_back(step);
    }
    return out;
}
} // namespace

CutoverPage::CutoverPage(EngineBridge &bridge, Draft &draft)
    : Page(bridge, draft, QStringLiteral("cutoverPage"), tr("Cutover"), {}),
      m_trouble(new TroubleBanner), m_state(new StatusLine(QStringLiteral("cutoverState"))),
      m_obstacle(new StatusLine(QStringLiteral("cutoverObstacle"))),
      m_pause(new StatusLine(QStringLiteral("cutoverPause"))),
      m_factBox(new QGroupBox(tr("Before the switch"))), m_factLayout(new QVBoxLayout(m_factBox)),
      m_steps(new StepModel(this)), m_stepView(new RowsView), m_clients(new ClientModel(this)),
      m_clientView(new RowsView), m_clientState(new StatusLine(QStringLiteral("clientState")))
{
    body()->addWidget(m_trouble);
    body()->addWidget(m_state);
    m_factBox->setObjectName(QStringLiteral("factBox"));
    body()->addWidget(m_factBox);

    m_primary = named(new QPushButton, QStringLiteral("enablePrimaryButton"), {});
    m_back = named(new QPushButton, QStringLiteral("enableReplicaButton"), {});
    m_finish = named(new QPushButton(tr("Fin&ish ...")), QStringLiteral("finishButton"),
                     tr("Finish the migration"));
    m_openSource = named(new QCheckBox(tr("Leave the &old source open for writes")),
                         QStringLiteral("openSourceCheck"),
                         tr("Leave the old source open for writes after finishing"));
    auto *line = new QHBoxLayout;
    line->addWidget(m_primary);
    line->addWidget(m_back);
    line->addStretch(1);
    body()->addLayout(line);
    body()->addWidget(m_obstacle);
    body()->addWidget(m_pause);
    auto *last = new QHBoxLayout;
    last->addWidget(m_finish);
    last->addWidget(m_openSource);
    last->addStretch(1);
    body()->addLayout(last);
    for (QPushButton *b : {m_primary, m_back, m_finish})
        b->setAutoDefault(false);

    auto *tabs = new QTabWidget;
    named(tabs, QStringLiteral("cutoverTabs"), tr("Clients and steps"));
    auto *clients = new QWidget;
    auto *clientLines = new QVBoxLayout(clients);
    clientLines->addWidget(m_clientState);
    named(m_clientView, QStringLiteral("clientList"), tr("Clients connected now"));
    m_clientView->setModel(m_clients);
    m_clientView->setColumnChars({10, 20, 22, 14, 22, 12, 30});
    m_clientView->setEmptyText(tr("Nobody is connected, or it is not known yet."));
    clientLines->addWidget(m_clientView, 1);
    tabs->addTab(clients, tr("C&lients connected now"));
    named(m_stepView, QStringLiteral("switchSteps"), tr("Steps of the switch"));
    m_stepView->setModel(m_steps);
    m_stepView->setColumnChars({6, 54, 14, 14, 12, 12});
    m_stepView->setEmptyText(tr("The steps of the switch are shown here while they run."));
    tabs->addTab(m_stepView, tr("&Steps"));
    tabs->setMinimumHeight(tabs->fontMetrics().height() * 10);
    body()->addWidget(tabs, 1);

    connect(&m_bridge, &EngineBridge::outcomeArrived, this, [this](const Outcome &outcome) {
        // The command that made way for it ends first.
        const auto *run = std::get_if<command::RunTo>(&outcome.command);
        if (run && m_asked == run->goal)
            m_asked.reset();
        updateFacts();
    });
    connect(m_trouble, &TroubleBanner::repairRequested, this, [this] { m_bridge.verify(true); });
    connect(m_primary, &QPushButton::clicked, this, &CutoverPage::switchOver);
    connect(m_back, &QPushButton::clicked, this, &CutoverPage::switchBack);
    connect(m_finish, &QPushButton::clicked, this, &CutoverPage::askFinish);
    m_timer.setInterval(1000);
    connect(&m_timer, &QTimer::timeout, this, &CutoverPage::tick);
    snapshotChanged();
}

void CutoverPage::activate()
{
    m_timer.start();
    m_ticks = 0;
    tick();
}

void CutoverPage::hideEvent(QHideEvent *event)
{
    m_timer.stop();
    Page::hideEvent(event);
}

void CutoverPage::recheck()
{
    m_ticks = 0;
    m_bridge.refresh();
    tick();
}

void CutoverPage::tick()
{
    updateFacts();
    if (m_ticks++ % clientEveryTicks != 0 || !m_bridge.hasMigration() ||
        m_bridge.isRunning(m_clientJob))
        return;
    using Both = std::pair<std::vector<LiveClient>, std::vector<LiveClient>>;
    m_clientJob = m_bridge.run<Both>(
        [migration = m_bridge.migration()](std::stop_token) -> Result<Both> {
            return Both{migration->liveClients(Side::Source), migration->liveClients(Side::Target)};
        },
        this,
        [this](Result<Both> both) {
            m_clientJob = 0;
            if (!both)
                return;
            m_clients->setClients(both->first, both->second);
            updateClientState();
        });
}

void CutoverPage::updateClientState()
{
    const auto &s = m_bridge.snapshot();
    m_clientState->setVisible(s != nullptr);
    if (!s)
        return;
    const QString source = Words::ltr(s->sourceName);
    const int atSource = m_clients->foreignCount(Side::Source);
    if (s->roles.leader == Side::Source)
        m_clientState->set(Mark::Info, tr("%n client(s) at %1.", nullptr, atSource).arg(source));
    else if (atSource > 0) // after the switch: who still knocks at the old one
        m_clientState->set(Mark::Warning,
                           tr("%n client(s) still at %1.", nullptr, atSource).arg(source));
    else
        m_clientState->set(Mark::Done, tr("Nobody is at %1 any more.").arg(source));
}

void CutoverPage::switchOver()
{
    const auto &s = m_bridge.snapshot();
    if (!s)
        return;
    const auto go = [this] { ask(Goal::Primary); };
    if (!s->oneWay) {
        go();
        return;
    }
    auto *confirm = new TypedConfirm(
        tr("Switch without a way back"),
        tr("From now on %1 takes writes, and %2 does not follow. This cannot be undone.")
            .arg(Words::ltr(s->targetName), Words::ltr(s->sourceName)),
        s->targetName, tr("Enable primary mode"), this);
    connect(confirm, &QDialog::accepted, this, go);
    confirm->open();
}

void CutoverPage::switchBack()
{
    ask(Goal::Replica);
}

/// What is compared before writes are held may take its time: until then the phase is the old one,
/// and the page says what it waits for.
void CutoverPage::ask(Goal goal)
{
    m_asked = goal;
    m_bridge.drive({goal, true, false});
    updateFacts();
}

bool CutoverPage::isPreparing(const Snapshot &s) const
{
    return (m_asked == Goal::Primary && s.phase == Phase::Replica) ||
           (m_asked == Goal::Replica && s.phase == Phase::Primary);
}

void CutoverPage::askFinish()
{
    const auto &s = m_bridge.snapshot();
    if (!s)
        return;
    const bool open = m_openSource->isChecked();
    QString known;
    for (const auto &[mark, text] : CutoverFacts::troubles(*s))
        known += text + QStringLiteral("\n");
    if (!known.isEmpty())
        known += tr("Finishing neither compares nor repairs: %1 stays as it is, with these rows, "
                    "and %2 goes on with its own.")
                     .arg(Words::ltr(s->sourceName), Words::ltr(s->targetName)) +
                 QStringLiteral("\n\n");
    auto *confirm = new TypedConfirm(
        tr("Finish"),
        known +
            (open ? tr("%1 no longer follows and is open for writes again. ")
                  : tr("%1 no longer follows and stays closed for writes. "))
                .arg(Words::ltr(s->sourceName)) +
            tr("Causeway removes what it put on both servers. There is no way back after this."),
        s->targetName, tr("Finish"), this);
    // Only what was named here is finished over.
    connect(confirm, &QDialog::accepted, this, [this, open, differing = !known.isEmpty()] {
        m_bridge.drive({Goal::Finished, false, open, differing});
    });
    confirm->open();
}

void CutoverPage::snapshotChanged()
{
    const auto &s = m_bridge.snapshot();
    if (s)
        m_steps->setSteps(switchSteps(*s));
    else
        m_steps->setSteps({});
    for (int row = 0; row < m_steps->rowCount(); ++row) {
        if (m_steps->step(m_steps->index(row, 0))->state == StepState::Running)
            m_stepView->scrollTo(m_steps->index(row, 0));
    }
    updateFacts();
    updateClientState();
    Q_EMIT completeChanged();
}

void CutoverPage::updateFacts()
{
    const auto &s = m_bridge.snapshot();
    m_trouble->show(s.get(), m_bridge.comparison());
    if (!s) {
        m_state->set(Mark::Pending, tr("The copy has not been started."));
        for (QWidget *w : QList<QWidget *>{m_factBox, m_primary, m_back, m_finish, m_openSource,
                                           m_obstacle, m_pause})
            w->hide();
        return;
    }
    m_facts.update(*s, QDateTime::currentMSecsSinceEpoch());
    const bool preparing = isPreparing(*s);
    const bool sourceLeads = s->roles.leader == Side::Source;
    const bool switching = s->phase == Phase::Switching || s->phase == Phase::SwitchingBack;
    const bool ended = s->phase == Phase::Finished || s->phase == Phase::Cancelled;
    QString state = Words::state(*s, m_bridge.isComparing());
    if (s->error)
        state += QLatin1Char('\n') + Words::error(*s->error);
    m_state->set(Words::mark(s->runState), state);

    m_factBox->setVisible(!ended && !(s->oneWay && !sourceLeads));
    m_factBox->setTitle(sourceLeads ? tr("Before the switch") : tr("Before switching back"));
    const auto &facts = m_facts.facts();
    while (m_factLines.size() < facts.size()) {
        auto *line = new StatusLine(QStringLiteral("fact%1").arg(m_factLines.size()));
        m_factLayout->addWidget(line);
        m_factLines.push_back(line);
    }
    for (size_t i = 0; i < m_factLines.size(); ++i) {
        m_factLines[i]->setVisible(i < facts.size());
        if (i < facts.size())
            m_factLines[i]->set(facts[i].mark, facts[i].text);
    }

    const QString obstacle = m_facts.obstacle();
    const bool armed = obstacle.isEmpty() && !switching && !preparing && !ended;
    const QString primary = tr("&Enable primary mode: %1 takes writes").arg(s->targetName);
    m_primary->setVisible(sourceLeads && !ended);
    m_primary->setEnabled(armed);
    m_primary->setText(primary);
    m_primary->setAccessibleName(tr("Enable primary mode: %1 takes writes").arg(s->targetName));
    m_back->setVisible(!sourceLeads && !ended && !s->oneWay);
    m_back->setEnabled(armed);
    m_back->setText(tr("Enable &replica mode: %1 takes writes again").arg(s->sourceName));
    m_back->setAccessibleName(tr("Enable replica mode: %1 takes writes again").arg(s->sourceName));
    const bool mayFinish = !sourceLeads && s->phase == Phase::Primary;
    m_finish->setVisible(!sourceLeads && !ended);
    m_openSource->setVisible(!sourceLeads && !ended);
    m_finish->setEnabled(mayFinish);
    m_openSource->setEnabled(mayFinish);
    m_obstacle->setVisible(!ended && !(s->oneWay && !sourceLeads));
    if (switching)
        m_obstacle->set(Mark::Running, tr("Switching; the steps are below."));
    else if (preparing)
        m_obstacle->set(Mark::Running,
                        tr("The switch was asked for. Rows are compared first, while writes go on; "
                           "%1 table(s) of %2 are done.")
                            .arg(Words::number(m_facts.verified()),
                                 Words::number(static_cast<qint64>(s->tables.size()))));
    else if (!obstacle.isEmpty())
        m_obstacle->set(Mark::Warning, tr("Not yet: %1").arg(obstacle));
    else
        m_obstacle->set(Mark::Done, sourceLeads
                                        ? tr("Ready. Writes are held for a moment; if anything "
                                             "fails before the switch, it undoes itself.")
                                        : tr("Ready to switch back."));
    m_pause->setVisible(s->writePauseSeconds >= 0);
    if (s->writePauseSeconds >= 0)
        m_pause->set(Mark::Info, tr("At the last switch writes were held for %1.")
                                     .arg(Words::seconds(s->writePauseSeconds)));
}

Readiness CutoverPage::isComplete() const
{
    const auto &s = m_bridge.snapshot();
    if (!s || !copyStarted(s->phase))
        return {false, tr("The copy has not been started.")};
    switch (s->phase) {
    case Phase::Finished:
    case Phase::Cancelled:
        return {true, {}};
    case Phase::Primary:
        return {false, tr("Finish, or switch back.")};
    case Phase::Switching:
    case Phase::SwitchingBack:
        return {false, tr("Switching.")};
    default:
        return {false, tr("%1 still takes writes.").arg(s->sourceName)};
    }
}

} // namespace causeway::ui
