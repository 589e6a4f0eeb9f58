#include "verify/Alignment.h"

#include <QByteArray>
#include <QStringDecoder>

#include <algorithm>

namespace causeway {

namespace {

/// The follower's index over exactly the leader's key columns; empty where there is none.
QString matchingKeyName(const Table &follower, const std::vector<QString> &columns)
{
    for (const Key &key : follower.keys) {
        const bool same =
            key.parts.size() == columns.size() &&
            std::equal(
                columns.begin(), columns.end(), key.parts.begin(),
                [&](const QString &name, const KeyPart &part) {
                    return part.column >= 0 && part.prefix == 0 &&
                           follower.columns[static_cast<std::size_t>(part.column)].name.compare(
                               name, Qt::CaseInsensitive) == 0;
                });
        if (same)
            return key.name;
    }
    return {};
}

} // namespace

Result<AlignedTables> alignForHashing(const TablePlan &plan)
{
    AlignedTables out{*plan.leader, *plan.leader};
    const Table &actual = *plan.follower;
    out.follower.name = actual.name;
    out.follower.partitioned = actual.partitioned;
    for (std::size_t i = 0; i < out.leader.columns.size(); ++i) {
        Column &l = out.leader.columns[i];
        const int there = actual.columnIndex(l.name);
        if (there < 0) {
            if (l.generated)
                continue;
            Error e;
            e.code = ErrorCode::Differences;
            e.id = QStringLiteral("table-differs");
            e.object = actual.name.display();
            e.message = cwText("core", "%1 has no column %2.", actual.name.display(), l.name);
            return fail(e);
        }
        Column f = actual.columns[static_cast<std::size_t>(there)];
        if (f.typeClass == TypeClass::Json)
            l.typeClass = TypeClass::Json;
        f.typeClass = l.typeClass;
        f.dataType = l.dataType;
        f.generated = l.generated;
        // Key values travel in the leader's charset; the follower's shows in its collation.
        f.charset = l.charset;
        f.nullable = l.nullable = l.nullable || f.nullable;
        out.follower.columns[i] = std::move(f);
    }
    if (out.leader.rowKey) {
        std::vector<QString> names;
        for (const int c : out.leader.rowKeyColumns())
            names.push_back(out.leader.columns[static_cast<std::size_t>(c)].name);
        out.follower.keys[static_cast<std::size_t>(*out.follower.rowKey)].name =
            matchingKeyName(actual, names);
    }
    return out;
}

QString printableKey(const Table &table, const Row &key)
{
    const std::vector<int> columns = table.rowKeyColumns();
    QStringList parts;
    for (std::size_t i = 0; i < key.size(); ++i) {
        if (!key[i]) {
            parts << QStringLiteral("NULL");
            continue;
        }
        const QByteArray bytes(key[i]->data(), static_cast<qsizetype>(key[i]->size()));
        const TypeClass type = i < columns.size()
                                   ? table.columns[static_cast<std::size_t>(columns[i])].typeClass
                                   : TypeClass::Other;
        QStringDecoder decoder(QStringDecoder::Utf8);
        const QString text = decoder(bytes);
        const bool raw = type == TypeClass::Binary || type == TypeClass::Bit || decoder.hasError();
        parts << (raw ? QStringLiteral("0x") + QString::fromLatin1(bytes.toHex()) : text);
    }
    return parts.join(QStringLiteral(", "));
}

} // namespace causeway
