#include "widgets/StatusIcon.h"

#include <QApplication>
#include <QIconEngine>
#include <QLabel>
#include <QPainter>
#include <QPainterPath>
#include <QPalette>

#include <array>

namespace causeway::ui {

namespace {

/// Okabe and Ito's colours, which stay apart for every common kind of colour blindness; the blue
/// has a lighter fellow for dark backgrounds.
QColor colourOf(Mark mark, bool dark, const QColor &text)
{
    switch (mark) {
    case Mark::Done:
        return {0x00, 0x9E, 0x73};
    case Mark::Running:
    case Mark::Info:
        return dark ? QColor(0x56, 0xB4, 0xE9) : QColor(0x00, 0x72, 0xB2);
    case Mark::Warning:
    case Mark::Paused:
        return {0xE6, 0x9F, 0x00};
    case Mark::Blocked:
        return {0xD5, 0x5E, 0x00};
    case Mark::Unknown:
        return {0xCC, 0x79, 0xA7};
    case Mark::Pending:
    case Mark::Skipped:
    case Mark::None:
        break;
    }
    QColor muted = text;
    muted.setAlphaF(0.6F);
    return muted;
}

class StatusEngine final : public QIconEngine {
public:
    explicit StatusEngine(Mark mark) : m_mark(mark) {}
    QIconEngine *clone() const override { return new StatusEngine(m_mark); }
    QPixmap pixmap(const QSize &size, QIcon::Mode mode, QIcon::State state) override
    {
        QPixmap out(size);
        out.fill(Qt::transparent);
        QPainter painter(&out);
        paint(&painter, QRect(QPoint(0, 0), size), mode, state);
        return out;
    }
    void paint(QPainter *painter, const QRect &rect, QIcon::Mode mode, QIcon::State) override;

private:
    Mark m_mark;
};

void StatusEngine::paint(QPainter *painter, const QRect &rect, QIcon::Mode mode, QIcon::State)
{
    if (m_mark == Mark::None)
        return;
    const QPalette palette = QApplication::palette();
    const bool dark = palette.color(QPalette::Base).lightnessF() < 0.5F;
    // On the bar of a selected row the usual colours would drown: there the shape alone speaks.
    const bool selected = mode == QIcon::Selected;
    const QColor colour = selected ? palette.color(QPalette::HighlightedText)
                                   : colourOf(m_mark, dark, palette.color(QPalette::WindowText));
    // Signs are cut out of a filled shape in the colour of the background.
    const QColor sign = palette.color(selected ? QPalette::Highlight : QPalette::Base);
    const double side = std::min(rect.width(), rect.height());
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->translate(rect.center() + QPointF(0.5, 0.5));
    painter->scale(side / 16, side / 16); // below, the icon is the square (-8,-8)..(8,8)
    if (mode == QIcon::Disabled)
        painter->setOpacity(0.5);
    QPen line(colour, 1.6, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin);
    QPen cut(sign, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin);
    const auto filled = [&] {
        painter->setPen(Qt::NoPen);
        painter->setBrush(colour);
    };
    switch (m_mark) {
    case Mark::Done: {
        filled();
        painter->drawEllipse(QPointF(0, 0), 7, 7);
        painter->setPen(cut);
        const std::array tick{QPointF(-3.4, 0.2), QPointF(-1, 2.8), QPointF(3.6, -2.6)};
        painter->drawPolyline(tick.data(), static_cast<int>(tick.size()));
        break;
    }
    case Mark::Warning: {
        filled();
        const std::array triangle{QPointF(0, -7), QPointF(7.6, 6.6), QPointF(-7.6, 6.6)};
        painter->drawPolygon(triangle.data(), static_cast<int>(triangle.size()));
        painter->setPen(cut);
        painter->drawLine(QPointF(0, -2.4), QPointF(0, 1.8));
        painter->drawPoint(QPointF(0, 4.6));
        break;
    }
    case Mark::Blocked: {
        filled();
        const std::array octagon{QPointF(-3, -7), QPointF(3, -7), QPointF(7, -3), QPointF(7, 3),
                                 QPointF(3, 7),   QPointF(-3, 7), QPointF(-7, 3), QPointF(-7, -3)};
        painter->drawPolygon(octagon.data(), static_cast<int>(octagon.size()));
        painter->setPen(cut);
        painter->drawLine(QPointF(-2.6, -2.6), QPointF(2.6, 2.6));
        painter->drawLine(QPointF(-2.6, 2.6), QPointF(2.6, -2.6));
        break;
    }
    case Mark::Info: {
        filled();
        painter->drawRoundedRect(QRectF(-7, -7, 14, 14), 2.5, 2.5);
        painter->setPen(cut);
        painter->drawPoint(QPointF(0, -3.6));
        painter->drawLine(QPointF(0, -0.4), QPointF(0, 4));
        break;
    }
    case Mark::Unknown: {
        line.setStyle(Qt::DotLine);
        painter->setPen(line);
        painter->setBrush(Qt::NoBrush);
        painter->drawEllipse(QPointF(0, 0), 6.6, 6.6);
        QFont font = painter->font();
        font.setPixelSize(11);
        font.setBold(true);
        painter->setFont(font);
        painter->drawText(QRectF(-8, -8, 16, 16), Qt::AlignCenter, QStringLiteral("?"));
        break;
    }
    case Mark::Running: {
        filled();
        const std::array arrow{QPointF(-5, -7), QPointF(7, 0), QPointF(-5, 7)};
        painter->drawPolygon(arrow.data(), static_cast<int>(arrow.size()));
        break;
    }
    case Mark::Paused:
        filled();
        painter->drawRect(QRectF(-5.5, -6.5, 4, 13));
        painter->drawRect(QRectF(1.5, -6.5, 4, 13));
        break;
    case Mark::Skipped:
        painter->setPen(line);
        painter->setBrush(Qt::NoBrush);
        painter->drawEllipse(QPointF(0, 0), 6.6, 6.6);
        painter->drawLine(QPointF(-3, 0), QPointF(3, 0));
        break;
    case Mark::Pending:
        painter->setPen(line);
        painter->setBrush(Qt::NoBrush);
        painter->drawEllipse(QPointF(0, 0), 6.2, 6.2);
        break;
    case Mark::None:
        break;
    }
    painter->restore();
}

} // namespace

QIcon statusIcon(Mark mark)
{
    return QIcon(new StatusEngine(mark));
}

void setStatus(QLabel *iconLabel, Mark mark, const QString &word)
{
    const int side = iconLabel->fontMetrics().height();
    iconLabel->setPixmap(statusIcon(mark).pixmap(QSize(side, side)));
    iconLabel->setAccessibleName(word);
    iconLabel->setToolTip(word);
}

} // namespace causeway::ui
