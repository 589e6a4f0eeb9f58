#include "widgets/CodeView.h"

#include <QClipboard>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QTextOption>
#include <QToolButton>

namespace causeway::ui {

CodeView::CodeView(const QString &name, QWidget *parent)
    : QWidget(parent), m_text(new QPlainTextEdit), m_copy(new QToolButton)
{
    m_text->setObjectName(QStringLiteral("codeText"));
    m_text->setAccessibleName(name);
    m_text->setReadOnly(true);
    m_text->setTabChangesFocus(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_text->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    QTextOption option = m_text->document()->defaultTextOption();
    option.setTextDirection(Qt::LeftToRight); // SQL stays in order in a right-to-left window
    m_text->document()->setDefaultTextOption(option);
    m_copy->setObjectName(QStringLiteral("codeCopyButton"));
    m_copy->setText(tr("Copy"));
    m_copy->setAccessibleName(tr("Copy: %1").arg(name));
    m_copy->setEnabled(false);
    connect(m_copy, &QToolButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(m_text->toPlainText()); });
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_text, 1);
    layout->addWidget(m_copy, 0, Qt::AlignTop);
    setVisibleLines(4);
}

void CodeView::setText(const QString &text)
{
    if (text != m_text->toPlainText()) // or the reader loses their place four times a second
        m_text->setPlainText(text);
    m_copy->setEnabled(!text.isEmpty());
}

QString CodeView::text() const
{
    return m_text->toPlainText();
}

void CodeView::setEmptyText(const QString &text)
{
    m_text->setPlaceholderText(text);
}

void CodeView::setVisibleLines(int lines)
{
    m_text->setMinimumHeight(m_text->fontMetrics().lineSpacing() * lines +
                             m_text->fontMetrics().height());
}

} // namespace causeway::ui
