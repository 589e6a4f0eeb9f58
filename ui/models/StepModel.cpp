#include "models/StepModel.h"

#include "models/Words.h"
#include "widgets/StatusIcon.h"

#include <algorithm>

namespace causeway::ui {

namespace {
bool same(const StepRecord &a, const StepRecord &b)
{
    return a.id == b.id && a.state == b.state && a.startedMs == b.startedMs &&
           a.finishedMs == b.finishedMs && a.error == b.error && a.shownSql == b.shownSql &&
           a.title == b.title && a.side == b.side;
}
} // namespace

void StepModel::setSteps(const std::vector<StepRecord> &steps)
{
    const bool sameList = steps.size() == m_steps.size() &&
                          std::equal(steps.begin(), steps.end(), m_steps.begin(),
                                     [](const auto &a, const auto &b) { return a.id == b.id; });
    if (!sameList) {
        beginResetModel();
        m_steps = steps;
        endResetModel();
        return;
    }
    for (size_t i = 0; i < steps.size(); ++i) {
        if (same(steps[i], m_steps[i]))
            continue;
        m_steps[i] = steps[i];
        const int row = static_cast<int>(i);
        Q_EMIT dataChanged(index(row, 0), index(row, ColumnCount - 1));
    }
}

const StepRecord *StepModel::step(const QModelIndex &i) const
{
    return i.isValid() ? &m_steps[static_cast<size_t>(i.row())] : nullptr;
}

int StepModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_steps.size());
}

int StepModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant StepModel::data(const QModelIndex &i, int role) const
{
    if (!checkIndex(i, CheckIndexOption::IndexIsValid))
        return {};
    const StepRecord &s = m_steps[static_cast<size_t>(i.row())];
    switch (role) {
    case Qt::DisplayRole:
        switch (i.column()) {
        case Number:
            return Words::number(i.row() + 1);
        case Title:
            return s.title.isEmpty() ? s.id : s.title.translated();
        case Where:
            return s.side ? Words::side(*s.side) : tr("This computer");
        case State:
            return Words::stepState(s.state);
        case Started:
            return Words::time(s.startedMs);
        case Took:
            return s.startedMs > 0 && s.finishedMs >= s.startedMs
                       ? Words::seconds(static_cast<double>(s.finishedMs - s.startedMs) / 1000)
                       : QString();
        default:
            return {};
        }
    case Qt::DecorationRole:
        return i.column() == State ? QVariant(statusIcon(Words::mark(s.state))) : QVariant();
    case Qt::ToolTipRole:
        return s.error.isEmpty() ? data(i, Qt::DisplayRole) : QVariant(s.error);
    case Qt::AccessibleTextRole:
        if (i.column() == Title)
            return tr("Step %1, %2, %3", "number, title, state")
                .arg(Words::number(i.row() + 1), s.title.translated(), Words::stepState(s.state));
        return data(i, Qt::DisplayRole);
    case Qt::TextAlignmentRole:
        return i.column() == Number || i.column() == Took
                   ? QVariant(int(Qt::AlignRight | Qt::AlignVCenter))
                   : QVariant();
    case SqlRole:
        return s.shownSql;
    default:
        return {};
    }
}

QVariant StepModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return section == Number || section == Took ? int(Qt::AlignRight | Qt::AlignVCenter)
                                                    : int(Qt::AlignLeft | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Number:
        return tr("No.");
    case Title:
        return tr("Step");
    case Where:
        return tr("Where");
    case State:
        return tr("Status");
    case Started:
        return tr("Started");
    case Took:
        return tr("Took");
    default:
        return {};
    }
}

} // namespace causeway::ui
