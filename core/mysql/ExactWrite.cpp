#include "mysql/ExactWrite.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

Error damageError(const Table &follower, const ResultSet &warnings)
{
    Error e;
    e.code = ErrorCode::Server;
    e.id = QStringLiteral("mysql-value-changed");
    e.object = follower.name.display();
    e.message = cwText("core", "The target would store a value of %1 differently.",
                       follower.name.display());
    if (!warnings.rows.empty()) {
        e.number = warnings.text(0, "Code").toInt();
        e.serverWords = warnings.text(0, "Message");
    }
    return e;
}

/// Columns stand in quotes or backticks in the servers' messages.
bool names(const QString &message, const QStringList &columns)
{
    return std::any_of(columns.begin(), columns.end(), [&](const QString &c) {
        return message.contains(QLatin1Char('\'') + c + QLatin1Char('\''), Qt::CaseInsensitive) ||
               message.contains(QLatin1Char('`') + c + QLatin1Char('`'), Qt::CaseInsensitive);
    });
}

/// Notes and deprecations do not concern the data.
Status checkWarnings(Session &session, const Table &follower, const ToleratedColumns &tolerated,
                     int invalidEnums, const std::stop_token &stop)
{
    const std::size_t count = session.warningCount();
    if (count == 0)
        return {};
    CW_TRY_ASSIGN(ResultSet warnings, session.query(QStringLiteral("SHOW WARNINGS"), stop));
    if (warnings.rows.size() < count) // max_error_count: what is not shown may be damage
        return fail(damageError(follower, warnings));
    int truncated = 0;
    ResultSet bad;
    bad.columns = warnings.columns;
    for (std::size_t i = 0; i < warnings.rows.size(); ++i) {
        if (warnings.text(i, "Level") == QLatin1String("Note"))
            continue;
        const int code = warnings.text(i, "Code").toInt();
        if (code == 1287 || code == 1681 || code == 3719 || code == 3778)
            continue; // deprecated syntax or charset
        const QString message = warnings.text(i, "Message");
        if (code == 1265 && truncated < invalidEnums && names(message, tolerated.enums)) {
            ++truncated;
            continue;
        }
        // Inside an expression a value is bent without a column's name; our literals are of their
        // columns' types and can only be refused with it.
        const bool inExpression =
            (code == 1292 && message.startsWith(QLatin1String("Truncated incorrect"))) ||
            code == 1365;
        if (!tolerated.generated.isEmpty() && (inExpression || names(message, tolerated.generated)))
            continue;
        bad.rows.push_back(warnings.rows[i]);
    }
    if (!bad.rows.empty())
        return fail(damageError(follower, bad));
    return {};
}

/// Errors that say that a value does not fit, which another sql_mode makes a warning of.
bool isRefusedValue(int number)
{
    switch (number) {
    case 1048: // column cannot be null: 1364 and this for a generated NOT NULL column
    case 1264: // out of range
    case 1265: // data truncated
    case 1292: // truncated incorrect value
    case 1365: // division by zero
    case 1366: // incorrect value for column
    case 1367: // illegal value found during parsing
    case 1406: // data too long
    case 1411: // incorrect value for function
    case 1690: // value out of range in expression
    case 1916: // MariaDB: got overflow when casting
    case 1918: // MariaDB: encountered illegal value when converting
        return true;
    default:
        return false;
    }
}

Result<quint64> writeLaxly(Session &session, const std::string &sql, const Table &follower,
                           const ToleratedColumns &tolerated, int invalidEnums,
                           const std::stop_token &stop)
{
    // Every warning must be seen. On MySQL 8 setting this takes a privilege; its default of 1024 is
    // enough for one warning a row.
    const Status more = session.exec(QStringLiteral("SET max_error_count=65535"), stop);
    if (!more && more.error().code != ErrorCode::Server && more.error().number != 1227)
        return fail(more.error());
    CW_TRY(session.exec(QStringLiteral("SET @causeway_sql_mode=@@sql_mode, sql_mode="
                                       "REPLACE(REPLACE(@@sql_mode,'STRICT_ALL_TABLES',''),"
                                       "'STRICT_TRANS_TABLES','')"),
                        stop));
    Status done = session.execBytes(sql, stop);
    const quint64 affected = session.affectedRows();
    if (done)
        done = checkWarnings(session, follower, tolerated, invalidEnums, stop);
    if (!session.isDead())
        CW_TRY(session.exec(QStringLiteral("SET sql_mode=@causeway_sql_mode, max_error_count=1024"),
                            stop));
    CW_TRY(done);
    return affected;
}

} // namespace

ToleratedColumns toleratedColumns(const Table &follower)
{
    ToleratedColumns out;
    for (const Column &c : follower.columns) {
        if (c.generated)
            out.generated << c.name;
        else if (c.typeClass == TypeClass::Enum)
            out.enums << c.name;
    }
    return out;
}

Result<quint64> writeExactly(Session &session, const std::string &sql, const Table &follower,
                             const ToleratedColumns &tolerated, int invalidEnums,
                             std::stop_token stop)
{
    if (invalidEnums > 0)
        return writeLaxly(session, sql, follower, tolerated, invalidEnums, stop);
    const Status done = session.execBytes(sql, stop);
    if (done) {
        const quint64 affected = session.affectedRows();
        CW_TRY(checkWarnings(session, follower, tolerated, 0, stop));
        return affected;
    }
    // The statement alone was rolled back: it may be sent again in the same transaction.
    if (done.error().code == ErrorCode::Server && !tolerated.generated.isEmpty() &&
        isRefusedValue(done.error().number))
        return writeLaxly(session, sql, follower, tolerated, 0, stop);
    return fail(done.error());
}

} // namespace causeway::mysql
