#pragma once

#include "mysql/binlog/TransactionAssembler.h"

#include <QByteArray>
#include <QFile>
#include <QMap>
#include <QString>
#include <QStringList>

#include <memory>
#include <vector>

namespace causeway::test {

/// Raw events as a real server sent them, the tables they are of, and what they must decode to. A
/// text file, a thing per line: "from POSITION", "mariadb", "table SCHEMA NAME", "column ...",
/// "event HEX", "expect TEXT".
struct Vector {
    Position from;
    bool mariaDb = false;
    QMap<TableName, std::shared_ptr<Table>> tables;
    std::vector<std::string> events;
    QStringList expected;

    static Vector load(const QString &path)
    {
        Vector v;
        QFile file(path);
        if (!file.open(QIODevice::ReadOnly))
            qFatal("cannot read %s", qPrintable(path));
        std::shared_ptr<Table> table;
        for (const QByteArray &raw : file.readAll().split('\n')) {
            const QString line = QString::fromUtf8(raw);
            const QString word = line.section(QLatin1Char(' '), 0, 0);
            const QString rest = line.section(QLatin1Char(' '), 1);
            if (word == QLatin1String("from")) {
                v.from.text = rest;
            } else if (word == QLatin1String("mariadb")) {
                v.mariaDb = true;
            } else if (word == QLatin1String("table")) {
                table = std::make_shared<Table>();
                table->name = {rest.section(QLatin1Char(' '), 0, 0),
                               rest.section(QLatin1Char(' '), 1, 1)};
                v.tables.insert(table->name, table);
            } else if (word == QLatin1String("column")) {
                const QStringList f = rest.split(QLatin1Char('|'));
                Column c;
                c.name = f[0];
                c.typeText = f[1];
                c.dataType = f[2];
                c.typeClass = static_cast<TypeClass>(f[3].toInt());
                c.scale = f[4].toInt();
                c.isUnsigned = c.typeText.contains(QLatin1String("unsigned"));
                table->columns.push_back(c);
            } else if (word == QLatin1String("event")) {
                v.events.push_back(QByteArray::fromHex(rest.toLatin1()).toStdString());
            } else if (word == QLatin1String("expect")) {
                v.expected += rest;
            }
        }
        return v;
    }

    void save(const QString &path) const
    {
        QFile file(path);
        if (!file.open(QIODevice::WriteOnly))
            qFatal("cannot write %s", qPrintable(path));
        const auto line = [&file](const QString &text) {
            file.write(text.toUtf8());
            file.write("\n");
        };
        line(QStringLiteral("from ") + from.text);
        if (mariaDb)
            line(QStringLiteral("mariadb"));
        for (const auto &t : tables) {
            line(QStringLiteral("table %1 %2").arg(t->name.schema, t->name.name));
            for (const Column &c : t->columns)
                line(QStringLiteral("column %1|%2|%3|%4|%5")
                         .arg(c.name, c.typeText, c.dataType)
                         .arg(static_cast<int>(c.typeClass))
                         .arg(c.scale));
        }
        for (const std::string &e : events)
            line(QStringLiteral("event ") +
                 QString::fromLatin1(QByteArray::fromStdString(e).toHex()));
        for (const QString &e : expected)
            line(QStringLiteral("expect ") + e);
    }

    [[nodiscard]] mysql::TransactionAssembler assembler(std::size_t holdBytes = 8U << 20) const
    {
        mysql::TransactionAssembler::Options o;
        const auto p = mysql::LogPosition::parse(from);
        if (!p)
            qFatal("bad position");
        o.from = *p;
        o.mariaDb = mariaDb;
        o.migration = QStringLiteral("aaaabbbb");
        o.holdBytes = holdBytes;
        o.resolve = [known = tables](const TableName &n) -> std::shared_ptr<const Table> {
            return known.value(n);
        };
        return mysql::TransactionAssembler(std::move(o));
    }
};

inline QString describeValue(const Value &v)
{
    if (!v)
        return QStringLiteral("NULL");
    return QString::fromLatin1(
        QByteArray::fromStdString(*v).toPercentEncoding(" :{}[]\",.-+/()'=;"));
}

inline QString describeRow(const Row &row)
{
    QStringList out;
    for (const Value &v : row)
        out += describeValue(v);
    return out.join(QLatin1Char('|'));
}

inline QString describeChange(const ChangeEvent &e)
{
    if (const auto *b = std::get_if<TransactionBegin>(&e))
        return QStringLiteral("begin %1 at %2").arg(b->id).arg(b->commitTimestampUs);
    if (const auto *r = std::get_if<RowChange>(&e)) {
        static const char *const ops[] = {"insert", "update", "delete"};
        return QStringLiteral("%1 %2 #%3%4 (%5) -> (%6)")
            .arg(QLatin1String(ops[static_cast<int>(r->op)]), r->table->name.display())
            .arg(r->indexInTransaction)
            .arg(r->foreignKeyChecksOff ? QStringLiteral(" unchecked") : QString(),
                 describeRow(r->before), describeRow(r->after));
    }
    if (const auto *c = std::get_if<TransactionCommit>(&e))
        return QStringLiteral("commit %1%2")
            .arg(c->after.text, c->ours ? QStringLiteral(" ours") : QString());
    if (const auto *d = std::get_if<DdlChange>(&e)) {
        QStringList names;
        for (const TableName &t : d->tables)
            names += t.display();
        return QStringLiteral("ddl %1 [%2] in %3: %4 (%5) after %6")
            .arg(static_cast<int>(d->kind))
            .arg(names.join(QLatin1Char(' ')), d->defaultSchema, d->statement.simplified(),
                 d->sqlMode, d->after.text);
    }
    if (const auto *s = std::get_if<StatementLogged>(&e))
        return QStringLiteral("statement %1").arg(s->statement);
    return QStringLiteral("progress");
}

/// Everything the events give; the last line is an error, where there is one. Compressed
/// transactions come in parts of `partBytes`.
inline QStringList decodeAll(const Vector &v, std::size_t holdBytes = 8U << 20,
                             std::size_t partBytes = std::string::npos)
{
    mysql::TransactionAssembler a = v.assembler(holdBytes);
    QStringList out;
    const auto drain = [&] {
        while (const auto e = a.take())
            out += describeChange(*e);
    };
    for (const std::string &event : v.events) {
        const bool inParts = partBytes < event.size() &&
                             static_cast<unsigned char>(event[4]) ==
                                 static_cast<unsigned char>(mysql::EventType::TransactionPayload);
        Status s =
            inParts ? a.feedFirst(std::string_view(event).substr(0, partBytes)) : a.feed(event);
        for (std::size_t at = partBytes;; at += partBytes) {
            while (s && a.hasPacked()) {
                drain();
                s = a.unpackOne();
            }
            if (!s || !inParts || at >= event.size())
                break;
            s = a.feedMore(std::string_view(event).substr(at, partBytes));
        }
        drain();
        if (!s) {
            out += QStringLiteral("error ") + s.error().id;
            return out;
        }
    }
    out += QStringLiteral("position ") + a.position().text;
    return out;
}

} // namespace causeway::test
