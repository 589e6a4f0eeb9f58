#include "pages/PlanPage.h"

#include "models/Folders.h"
#include "models/StepModel.h"
#include "widgets/CodeView.h"
#include "widgets/Labels.h"
#include "widgets/RowsView.h"
#include "widgets/TypedConfirm.h"

#include <QButtonGroup>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QGroupBox>
#include <QHBoxLayout>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLineEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QRegularExpression>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

namespace causeway::ui {

namespace {

constexpr qint64 megabyte = 1'000'000;

/// What tells two sets of settings apart, apart from when they were made.
QByteArray fingerprint(Settings s)
{
    s.createdAt = {};
    return QJsonDocument(s.toJson()).toJson(QJsonDocument::Compact);
}

/// Why a step of the plan shows no statement. Few run none; the others are written from what is
/// found on the servers when they run, and are then kept with the step.
QString withoutSql(const StepRecord &step)
{
    if (step.id == QLatin1String("plan.check") || step.id == QLatin1String("plan.verify") ||
        step.id == QLatin1String("switch.compare-before") ||
        step.id == QLatin1String("switch.compare") || step.id == QLatin1String("copy.position"))
        return PlanPage::tr("This step reads and changes nothing.");
    if (step.id == QLatin1String("copy.rows") || step.id == QLatin1String("plan.catch-up") ||
        step.id == QLatin1String("switch.drain"))
        return PlanPage::tr("This step writes rows: those of the source, in transactions of many.");
    return PlanPage::tr("The statements of this step are not known yet: they are written when it "
                        "runs, from what is found on the servers then. The report shows them.");
}

QString defaultFile(const Draft &draft)
{
    QString name = draft.selection.schemas.value(0, QStringLiteral("migration"));
    name.replace(QRegularExpression(QStringLiteral("[^\\w.-]")), QStringLiteral("_"));
    const QDir folder(filesFolder());
    return folder.filePath(QStringLiteral("%1-%2.causeway").arg(name, draft.id));
}

} // namespace

PlanPage::PlanPage(EngineBridge &bridge, Draft &draft)
    : Page(bridge, draft, QStringLiteral("planPage"), tr("Plan"),
           tr("What will be done, where, and with which statements. Nothing changes on either "
              "server before you start the copy.")),
      m_lid(new StatusLine(QStringLiteral("planLid"))),
      m_space(new StatusLine(QStringLiteral("planSpace"))),
      m_pause(new StatusLine(QStringLiteral("planPause"))),
      m_wayBack(new StatusLine(QStringLiteral("planWayBack"))),
      m_state(new StatusLine(QStringLiteral("planState"))), m_follow(new QButtonGroup(this)),
      m_steps(new StepModel(this)), m_view(new RowsView),
      m_sql(new CodeView(tr("Statements of the step")))
{
    auto *facts = new QGroupBox(tr("Good to know"));
    facts->setObjectName(QStringLiteral("planFactsBox"));
    auto *factLines = new QVBoxLayout(facts);
    m_lid->set(Mark::Info,
               tr("May I close the lid? Rows and changes pass through this computer. It may sleep "
                  "or be shut down at any time without losing anything: the copy goes on from "
                  "where it stood. Until it does, the target falls behind, and the source must "
                  "keep its log that long."));
    factLines->addWidget(m_lid);
    factLines->addWidget(m_space);
    factLines->addWidget(m_pause);
    factLines->addWidget(m_wayBack);
    m_acceptOneWay =
        named(new QPushButton(tr("&Accept: no way back ...")), QStringLiteral("acceptOneWayButton"),
              tr("Accept that there is no way back"));
    factLines->addWidget(m_acceptOneWay, 0, Qt::AlignLeading);
    m_acceptOneWay->hide();
    body()->addWidget(facts);

    auto *options = new QGroupBox(tr("How it is done"));
    options->setObjectName(QStringLiteral("planOptionsBox"));
    auto *form = new QFormLayout(options);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->setRowWrapPolicy(QFormLayout::WrapLongRows);
    auto *ways = new QWidget;
    auto *wayLines = new QVBoxLayout(ways);
    wayLines->setContentsMargins(0, 0, 0, 0);
    const auto way = [&](Draft::Follow f, const QString &text, const char *name) {
        auto *radio = new QRadioButton(text);
        QString plain = text;
        named(radio, QString::fromLatin1(name), plain.remove(QLatin1Char('&')));
        m_follow->addButton(radio, static_cast<int>(f));
        wayLines->addWidget(radio);
    };
    way(Draft::Follow::TriesBoth, tr("It tries b&oth servers and uses the one that takes writes"),
        "followBothRadio");
    way(Draft::Follow::Hook, tr("A co&mmand is run at the switch, before the target opens"),
        "followHookRadio");
    way(Draft::Follow::ByHand, tr("I change it b&y hand after the switch"), "followHandRadio");
    m_hook = named(new QLineEdit, QStringLiteral("hookEdit"), tr("Command to run at the switch"));
    m_hook->setPlaceholderText(tr("/usr/local/bin/switch-app"));
    wayLines->addWidget(m_hook);
    form->addRow(tr("The application follows"), ways);
    m_workers = named(new QSpinBox, QStringLiteral("workersSpin"), tr("Workers"));
    m_workers->setRange(1, 64);
    m_workers->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    form->addRow(tr("&Workers"), m_workers);
    m_throttle =
        named(new QSpinBox, QStringLiteral("throttleSpin"), tr("Throttle, megabytes per second"));
    m_throttle->setRange(0, 100'000);
    m_throttle->setSpecialValueText(tr("none"));
    m_throttle->setSuffix(tr(" MB/s"));
    m_throttle->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    form->addRow(tr("&Throttle"), m_throttle);
    m_file = named(new QLineEdit, QStringLiteral("fileEdit"), tr("Migration file"));
    m_browse =
        named(new QToolButton, QStringLiteral("fileBrowseButton"), tr("Choose the migration file"));
    m_browse->setText(tr("..."));
    auto *fileLine = new QHBoxLayout;
    fileLine->addWidget(m_file, 1);
    fileLine->addWidget(m_browse);
    auto *fileCaption = new QLabel(tr("M&igration file"));
    fileCaption->setBuddy(m_file);
    form->addRow(fileCaption, fileLine);
    body()->addWidget(options);

    m_prepare = named(new QPushButton(tr("&Prepare the plan")), QStringLiteral("prepareButton"),
                      tr("Prepare the plan"));
    auto *line = new QHBoxLayout;
    line->addWidget(m_prepare);
    line->addWidget(m_state, 1, Qt::AlignVCenter);
    body()->addLayout(line);
    for (QPushButton *b : {m_acceptOneWay, m_prepare})
        b->setAutoDefault(false);

    named(m_view, QStringLiteral("planSteps"), tr("Steps of the plan"));
    m_view->setModel(m_steps);
    for (const int column : {StepModel::State, StepModel::Started, StepModel::Took})
        m_view->setColumnHidden(column, true);
    m_view->setColumnChars({6, 70, 16});
    m_view->setEmptyText(tr("The steps are shown here once the plan is prepared."));
    m_view->setMinimumHeight(m_view->fontMetrics().height() * 9);
    body()->addWidget(m_view, 2);
    m_sql->setVisibleLines(3);
    m_sql->setEmptyText(tr("Choose a step to see its statements."));
    body()->addWidget(m_sql, 1);

    connect(m_follow, &QButtonGroup::idToggled, this, [this] { takeOptions(); });
    for (QLineEdit *edit : {m_hook, m_file})
        connect(edit, &QLineEdit::textChanged, this, [this] { takeOptions(); });
    for (QSpinBox *spin : {m_workers, m_throttle})
        connect(spin, &QSpinBox::valueChanged, this, [this] { takeOptions(); });
    connect(m_browse, &QToolButton::clicked, this, &PlanPage::chooseFile);
    connect(m_acceptOneWay, &QPushButton::clicked, this, &PlanPage::acceptOneWay);
    connect(m_prepare, &QPushButton::clicked, this, &PlanPage::prepare);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this,
            [this](const QModelIndex &now) {
                const StepRecord *step = m_steps->step(now);
                m_sql->setText(step ? step->shownSql.join(QStringLiteral(";\n")) : QString());
                m_sql->setEmptyText(step ? withoutSql(*step)
                                         : tr("Choose a step to see its statements."));
            });
    load();
}

void PlanPage::load()
{
    m_loading = true;
    m_follow->button(static_cast<int>(m_draft.follow))->setChecked(true);
    m_hook->setText(m_draft.hook);
    m_hook->setEnabled(m_draft.follow == Draft::Follow::Hook);
    m_workers->setValue(m_draft.workers);
    m_throttle->setValue(static_cast<int>(m_draft.throttleBytesPerSecond / megabyte));
    m_file->setText(m_draft.file);
    m_loading = false;
    updateState();
}

void PlanPage::takeOptions()
{
    if (m_loading)
        return;
    m_draft.follow = static_cast<Draft::Follow>(m_follow->checkedId());
    m_hook->setEnabled(m_draft.follow == Draft::Follow::Hook && !m_locked);
    m_draft.hook = m_hook->text().trimmed();
    m_draft.workers = m_workers->value();
    m_draft.throttleBytesPerSecond = m_throttle->value() * megabyte;
    m_draft.file = m_file->text().trimmed();
    updateState();
}

void PlanPage::activate()
{
    if (m_draft.id.isEmpty())
        m_draft.id = Draft::newId();
    if (m_draft.file.isEmpty()) {
        m_draft.file = defaultFile(m_draft);
        load();
    }
    qint64 bytes = m_draft.sourceReport ? m_draft.sourceReport->dataBytes : -1;
    m_space->setVisible(bytes >= 0);
    if (bytes >= 0)
        m_space->set(Mark::Info,
                     tr("The source holds %1. Have about %2 free on the target while indexes are "
                        "built.")
                         .arg(Words::bytes(bytes), Words::bytes(bytes + bytes / 2)));
    showPause();
    if (!m_locked)
        askCapabilities();
    else if (m_bridge.hasMigration() && m_steps->rowCount() == 0)
        readPlan();
    updateState();
}

/// How writes will be stopped on either side, as the preflight found it: who else is stopped with
/// them, and how long closing the tables one by one takes.
void PlanPage::showPause()
{
    QStringList lines;
    if (m_draft.check) {
        for (const Finding &f : m_draft.check->findings) {
            const bool shown = f.id == QLatin1String("mysql-fence")
                                   ? f.status != FindingStatus::Skipped
                                   : f.id == QLatin1String("mysql-privileged-accounts") &&
                                         f.status == FindingStatus::Warning;
            if (!shown || f.found.isEmpty())
                continue;
            const Address &at = f.side == FindingSide::Source ? m_draft.source : m_draft.target;
            lines << tr("%1: %2").arg(Words::ltr(at.display()), f.found.translated());
        }
    }
    m_pause->setVisible(!lines.isEmpty());
    if (!lines.isEmpty())
        m_pause->set(
            Mark::Info,
            tr("How writes are stopped at the switch. %1").arg(lines.join(QLatin1Char(' '))));
}

void PlanPage::recheck()
{
    m_reverse.reset();
    m_reverseOf.clear();
    if (!m_locked)
        askCapabilities();
}

void PlanPage::askCapabilities()
{
    const QString where = m_draft.target.toUrl();
    if (m_reverse && m_reverseOf == where)
        return;
    m_bridge.cancel(m_capabilityJob);
    m_reverse.reset();
    m_reverseOf = where;
    auto engine = m_bridge.sharedEngine();
    m_capabilityJob = m_bridge.run<Support>(
        [engine, source = m_draft.source, target = m_draft.target](std::stop_token stop) {
            return engine->wayBack(source, target, stop);
        },
        this,
        [this](Result<Support> back) {
            m_capabilityJob = 0;
            m_reverse = back ? *back : Support{false, back.error().message};
            updateState();
        });
}

bool PlanPage::needsOneWay() const
{
    return m_reverse && !m_reverse->yes && !m_draft.oneWayAccepted;
}

void PlanPage::acceptOneWay()
{
    const QString word = m_draft.target.host;
    auto *dialog = new TypedConfirm(
        tr("No way back"),
        tr("After the switch to %1 the old source does not follow. Going back would lose what was "
           "written since.")
            .arg(Words::ltr(m_draft.target.display())),
        word.isEmpty() ? m_draft.target.display() : word, tr("Accept"), this);
    connect(dialog, &QDialog::accepted, this, [this] {
        m_draft.oneWayAccepted = true;
        updateState();
    });
    dialog->open();
}

void PlanPage::chooseFile()
{
    auto *dialog =
        new QFileDialog(this, tr("Migration file"), m_file->text(), tr("Migrations (*.causeway)"));
    dialog->setObjectName(QStringLiteral("migrationFileDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QStringLiteral("causeway"));
    connect(dialog, &QFileDialog::fileSelected, m_file, &QLineEdit::setText);
    dialog->open();
}

QString PlanPage::optionProblem() const
{
    if (m_draft.follow == Draft::Follow::Hook && m_draft.hook.isEmpty())
        return tr("Enter the command that is run at the switch.");
    if (m_draft.file.isEmpty())
        return tr("Choose a name for the migration file.");
    return {};
}

bool PlanPage::isPrepared() const
{
    return m_bridge.hasMigration() && m_bridge.path() == m_draft.file &&
           fingerprint(m_bridge.settings()) == fingerprint(m_draft.toSettings());
}

void PlanPage::prepare()
{
    if (!optionProblem().isEmpty()) {
        (m_draft.file.isEmpty() ? m_file : m_hook)->setFocus();
        updateState();
        return;
    }
    m_steps->setSteps({});
    // The open one holds the file: it must be let go before its settings can change.
    m_bridge.release([self = QPointer<PlanPage>(this)] {
        if (!self)
            return;
        PlanPage &page = *self;
        auto engine = page.m_bridge.sharedEngine();
        Migration::Secrets secrets;
        secrets.source = page.m_draft.source.password;
        secrets.target = page.m_draft.target.password;
        if (page.m_draft.sourceWriter)
            secrets.sourceWriter = page.m_draft.sourceWriter->password;
        page.m_job = page.m_bridge.run<OpenedMigration>(
            [engine, secrets, path = page.m_draft.file, settings = page.m_draft.toSettings()](
                std::stop_token) { return engine->prepare(path, settings, secrets); },
            self,
            [self](Result<OpenedMigration> opened) {
                self->m_job = 0;
                if (!opened) {
                    self->updateState();
                    self->m_state->set(Mark::Blocked, Words::error(opened.error()));
                    return;
                }
                self->m_bridge.adopt(std::move(*opened));
                self->readPlan();
                Q_EMIT self->prepared();
            });
        page.updateState();
    });
}

void PlanPage::readPlan()
{
    auto migration = m_bridge.migration();
    m_job = m_bridge.run<std::vector<StepRecord>>(
        [migration](std::stop_token) -> Result<std::vector<StepRecord>> {
            return migration->plan();
        },
        this,
        [this](Result<std::vector<StepRecord>> plan) {
            m_job = 0;
            if (plan)
                m_steps->setSteps(*plan);
            if (m_steps->rowCount() > 0)
                m_view->setCurrentIndex(m_steps->index(0, 0));
            updateState();
        });
    updateState();
}

void PlanPage::snapshotChanged()
{
    updateState();
}

void PlanPage::setLocked(bool locked)
{
    m_locked = locked;
    for (QAbstractButton *b : m_follow->buttons())
        b->setEnabled(!locked);
    for (QWidget *w : QList<QWidget *>{m_workers, m_throttle, m_browse, m_prepare, m_acceptOneWay})
        w->setEnabled(!locked);
    m_file->setReadOnly(locked);
    m_hook->setEnabled(!locked && m_draft.follow == Draft::Follow::Hook);
    updateState();
}

void PlanPage::updateState()
{
    if (m_draft.oneWayAccepted)
        m_wayBack->set(Mark::Warning, tr("No way back after the switch: you have accepted that."));
    else if (!m_reverse)
        m_wayBack->set(Mark::Pending,
                       m_locked ? tr("There is a way back after the switch: the old source will "
                                     "follow.")
                                : tr("Finding out whether there is a way back ..."));
    else if (m_reverse->yes)
        m_wayBack->set(Mark::Done, tr("There is a way back after the switch: the old source will "
                                      "follow the target."));
    else
        m_wayBack->set(
            Mark::Warning,
            tr("There is no way back after the switch: %1").arg(m_reverse->why.translated()));
    m_acceptOneWay->setVisible(needsOneWay() && !m_locked);

    if (m_locked)
        m_state->set(Mark::Done, tr("The copy has begun: the plan can be read, not changed."));
    else if (m_bridge.isRunning(m_job))
        m_state->set(Mark::Running, tr("Preparing ..."));
    else if (isPrepared())
        m_state->set(Mark::Done, tr("Prepared. Nothing has changed on either server yet."));
    else if (m_bridge.hasMigration())
        m_state->set(Mark::Warning, tr("Settings have changed: prepare the plan again."));
    else
        m_state->set(Mark::Pending, tr("Makes the migration file and works out the steps."));
    Q_EMIT completeChanged();
}

Readiness PlanPage::isComplete() const
{
    if (m_locked)
        return {true, {}};
    if (const QString problem = optionProblem(); !problem.isEmpty())
        return {false, problem};
    if (m_bridge.isRunning(m_capabilityJob))
        return {false, tr("Finding out whether there is a way back.")};
    if (needsOneWay())
        return {false, tr("There is no way back after the switch: accept that first.")};
    if (m_bridge.isRunning(m_job))
        return {false, tr("The plan is being prepared.")};
    if (!isPrepared())
        return {false, tr("Prepare the plan first.")};
    return {true, {}};
}

QString PlanPage::nextText() const
{
    return m_locked ? tr("&Next") : tr("&Start copy");
}

bool PlanPage::next()
{
    if (!m_locked)
        m_bridge.drive({Goal::Replica, true, false});
    return true;
}

} // namespace causeway::ui
