#include "widgets/TroubleBanner.h"

#include "models/CutoverFacts.h"
#include "widgets/CodeView.h"
#include "widgets/Labels.h"

#include <QHBoxLayout>
#include <QMessageBox>
#include <QPushButton>
#include <QVBoxLayout>

#include <utility>

namespace causeway::ui {

namespace {
QString kindWord(const QString &kind)
{
    if (kind == QLatin1String("missing"))
        return TroubleBanner::tr("missing");
    if (kind == QLatin1String("extra"))
        return TroubleBanner::tr("too many");
    return TroubleBanner::tr("differs");
}

/// A table a line with its counts, its rows below; at most as many as the comparison kept.
QString listed(const VerifyReport &report)
{
    QStringList lines;
    for (const TableVerdict &t : report.tables) {
        if (t.equal() && t.repaired == 0)
            continue;
        lines << TroubleBanner::tr("%1: %2 differ, %3 missing, %4 too many, %5 repaired")
                     .arg(t.name, Words::number(t.differing), Words::number(t.missing),
                          Words::number(t.extra), Words::number(t.repaired));
        for (const RowDifference &row : t.samples)
            lines << TroubleBanner::tr("    row %1: %2", "key of the row: how it differs")
                         .arg(row.key, kindWord(row.kind));
    }
    return lines.join(QLatin1Char('\n'));
}
} // namespace

TroubleBanner::TroubleBanner(QWidget *parent)
    : QFrame(parent), m_lines(new QVBoxLayout),
      m_rows(new CodeView(tr("Rows that differ, table by table")))
{
    setObjectName(QStringLiteral("troubleBanner"));
    setFrameShape(StyledPanel);
    auto *layout = new QVBoxLayout(this);
    layout->addLayout(m_lines);
    m_rows->setVisibleLines(3);
    m_rows->setMaximumHeight(m_rows->fontMetrics().lineSpacing() * 6);
    layout->addWidget(m_rows);
    m_repair = named(new QPushButton(tr("Co&mpare and repair ...")), QStringLiteral("repairButton"),
                     tr("Compare and repair"));
    m_repair->setAutoDefault(false);
    auto *acts = new QHBoxLayout;
    acts->addWidget(m_repair);
    acts->addStretch(1);
    layout->addLayout(acts);
    connect(m_repair, &QPushButton::clicked, this, &TroubleBanner::askRepair);
    hide();
}

void TroubleBanner::show(const Snapshot *s, const VerifyReport *comparison)
{
    const bool ended = !s || s->phase == Phase::Finished || s->phase == Phase::Cancelled;
    std::vector<std::pair<Mark, QString>> problems;
    if (!ended)
        problems = CutoverFacts::troubles(*s);
    setVisible(!problems.empty());
    if (problems.empty())
        return;
    m_leader = Words::leader(*s);
    m_follower = Words::follower(*s);
    while (m_problems.size() < problems.size()) {
        m_problems.push_back(
            new StatusLine(QStringLiteral("trouble%1").arg(m_problems.size()), this));
        m_lines->addWidget(m_problems.back());
    }
    QStringList spoken;
    for (size_t i = 0; i < m_problems.size(); ++i) {
        m_problems[i]->setVisible(i < problems.size());
        if (i >= problems.size())
            continue;
        m_problems[i]->set(problems[i].first, problems[i].second);
        spoken << problems[i].second;
    }
    setAccessibleName(spoken.join(QLatin1Char(' ')));
    const QString rows =
        comparison && CutoverFacts::badTables(*s) > 0 ? listed(*comparison) : QString();
    m_rows->setVisible(!rows.isEmpty());
    m_rows->setText(rows);
    const bool rowsMayDiffer = s->alarm || CutoverFacts::differsBy(*s);
    m_repair->setVisible(rowsMayDiffer);
    m_repair->setEnabled((s->phase == Phase::Replica || s->phase == Phase::Primary) &&
                         s->runState != RunState::Pausing);
}

void TroubleBanner::askRepair()
{
    auto *box = new QMessageBox(
        QMessageBox::Question, tr("Compare and repair"),
        tr("Every row of both sides is compared. Where rows differ, %1, which follows, is made "
           "equal to %2: differing rows are overwritten, missing ones written, additional ones "
           "deleted. What others wrote on %1 is lost. Nothing is changed on %2.")
            .arg(Words::ltr(m_follower), Words::ltr(m_leader)),
        QMessageBox::Cancel, this);
    box->setObjectName(QStringLiteral("repairDialog"));
    box->setAttribute(Qt::WA_DeleteOnClose);
    QPushButton *yes = box->addButton(tr("Compare and &repair"), QMessageBox::AcceptRole);
    yes->setObjectName(QStringLiteral("repairNowButton"));
    yes->setAutoDefault(false);
    box->setDefaultButton(QMessageBox::Cancel);
    connect(yes, &QPushButton::clicked, this, &TroubleBanner::repairRequested);
    box->open();
}

} // namespace causeway::ui
