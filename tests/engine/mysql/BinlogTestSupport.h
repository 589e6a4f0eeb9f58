#pragma once

#include "database/Change.h"
#include "mysql/Parts.h"
#include "mysql/Session.h"
#include "servers/TestServer.h"

#include <QtTest>

#include <chrono>
#include <memory>
#include <vector>

namespace causeway::test {

/// The tests' own reader of columns, so that a mistake in the product's schema reader does not hide
/// one in the decoder.
inline TypeClass classOf(const QString &dataType, bool mariaDb)
{
    static const QMap<QString, TypeClass> classes{
        {QStringLiteral("tinyint"), TypeClass::Integer},
        {QStringLiteral("smallint"), TypeClass::Integer},
        {QStringLiteral("mediumint"), TypeClass::Integer},
        {QStringLiteral("int"), TypeClass::Integer},
        {QStringLiteral("bigint"), TypeClass::Integer},
        {QStringLiteral("year"), TypeClass::Integer},
        {QStringLiteral("decimal"), TypeClass::Decimal},
        {QStringLiteral("float"), TypeClass::Float},
        {QStringLiteral("double"), TypeClass::Double},
        {QStringLiteral("bit"), TypeClass::Bit},
        {QStringLiteral("date"), TypeClass::Temporal},
        {QStringLiteral("time"), TypeClass::Temporal},
        {QStringLiteral("datetime"), TypeClass::Temporal},
        {QStringLiteral("timestamp"), TypeClass::Temporal},
        {QStringLiteral("char"), TypeClass::Text},
        {QStringLiteral("varchar"), TypeClass::Text},
        {QStringLiteral("tinytext"), TypeClass::Text},
        {QStringLiteral("text"), TypeClass::Text},
        {QStringLiteral("mediumtext"), TypeClass::Text},
        {QStringLiteral("longtext"), TypeClass::Text},
        {QStringLiteral("binary"), TypeClass::Binary},
        {QStringLiteral("varbinary"), TypeClass::Binary},
        {QStringLiteral("tinyblob"), TypeClass::Binary},
        {QStringLiteral("blob"), TypeClass::Binary},
        {QStringLiteral("mediumblob"), TypeClass::Binary},
        {QStringLiteral("longblob"), TypeClass::Binary},
        {QStringLiteral("json"), TypeClass::Json},
        {QStringLiteral("enum"), TypeClass::Enum},
        {QStringLiteral("set"), TypeClass::Set},
        {QStringLiteral("geometry"), TypeClass::Geometry},
        {QStringLiteral("point"), TypeClass::Geometry},
        {QStringLiteral("vector"), TypeClass::Vector},
    };
    Q_UNUSED(mariaDb)
    return classes.value(dataType, TypeClass::Other);
}

inline std::shared_ptr<Table> readTable(TestServer &server, const QString &schema,
                                        const QString &name)
{
    auto t = std::make_shared<Table>();
    t->name = {schema, name};
    const bool mariaDb = server.product() == Product::MariaDb;
    const auto rows = server.query(
        QStringLiteral("SELECT COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, IFNULL(CHARACTER_SET_NAME,''), "
                       "IFNULL(DATETIME_PRECISION,0), EXTRA FROM information_schema.COLUMNS WHERE "
                       "TABLE_SCHEMA='%1' AND TABLE_NAME='%2' ORDER BY ORDINAL_POSITION")
            .arg(schema, name));
    for (const TestRow &r : rows) {
        const auto text = [&r](std::size_t i) { return QString::fromStdString(*r[i]); };
        Column c;
        c.name = text(0);
        c.typeText = text(1);
        c.dataType = text(2);
        c.charset = text(3);
        c.scale = text(4).toInt();
        c.typeClass = classOf(c.dataType, mariaDb);
        c.isUnsigned = c.typeText.contains(QLatin1String("unsigned"));
        c.generated = text(5).contains(QLatin1String("GENERATED")) &&
                      !text(5).contains(QLatin1String("DEFAULT_GENERATED"));
        t->columns.push_back(c);
    }
    const auto create =
        server.query(QStringLiteral("SHOW CREATE TABLE `%1`.`%2`").arg(schema, name));
    t->createSql = QString::fromStdString(*create[0][1]);
    return t;
}

/// Rows of a table in wire form, by SELECT.
inline std::vector<Row> selectWire(mysql::Session &session, const Table &t, const QString &tail)
{
    QStringList expressions;
    for (const Column &c : t.columns)
        expressions += mysql::wireExpression(c, session.isMariaDb());
    const auto r =
        session.query(QStringLiteral("SELECT %1 FROM %2 %3")
                          .arg(expressions.join(QLatin1Char(',')), mysql::quoteName(t.name), tail));
    if (!r)
        qFatal("%s", qPrintable(r.error().describe()));
    std::vector<Row> rows = r->rows;
    for (Row &row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            const TypeClass tc = t.columns[i].typeClass;
            if (row[i] && (tc == TypeClass::Float || tc == TypeClass::Double))
                row[i] = mysql::canonicalReal(*row[i], tc == TypeClass::Float);
        }
    }
    return rows;
}

/// A stream with what it gave, for tests that wait until a position.
class Follow {
public:
    Follow(const TestServer &server, const Position &from, const TableResolver &resolve,
           const QString &migration = QStringLiteral("aaaabbbb"))
    {
        auto s = mysql::makeChangeStream(server.address(), from, {migration, 1}, resolve, {});
        if (s)
            stream = std::move(*s);
        else
            error = s.error();
    }

    /// Reads until the position is reached, or an error. False on an error.
    bool until(const Position &wanted)
    {
        QElapsedTimer timer;
        timer.start();
        while (!error && timer.elapsed() < 60'000) {
            if (mysql::positionReached(at, wanted))
                return true;
            one();
        }
        return !error && mysql::positionReached(at, wanted);
    }
    bool untilError()
    {
        QElapsedTimer timer;
        timer.start();
        while (!error && timer.elapsed() < 60'000)
            one();
        return error.has_value();
    }
    void one()
    {
        auto e = stream->next({});
        if (!e) {
            error = e.error();
            return;
        }
        if (auto *p = std::get_if<Progress>(&*e)) {
            at = p->upTo;
            ++progress;
        } else {
            if (auto *c = std::get_if<TransactionCommit>(&*e))
                at = c->after;
            if (auto *d = std::get_if<DdlChange>(&*e))
                at = d->after;
            events.push_back(std::move(*e));
        }
    }
    template <class T> std::vector<T> all() const
    {
        std::vector<T> out;
        for (const ChangeEvent &e : events) {
            if (const T *t = std::get_if<T>(&e))
                out.push_back(*t);
        }
        return out;
    }

    std::unique_ptr<ChangeStream> stream;
    std::optional<Error> error;
    std::vector<ChangeEvent> events;
    Position at;
    int progress = 0;
};

inline std::unique_ptr<mysql::Session> openSession(const TestServer &server,
                                                   mysql::Use use = mysql::Use::Control)
{
    auto s = mysql::Session::open(server.address(), use, {});
    if (!s)
        qFatal("%s", qPrintable(s.error().describe()));
    return std::move(*s);
}

inline Position currentPosition(const TestServer &server, const Selection &selection = {})
{
    const auto session = openSession(server);
    auto p = mysql::readCurrentPosition(*session, selection, {});
    if (!p)
        qFatal("%s", qPrintable(p.error().describe()));
    return *p;
}

} // namespace causeway::test
