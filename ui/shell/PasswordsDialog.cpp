#include "shell/PasswordsDialog.h"

#include "widgets/Labels.h"

#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLineEdit>
#include <QPushButton>

namespace causeway::ui {

PasswordsDialog::PasswordsDialog(const Settings &settings, QWidget *parent)
    : QDialog(parent), m_source(new QLineEdit), m_target(new QLineEdit)
{
    setObjectName(QStringLiteral("passwordsDialog"));
    setWindowTitle(tr("Passwords"));
    setAttribute(Qt::WA_DeleteOnClose);
    auto *form = new QFormLayout(this);
    form->setRowWrapPolicy(QFormLayout::WrapLongRows);
    form->addRow(makeText(tr("Passwords are not stored in the migration file. They are kept for "
                             "this session only."),
                          QStringLiteral("passwordsLead")));
    const auto row = [&](QLineEdit *edit, const Address &address, const char *name,
                         const QString &label) {
        edit->setEchoMode(QLineEdit::Password);
        named(edit, QString::fromLatin1(name),
              tr("Password of %1 at %2").arg(address.user, address.display()));
        form->addRow(label.arg(Words::ltr(address.user + QLatin1Char('@') + address.display())),
                     edit);
    };
    row(m_source, settings.source.fromHere, "sourcePasswordEdit", tr("&Source, %1"));
    row(m_target, settings.target.fromHere, "targetPasswordEdit", tr("&Target, %1"));
    if (settings.source.readsFromReplica()) {
        m_writer = new QLineEdit;
        row(m_writer, *settings.source.writer, "writerPasswordEdit", tr("&Primary, %1"));
        m_writer->setPlaceholderText(tr("the same as the source's"));
    }
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Open | QDialogButtonBox::Cancel);
    buttons->button(QDialogButtonBox::Open)->setObjectName(QStringLiteral("passwordsOpenButton"));
    form->addRow(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    setMinimumWidth(fontMetrics().averageCharWidth() * 60);
    m_source->setFocus();
}

Migration::Secrets PasswordsDialog::secrets() const
{
    Migration::Secrets out;
    out.source = Secret(m_source->text());
    out.target = Secret(m_target->text());
    out.sourceWriter =
        m_writer && !m_writer->text().isEmpty() ? Secret(m_writer->text()) : out.source;
    return out;
}

} // namespace causeway::ui
