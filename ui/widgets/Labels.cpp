#include "widgets/Labels.h"

#include "widgets/StatusIcon.h"

#include <QEvent>
#include <QHBoxLayout>

namespace causeway::ui {

QLabel *makeText(const QString &text, const QString &objectName)
{
    auto *label = new QLabel(text);
    label->setObjectName(objectName);
    label->setWordWrap(true);
    // Plain: host names and servers' words may contain what looks like markup.
    label->setTextFormat(Qt::PlainText);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    return label;
}

QLabel *makeHeading(const QString &text, const QString &objectName)
{
    auto *label = new QLabel(text);
    label->setObjectName(objectName);
    QFont font = label->font();
    font.setBold(true);
    label->setFont(font);
    label->setWordWrap(true);
    return label;
}

StatusLine::StatusLine(const QString &name, QWidget *parent)
    : QWidget(parent), m_icon(new QLabel), m_text(makeText({}, name + QStringLiteral("Text")))
{
    setObjectName(name);
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_icon, 0, Qt::AlignTop);
    m_text->setAlignment(Qt::AlignLeading | Qt::AlignTop);
    layout->addWidget(m_text, 1);
    m_icon->hide();
}

void StatusLine::set(Mark mark, const QString &text)
{
    if (m_mark != mark || m_icon->pixmap().isNull()) {
        m_mark = mark;
        setStatus(m_icon, mark, {});
        m_icon->setVisible(mark != Mark::None);
    }
    if (m_text->text() != text)
        m_text->setText(text);
    m_text->setAccessibleName(text);
}

void StatusLine::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange)
        setStatus(m_icon, m_mark, {});
    QWidget::changeEvent(event);
}

} // namespace causeway::ui
