#include "pages/FinishedPage.h"

#include "models/Pdf.h"
#include "models/StepModel.h"
#include "models/TableListModel.h"
#include "report/Report.h"
#include "widgets/CodeView.h"
#include "widgets/Labels.h"
#include "widgets/RowsView.h"

#include <QGroupBox>
#include <QHBoxLayout>
#include <QPushButton>
#include <QTabWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace causeway::ui {

FinishedPage::FinishedPage(EngineBridge &bridge, Draft &draft)
    : Page(bridge, draft, QStringLiteral("finishedPage"), tr("Finished"), {}),
      m_result(new StatusLine(QStringLiteral("finishedResult"))),
      m_pause(new StatusLine(QStringLiteral("finishedPause"))),
      m_old(new StatusLine(QStringLiteral("finishedOldSource"))),
      m_accepted(new StatusLine(QStringLiteral("finishedAccepted"))),
      m_leftOut(new StatusLine(QStringLiteral("finishedLeftOut"))),
      m_connection(new CodeView(tr("Connection string for the application"))),
      m_tables(new TableListModel(this)), m_tableView(new RowsView), m_steps(new StepModel(this)),
      m_stepView(new RowsView)
{
    for (StatusLine *line : {m_result, m_pause, m_old, m_accepted, m_leftOut})
        body()->addWidget(line);
    auto *box = new QGroupBox(tr("Connection string for the application"));
    box->setObjectName(QStringLiteral("connectionBox"));
    auto *boxLayout = new QVBoxLayout(box);
    m_connection->setVisibleLines(1);
    m_connection->setMaximumHeight(m_connection->fontMetrics().lineSpacing() * 3);
    boxLayout->addWidget(m_connection);
    body()->addWidget(box);

    auto *openBox = new QGroupBox(tr("To open the old database for writes again"));
    openBox->setObjectName(QStringLiteral("openOldBox"));
    auto *openLayout = new QVBoxLayout(openBox);
    m_open = new CodeView(tr("Statements that open the old database"));
    m_open->setVisibleLines(1);
    m_open->setMaximumHeight(m_open->fontMetrics().lineSpacing() * 4);
    openLayout->addWidget(m_open);
    m_openBox = openBox;
    body()->addWidget(openBox);

    auto *tabs = new QTabWidget;
    named(tabs, QStringLiteral("finishedTabs"), tr("Result and timeline"));
    named(m_tableView, QStringLiteral("resultList"), tr("Result per table"));
    m_tableView->setModel(m_tables);
    m_tableView->setColumnChars({34, 16, 18, 12, 10, 20});
    m_tableView->setEmptyText(tr("No table to show."));
    tabs->addTab(m_tableView, tr("&Tables"));
    named(m_stepView, QStringLiteral("timeline"), tr("Timeline"));
    m_stepView->setModel(m_steps);
    m_stepView->setColumnChars({6, 54, 14, 14, 12, 12});
    m_stepView->setEmptyText(tr("Nothing has been done."));
    tabs->addTab(m_stepView, tr("Time&line"));
    tabs->setMinimumHeight(tabs->fontMetrics().height() * 10);
    body()->addWidget(tabs, 1);

    m_html = named(new QPushButton(tr("&Save the report ...")), QStringLiteral("saveHtmlButton"),
                   tr("Save the report as HTML"));
    m_pdf = named(new QPushButton(tr("Save as &PDF ...")), QStringLiteral("savePdfButton"),
                  tr("Save the report as PDF"));
    m_json = named(new QPushButton(tr("Save as &JSON ...")), QStringLiteral("saveJsonButton"),
                   tr("Save the report as JSON"));
    m_csv = named(new QPushButton(tr("Save as &CSV ...")), QStringLiteral("saveCsvButton"),
                  tr("Save the result per table as CSV"));
    auto *bar = new QHBoxLayout;
    bar->addWidget(m_html);
    bar->addWidget(m_pdf);
    bar->addWidget(m_json);
    bar->addWidget(m_csv);
    bar->addStretch(1);
    body()->addLayout(bar);
    for (QPushButton *b : {m_html, m_pdf, m_json, m_csv})
        b->setAutoDefault(false);
    connect(m_html, &QPushButton::clicked, this, [this] { saveAsFormat(QStringLiteral("html")); });
    connect(m_pdf, &QPushButton::clicked, this, [this] { saveAsFormat(QStringLiteral("pdf")); });
    connect(m_json, &QPushButton::clicked, this, [this] { saveAsFormat(QStringLiteral("json")); });
    connect(m_csv, &QPushButton::clicked, this, [this] { saveAsFormat(QStringLiteral("csv")); });
    snapshotChanged();
}

void FinishedPage::snapshotChanged()
{
    const auto &s = m_bridge.snapshot();
    const bool ended = s && (s->phase == Phase::Finished || s->phase == Phase::Cancelled);
    m_tables->setSnapshot(s);
    m_steps->setSteps(s ? s->steps : std::vector<StepRecord>{});
    m_html->setEnabled(s != nullptr);
    m_pdf->setEnabled(s != nullptr);
    m_json->setEnabled(s != nullptr);
    m_csv->setEnabled(s != nullptr);
    m_connection->parentWidget()->setVisible(ended && s->phase == Phase::Finished);
    for (StatusLine *line : {m_pause, m_old, m_accepted, m_leftOut})
        line->hide();
    m_openBox->hide();
    if (!s || !ended) {
        setTitle(tr("Finished"), {});
        m_result->set(Mark::Pending, tr("The migration is not finished yet."));
        Q_EMIT completeChanged();
        return;
    }
    const auto bad = std::count_if(s->tables.begin(), s->tables.end(), [](const TableProgress &t) {
        return t.state == TableState::Different || t.state == TableState::Failed;
    });
    if (s->phase == Phase::Cancelled) {
        setTitle(tr("Cancelled"), {});
        m_result->set(Mark::Skipped, tr("The migration was cancelled. %1 takes writes as before.")
                                         .arg(Words::ltr(s->sourceName)));
    } else if (bad > 0) {
        setTitle(tr("Finished, with tables to look at"), {});
        m_result->set(Mark::Warning, tr("%1 takes writes, but %n table(s) failed or differ.",
                                        nullptr, static_cast<int>(bad))
                                         .arg(Words::ltr(s->targetName)));
    } else {
        setTitle(tr("Finished"), {});
        m_result->set(
            Mark::Done,
            tr("The database has moved: %1 takes writes.").arg(Words::ltr(s->targetName)));
    }
    m_pause->setVisible(s->writePauseSeconds >= 0);
    m_pause->set(Mark::Info,
                 tr("Writes were held for %1.").arg(Words::seconds(s->writePauseSeconds)));
    if (s->phase == Phase::Finished) {
        m_old->show();
        QString old = tr("The old database still stands on %1, as it was when it stopped "
                         "following.")
                          .arg(Words::ltr(s->sourceName));
        askOldSource();
        if (m_openSql) {
            const bool closed = !m_openSql->isEmpty();
            old += QLatin1Char(' ') +
                   (closed ? tr("It is closed for writes.") : tr("It is open for writes."));
            // SET GLOBAL is forgotten by a restart; a persisted value is not.
            if (m_openSql->contains(QLatin1String("GLOBAL read_only"), Qt::CaseInsensitive) &&
                !m_openSql->contains(QLatin1String("PERSIST"), Qt::CaseInsensitive))
                old += QLatin1Char(' ') + tr("A restart of that server opens it too: write "
                                             "read_only into its configuration to keep it closed.");
            m_openBox->setVisible(closed);
            m_open->setText(*m_openSql);
        }
        m_old->set(Mark::Info, old);
    }
    const QStringList accepted = m_bridge.settings().accepted;
    m_accepted->setVisible(!accepted.isEmpty());
    m_accepted->set(Mark::Warning,
                    tr("Findings acknowledged: %1").arg(accepted.join(QStringLiteral(", "))));
    m_leftOut->setVisible(!m_draft.leftOut.isEmpty());
    m_leftOut->set(Mark::Info, tr("Left out: %1").arg(m_draft.leftOut.join(QStringLiteral(", "))));
    m_connection->setText(urlWithoutAccount(m_bridge.settings().target.fromHere));
    Q_EMIT completeChanged();
}

/// The engine leaves in the file what opens the old source again; read once.
void FinishedPage::askOldSource()
{
    if (m_lookedAt == m_bridge.path())
        return;
    m_lookedAt = m_bridge.path();
    m_openSql.reset();
    m_bridge.run<FileSummary>([engine = m_bridge.sharedEngine(), path = m_lookedAt](
                                  std::stop_token) { return engine->summary(path); },
                              this,
                              [this, path = m_lookedAt](Result<FileSummary> summary) {
                                  if (!summary || path != m_bridge.path())
                                      return;
                                  m_openSql = summary->oldSourceOpenSql;
                                  snapshotChanged();
                              });
}

bool FinishedPage::saveReport()
{
    if (m_bridge.snapshot())
        saveAsFormat(QStringLiteral("html"));
    return m_bridge.snapshot() != nullptr;
}

void FinishedPage::saveAsFormat(const QString &format)
{
    if (!m_bridge.hasMigration())
        return;
    const bool pdf = format == QLatin1String("pdf");
    const QString filter = pdf                               ? tr("PDF (*.pdf)")
                           : format == QLatin1String("html") ? tr("HTML (*.html)")
                           : format == QLatin1String("json") ? tr("JSON (*.json)")
                                                             : tr("CSV (*.csv)");
    saveAs(tr("Save the report"),
           QStringLiteral("causeway-%1.%2").arg(m_bridge.settings().id, format), filter,
           [engine = m_bridge.sharedEngine(), path = m_bridge.path(), format,
            pdf]() -> Result<QByteArray> {
               CW_TRY_ASSIGN(const QByteArray report,
                             engine->report(path, pdf ? QStringLiteral("html") : format));
               return pdf ? pdfFromHtml(report) : report;
           });
}

Readiness FinishedPage::isComplete() const
{
    const auto &s = m_bridge.snapshot();
    const bool ended = s && (s->phase == Phase::Finished || s->phase == Phase::Cancelled);
    return ended ? Readiness{true, tr("This is the last page.")}
                 : Readiness{false, tr("The migration is not finished yet.")};
}

} // namespace causeway::ui
