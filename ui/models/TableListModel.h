#pragma once

#include "journal/Snapshot.h"

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>

#include <memory>

namespace causeway::ui {

/// The tables of a running migration. Keeps the engine's snapshot itself (no copy of 50,000 rows)
/// and announces only what differs from the one before.
class TableListModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Name, State, Rows, Bytes, Percent, ErrorText, ColumnCount };
    static constexpr int SortRole = Qt::UserRole;
    static constexpr int StateRole = Qt::UserRole + 1; ///< TableState as int

    using QAbstractTableModel::QAbstractTableModel;
    void setSnapshot(const std::shared_ptr<const Snapshot> &);

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation, int role = Qt::DisplayRole) const override;

private:
    std::shared_ptr<const Snapshot> m_snapshot;
};

/// All / Active / Failed / Done, and a text in the name or the error.
class TableFilter : public QSortFilterProxyModel {
    Q_OBJECT

public:
    enum class Show { All, Active, Failed, Done };
    explicit TableFilter(QObject *parent = nullptr);
    void setShow(Show);
    void setText(const QString &);

protected:
    bool filterAcceptsRow(int row, const QModelIndex &parent) const override;

private:
    Show m_show = Show::All;
    QString m_text;
};

} // namespace causeway::ui
