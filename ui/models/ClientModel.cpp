#include "models/ClientModel.h"

#include "models/Words.h"

#include <algorithm>

namespace causeway::ui {

void ClientModel::setClients(const std::vector<LiveClient> &source,
                             const std::vector<LiveClient> &target)
{
    std::vector<Entry> entries;
    for (const LiveClient &c : source)
        entries.push_back({causeway::Side::Source, c});
    for (const LiveClient &c : target)
        entries.push_back({causeway::Side::Target, c});
    std::stable_sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
        return !a.client.ours && b.client.ours;
    });
    // The same sessions in the same order: only their cells change, so that a selection stays.
    const bool same = entries.size() == m_entries.size() &&
                      std::equal(entries.begin(), entries.end(), m_entries.begin(),
                                 [](const Entry &a, const Entry &b) {
                                     return a.side == b.side && a.client.id == b.client.id;
                                 });
    if (same) {
        m_entries = std::move(entries);
        if (!m_entries.empty())
            Q_EMIT dataChanged(index(0, 0),
                               index(static_cast<int>(m_entries.size()) - 1, ColumnCount - 1));
        return;
    }
    beginResetModel();
    m_entries = std::move(entries);
    endResetModel();
}

int ClientModel::foreignCount(causeway::Side side) const
{
    return static_cast<int>(
        std::count_if(m_entries.begin(), m_entries.end(),
                      [side](const Entry &e) { return e.side == side && !e.client.ours; }));
}

int ClientModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_entries.size());
}

int ClientModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant ClientModel::data(const QModelIndex &i, int role) const
{
    if (!checkIndex(i, CheckIndexOption::IndexIsValid))
        return {};
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole)
        return {};
    const auto &[side, client] = m_entries[static_cast<size_t>(i.row())];
    switch (i.column()) {
    case Where:
        return Words::side(side);
    case Account:
        return client.ours ? tr("%1 (Causeway)").arg(client.account) : client.account;
    case Host:
        return client.host;
    case Schema:
        return client.database;
    case State:
        return client.holdsTransaction ? tr("%1, in a transaction").arg(client.state)
                                       : client.state;
    case Age:
        return Words::seconds(static_cast<double>(client.seconds));
    case Statement:
        return client.statement;
    default:
        return {};
    }
}

QVariant ClientModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return int(Qt::AlignLeft | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Where:
        return tr("Server");
    case Account:
        return tr("Account");
    case Host:
        return tr("From");
    case Schema:
        return tr("Schema");
    case State:
        return tr("State");
    case Age:
        return tr("For");
    case Statement:
        return tr("Statement");
    default:
        return {};
    }
}

} // namespace causeway::ui
