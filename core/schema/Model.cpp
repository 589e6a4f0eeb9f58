#include "schema/Model.h"

#include <QCryptographicHash>

#include <algorithm>

namespace causeway {

int Table::columnIndex(const QString &column) const
{
    for (std::size_t i = 0; i < columns.size(); ++i) {
        // MySQL compares column names without case, PostgreSQL's catalog gives them exactly.
        if (columns[i].name.compare(column, Qt::CaseInsensitive) == 0)
            return static_cast<int>(i);
    }
    return -1;
}

std::vector<int> Table::rowKeyColumns() const
{
    std::vector<int> out;
    if (rowKey) {
        for (const KeyPart &part : keys[static_cast<std::size_t>(*rowKey)].parts)
            out.push_back(part.column);
    }
    return out;
}

std::vector<int> Table::writableColumns() const
{
    std::vector<int> out;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!columns[i].generated)
            out.push_back(static_cast<int>(i));
    }
    return out;
}

QString Table::fingerprint() const
{
    QCryptographicHash hash(QCryptographicHash::Sha256);
    const auto add = [&hash](const QString &s) {
        hash.addData(s.toUtf8());
        hash.addData(QByteArrayView("\x1f", 1));
    };
    for (const Column &c : columns) {
        add(c.name);
        add(c.typeText);
        add(c.charset);
        add(c.collation);
        add(QString::number((c.nullable ? 1 : 0) | (c.generated ? 2 : 0)));
    }
    for (const int c : rowKeyColumns())
        add(QString::number(c));
    return QString::fromLatin1(hash.result().toHex().left(32));
}

QString toString(ObjectKind kind)
{
    switch (kind) {
    case ObjectKind::View:
        return QStringLiteral("view");
    case ObjectKind::Procedure:
        return QStringLiteral("procedure");
    case ObjectKind::Function:
        return QStringLiteral("function");
    case ObjectKind::Trigger:
        return QStringLiteral("trigger");
    case ObjectKind::Event:
        return QStringLiteral("event");
    case ObjectKind::Sequence:
        return QStringLiteral("sequence");
    }
    return {};
}

const Table *Catalog::find(const TableName &name) const
{
    const auto it =
        std::find_if(tables.begin(), tables.end(), [&](const Table &t) { return t.name == name; });
    return it == tables.end() ? nullptr : &*it;
}

} // namespace causeway
