#include "mysql/SchemaDiff.h"

#include "mysql/SchemaTarget.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

/// MariaDB's JSON is LONGTEXT in utf8mb4_bin; the two hold the same values.
bool jsonAlike(const Column &a, const Column &b)
{
    const auto isText = [](const Column &c) {
        return c.dataType == QLatin1String("longtext") &&
               c.collation == QLatin1String("utf8mb4_bin");
    };
    return (a.typeClass == TypeClass::Json && isText(b)) ||
           (b.typeClass == TypeClass::Json && isText(a));
}

QString yesNo(bool yes)
{
    return yes ? QStringLiteral("yes") : QStringLiteral("no");
}

QStringList columnNames(const Table &t, const Key &k)
{
    QStringList out;
    for (const KeyPart &p : k.parts) {
        out << (p.column < 0 ? p.expression
                             : t.columns[static_cast<std::size_t>(p.column)].name.toLower() +
                                   (p.prefix ? QStringLiteral("(%1)").arg(p.prefix) : QString()));
    }
    return out;
}

void diffColumn(QStringList &out, const QString &table, const Column &want, const Column &have)
{
    const auto differs = [&](const char *what, const QString &a, const QString &b) {
        out << QStringLiteral("%1: column %2 has %3 %4 instead of %5")
                   .arg(table, want.name, QLatin1String(what), b, a);
    };
    const bool json = jsonAlike(want, have);
    if (!json && comparableType(want.typeText) != comparableType(have.typeText))
        differs("type", want.typeText, have.typeText);
    if (want.nullable != have.nullable)
        differs("NULL allowed", yesNo(want.nullable), yesNo(have.nullable));
    if (want.generated != have.generated)
        differs("generated", yesNo(want.generated), yesNo(have.generated));
    if (!json && !Collations::same(want.charset, have.charset))
        differs("character set", want.charset, have.charset);
}

void diffTable(QStringList &out, const Table &want, const Table &have)
{
    const QString name = have.name.display();
    int last = -1;
    bool reordered = false;
    for (const Column &c : want.columns) {
        const int at = have.columnIndex(c.name);
        if (at < 0) {
            out << QStringLiteral("%1: column %2 is missing").arg(name, c.name);
            continue;
        }
        reordered = reordered || at < last;
        last = at;
        diffColumn(out, name, c, have.columns[static_cast<std::size_t>(at)]);
    }
    if (reordered)
        out << QStringLiteral("%1: its columns are in another order").arg(name);
    for (const Column &c : have.columns) {
        if (want.columnIndex(c.name) < 0)
            out << QStringLiteral("%1: column %2 is not on the source").arg(name, c.name);
    }
    if (have.engine.compare(QLatin1String("InnoDB"), Qt::CaseInsensitive) != 0)
        out << QStringLiteral("%1: its engine is %2 instead of InnoDB").arg(name, have.engine);
    if (want.rowKey) {
        const Key &key = want.keys[static_cast<std::size_t>(*want.rowKey)];
        const QStringList columns = columnNames(want, key);
        const bool found = std::any_of(have.keys.begin(), have.keys.end(), [&](const Key &k) {
            return k.unique && columnNames(have, k) == columns;
        });
        if (!found)
            out << QStringLiteral("%1: the unique key (%2) is missing")
                       .arg(name, columns.join(QLatin1String(", ")));
    }
    // A unique key that the source does not have would turn rows away.
    for (const Key &k : have.keys) {
        const QStringList columns = columnNames(have, k);
        const bool known = std::any_of(want.keys.begin(), want.keys.end(), [&](const Key &w) {
            return w.unique && columnNames(want, w) == columns;
        });
        if (k.unique && !known)
            out << QStringLiteral("%1: the unique key %2 is not on the source").arg(name, k.name);
    }
}

} // namespace

Result<QStringList> diffSchemas(const Catalog &leader, const Catalog &existing,
                                const Selection &selection)
{
    QStringList out;
    for (const Table &want : leader.tables) {
        const TableName name = selection.onTarget(want.name);
        if (const Table *have = existing.find(name))
            diffTable(out, want, *have);
        else
            out << QStringLiteral("%1: the table is missing").arg(name.display());
    }
    for (const SchemaObject &o : existing.objects) {
        const TableName table{o.schema, o.table};
        if (o.kind == ObjectKind::Trigger && leader.find(selection.onSource(table)))
            out << QStringLiteral("%1: trigger %2 would fire while changes are applied")
                       .arg(table.display(), o.name);
    }
    return out;
}

} // namespace causeway::mysql
