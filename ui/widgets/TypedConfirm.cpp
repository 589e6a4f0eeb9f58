#include "widgets/TypedConfirm.h"

#include "widgets/Labels.h"

#include <QDialogButtonBox>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace causeway::ui {

TypedConfirm::TypedConfirm(const QString &title, const QString &explanation, const QString &word,
                           const QString &action, QWidget *parent)
    : QDialog(parent), m_edit(new QLineEdit), m_action(new QPushButton(action))
{
    setObjectName(QStringLiteral("typedConfirmDialog"));
    setWindowTitle(title);
    setAttribute(Qt::WA_DeleteOnClose);
    auto *layout = new QVBoxLayout(this);
    layout->addWidget(makeText(explanation, QStringLiteral("confirmExplanation")));
    auto *ask =
        makeText(tr("To go on, type: %1").arg(Words::ltr(word)), QStringLiteral("confirmAsk"));
    layout->addWidget(ask);
    m_edit->setObjectName(QStringLiteral("confirmEdit"));
    m_edit->setAccessibleName(tr("Type %1 to confirm").arg(word));
    ask->setBuddy(m_edit);
    layout->addWidget(m_edit);
    m_action->setObjectName(QStringLiteral("confirmActionButton"));
    m_action->setAccessibleName(action);
    m_action->setEnabled(false);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
    buttons->addButton(m_action, QDialogButtonBox::AcceptRole);
    for (QAbstractButton *b : buttons->buttons()) {
        auto *push = qobject_cast<QPushButton *>(b);
        push->setAutoDefault(false);
        push->setDefault(false);
    }
    layout->addWidget(buttons);
    connect(m_edit, &QLineEdit::textChanged, this,
            [this, word](const QString &text) { m_action->setEnabled(text.trimmed() == word); });
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    setMinimumWidth(fontMetrics().averageCharWidth() * 60);
    m_edit->setFocus();
}

} // namespace causeway::ui
