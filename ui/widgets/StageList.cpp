#include "widgets/StageList.h"

#include <QVBoxLayout>

#include <algorithm>

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
    const QString said = r.detail.english();
    const bool plain =
        r.stage == ConnectStage::Tls && r.passed && said.contains(QLatin1String("not encrypted"));
    // A target's database is made as a step: not there is nothing wrong, and nothing proven.
    const bool absent = r.stage == ConnectStage::Grants && r.passed &&
                        said.contains(QLatin1String("does not exist"));
    if (plain)
        setStage(stage, Mark::Warning, tr("not encrypted"), {});
    else if (absent)
        setStage(stage, Mark::Warning, tr("not known"), r.detail.translated());
    else
        setStage(stage, r.passed ? Mark::Done : Mark::Blocked,
                 r.passed ? tr("passed") : tr("failed"), r.detail.translated());
    if (r.passed && stage + 1 < stageCount &&
        (m_marks[static_cast<size_t>(stage) + 1] == Mark::Pending ||
         m_marks[static_cast<size_t>(stage) + 1] == Mark::Running))
        setStage(stage + 1, Mark::Running, tr("trying"));
}

void StageList::end(const ConnectionReport &result)
{
    for (const StageReport &r : result.stages)
        report(r);
    const auto failed = std::find_if(result.stages.begin(), result.stages.end(),
                                     [](const StageReport &r) { return !r.passed; });
    for (int i = 0; i < stageCount; ++i) {
        const Mark mark = m_marks[static_cast<size_t>(i)];
        if (mark != Mark::Running && mark != Mark::Pending)
            continue;
        // The driver encrypts and signs in at one go: who is refused does not hear of the first.
        if (failed != result.stages.end())
            setStage(i, Mark::Skipped,
                     i < static_cast<int>(failed->stage) ? tr("not reported") : tr("not reached"));
        else if (result.error)
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
