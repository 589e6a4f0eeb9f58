#include "widgets/UserScriptDialog.h"

#include "endpoint/NewPassword.h"
#include "widgets/CodeView.h"
#include "widgets/Labels.h"

#include <QDialogButtonBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include <utility>

namespace causeway::ui {

UserScriptDialog::UserScriptDialog(EngineBridge &bridge, Endpoint endpoint, Side side,
                                   Selection selection, QWidget *parent)
    : QDialog(parent), m_bridge(bridge), m_endpoint(std::move(endpoint)), m_side(side),
      m_selection(std::move(selection)), m_password(newPassword()),
      m_account(new QLineEdit(QStringLiteral("causeway"))),
      m_state(new StatusLine(QStringLiteral("userScriptState"))),
      m_script(new CodeView(tr("Script that creates the migration user")))
{
    setObjectName(QStringLiteral("userScriptDialog"));
    setWindowTitle(tr("Create the migration user"));
    setAttribute(Qt::WA_DeleteOnClose);
    auto *layout = new QVBoxLayout(this);
    layout->addWidget(
        makeText(tr("An administrator of %1 runs this script once. It grants what this migration "
                    "needs on this server, and nothing else.")
                     .arg(Words::ltr(m_endpoint.fromHere.display())),
                 QStringLiteral("userScriptLead")));
    auto *line = new QHBoxLayout;
    auto *caption = new QLabel(tr("&Account name"));
    named(m_account, QStringLiteral("userScriptAccountEdit"), tr("Account name"));
    caption->setBuddy(m_account);
    m_make = named(new QPushButton(tr("&Make the script")), QStringLiteral("userScriptMakeButton"),
                   tr("Make the script"));
    line->addWidget(caption);
    line->addWidget(m_account, 1);
    line->addWidget(m_make);
    layout->addLayout(line);
    layout->addWidget(m_state);
    m_script->setVisibleLines(10);
    layout->addWidget(m_script, 1);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    m_save = named(new QPushButton(tr("&Save ...")), QStringLiteral("userScriptSaveButton"),
                   tr("Save the script to a file"));
    m_save->setEnabled(false);
    buttons->addButton(m_save, QDialogButtonBox::ActionRole);
    layout->addWidget(buttons);
    for (QPushButton *b : findChildren<QPushButton *>())
        b->setAutoDefault(false);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_make, &QPushButton::clicked, this, &UserScriptDialog::make);
    connect(m_save, &QPushButton::clicked, this, &UserScriptDialog::save);
    connect(this, &QDialog::finished, this, [this] { m_bridge.cancel(m_job); });
    resize(fontMetrics().averageCharWidth() * 80, fontMetrics().height() * 28);
    make();
}

void UserScriptDialog::make()
{
    m_bridge.cancel(m_job);
    m_state->set(Mark::Running, tr("Asking the server what it needs ..."));
    auto engine = m_bridge.sharedEngine();
    m_job = m_bridge.run<QStringList>(
        [engine, endpoint = m_endpoint, side = m_side, selection = m_selection,
         account = m_account->text().trimmed()](std::stop_token stop) {
            return engine->userScript(endpoint, side, selection, account, stop);
        },
        this,
        [this](Result<QStringList> script) {
            if (!script) {
                m_state->set(Mark::Blocked, Words::error(script.error()));
                m_script->setText({});
            } else {
                m_state->set(Mark::Info,
                             tr("The password in it is new and is shown here only: it is not "
                                "stored. Copy or save the script, and sign in with it."));
                m_script->setText(script->join(QLatin1Char('\n'))
                                      .replace(QLatin1String("${password}"),
                                               QString::fromUtf8(m_password.reveal())));
            }
            m_save->setEnabled(script.has_value());
        });
}

void UserScriptDialog::save()
{
    auto *dialog = new QFileDialog(this, tr("Save the script"), QStringLiteral("causeway-user.sql"),
                                   tr("SQL (*.sql)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString &file) {
        auto engine = m_bridge.sharedEngine();
        m_bridge.run<bool>(
            [engine, file, text = m_script->text().toUtf8()](std::stop_token) -> Result<bool> {
                CW_TRY(engine->saveText(file, text, true));
                return true;
            },
            this,
            [this](Result<bool> saved) {
                if (saved)
                    m_state->set(Mark::Done, tr("Saved."));
                else
                    m_state->set(Mark::Blocked, Words::error(saved.error()));
            });
    });
    dialog->open();
}

} // namespace causeway::ui
