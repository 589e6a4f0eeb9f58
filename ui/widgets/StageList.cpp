#include "widgets/StageList.h"

#include <QVBoxLayout>

namespace causeway::ui {

StageList::StageList(QWidget *parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("stageList"));
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(fontMetrics().leading() + 2);
    for (size_t i = 0; i < m_lines.size(); ++i) {
        m_lines[i] = new StatusLine(QStringLiteral("stage%1").arg(i));
        layout->addWidget(m_lines[i]);
    }
    reset();
}

void StageList::setStage(int stage, Mark mark, const QString &word, const QString &detail)
{
    const auto i = static_cast<size_t>(stage);
    m_marks[i] = mark;
    const QString head =
        tr("%1: %2", "stage: state").arg(Words::stage(static_cast<ConnectStage>(stage)), word);
    m_lines[i]->set(mark,
                    detail.isEmpty()
                        ? head
                        : tr("%1 (%2)", "stage and what was found").arg(head, Words::ltr(detail)));
}

void StageList::reset()
{
    for (int i = 0; i < stageCount; ++i)
        setStage(i, Mark::Pending, tr("not tried"));
}

void StageList::begin()
{
    for (int i = 0; i < stageCount; ++i)
        setStage(i, Mark::Pending, tr("waiting"));
    setStage(0, Mark::Running, tr("trying"));
}

void StageList::report(const StageReport &r)
{
    const int stage = static_cast<int>(r.stage);
    setStage(stage, r.passed ? Mark::Done : Mark::Blocked, r.passed ? tr("passed") : tr("failed"),
             r.detail.translated());
    if (r.passed && stage + 1 < stageCount && m_marks[static_cast<size_t>(stage) + 1] != Mark::Done)
        setStage(stage + 1, Mark::Running, tr("trying"));
}

void StageList::end(const ConnectionReport &result)
{
    for (const StageReport &r : result.stages)
        report(r);
    for (int i = 0; i < stageCount; ++i) {
        const Mark mark = m_marks[static_cast<size_t>(i)];
        if (mark != Mark::Running && mark != Mark::Pending)
            continue;
        if (result.error)
            setStage(i, mark == Mark::Running ? Mark::Blocked : Mark::Skipped,
                     mark == Mark::Running ? tr("failed") : tr("not reached"));
        else // a Unix socket has no host name and no encryption to try
            setStage(i, Mark::Skipped, tr("not needed"));
    }
}

void StageList::cancelled()
{
    for (int i = 0; i < stageCount; ++i) {
        const Mark mark = m_marks[static_cast<size_t>(i)];
        if (mark == Mark::Running || mark == Mark::Pending)
            setStage(i, Mark::Skipped, tr("cancelled"));
    }
}

} // namespace causeway::ui
