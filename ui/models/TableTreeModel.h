#pragma once

#include "schema/Model.h"
#include "schema/Selection.h"

#include <QAbstractItemModel>
#include <QSortFilterProxyModel>
#include <QStringList>

#include <memory>
#include <vector>

namespace causeway::ui {

/// Schemas and their tables, with a tick each. A schema's tables are read when it is first ticked
/// or opened: a server may hold thousands of schemas of which one moves.
class TableTreeModel : public QAbstractItemModel {
    Q_OBJECT

public:
    enum Column { Name, Rows, Bytes, TargetName, Notes, ColumnCount };
    static constexpr int SortRole = Qt::UserRole;

    using QAbstractItemModel::QAbstractItemModel;

    void setSchemas(const QStringList &);
    /// The tables of one schema have been read. Ticks of a schema that was ticked go to them all.
    void setTables(const QString &schema, const Catalog &);
    void setReadFailed(const QString &schema, const QString &why);
    /// Puts ticks and names as a selection says, for schemas read and those still to be.
    void apply(const Selection &);
    void setReadOnly(bool);

    [[nodiscard]] Selection selection() const;
    [[nodiscard]] QStringList leftOut() const; ///< tables of ticked schemas that do not move
    /// Schemas that are ticked but not read yet.
    [[nodiscard]] QStringList unread() const;
    struct Totals {
        int schemas = 0, tables = 0;
        qint64 rows = 0, bytes = 0;
    };
    [[nodiscard]] Totals totals() const;
    /// Why the names cannot be used: two schemas with one name on the target; empty = fine.
    [[nodiscard]] QString nameProblem() const;
    /// Ticks or unticks what a wildcard pattern (schema.table) matches; how many tables it met.
    int tickMatching(const QString &pattern, bool on);

    QModelIndex index(int row, int column, const QModelIndex &parent = {}) const override;
    QModelIndex parent(const QModelIndex &child) const override;
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    bool hasChildren(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    bool setData(const QModelIndex &index, const QVariant &value, int role) override;
    Qt::ItemFlags flags(const QModelIndex &index) const override;
    QVariant headerData(int section, Qt::Orientation, int role = Qt::DisplayRole) const override;
    bool canFetchMore(const QModelIndex &parent) const override;
    void fetchMore(const QModelIndex &parent) override;

Q_SIGNALS:
    void schemaNeeded(const QString &schema);
    void selectionChanged();

private:
    struct TableNode {
        QString name, notes;
        qint64 rows = 0, bytes = 0;
        bool ticked = false;
    };
    struct SchemaNode {
        QString name, target, notes;
        bool read = false, asked = false, ticked = false; ///< ticked: meant while unread
        std::vector<TableNode> tables;
    };
    [[nodiscard]] Qt::CheckState stateOf(const SchemaNode &) const;
    [[nodiscard]] static QString notesOf(const Table &);
    [[nodiscard]] static QString notesOf(const QString &schema, const Catalog &);
    [[nodiscard]] int rowOf(const QString &schema) const;
    void need(SchemaNode &);
    void announce(int schemaRow);

    std::vector<SchemaNode> m_schemas;
    Selection m_wanted; ///< applied to schemas when they are read
    bool m_hasWanted = false;
    bool m_readOnly = false;
};

} // namespace causeway::ui
