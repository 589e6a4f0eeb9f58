#include "pages/EndpointPage.h"

#include "widgets/EndpointForm.h"
#include "widgets/Labels.h"
#include "widgets/StageList.h"
#include "widgets/UserScriptDialog.h"

#include <QGroupBox>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QTimer>
#include <QVBoxLayout>

namespace causeway::ui {

EndpointPage::EndpointPage(EngineBridge &bridge, Draft &draft, Side side)
    : Page(bridge, draft, toString(side) + QStringLiteral("Page"),
           side == Side::Source ? tr("Source") : tr("Target"),
           side == Side::Source
               ? tr("The server that holds the database now.")
               : tr("The server that the database moves to. It stays closed to others until you "
                    "switch.")),
      m_side(side), m_form(new EndpointForm(side)), m_stages(new StageList),
      m_result(new StatusLine(toString(side) + QStringLiteral("TestResult")))
{
    const QString id = toString(side);
    m_test = named(new QPushButton(tr("Test &connection")), id + QStringLiteral("TestButton"),
                   tr("Test connection"));
    m_script = named(new QPushButton(tr("Create the m&igration user ...")),
                     id + QStringLiteral("UserScriptButton"), tr("Create the migration user"));
    for (QPushButton *b : {m_test, m_script})
        b->setAutoDefault(false);
    body()->addWidget(m_form);
    auto *buttons = new QHBoxLayout;
    buttons->addWidget(m_test);
    buttons->addWidget(m_script);
    buttons->addStretch(1);
    body()->addLayout(buttons);
    auto *box = new QGroupBox(tr("Connection test"));
    box->setObjectName(id + QStringLiteral("TestBox"));
    auto *boxLayout = new QVBoxLayout(box);
    boxLayout->addWidget(m_stages);
    boxLayout->addWidget(m_result);
    m_result->hide();
    body()->addWidget(box);
    body()->addStretch(1);

    connect(m_form, &EndpointForm::edited, this, &EndpointPage::edited);
    connect(m_test, &QPushButton::clicked, this, [this] {
        if (m_bridge.isRunning(m_job))
            cancelTest();
        else
            startTest();
    });
    connect(m_script, &QPushButton::clicked, this, &EndpointPage::showUserScript);
}

Address &EndpointPage::address() const
{
    return m_side == Side::Source ? m_draft.source : m_draft.target;
}

std::optional<ConnectionReport> &EndpointPage::report() const
{
    return m_side == Side::Source ? m_draft.sourceReport : m_draft.targetReport;
}

bool EndpointPage::isNeeded() const
{
    return m_side == Side::Source || m_draft.hasTarget();
}

void EndpointPage::activate()
{
    if (!m_locked)
        m_form->firstField()->setFocus();
}

void EndpointPage::load()
{
    m_loading = true;
    m_form->setEndpoint(m_draft.endpoint(m_side));
    m_loading = false;
    m_stages->reset();
    m_result->hide();
    Q_EMIT completeChanged();
}

void EndpointPage::setLocked(bool locked)
{
    m_locked = locked;
    m_form->setReadOnly(locked);
}

void EndpointPage::edited()
{
    if (m_loading)
        return;
    // What was found holds for the address that was tested, not for this one.
    if (m_bridge.isRunning(m_job))
        cancelTest();
    if (report()) {
        report().reset();
        m_stages->reset();
        m_result->hide();
    }
    Q_EMIT addressChanged(m_side);
    Q_EMIT completeChanged();
}

Readiness EndpointPage::isComplete() const
{
    if (m_locked)
        return {true, {}};
    if (const QString problem = m_form->problem(); !problem.isEmpty())
        return {false, problem};
    if (m_bridge.isRunning(m_job))
        return {false, tr("The connection is being tested.")};
    if (!report())
        return {false, tr("Test the connection first.")};
    if (report()->error)
        return {false, tr("The connection test failed.")};
    if (m_side == Side::Target && m_draft.sourceReport &&
        !m_draft.sourceReport->facts.identity.isEmpty() &&
        m_draft.sourceReport->facts.identity == report()->facts.identity)
        return {false, tr("This is the same server as the source.")};
    if (m_side == Side::Target && m_draft.source.isMySqlFamily() != m_draft.target.isMySqlFamily())
        return {false, tr("Causeway does not move between MySQL and PostgreSQL.")};
    return {true, {}};
}

void EndpointPage::takeForm()
{
    const Endpoint endpoint = m_form->endpoint();
    address() = endpoint.fromHere;
    (m_side == Side::Source ? m_draft.sourceFromPeer : m_draft.targetFromPeer) = endpoint.fromPeer;
    if (m_side == Side::Source)
        m_draft.sourceWriter = endpoint.writer;
}

void EndpointPage::recheck()
{
    if (!m_bridge.isRunning(m_job))
        startTest();
}

void EndpointPage::startTest()
{
    if (!m_form->problem().isEmpty()) {
        m_form->showProblems();
        return;
    }
    takeForm();
    report().reset();
    m_stages->begin();
    m_result->hide();
    m_test->setText(tr("Stop &connection test"));
    m_test->setAccessibleName(tr("Stop the connection test"));
    auto engine = m_bridge.sharedEngine();
    QPointer<QObject> self(this);
    auto *bridge = &m_bridge;
    m_job = m_bridge.run<ConnectionReport>(
        [engine, self, bridge,
         where = address()](std::stop_token stop) -> Result<ConnectionReport> {
            return engine->testConnection(
                where,
                [self, bridge, stop](const StageReport &stage) {
                    bridge->toGui(self, [self, stage, stop] {
                        if (!stop.stop_requested())
                            static_cast<EndpointPage *>(self.data())->m_stages->report(stage);
                    });
                },
                stop);
        },
        this,
        [this](Result<ConnectionReport> result) {
            if (result) {
                endTest(*result);
            } else {
                ConnectionReport failed;
                failed.error = result.error();
                endTest(failed);
            }
        });
    Q_EMIT completeChanged();
}

void EndpointPage::cancelTest()
{
    m_bridge.cancel(m_job);
    m_job = 0;
    m_test->setText(tr("Test &connection"));
    m_test->setAccessibleName(tr("Test connection"));
    m_stages->cancelled();
    m_result->set(Mark::Skipped, tr("The test was stopped."));
    m_result->show();
    Q_EMIT completeChanged();
}

void EndpointPage::endTest(const ConnectionReport &result)
{
    m_job = 0;
    m_test->setText(tr("Test &connection"));
    m_test->setAccessibleName(tr("Test connection"));
    m_stages->end(result);
    report() = result;
    if (result.error) {
        m_result->set(Mark::Blocked, Words::error(*result.error));
    } else {
        const ServerFacts &f = result.facts;
        QStringList lines;
        lines << tr("Connected to %1 %2 (%3).")
                     .arg(f.product, Words::ltr(f.version), Words::platform(f.platform));
        lines << (f.tlsVersion.isEmpty()
                      ? tr("The connection is not encrypted.")
                      : tr("Encrypted with %1, %2.").arg(f.tlsVersion, f.tlsCipher));
        QStringList size;
        if (result.dataBytes >= 0)
            size << Words::bytes(result.dataBytes);
        if (result.tables >= 0)
            size << tr("%n table(s)", nullptr, result.tables);
        if (result.foreignKeys >= 0)
            size << (result.foreignKeys == 0
                         ? tr("no foreign keys")
                         : tr("%n foreign key(s)", nullptr, result.foreignKeys));
        if (!size.isEmpty())
            lines << tr("It holds: %1.").arg(size.join(QStringLiteral(", ")));
        if (f.readOnly)
            lines << tr("The server is read-only at present.");
        m_result->set(Mark::Done, lines.join(QLatin1Char('\n')));
    }
    m_result->show();
    // In a low window the result lies below the form: bring it into sight once it has its size.
    QTimer::singleShot(0, this, [this] {
        for (QWidget *w = parentWidget(); w; w = w->parentWidget()) {
            if (auto *area = qobject_cast<QScrollArea *>(w))
                area->ensureWidgetVisible(m_result);
        }
    });
    Q_EMIT addressChanged(m_side);
    Q_EMIT completeChanged();
}

void EndpointPage::showUserScript()
{
    if (!m_form->problem().isEmpty()) {
        m_form->showProblems();
        return;
    }
    const Endpoint endpoint = m_form->endpoint();
    Selection selection = m_draft.selection;
    // What MySQL calls a database is a schema here; PostgreSQL's is not.
    if (selection.schemas.isEmpty() && !endpoint.fromHere.database.isEmpty() &&
        endpoint.fromHere.isMySqlFamily())
        selection.schemas << endpoint.fromHere.database;
    auto *dialog = new UserScriptDialog(m_bridge, endpoint, m_side, selection, this);
    dialog->open();
}

} // namespace causeway::ui
