#include "models/FindingModel.h"

#include "models/Words.h"
#include "widgets/StatusIcon.h"

#include <QFont>

namespace causeway::ui {

namespace {
constexpr quintptr groupLevel = ~quintptr(0);
} // namespace

FindingModel::Group FindingModel::groupOf(const Finding &f)
{
    switch (f.status) {
    case FindingStatus::Blocker:
        return Blockers;
    case FindingStatus::Unknown:
        return f.blocksMigration ? Blockers : Warnings;
    case FindingStatus::Warning:
        return Warnings;
    case FindingStatus::Info:
        return Notes;
    case FindingStatus::Pass:
        return Passed;
    case FindingStatus::Skipped:
        return Skipped;
    }
    return Blockers;
}

void FindingModel::clear()
{
    beginResetModel();
    for (auto &group : m_groups)
        group.clear();
    endResetModel();
}

void FindingModel::setFindings(const std::vector<Finding> &findings)
{
    beginResetModel();
    for (auto &group : m_groups)
        group.clear();
    for (const Finding &f : findings)
        m_groups[groupOf(f)].push_back(f);
    endResetModel();
}

void FindingModel::add(const Finding &f)
{
    for (int g = 0; g < GroupCount; ++g) {
        auto &group = m_groups[static_cast<size_t>(g)];
        for (size_t i = 0; i < group.size(); ++i) {
            if (group[i].id != f.id || group[i].side != f.side)
                continue;
            const int row = static_cast<int>(i);
            beginRemoveRows(index(g, 0), row, row);
            group.erase(group.begin() + row);
            endRemoveRows();
            break;
        }
    }
    const Group to = groupOf(f);
    const int row = static_cast<int>(m_groups[to].size());
    beginInsertRows(index(to, 0), row, row);
    m_groups[to].push_back(f);
    endInsertRows();
    Q_EMIT dataChanged(index(0, 0), index(GroupCount - 1, ColumnCount - 1));
}

void FindingModel::setAccepted(const QStringList &ids)
{
    m_accepted = ids;
    for (int g = 0; g < GroupCount; ++g) {
        const QModelIndex group = index(g, 0);
        if (const int n = rowCount(group); n > 0)
            Q_EMIT dataChanged(index(0, 0, group), index(n - 1, ColumnCount - 1, group));
    }
}

const Finding *FindingModel::finding(const QModelIndex &i) const
{
    if (!i.isValid() || i.internalId() == groupLevel)
        return nullptr;
    return &m_groups[static_cast<size_t>(i.internalId())][static_cast<size_t>(i.row())];
}

int FindingModel::count(Group g) const
{
    return static_cast<int>(m_groups[g].size());
}

QStringList FindingModel::openWarnings() const
{
    QStringList out;
    for (const Finding &f : m_groups[Warnings]) {
        if (!m_accepted.contains(f.id))
            out << f.id;
    }
    return out;
}

QStringList FindingModel::openBlockers() const
{
    QStringList out;
    for (const Finding &f : m_groups[Blockers]) {
        if (!f.acceptable || !m_accepted.contains(f.id))
            out << f.id;
    }
    return out;
}

QModelIndex FindingModel::indexOf(const QString &id) const
{
    for (int g = 0; g < GroupCount; ++g) {
        const auto &group = m_groups[static_cast<size_t>(g)];
        for (size_t i = 0; i < group.size(); ++i) {
            if (group[i].id == id)
                return index(static_cast<int>(i), 0, index(g, 0));
        }
    }
    return {};
}

QModelIndex FindingModel::index(int row, int column, const QModelIndex &parentIndex) const
{
    if (!hasIndex(row, column, parentIndex))
        return {};
    return createIndex(
        row, column, parentIndex.isValid() ? static_cast<quintptr>(parentIndex.row()) : groupLevel);
}

QModelIndex FindingModel::parent(const QModelIndex &child) const
{
    if (!child.isValid() || child.internalId() == groupLevel)
        return {};
    return createIndex(static_cast<int>(child.internalId()), 0, groupLevel);
}

int FindingModel::rowCount(const QModelIndex &parentIndex) const
{
    if (!parentIndex.isValid())
        return GroupCount;
    if (parentIndex.internalId() != groupLevel || parentIndex.column() != 0)
        return 0;
    return static_cast<int>(m_groups[static_cast<size_t>(parentIndex.row())].size());
}

int FindingModel::columnCount(const QModelIndex &) const
{
    return ColumnCount;
}

QString FindingModel::groupTitle(Group g) const
{
    const int n = count(g);
    switch (g) {
    case Blockers:
        return tr("Blockers (%1)").arg(n);
    case Warnings:
        return tr("Warnings (%1)").arg(n);
    case Notes:
        return tr("To know (%1)").arg(n);
    case Passed:
        return tr("Passed (%1)").arg(n);
    case Skipped:
        return tr("Skipped (%1)").arg(n);
    case GroupCount:
        break;
    }
    return {};
}

QVariant FindingModel::data(const QModelIndex &i, int role) const
{
    if (!checkIndex(i, CheckIndexOption::IndexIsValid))
        return {};
    if (i.internalId() == groupLevel) {
        const auto group = static_cast<Group>(i.row());
        if (i.column() != 0)
            return {};
        if (role == Qt::DisplayRole)
            return groupTitle(group);
        if (role == Qt::DecorationRole) {
            if (m_groups[group].empty())
                return statusIcon(Mark::Pending);
            static constexpr std::array marks{Mark::Blocked, Mark::Warning, Mark::Info, Mark::Done,
                                              Mark::Skipped};
            return statusIcon(marks[group]);
        }
        if (role == Qt::FontRole) {
            QFont bold;
            bold.setBold(true);
            return bold;
        }
        return {};
    }
    const Finding &f = *finding(i);
    if (role == Qt::DecorationRole && i.column() == Check)
        return statusIcon(Words::mark(f.status));
    if (role == Qt::AccessibleTextRole && i.column() == Check)
        return tr("%1: %2", "status: check").arg(Words::finding(f.status), f.title.translated());
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole)
        return {};
    switch (i.column()) {
    case Check:
        if (role == Qt::DisplayRole && m_accepted.contains(f.id) &&
            (groupOf(f) == Blockers || groupOf(f) == Warnings))
            return groupOf(f) == Blockers ? tr("%1 (accepted)").arg(f.title.translated())
                                          : tr("%1 (acknowledged)").arg(f.title.translated());
        if (role == Qt::DisplayRole && f.status == FindingStatus::Unknown)
            return tr("%1 (unknown)").arg(f.title.translated());
        return f.title.translated();
    case Side:
        return Words::findingSide(f.side);
    case Found:
        return f.found.translated();
    case Needed:
        return f.needed.translated();
    case Objects:
        return f.objects.join(QStringLiteral(", "));
    default:
        return {};
    }
}

QVariant FindingModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return int(Qt::AlignLeft | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Check:
        return tr("Check");
    case Side:
        return tr("Where");
    case Found:
        return tr("Found");
    case Needed:
        return tr("Needed");
    case Objects:
        return tr("Objects");
    default:
        return {};
    }
}

} // namespace causeway::ui
