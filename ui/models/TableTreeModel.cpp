#include "models/TableTreeModel.h"

#include "models/Words.h"

#include <QRegularExpression>
#include <QSet>

#include <algorithm>
#include <array>

namespace causeway::ui {

namespace {
/// internalId of a schema's row; a table's is its schema's row.
constexpr quintptr schemaLevel = ~quintptr(0);
} // namespace

void TableTreeModel::setSchemas(const QStringList &names)
{
    beginResetModel();
    m_schemas.clear();
    for (const QString &name : names) {
        SchemaNode node;
        node.name = node.target = name;
        m_schemas.push_back(std::move(node));
    }
    endResetModel();
    Q_EMIT selectionChanged();
}

int TableTreeModel::rowOf(const QString &schema) const
{
    for (size_t i = 0; i < m_schemas.size(); ++i) {
        if (m_schemas[i].name == schema)
            return static_cast<int>(i);
    }
    return -1;
}

void TableTreeModel::setTables(const QString &schema, const Catalog &catalog)
{
    const int row = rowOf(schema);
    if (row < 0)
        return;
    SchemaNode &node = m_schemas[static_cast<size_t>(row)];
    std::vector<TableNode> tables;
    for (const Table &table : catalog.tables) {
        if (table.name.schema != schema)
            continue;
        TableNode t;
        t.name = table.name.name;
        t.rows = table.rowsEstimate;
        t.bytes = table.dataBytes + table.indexBytes;
        t.notes = notesOf(table);
        t.ticked = node.ticked && (!m_hasWanted || m_wanted.matches(table.name));
        tables.push_back(std::move(t));
    }
    std::sort(tables.begin(), tables.end(),
              [](const auto &a, const auto &b) { return a.name < b.name; });
    const QModelIndex parentIndex = index(row, 0);
    if (!node.tables.empty()) {
        beginRemoveRows(parentIndex, 0, static_cast<int>(node.tables.size()) - 1);
        node.tables.clear();
        endRemoveRows();
    }
    node.read = true;
    node.notes = notesOf(schema, catalog);
    if (!tables.empty()) {
        beginInsertRows(parentIndex, 0, static_cast<int>(tables.size()) - 1);
        node.tables = std::move(tables);
        endInsertRows();
    }
    announce(row);
}

void TableTreeModel::setReadFailed(const QString &schema, const QString &why)
{
    const int row = rowOf(schema);
    if (row < 0)
        return;
    SchemaNode &node = m_schemas[static_cast<size_t>(row)];
    node.asked = node.read = false; // ticking it again tries again
    node.ticked = false;
    node.notes = tr("Could not be read: %1").arg(why);
    announce(row);
}

void TableTreeModel::apply(const Selection &selection)
{
    m_wanted = selection;
    m_hasWanted = true;
    for (SchemaNode &node : m_schemas) {
        node.ticked = selection.schemas.contains(node.name);
        node.target = selection.schemaOnTarget(node.name);
        for (TableNode &t : node.tables)
            t.ticked = node.ticked && selection.matches({node.name, t.name});
        if (node.ticked)
            need(node);
    }
    for (int row = 0; row < static_cast<int>(m_schemas.size()); ++row)
        announce(row);
}

void TableTreeModel::setReadOnly(bool on)
{
    m_readOnly = on;
}

void TableTreeModel::need(SchemaNode &node)
{
    if (node.read || node.asked)
        return;
    node.asked = true;
    node.notes = tr("Reading ...");
    Q_EMIT schemaNeeded(node.name);
}

void TableTreeModel::announce(int row)
{
    const QModelIndex first = index(row, 0);
    Q_EMIT dataChanged(first, index(row, ColumnCount - 1));
    if (const int count = rowCount(first); count > 0)
        Q_EMIT dataChanged(index(0, 0, first), index(count - 1, ColumnCount - 1, first));
    Q_EMIT selectionChanged();
}

Qt::CheckState TableTreeModel::stateOf(const SchemaNode &node) const
{
    if (!node.read || node.tables.empty())
        return node.ticked ? Qt::Checked : Qt::Unchecked;
    const auto on = std::count_if(node.tables.begin(), node.tables.end(),
                                  [](const TableNode &t) { return t.ticked; });
    if (on == 0)
        return Qt::Unchecked;
    return on == static_cast<std::ptrdiff_t>(node.tables.size()) ? Qt::Checked
                                                                 : Qt::PartiallyChecked;
}

Selection TableTreeModel::selection() const
{
    Selection out;
    for (const SchemaNode &node : m_schemas) {
        const Qt::CheckState state = stateOf(node);
        if (state == Qt::Unchecked)
            continue;
        out.schemas << node.name;
        if (node.target != node.name)
            out.renames.insert(node.name, node.target);
        // What is left out is named, not what is taken: then views, routines, triggers and events
        // of the schema move too.
        for (const TableNode &t : node.tables) {
            if (!t.ticked)
                out.patterns << QStringLiteral("!%1.%2").arg(node.name, t.name);
        }
    }
    return out;
}

QStringList TableTreeModel::leftOut() const
{
    QStringList out;
    for (const SchemaNode &node : m_schemas) {
        if (stateOf(node) == Qt::Unchecked)
            continue;
        for (const TableNode &t : node.tables) {
            if (!t.ticked)
                out << node.name + QLatin1Char('.') + t.name;
        }
    }
    return out;
}

QStringList TableTreeModel::unread() const
{
    QStringList out;
    for (const SchemaNode &node : m_schemas) {
        if (!node.read && node.ticked)
            out << node.name;
    }
    return out;
}

TableTreeModel::Totals TableTreeModel::totals() const
{
    Totals out;
    for (const SchemaNode &node : m_schemas) {
        if (stateOf(node) != Qt::Unchecked)
            ++out.schemas;
        for (const TableNode &t : node.tables) {
            if (t.ticked) {
                ++out.tables;
                out.rows += t.rows;
                out.bytes += t.bytes;
            }
        }
    }
    return out;
}

QString TableTreeModel::nameProblem() const
{
    QSet<QString> seen;
    for (const SchemaNode &node : m_schemas) {
        if (stateOf(node) == Qt::Unchecked)
            continue;
        if (seen.contains(node.target))
            return tr("Two schemas would be called \"%1\" on the target.").arg(node.target);
        seen.insert(node.target);
    }
    return {};
}

int TableTreeModel::tickMatching(const QString &pattern, bool on)
{
    Selection wanted;
    wanted.patterns =
        QStringList{pattern.contains(QLatin1Char('.')) ? pattern : QStringLiteral("*.") + pattern};
    int met = 0;
    for (int row = 0; row < static_cast<int>(m_schemas.size()); ++row) {
        SchemaNode &node = m_schemas[static_cast<size_t>(row)];
        int here = 0;
        for (TableNode &t : node.tables) {
            if (wanted.matches({node.name, t.name})) {
                t.ticked = on;
                ++here;
            }
        }
        met += here;
        if (here > 0)
            announce(row);
    }
    return met;
}

QModelIndex TableTreeModel::index(int row, int column, const QModelIndex &parentIndex) const
{
    if (!hasIndex(row, column, parentIndex))
        return {};
    return createIndex(row, column,
                       parentIndex.isValid() ? static_cast<quintptr>(parentIndex.row())
                                             : schemaLevel);
}

QModelIndex TableTreeModel::parent(const QModelIndex &child) const
{
    if (!child.isValid() || child.internalId() == schemaLevel)
        return {};
    return createIndex(static_cast<int>(child.internalId()), 0, schemaLevel);
}

int TableTreeModel::rowCount(const QModelIndex &parentIndex) const
{
    if (!parentIndex.isValid())
        return static_cast<int>(m_schemas.size());
    if (parentIndex.internalId() != schemaLevel || parentIndex.column() != 0)
        return 0;
    return static_cast<int>(m_schemas[static_cast<size_t>(parentIndex.row())].tables.size());
}

int TableTreeModel::columnCount(const QModelIndex &) const
{
    return ColumnCount;
}

bool TableTreeModel::hasChildren(const QModelIndex &parentIndex) const
{
    if (parentIndex.isValid() && parentIndex.internalId() == schemaLevel &&
        parentIndex.column() == 0) {
        const SchemaNode &node = m_schemas[static_cast<size_t>(parentIndex.row())];
        return !node.read || !node.tables.empty();
    }
    return rowCount(parentIndex) > 0;
}

bool TableTreeModel::canFetchMore(const QModelIndex &parentIndex) const
{
    if (!parentIndex.isValid() || parentIndex.internalId() != schemaLevel)
        return false;
    const SchemaNode &node = m_schemas[static_cast<size_t>(parentIndex.row())];
    return !node.read && !node.asked;
}

void TableTreeModel::fetchMore(const QModelIndex &parentIndex)
{
    if (!canFetchMore(parentIndex))
        return;
    need(m_schemas[static_cast<size_t>(parentIndex.row())]);
    Q_EMIT dataChanged(index(parentIndex.row(), Notes), index(parentIndex.row(), Notes));
}

QVariant TableTreeModel::data(const QModelIndex &i, int role) const
{
    if (!checkIndex(i, CheckIndexOption::IndexIsValid))
        return {};
    if (role == Qt::TextAlignmentRole && (i.column() == Rows || i.column() == Bytes))
        return int(Qt::AlignRight | Qt::AlignVCenter);
    if (i.internalId() == schemaLevel) {
        const SchemaNode &node = m_schemas[static_cast<size_t>(i.row())];
        qint64 rows = 0, bytes = 0;
        for (const TableNode &t : node.tables) {
            rows += t.rows;
            bytes += t.bytes;
        }
        if (role == Qt::CheckStateRole && i.column() == Name)
            return stateOf(node);
        if (role == SortRole && i.column() == Rows)
            return rows;
        if (role == SortRole && i.column() == Bytes)
            return bytes;
        if (role == Qt::EditRole && i.column() == TargetName)
            return node.target;
        if (role == Qt::ToolTipRole && i.column() == TargetName)
            return tr("Double-click or press F2 to move this schema under another name");
        if (role == Qt::ToolTipRole && i.column() == Notes)
            return node.notes;
        if (role != Qt::DisplayRole && role != SortRole)
            return {};
        switch (i.column()) {
        case Name:
            return node.name;
        case Rows:
            return node.read ? QStringLiteral("~") + Words::number(rows) : QString();
        case Bytes:
            return node.read ? Words::bytes(bytes) : QString();
        case TargetName:
            return node.target;
        case Notes:
            return node.notes;
        default:
            return {};
        }
    }
    const SchemaNode &node = m_schemas[static_cast<size_t>(i.internalId())];
    const TableNode &t = node.tables[static_cast<size_t>(i.row())];
    if (role == Qt::CheckStateRole && i.column() == Name)
        return t.ticked ? Qt::Checked : Qt::Unchecked;
    if (role == SortRole && i.column() == Rows)
        return t.rows;
    if (role == SortRole && i.column() == Bytes)
        return t.bytes;
    if (role == Qt::ToolTipRole && i.column() == Notes)
        return t.notes;
    if (role != Qt::DisplayRole && role != SortRole)
        return {};
    switch (i.column()) {
    case Name:
        return t.name;
    case Rows:
        return QStringLiteral("~") + Words::number(t.rows);
    case Bytes:
        return Words::bytes(t.bytes);
    case TargetName:
        return node.target + QLatin1Char('.') + t.name;
    case Notes:
        return t.notes;
    default:
        return {};
    }
}

bool TableTreeModel::setData(const QModelIndex &i, const QVariant &value, int role)
{
    if (m_readOnly || !checkIndex(i, CheckIndexOption::IndexIsValid))
        return false;
    const bool isSchema = i.internalId() == schemaLevel;
    const int row = isSchema ? i.row() : static_cast<int>(i.internalId());
    SchemaNode &node = m_schemas[static_cast<size_t>(row)];
    if (role == Qt::CheckStateRole && i.column() == Name) {
        const bool on = value.toInt() == Qt::Checked;
        if (isSchema) {
            node.ticked = on;
            for (TableNode &t : node.tables)
                t.ticked = on;
            // Ticking a whole schema means all of it, also what an earlier selection left out.
            if (on && m_hasWanted)
                m_wanted.patterns.clear();
            if (on && m_hasWanted && !m_wanted.schemas.contains(node.name))
                m_wanted.schemas << node.name;
            if (on)
                need(node);
        } else {
            node.tables[static_cast<size_t>(i.row())].ticked = on;
            node.ticked = node.ticked || on;
        }
        announce(row);
        return true;
    }
    if (role == Qt::EditRole && isSchema && i.column() == TargetName) {
        const QString name = value.toString().trimmed();
        node.target = name.isEmpty() ? node.name : name;
        announce(row);
        return true;
    }
    return false;
}

Qt::ItemFlags TableTreeModel::flags(const QModelIndex &i) const
{
    Qt::ItemFlags out = QAbstractItemModel::flags(i);
    if (!i.isValid() || m_readOnly)
        return out;
    if (i.column() == Name)
        out |= Qt::ItemIsUserCheckable;
    if (i.column() == TargetName && i.internalId() == schemaLevel)
        out |= Qt::ItemIsEditable;
    return out;
}

QVariant TableTreeModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return section == Rows || section == Bytes ? int(Qt::AlignRight | Qt::AlignVCenter)
                                                   : int(Qt::AlignLeft | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Name:
        return tr("Schema and table");
    case Rows:
        return tr("Rows");
    case Bytes:
        return tr("Size");
    case TargetName:
        return tr("Name on the target");
    case Notes:
        return tr("Notes");
    default:
        return {};
    }
}

QString TableTreeModel::notesOf(const Table &table)
{
    QStringList out;
    if (!table.rowKey)
        out << tr("no usable key");
    if (!table.engine.isEmpty() &&
        table.engine.compare(QLatin1String("InnoDB"), Qt::CaseInsensitive) != 0)
        out << tr("engine %1").arg(table.engine);
    if (!table.foreignKeys.empty())
        out << tr("%n foreign key(s)", nullptr, static_cast<int>(table.foreignKeys.size()));
    if (table.partitioned)
        out << tr("partitioned");
    static const std::array lobs{QLatin1String("blob"),       QLatin1String("mediumblob"),
                                 QLatin1String("longblob"),   QLatin1String("text"),
                                 QLatin1String("mediumtext"), QLatin1String("longtext"),
                                 QLatin1String("bytea")};
    const bool hasLob = std::any_of(table.columns.begin(), table.columns.end(), [](const auto &c) {
        return std::find(lobs.begin(), lobs.end(), c.dataType) != lobs.end();
    });
    if (hasLob)
        out << tr("large objects");
    if (std::any_of(table.columns.begin(), table.columns.end(),
                    [](const auto &c) { return c.generated; }))
        out << tr("generated columns");
    return out.join(QStringLiteral(", "));
}

QString TableTreeModel::notesOf(const QString &schema, const Catalog &catalog)
{
    int views = 0, routines = 0, triggers = 0, events = 0, sequences = 0;
    for (const SchemaObject &o : catalog.objects) {
        if (o.schema != schema)
            continue;
        switch (o.kind) {
        case ObjectKind::View:
            ++views;
            break;
        case ObjectKind::Procedure:
        case ObjectKind::Function:
            ++routines;
            break;
        case ObjectKind::Trigger:
            ++triggers;
            break;
        case ObjectKind::Event:
            ++events;
            break;
        case ObjectKind::Sequence:
            ++sequences;
            break;
        }
    }
    QStringList out;
    if (views > 0)
        out << tr("%n view(s)", nullptr, views);
    if (routines > 0)
        out << tr("%n routine(s)", nullptr, routines);
    if (triggers > 0)
        out << tr("%n trigger(s)", nullptr, triggers);
    if (events > 0)
        out << tr("%n event(s)", nullptr, events);
    if (sequences > 0)
        out << tr("%n sequence(s)", nullptr, sequences);
    return out.join(QStringLiteral(", "));
}

} // namespace causeway::ui
