#pragma once

#include "database/Database.h"

#include <QAbstractTableModel>

#include <vector>

namespace causeway::ui {

/// Who is connected to either server, ours last.
class ClientModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Where, Account, Host, Schema, State, Age, Statement, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;
    void setClients(const std::vector<LiveClient> &source, const std::vector<LiveClient> &target);
    [[nodiscard]] int foreignCount(causeway::Side) const; ///< without our own sessions

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation, int role = Qt::DisplayRole) const override;

private:
    struct Entry {
        causeway::Side side;
        LiveClient client;
    };
    std::vector<Entry> m_entries;
};

} // namespace causeway::ui
