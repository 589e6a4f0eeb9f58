#include "widgets/FixPlanDialog.h"

#include "models/Words.h"
#include "widgets/FixCode.h"
#include "widgets/Labels.h"

#include <QDialogButtonBox>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

namespace causeway::ui {

FixPlanDialog::FixPlanDialog(const std::vector<FixPlan> &plans, QWidget *parent) : QDialog(parent)
{
    setObjectName(QStringLiteral("fixPlanDialog"));
    setWindowTitle(tr("What to do on each server"));
    setAttribute(Qt::WA_DeleteOnClose);
    auto *inner = new QWidget;
    auto *lines = new QVBoxLayout(inner);
    int id = 0;
    for (const FixPlan &plan : plans) {
        lines->addWidget(
            makeHeading(plan.side == FindingSide::Pair
                            ? tr("Both servers")
                            : tr("%1: %2", "side: server")
                                  .arg(Words::findingSide(plan.side), Words::ltr(plan.server)),
                        QStringLiteral("fixPlanServer%1").arg(++id)));
        int number = 0;
        for (const FixPlan::Step &step : plan.steps) {
            QString text = tr("%1. %2", "number. step").arg(++number).arg(step.text.translated());
            if (step.restart)
                text += QLatin1Char(' ') + tr("The server is restarted.");
            if (!step.privilege.isEmpty())
                text += QLatin1Char(' ') + tr("Privilege needed: %1.").arg(step.privilege);
            lines->addWidget(makeText(text, QStringLiteral("fixPlanStep%1").arg(++id)));
            auto *code = new FixCode;
            code->set(step.sql, step.config, step.command);
            lines->addWidget(code);
        }
        lines->addWidget(makeText(tr("%1. Check again.").arg(++number),
                                  QStringLiteral("fixPlanStep%1").arg(++id)));
    }
    lines->addStretch(1);
    auto *scroll = new QScrollArea;
    scroll->setObjectName(QStringLiteral("fixPlanScroll"));
    scroll->setAccessibleName(tr("Steps"));
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidget(inner);
    auto *layout = new QVBoxLayout(this);
    layout->addWidget(scroll, 1);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    layout->addWidget(buttons);
    resize(fontMetrics().averageCharWidth() * 90, fontMetrics().height() * 32);
}

} // namespace causeway::ui
