#include "widgets/RolesBar.h"

#include "models/Words.h"

#include <QGridLayout>
#include <QLabel>
#include <QPainter>

#include <array>

namespace causeway::ui {

class RolesBar::Arrow : public QWidget {
public:
    using QWidget::QWidget;
    void set(bool toTarget, bool flowing, bool cut)
    {
        m_toTarget = toTarget;
        m_flowing = flowing;
        m_cut = cut;
        update();
    }
    QSize sizeHint() const override
    {
        return {fontMetrics().averageCharWidth() * 12, fontMetrics().height() * 2};
    }

protected:
    void paintEvent(QPaintEvent *) override
    {
        if (m_cut)
            return;
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        QColor colour =
            palette().color(m_flowing ? QPalette::WindowText : QPalette::PlaceholderText);
        const double half = fontMetrics().height() / 3.0;
        painter.setPen(QPen(colour, std::max(1.5, half / 3),
                            m_flowing ? Qt::SolidLine : Qt::DashLine, Qt::FlatCap));
        const double y = height() / 2.0;
        // Source stands first in reading order.
        const bool rightwards = m_toTarget == (layoutDirection() == Qt::LeftToRight);
        const double from = rightwards ? half : width() - half;
        const double to = rightwards ? width() - half : half;
        const double back = rightwards ? -2 * half : 2 * half;
        painter.drawLine(QPointF(from, y), QPointF(to + back / 2, y));
        painter.setPen(Qt::NoPen);
        painter.setBrush(colour);
        const std::array head{QPointF(to, y), QPointF(to + back, y - half),
                              QPointF(to + back, y + half)};
        painter.drawPolygon(head.data(), static_cast<int>(head.size()));
    }

private:
    bool m_toTarget = true, m_flowing = false, m_cut = false;
};

RolesBar::RolesBar(QWidget *parent)
    : QWidget(parent), m_sourceHost(new QLabel), m_sourceRole(new QLabel), m_targetHost(new QLabel),
      m_targetRole(new QLabel), m_arrow(new Arrow)
{
    setObjectName(QStringLiteral("rolesBar"));
    m_sourceHost->setObjectName(QStringLiteral("sourceHostLabel"));
    m_sourceRole->setObjectName(QStringLiteral("sourceRoleLabel"));
    m_targetHost->setObjectName(QStringLiteral("targetHostLabel"));
    m_targetRole->setObjectName(QStringLiteral("targetRoleLabel"));
    QFont bold = m_sourceHost->font();
    bold.setBold(true);
    for (QLabel *label : {m_sourceHost, m_targetHost}) {
        label->setFont(bold);
        label->setTextFormat(Qt::PlainText);
        label->setMinimumWidth(1); // a long host name must not hold the window wide
    }
    auto *layout = new QGridLayout(this);
    layout->setVerticalSpacing(0);
    layout->addWidget(m_sourceHost, 0, 0, Qt::AlignTrailing);
    layout->addWidget(m_sourceRole, 1, 0, Qt::AlignTrailing);
    layout->addWidget(m_arrow, 0, 1, 2, 1, Qt::AlignCenter);
    layout->addWidget(m_targetHost, 0, 2, Qt::AlignLeading);
    layout->addWidget(m_targetRole, 1, 2, Qt::AlignLeading);
    layout->setColumnStretch(0, 1);
    layout->setColumnStretch(2, 1);
    show({}, {}, Side::Source, false, false);
}

void RolesBar::show(const QString &source, const QString &target, Side leader, bool follows,
                    bool finished)
{
    const auto host = [](const QString &name, const QString &none) {
        return name.isEmpty() ? none : Words::ltr(name);
    };
    m_sourceHost->setText(host(source, tr("No source chosen yet")));
    m_targetHost->setText(host(target, tr("No target chosen yet")));
    const auto role = [&](Side side, const QString &name) -> QString {
        if (name.isEmpty() || !m_sourceSeen)
            return Words::side(side);
        const QString word = side == leader ? tr("takes writes")
                             : follows      ? tr("follows")
                             : finished     ? tr("detached")
                             : m_stopped    ? tr("does not follow now")
                                            : tr("does not follow yet");
        return tr("%1: %2", "source or target: its role").arg(Words::side(side), word);
    };
    m_sourceRole->setText(role(Side::Source, source));
    m_targetRole->setText(role(Side::Target, target));
    m_arrow->set(leader == Side::Source, follows, finished || source.isEmpty() || target.isEmpty());
    const QString leaderName = leader == Side::Source ? source : target;
    const QString otherName = leader == Side::Source ? target : source;
    m_sentence.clear();
    if (!m_sourceSeen)
        m_sentence = leaderName.isEmpty() ? QString() : tr("Source: %1").arg(leaderName);
    else if (!leaderName.isEmpty())
        m_sentence = tr("%1 takes writes.").arg(leaderName);
    if (m_sourceSeen && !leaderName.isEmpty() && !otherName.isEmpty())
        m_sentence +=
            QLatin1Char(' ') + (follows     ? tr("%1 follows.").arg(otherName)
                                : finished  ? tr("%1 is detached.").arg(otherName)
                                : m_stopped ? tr("%1 does not follow now.").arg(otherName)
                                            : tr("%1 does not follow yet.").arg(otherName));
    setAccessibleName(m_sentence.isEmpty() ? tr("No servers chosen yet") : m_sentence);
}

void RolesBar::setHosts(const QString &source, const QString &target, bool sourceSeen)
{
    m_stopped = false;
    m_sourceSeen = sourceSeen;
    show(source, target, Side::Source, false, false);
}

void RolesBar::setSnapshot(const Snapshot &s)
{
    m_sourceSeen = true;
    const bool following = s.phase == Phase::CatchingUp || s.phase == Phase::Replica ||
                           s.phase == Phase::Switching || s.phase == Phase::Primary ||
                           s.phase == Phase::SwitchingBack;
    // After a one-way switch the old source follows nobody.
    const bool cut = s.oneWay && s.roles.leader == Side::Target;
    m_stopped = following && !isCarrying(s);
    show(s.sourceName, s.targetName, s.roles.leader, following && !cut && !m_stopped,
         s.phase == Phase::Finished || s.phase == Phase::Cancelled || cut);
}

} // namespace causeway::ui
