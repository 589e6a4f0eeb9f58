#include "mysql/checks/DataScan.h"
#include "mysql/checks/Fixes.h"

/// Rows that the target could refuse, or an application could not write again (`check --data`).
/// Only reads.
namespace causeway::mysql {

namespace {

Status nothing(Look &look, const DataScan &scan)
{
    return scan.partly.isEmpty()
               ? look.pass(cwText("core", "None; %1.", scan.extent()))
               : look.info(cwText("core", "None in what was looked at; %1.", scan.extent()));
}

/// "UPDATE t SET c = VALUE WHERE CONDITION;" for each column that was found.
QStringList updates(const DataScan &scan, const std::function<QString(const ColumnFacts &)> &value)
{
    // Else the server refuses the very values that are to be mended.
    QStringList sql{QStringLiteral("SET SESSION sql_mode = '';")};
    for (const RowAnswer &a : scan.found)
        sql << QStringLiteral("UPDATE %1 SET %2 = %3 WHERE %4;")
                   .arg(quoteName(a.table), quoteId(a.question.column.name),
                        value(a.question.column), a.question.condition);
    return sql;
}

Status lookZeroDates(Look &look)
{
    CW_TRY_ASSIGN(const DataScan scan, scanRows(look, [](const std::vector<ColumnFacts> &columns) {
                      std::vector<RowQuestion> out;
                      for (const ColumnFacts &c : columns) {
                          if (c.dataType != QLatin1String("date") &&
                              c.dataType != QLatin1String("datetime") &&
                              c.dataType != QLatin1String("timestamp"))
                              continue;
                          if (!c.generated)
                              out.push_back(
                                  {c, QStringLiteral("MONTH(%1) = 0 OR DAYOFMONTH(%1) = 0")
                                          .arg(quoteId(c.name))});
                      }
                      return out;
                  }));
    if (scan.found.empty())
        return nothing(look, scan);
    look.out.objects = scan.objects();
    look.out.fix = sqlFix(
        look,
        updates(scan,
                [](const ColumnFacts &c) {
                    return c.nullable ? QStringLiteral("NULL")
                           : c.dataType == QLatin1String("timestamp")
                               ? QStringLiteral("'1970-01-02 00:00:00'")
                               : QStringLiteral("'1000-01-01'");
                }),
        cwText("core", "Ask whoever knows the application first what should stand there: the SQL "
                       "writes NULL, or a date that nobody takes for a real one. Causeway copies "
                       "them as they are; what fails is the application's next write of such a "
                       "row."),
        QStringLiteral("UPDATE"));
    bool refused = !look.other || look.options.targetKind == TargetKind::PlanetScale;
    if (look.other) {
        CW_TRY_ASSIGN(const QString mode, look.other->variable("sql_mode", look.stop));
        refused = mode.contains(QLatin1String("NO_ZERO"));
    }
    const Text found = cwText("core", "Columns with zero or partial dates: %1; %2.",
                              static_cast<qint64>(scan.found.size()), scan.extent());
    return refused ? look.warn(found) : look.info(found);
}

Status lookInvalidEnums(Look &look)
{
    CW_TRY_ASSIGN(const DataScan scan, scanRows(look, [](const std::vector<ColumnFacts> &columns) {
                      std::vector<RowQuestion> out;
                      for (const ColumnFacts &c : columns) {
                          if (c.dataType == QLatin1String("enum") && !c.generated)
                              out.push_back({c, quoteId(c.name) + QStringLiteral(" + 0 = 0")});
                      }
                      return out;
                  }));
    if (scan.found.empty())
        return nothing(look, scan);
    look.out.objects = scan.objects();
    look.out.fix = sqlFix(
        look,
        updates(scan,
                [](const ColumnFacts &c) {
                    // By its number: the first of its values.
                    return c.nullable ? QStringLiteral("NULL") : QStringLiteral("1");
                }),
        cwText("core", "Ask whoever knows the application first: the SQL writes NULL, or the "
                       "first value of the list. Causeway copies them as they are; a strict "
                       "server refuses to take one again."),
        QStringLiteral("UPDATE"));
    return look.warn(cwText("core", "ENUM columns with values that are not in their list: %1; %2.",
                            static_cast<qint64>(scan.found.size()), scan.extent()));
}

Status lookInvalidTexts(Look &look)
{
    CW_TRY_ASSIGN(
        const DataScan scan, scanRows(look, [](const std::vector<ColumnFacts> &columns) {
            // Every byte is a character of these.
            static const QStringList whole{QStringLiteral("latin1"), QStringLiteral("binary"),
                                           QStringLiteral("latin2"), QStringLiteral("cp850"),
                                           QStringLiteral("cp1251"), QStringLiteral("koi8r")};
            std::vector<RowQuestion> out;
            for (const ColumnFacts &c : columns) {
                if (c.charset.isEmpty() || whole.contains(c.charset) || c.generated ||
                    c.dataType == QLatin1String("enum") || c.dataType == QLatin1String("set") ||
                    c.dataType == QLatin1String("json"))
                    continue;
                // What is no text of the character set becomes NULL or '?' on the way.
                out.push_back({c, QStringLiteral("%1 IS NOT NULL AND NOT (CAST(CONVERT(CAST(%1 AS "
                                                 "BINARY) USING %2) AS BINARY) <=> CAST(%1 AS "
                                                 "BINARY))")
                                      .arg(quoteId(c.name), c.charset)});
            }
            return out;
        }));
    if (scan.found.empty())
        return nothing(look, scan);
    look.out.objects = scan.objects();
    look.out.fix.text = cwText(
        "core", "Such bytes come from another character set, stored by a connection that named the "
                "wrong one, or from files that were put in place. Find out which it was (often "
                "latin1), and write the rows anew: UPDATE t SET c = CONVERT(UNHEX(HEX(c)) "
                "USING latin1) WHERE ...");
    const Text found = cwText("core",
                              "Columns with texts that their character set does not have: "
                              "%1; %2.",
                              static_cast<qint64>(scan.found.size()), scan.extent());
    return look.other ? look.block(found) : look.warn(found);
}

QString rowBytes(const std::vector<ColumnFacts> &columns)
{
    static const QStringList large{QStringLiteral("mediumtext"), QStringLiteral("longtext"),
                                   QStringLiteral("mediumblob"), QStringLiteral("longblob"),
                                   QStringLiteral("json"),       QStringLiteral("geometry")};
    QStringList parts;
    bool any = false;
    for (const ColumnFacts &c : columns) {
        any = any || large.contains(c.dataType);
        if (large.contains(c.dataType) || c.dataType == QLatin1String("text") ||
            c.dataType == QLatin1String("blob") || c.dataType == QLatin1String("varchar") ||
            c.dataType == QLatin1String("varbinary"))
            parts << QStringLiteral("COALESCE(OCTET_LENGTH(%1), 0)").arg(quoteId(c.name));
    }
    return any ? parts.join(QStringLiteral(" + ")) : QString();
}

Status lookRowSize(Look &look)
{
    constexpr qint64 kOverhead = 64 * 1024; // of the other columns, and of the statement
    CW_TRY_ASSIGN(
        const QString packet,
        (look.other ? look.other : &look.here)->variable("max_allowed_packet", look.stop));
    const qint64 most = packet.toLongLong() - kOverhead;
    const auto larger = [&](qint64 bytes) {
        return scanRows(look, [bytes](const std::vector<ColumnFacts> &columns) {
            const QString size = rowBytes(columns);
            std::vector<RowQuestion> out;
            if (!size.isEmpty())
                out.push_back({{}, QStringLiteral("%1 > %2").arg(size).arg(bytes)});
            return out;
        });
    };
    // Written as text, a byte can take two.
    CW_TRY_ASSIGN(const DataScan scan, larger(most / 2));
    if (scan.found.empty())
        return nothing(look, scan);
    CW_TRY_ASSIGN(const DataScan tooLarge, larger(most));
    const bool blocks = !tooLarge.found.empty();
    look.out.objects = (blocks ? tooLarge : scan).objects();
    // To what takes the largest, up to a gigabyte, which is the most that a server takes.
    qint64 wanted = packet.toLongLong();
    for (bool more = true; more && wanted < 1'073'741'824;) {
        wanted = std::min<qint64>(wanted * 2, 1'073'741'824);
        CW_TRY_ASSIGN(const DataScan still, larger((wanted - kOverhead) / 2));
        more = !still.found.empty();
    }
    if (look.other) {
        Look there{*look.other, &look.here, look.options, look.stop, {}};
        look.out.fix =
            settingFix(there, {{QStringLiteral("max_allowed_packet"), QString::number(wanted)}},
                       cwText("core", "On the target. Sessions that are open keep the old value."));
        look.out.fix.canApply = false;
    }
    const Text found = cwText("core",
                              "Rows near or above max_allowed_packet, %1 bytes, in %2 "
                              "tables; %3.",
                              packet, static_cast<qint64>(scan.found.size()), scan.extent());
    return blocks && look.other ? look.block(found) : look.warn(found);
}

} // namespace

void addDataChecks(CheckList &list)
{
    const auto add = [&](const char *id, Text title, Text needed, Text why, bool blocking,
                         const char *sql, Status (*look)(Look &)) {
        list.add({.id = QString::fromLatin1(id),
                  .title = std::move(title),
                  .needed = std::move(needed),
                  .why = std::move(why),
                  .blocking = blocking,
                  .acceptable = true,
                  .readsRows = true,
                  .sql = {QString::fromLatin1(sql)},
                  .look = look});
    };
    add("mysql-data-zero-dates", cwText("core", "Zero dates in the rows"),
        cwText("core", "None, where the target refuses them."),
        cwText("core", "A server with NO_ZERO_DATE refuses the application's next write of such a "
                       "row, and other programs cannot read it as a date."),
        false, "SELECT COUNT(*) FROM TABLE WHERE MONTH(COLUMN) = 0 OR DAYOFMONTH(COLUMN) = 0",
        lookZeroDates);
    add("mysql-data-enums", cwText("core", "Invalid values of ENUM columns"),
        cwText("core", "None."),
        cwText("core", "Such a value is the empty text with number 0, which no strict server "
                       "takes from an application."),
        false, "SELECT COUNT(*) FROM TABLE WHERE COLUMN + 0 = 0", lookInvalidEnums);
    add("mysql-data-texts", cwText("core", "Texts that are not valid in their character set"),
        cwText("core", "None."),
        cwText("core", "The target looks at each text as it is written, and refuses these: the "
                       "copy would stop."),
        true,
        "SELECT COUNT(*) FROM TABLE WHERE NOT (CAST(CONVERT(CAST(COLUMN AS BINARY) USING CHARSET) "
        "AS BINARY) <=> CAST(COLUMN AS BINARY))",
        lookInvalidTexts);
    add("mysql-data-row-size", cwText("core", "Rows that are too large for a packet"),
        cwText("core", "Half of the target's max_allowed_packet at most."),
        cwText("core", "A row that does not fit into one packet cannot be written: the copy would "
                       "stop at it."),
        true, "SELECT MAX(OCTET_LENGTH(COLUMN) + ...) FROM TABLE", lookRowSize);
    addCollisionCheck(list);
}

} // namespace causeway::mysql
