#include "models/TableListModel.h"

#include "models/Words.h"
#include "widgets/StatusIcon.h"

#include <algorithm>
#include <cmath>

namespace causeway::ui {

namespace {

bool sameTables(const Snapshot &a, const Snapshot &b)
{
    return a.tables.size() == b.tables.size() &&
           std::equal(a.tables.begin(), a.tables.end(), b.tables.begin(),
                      [](const auto &x, const auto &y) { return x.name == y.name; });
}

bool sameProgress(const TableProgress &a, const TableProgress &b)
{
    return a.state == b.state && a.rows == b.rows && a.bytes == b.bytes &&
           a.rowsEstimate == b.rowsEstimate && a.bytesEstimate == b.bytesEstimate &&
           a.error == b.error;
}

int percentOf(const TableProgress &t)
{
    switch (t.state) {
    case TableState::Waiting:
        return 0;
    case TableState::Copying:
    case TableState::Failed:
        break;
    default:
        return 100;
    }
    const auto done = static_cast<double>(t.bytesEstimate > 0 ? t.bytes : t.rows);
    const auto whole = static_cast<double>(t.bytesEstimate > 0 ? t.bytesEstimate : t.rowsEstimate);
    // An estimate that proves low must not show 100 % while rows still come.
    return whole <= 0 ? 0 : std::min(99, static_cast<int>(std::floor(100 * done / whole)));
}

} // namespace

void TableListModel::setSnapshot(const std::shared_ptr<const Snapshot> &next)
{
    if (next == m_snapshot)
        return;
    if (!m_snapshot || !next || !sameTables(*m_snapshot, *next)) {
        beginResetModel();
        m_snapshot = next;
        endResetModel();
        return;
    }
    const auto previous = std::exchange(m_snapshot, next);
    // One signal per run of changed rows: tables that are copied at the same time lie together.
    const int count = static_cast<int>(next->tables.size());
    for (int row = 0; row < count; ++row) {
        const auto changed = [&](int r) {
            const auto i = static_cast<size_t>(r);
            return !sameProgress(previous->tables[i], next->tables[i]);
        };
        if (!changed(row))
            continue;
        const int first = row;
        while (row + 1 < count && changed(row + 1))
            ++row;
        Q_EMIT dataChanged(index(first, State), index(row, ErrorText));
    }
}

int TableListModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() || !m_snapshot ? 0 : static_cast<int>(m_snapshot->tables.size());
}

int TableListModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant TableListModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid) || !m_snapshot)
        return {};
    const TableProgress &t = m_snapshot->tables[static_cast<size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        switch (index.column()) {
        case Name:
            return t.name;
        case State:
            return Words::tableState(t.state);
        case Rows:
            return t.rowsEstimate > t.rows && t.state == TableState::Copying
                       ? tr("%1 of ~%2").arg(Words::number(t.rows), Words::number(t.rowsEstimate))
                       : Words::number(t.rows);
        case Bytes:
            return Words::bytes(t.bytes);
        case Percent:
            return tr("%1 %").arg(percentOf(t));
        case ErrorText:
            return t.error;
        default:
            return {};
        }
    case Qt::DecorationRole:
        return index.column() == State ? QVariant(statusIcon(Words::mark(t.state))) : QVariant();
    case Qt::TextAlignmentRole:
        return index.column() == Rows || index.column() == Bytes || index.column() == Percent
                   ? QVariant(int(Qt::AlignRight | Qt::AlignVCenter))
                   : QVariant();
    case Qt::ToolTipRole:
        return index.column() == ErrorText && !t.error.isEmpty() ? QVariant(t.error) : QVariant();
    case Qt::AccessibleTextRole:
        if (index.column() == Name)
            return tr("%1, %2, %3 percent", "table, state, progress")
                .arg(t.name, Words::tableState(t.state))
                .arg(percentOf(t));
        return data(index, Qt::DisplayRole);
    case SortRole:
        switch (index.column()) {
        case State:
            return static_cast<int>(t.state);
        case Rows:
            return t.rows;
        case Bytes:
            return t.bytes;
        case Percent:
            return percentOf(t);
        default:
            return data(index, Qt::DisplayRole);
        }
    case StateRole:
        return static_cast<int>(t.state);
    default:
        return {};
    }
}

QVariant TableListModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return section == Rows || section == Bytes || section == Percent
                   ? QVariant(int(Qt::AlignRight | Qt::AlignVCenter))
                   : QVariant(int(Qt::AlignLeft | Qt::AlignVCenter));
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Name:
        return tr("Table");
    case State:
        return tr("Status");
    case Rows:
        return tr("Rows");
    case Bytes:
        return tr("Size");
    case Percent:
        return tr("Copied");
    case ErrorText:
        return tr("Last error");
    default:
        return {};
    }
}

TableFilter::TableFilter(QObject *parent) : QSortFilterProxyModel(parent)
{
    setSortRole(TableListModel::SortRole);
    setSortCaseSensitivity(Qt::CaseInsensitive);
}

void TableFilter::setShow(Show show)
{
    m_show = show;
    invalidateFilter();
}

void TableFilter::setText(const QString &text)
{
    m_text = text.trimmed();
    invalidateFilter();
}

bool TableFilter::filterAcceptsRow(int row, const QModelIndex &parent) const
{
    const QAbstractItemModel *model = sourceModel();
    const QModelIndex name = model->index(row, TableListModel::Name, parent);
    const auto state = static_cast<TableState>(name.data(TableListModel::StateRole).toInt());
    switch (m_show) {
    case Show::All:
        break;
    case Show::Active:
        if (state != TableState::Copying && state != TableState::Waiting)
            return false;
        break;
    case Show::Failed:
        if (state != TableState::Failed && state != TableState::Different)
            return false;
        break;
    case Show::Done:
        if (state != TableState::Copied && state != TableState::Following &&
            state != TableState::Verified)
            return false;
        break;
    }
    if (m_text.isEmpty() || name.data().toString().contains(m_text, Qt::CaseInsensitive))
        return true;
    return model->index(row, TableListModel::ErrorText, parent)
        .data()
        .toString()
        .contains(m_text, Qt::CaseInsensitive);
}

} // namespace causeway::ui
