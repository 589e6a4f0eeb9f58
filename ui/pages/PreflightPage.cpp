#include "pages/PreflightPage.h"

#include "models/FindingModel.h"
#include "models/Pdf.h"
#include "report/Report.h"
#include "widgets/FixCode.h"
#include "widgets/FixPlanDialog.h"
#include "widgets/Labels.h"
#include "widgets/RowsView.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonDocument>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QVBoxLayout>

namespace causeway::ui {

PreflightPage::PreflightPage(EngineBridge &bridge, Draft &draft)
    : Page(bridge, draft, QStringLiteral("preflightPage"), tr("Preflight"),
           tr("Nothing is written. Mend or accept blockers; tick each warning once you have read "
              "it.")),
      m_model(new FindingModel(this)), m_view(new RowsView),
      m_verdict(new StatusLine(QStringLiteral("preflightVerdict"))),
      m_title(makeHeading({}, QStringLiteral("findingTitle"))),
      m_text(makeText({}, QStringLiteral("findingText"))), m_fix(new FixCode),
      m_accept(new QCheckBox)
{
    body()->addWidget(m_verdict);
    named(m_view, QStringLiteral("findingTree"), tr("Findings"));
    m_view->setModel(m_model);
    m_view->setRootIsDecorated(true);
    m_view->setSelectionMode(QAbstractItemView::SingleSelection);
    m_view->setColumnChars({44, 10, 30, 30, 24});
    m_view->setMinimumHeight(m_view->fontMetrics().height() * 5);

    auto *detail = new QWidget;
    auto *lines = new QVBoxLayout(detail);
    lines->setContentsMargins(0, 0, 0, 0);
    lines->addWidget(m_title);
    lines->addWidget(m_text);
    lines->addWidget(m_fix);
    lines->addStretch(1);
    m_apply = named(new QPushButton(tr("Appl&y this fix ...")), QStringLiteral("applyFixButton"),
                    tr("Apply this fix"));
    named(m_accept, QStringLiteral("acceptCheck"), tr("Accept"));
    auto *acts = new QHBoxLayout;
    acts->addWidget(m_accept);
    acts->addWidget(m_apply);
    acts->addStretch(1);
    auto *scroll = new QScrollArea;
    scroll->setObjectName(QStringLiteral("findingDetail"));
    scroll->setAccessibleName(tr("The finding in detail"));
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidget(detail);
    scroll->setMinimumHeight(scroll->fontMetrics().height() * 4);
    // What can be done stays in sight, however long the explanation is.
    auto *lower = new QWidget;
    auto *lowerLines = new QVBoxLayout(lower);
    lowerLines->setContentsMargins(0, 0, 0, 0);
    lowerLines->addLayout(acts);
    lowerLines->addWidget(scroll, 1);
    auto *splitter = new QSplitter(Qt::Vertical);
    splitter->setObjectName(QStringLiteral("preflightSplitter"));
    splitter->addWidget(m_view);
    splitter->addWidget(lower);
    splitter->setStretchFactor(0, 1);
    splitter->setStretchFactor(1, 1);
    splitter->setChildrenCollapsible(false);
    body()->addWidget(splitter, 1);

    m_again = named(new QPushButton(tr("&Check again (F5)")), QStringLiteral("checkAgainButton"),
                    tr("Check again"));
    m_plan = named(new QPushButton(tr("All fixes in &one go ...")), QStringLiteral("fixPlanButton"),
                   tr("All fixes in one go"));
    m_export = named(new QPushButton(tr("E&xport")), QStringLiteral("exportButton"),
                     tr("Export the report"));
    auto *menu = new QMenu(m_export);
    connect(menu->addAction(tr("&HTML ...")), &QAction::triggered, this,
            [this] { exportAs(QStringLiteral("html")); });
    connect(menu->addAction(tr("&PDF ...")), &QAction::triggered, this,
            [this] { exportAs(QStringLiteral("pdf")); });
    connect(menu->addAction(tr("&JSON ...")), &QAction::triggered, this,
            [this] { exportAs(QStringLiteral("json")); });
    m_export->setMenu(menu);
    auto *bar = new QHBoxLayout;
    bar->addWidget(m_again);
    bar->addWidget(m_plan);
    bar->addWidget(m_export);
    bar->addStretch(1);
    body()->addLayout(bar);
    for (QPushButton *b : {m_again, m_plan, m_export, m_apply})
        b->setAutoDefault(false);

    connect(m_again, &QPushButton::clicked, this, &PreflightPage::recheck);
    connect(m_apply, &QPushButton::clicked, this, &PreflightPage::applyFix);
    connect(m_plan, &QPushButton::clicked, this, [this] {
        if (m_draft.check)
            (new FixPlanDialog(fixPlans(*m_draft.check, m_draft.accepted), this))->open();
    });
    connect(m_accept, &QCheckBox::toggled, this, &PreflightPage::accept);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this,
            &PreflightPage::showDetail);
    m_view->expandAll();
    updateVerdict();
    showDetail();
}

CheckOptions PreflightPage::options() const
{
    return checkOptions(m_draft.toSettings());
}

Endpoint PreflightPage::source() const
{
    return m_draft.endpoint(Side::Source);
}

std::optional<Endpoint> PreflightPage::target() const
{
    if (!m_draft.hasTarget())
        return std::nullopt;
    return m_draft.endpoint(Side::Target);
}

void PreflightPage::activate()
{
    if (!m_draft.check && !m_bridge.isRunning(m_job) && !m_locked)
        run();
    else if (m_draft.check && m_draft.check->findings.size() > 0 &&
             !m_model->finding(m_model->indexOf(m_draft.check->findings.front().id)))
        showReport(*m_draft.check);
}

void PreflightPage::recheck()
{
    if (m_bridge.isRunning(m_job)) {
        m_bridge.cancel(m_job);
        m_job = 0;
        updateVerdict();
        Q_EMIT completeChanged();
        return;
    }
    run();
}

void PreflightPage::setLocked(bool locked)
{
    m_locked = locked;
    showDetail();
}

void PreflightPage::run()
{
    m_bridge.cancel(m_job);
    m_draft.check.reset();
    m_model->clear();
    m_model->setAccepted(m_draft.accepted);
    m_view->expandAll();
    auto engine = m_bridge.sharedEngine();
    QPointer<QObject> self(this);
    auto *bridge = &m_bridge;
    m_job = m_bridge.run<CheckReport>(
        [engine, self, bridge, from = source(), to = target(),
         with = options()](std::stop_token stop) {
            return engine->runPreflight(
                from, to, with,
                [self, bridge, stop](const Finding &f) {
                    bridge->toGui(self, [self, f, stop] {
                        if (stop.stop_requested())
                            return;
                        auto *page = static_cast<PreflightPage *>(self.data());
                        page->m_model->add(f);
                        page->updateVerdict();
                    });
                },
                stop);
        },
        this,
        [this](Result<CheckReport> report) {
            m_job = 0;
            if (!report) {
                updateVerdict();
                m_verdict->set(Mark::Blocked, Words::error(report.error()));
                Q_EMIT completeChanged();
                return;
            }
            m_draft.check = *report;
            showReport(*report);
        });
    updateVerdict();
    Q_EMIT completeChanged();
}

void PreflightPage::showReport(const CheckReport &report)
{
    m_draft.check = report;
    m_model->setFindings(report.findings);
    m_model->setAccepted(m_draft.accepted);
    for (const auto group : {FindingModel::Blockers, FindingModel::Warnings, FindingModel::Notes})
        m_view->expand(m_model->index(group, 0));
    for (const auto group : {FindingModel::Passed, FindingModel::Skipped})
        m_view->collapse(m_model->index(group, 0));
    for (const auto group : {FindingModel::Blockers, FindingModel::Warnings}) {
        if (m_model->count(group) > 0) {
            m_view->setCurrentIndex(m_model->index(0, 0, m_model->index(group, 0)));
            break;
        }
    }
    updateVerdict();
    showDetail();
    Q_EMIT completeChanged();
}

void PreflightPage::updateVerdict()
{
    const bool running = m_bridge.isRunning(m_job);
    m_again->setText(running ? tr("&Stop checking") : tr("&Check again (F5)"));
    m_again->setAccessibleName(running ? tr("Stop checking") : tr("Check again"));
    m_export->setEnabled(m_draft.check.has_value());
    m_plan->setEnabled(m_draft.check && !fixPlans(*m_draft.check, m_draft.accepted).empty());
    if (running) {
        int done = 0;
        for (int g = 0; g < FindingModel::GroupCount; ++g)
            done += m_model->count(static_cast<FindingModel::Group>(g));
        m_verdict->set(Mark::Running, tr("Checking: %n check(s) done so far.", nullptr, done));
        return;
    }
    if (!m_draft.check) {
        m_verdict->set(Mark::Pending, tr("Not checked yet."));
        return;
    }
    const auto blockers = static_cast<int>(m_model->openBlockers().size());
    const auto warnings = static_cast<int>(m_model->openWarnings().size());
    if (blockers > 0)
        m_verdict->set(Mark::Blocked, tr("Blocked: %n blocker(s) open.", nullptr, blockers));
    else if (warnings > 0)
        m_verdict->set(Mark::Warning,
                       tr("Ready, with %n warning(s) to acknowledge.", nullptr, warnings));
    else
        m_verdict->set(Mark::Done, tr("Ready."));
}

void PreflightPage::showDetail()
{
    const Finding *f = m_model->finding(m_view->currentIndex());
    m_title->setVisible(f != nullptr);
    m_apply->setVisible(f && f->fix.canApply && !f->fix.sql.isEmpty() && !m_locked);
    m_accept->setVisible(false);
    if (!f) {
        m_fix->set({}, {}, {});
        m_text->setText(tr("Choose a finding to see what it means and how to mend it."));
        return;
    }
    m_title->setText(
        tr("%1: %2", "status: check").arg(Words::finding(f->status), f->title.translated()));
    QStringList lines;
    const auto add = [&lines](const QString &label, const QString &text) {
        if (!text.isEmpty())
            lines << tr("%1: %2", "label: text").arg(label, text);
    };
    add(tr("Found"), f->found.translated());
    add(tr("Needed"), f->needed.translated());
    add(tr("Concerns"), f->objects.join(QStringLiteral(", ")));
    add(tr("Why"), f->why.translated());
    add(tr("What to do"), f->fix.text.translated());
    add(tr("Privilege needed"), f->fix.privilege);
    if (f->fix.restart)
        lines << tr("The server must be restarted for this.");
    add(tr("Check"), f->id);
    m_text->setText(lines.join(QLatin1Char('\n')));
    m_fix->set(f->fix.sql, f->fix.config, f->fix.command);

    const auto group = FindingModel::groupOf(*f);
    const bool may =
        group == FindingModel::Warnings || (group == FindingModel::Blockers && f->acceptable);
    m_accept->setVisible(may);
    m_accept->setEnabled(!m_locked);
    m_accept->setText(group == FindingModel::Warnings
                          ? tr("I have read this &warning")
                          : tr("I &accept this and go on all the same"));
    m_accept->setAccessibleName(group == FindingModel::Warnings ? tr("I have read this warning")
                                                                : tr("Accept this blocker"));
    m_showing = true;
    m_accept->setChecked(m_draft.accepted.contains(f->id));
    m_showing = false;
}

void PreflightPage::accept(bool on)
{
    const Finding *f = m_model->finding(m_view->currentIndex());
    if (!f || m_showing)
        return;
    m_draft.accepted.removeAll(f->id);
    if (on)
        m_draft.accepted << f->id;
    m_model->setAccepted(m_draft.accepted);
    updateVerdict();
    Q_EMIT completeChanged();
}

void PreflightPage::applyFix()
{
    const Finding *f = m_model->finding(m_view->currentIndex());
    if (!f)
        return;
    auto *box = new QMessageBox(
        QMessageBox::Question, tr("Apply this fix"),
        tr("These statements will be run on the %1:").arg(Words::findingSide(f->side)),
        QMessageBox::Cancel, this);
    box->setObjectName(QStringLiteral("applyFixDialog"));
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setInformativeText(f->fix.sql.join(QStringLiteral(";\n")));
    QPushButton *yes = box->addButton(tr("&Run them"), QMessageBox::AcceptRole);
    yes->setAutoDefault(false);
    box->setDefaultButton(QMessageBox::Cancel);
    connect(yes, &QPushButton::clicked, this, [this, id = f->id] {
        auto engine = m_bridge.sharedEngine();
        m_verdict->set(Mark::Running, tr("Applying the fix ..."));
        m_bridge.run<Finding>(
            [engine, id, from = source(), to = target(), with = options()](std::stop_token stop) {
                return engine->applyFix(from, to, with, id, stop);
            },
            this,
            [this, id](Result<Finding> now) {
                if (!now) {
                    updateVerdict();
                    m_verdict->set(Mark::Blocked, Words::error(now.error()));
                    return;
                }
                if (!m_draft.check)
                    return;
                for (Finding &old : m_draft.check->findings) {
                    if (old.id == id && old.side == now->side)
                        old = *now;
                }
                showReport(*m_draft.check);
            });
    });
    box->open();
}

bool PreflightPage::saveReport()
{
    if (m_draft.check)
        exportAs(QStringLiteral("html"));
    return m_draft.check.has_value();
}

void PreflightPage::exportAs(const QString &format)
{
    if (!m_draft.check)
        return;
    const bool json = format == QLatin1String("json"), pdf = format == QLatin1String("pdf");
    saveAs(
        tr("Export the preflight report"), QStringLiteral("preflight.") + format,
        json  ? tr("JSON (*.json)")
        : pdf ? tr("PDF (*.pdf)")
              : tr("HTML (*.html)"),
        [json, pdf, report = *m_draft.check, accepted = m_draft.accepted]() -> Result<QByteArray> {
            if (json)
                return QJsonDocument(report.toJson(accepted)).toJson();
            const QByteArray html = causeway::checkReportHtml(report, accepted);
            return pdf ? pdfFromHtml(html) : html;
        });
}

Readiness PreflightPage::isComplete() const
{
    if (m_locked)
        return {true, {}};
    if (m_bridge.isRunning(m_job))
        return {false, tr("The checks are running.")};
    if (!m_draft.check)
        return {false, tr("The checks have not been run.")};
    if (const auto n = m_model->openBlockers().size(); n > 0)
        return {false,
                tr("%n blocker(s) must be mended or accepted.", nullptr, static_cast<int>(n))};
    if (!m_draft.hasTarget())
        return {false, tr("A check of a source ends here. To move it, choose New migration.")};
    if (const auto n = m_model->openWarnings().size(); n > 0)
        return {false, tr("%n warning(s) must be acknowledged.", nullptr, static_cast<int>(n))};
    return {true, {}};
}

} // namespace causeway::ui
