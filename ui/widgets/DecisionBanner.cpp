#include "widgets/DecisionBanner.h"

#include "widgets/CodeView.h"
#include "widgets/Labels.h"

#include <QHBoxLayout>
#include <QPushButton>
#include <QVBoxLayout>

namespace causeway::ui {

DecisionBanner::DecisionBanner(QWidget *parent)
    : QFrame(parent), m_question(new StatusLine(QStringLiteral("decisionQuestion"))),
      m_objects(new StatusLine(QStringLiteral("decisionObjects"))),
      m_detail(new CodeView(tr("Statement or message"))), m_buttons(new QHBoxLayout)
{
    setObjectName(QStringLiteral("decisionBanner"));
    setFrameShape(StyledPanel);
    m_detail->setVisibleLines(2);
    m_detail->setMaximumHeight(m_detail->fontMetrics().lineSpacing() * 5);
    auto *layout = new QVBoxLayout(this);
    layout->addWidget(m_question);
    layout->addWidget(m_objects);
    layout->addWidget(m_detail);
    layout->addLayout(m_buttons);
    hide();
}

void DecisionBanner::setDecision(const std::optional<Decision> &decision)
{
    QString key;
    if (decision)
        key = decision->id + decision->question.english() + decision->detail +
              decision->objects.join(QLatin1Char('\n'));
    if (key == m_shown)
        return;
    m_shown = key;
    while (QLayoutItem *item = m_buttons->takeAt(0)) {
        if (QWidget *widget = item->widget())
            widget->deleteLater();
        delete item;
    }
    setVisible(decision.has_value());
    if (!decision)
        return;
    const QString question = decision->question.translated();
    m_question->set(Mark::Warning, tr("Your decision is needed: %1").arg(question));
    setAccessibleName(question);
    m_objects->setVisible(!decision->objects.isEmpty());
    m_objects->set(Mark::None, decision->objects.join(QStringLiteral(", ")));
    m_detail->setVisible(!decision->detail.isEmpty());
    m_detail->setText(decision->detail);
    for (const Choice &choice : decision->choices) {
        auto *button = new QPushButton(choice.label.translated());
        button->setObjectName(QStringLiteral("decision_%1").arg(choice.id));
        button->setAccessibleName(choice.label.translated());
        button->setAutoDefault(false);
        connect(button, &QPushButton::clicked, this,
                [this, id = decision->id, answer = choice.id] { Q_EMIT answered(id, answer); });
        m_buttons->addWidget(button);
    }
    m_buttons->addStretch(1);
}

} // namespace causeway::ui
