#include "base/Log.h"
#include "base/Stop.h"
#include "mysql/Parts.h"
#include "mysql/SessionWatch.h"
#include "mysql/SqlTokens.h"
#include "mysql/TableDdl.h"

#include <QHash>

#include <algorithm>

namespace causeway::mysql {

namespace {

struct Setting {
    const char *name;
    const char *value;
};
/// Settings that change what a CREATE statement means. Each is optional: it does not exist in every
/// version, and some may only be set by an administrator.
constexpr Setting wanted[] = {
    // A TIMESTAMP NOT NULL without default would gain DEFAULT and ON UPDATE CURRENT_TIMESTAMP.
    {"explicit_defaults_for_timestamp", "ON"},
    {"sql_generate_invisible_primary_key", "OFF"},
    {"sql_require_primary_key", "OFF"},
    // MySQL 8.4 and later refuse a foreign key to a part of a key, which the source has.
    {"restrict_fk_on_non_standard_key", "OFF"},
    {"sql_quote_show_create", "ON"},
};

/// Sets the session up for creating, and puts everything back.
class CreatingSession {
public:
    CreatingSession(Session &session, std::stop_token stop)
        : m_session(session), m_stop(std::move(stop))
    {
    }
    void useStop(std::stop_token stop) { m_stop = std::move(stop); }
    Status begin();
    Status run(const SchemaStatement &);
    Status end();

private:
    Result<std::string> encode(const QString &sql);
    Result<bool> alreadyThere(const SchemaStatement &, const Error &);
    Result<bool> sameEmptyTable(const QString &sql);
    Status restoreContext();

    Session &m_session;
    std::stop_token m_stop;
    QHash<QString, QString> m_before;
    QString m_sqlMode;
    QString m_context; ///< SET that restores what a statement's own setup changes
    QString m_database;
};

Status CreatingSession::begin()
{
    CW_TRY_ASSIGN(const auto now,
                  m_session.query(QStringLiteral("SELECT @@sql_mode, @@character_set_client, "
                                                 "@@collation_connection, @@time_zone, DATABASE()"),
                                  m_stop));
    const auto cell = [&](std::size_t i) { return now.text(0, i); };
    m_database = cell(4);
    m_sqlMode = cell(0);
    // Strict, or a key that is too long would be shortened in silence; but a default such as
    // '2024-02-30' stands on the source and is not ours to refuse.
    m_context =
        QStringLiteral("SET sql_mode=CONCAT(%1, ',ALLOW_INVALID_DATES'), character_set_client=%2, "
                       "collation_connection=%3, time_zone=%4")
            .arg(quoteText(m_sqlMode), cell(1), cell(2), quoteText(cell(3)));
    CW_TRY(m_session.exec(m_context, m_stop));
    CW_TRY_ASSIGN(const auto variables,
                  m_session.query(QStringLiteral("SHOW SESSION VARIABLES"), m_stop));
    QHash<QString, QString> have;
    for (std::size_t i = 0; i < variables.rows.size(); ++i)
        have.insert(variables.text(i, std::size_t{0}), variables.text(i, std::size_t{1}));
    for (const Setting &s : wanted) {
        const QString name = QLatin1String(s.name);
        if (!have.contains(name) || have.value(name) == QLatin1String(s.value))
            continue;
        auto set = m_session.exec(
            QStringLiteral("SET SESSION %1=%2").arg(name, QLatin1String(s.value)), m_stop);
        if (set)
            m_before.insert(name, have.value(name));
        else if (set.error().code != ErrorCode::Server)
            return set;
    }
    return {};
}

Status CreatingSession::restoreContext()
{
    QString sql = m_context;
    if (!m_database.isEmpty())
        sql += QLatin1String("; USE ") + quoteId(m_database);
    return m_session.exec(sql, m_stop);
}

Status CreatingSession::end()
{
    CW_TRY(restoreContext());
    CW_TRY(m_session.exec(QLatin1String("SET sql_mode=") + quoteText(m_sqlMode), m_stop));
    for (auto it = m_before.constBegin(); it != m_before.constEnd(); ++it)
        CW_TRY(
            m_session.exec(QStringLiteral("SET SESSION %1=%2").arg(it.key(), it.value()), m_stop));
    return {};
}

/// The statement in the bytes of character_set_client: an object made by a latin1 client keeps that
/// setting, and the server reads the statement by it.
Result<std::string> CreatingSession::encode(const QString &sql)
{
    const bool ascii =
        std::all_of(sql.begin(), sql.end(), [](QChar c) { return c.unicode() < 0x80; });
    if (ascii)
        return sql.toStdString();
    CW_TRY_ASSIGN(const auto now,
                  m_session.query(QStringLiteral("SELECT @@character_set_client"), m_stop));
    const QString charset = now.text(0, std::size_t{0});
    if (charset.startsWith(QLatin1String("utf8mb4")))
        return sql.toStdString();
    // The server itself converts, and back again: what it cannot express would become "?".
    CW_TRY_ASSIGN(
        const auto converted,
        m_session.query(QStringLiteral("SELECT HEX(CONVERT(s USING %1)), "
                                       "HEX(CONVERT(CONVERT(s USING %1) USING utf8mb4)) FROM "
                                       "(SELECT CONVERT(X'%2' USING utf8mb4) AS s) t")
                            .arg(charset, QString::fromLatin1(sql.toUtf8().toHex())),
                        m_stop));
    const QByteArray back = QByteArray::fromHex(converted.text(0, std::size_t{1}).toLatin1());
    if (back == sql.toUtf8())
        return QByteArray::fromHex(converted.text(0, std::size_t{0}).toLatin1()).toStdString();
    CW_TRY(m_session.exec(QStringLiteral("SET character_set_client=utf8mb4"), m_stop));
    return sql.toStdString();
}

/// The table of a CREATE TABLE is there with exactly these columns, at least these keys, and
/// without a row.
Result<bool> CreatingSession::sameEmptyTable(const QString &sql)
{
    const Tokens t(sql);
    int i = t.next(0);
    while (i < t.size() && t.at(i).kind == TokenKind::Word)
        i = t.next(i + 1);
    const TableName table{t.name(i), t.name(t.next(t.next(i + 1) + 1))};
    CW_TRY_ASSIGN(const auto r,
                  m_session.query(QLatin1String("SHOW CREATE TABLE ") + quoteName(table), m_stop));
    const auto names = [](const TableDdl &ddl, ItemKind kind) {
        QStringList out;
        for (const TableItem &item : ddl.items) {
            if (item.kind == kind)
                out << item.name.toLower();
        }
        return out;
    };
    // Our own statement names the table with its schema, the server's does not.
    CW_TRY_ASSIGN(const auto there, TableDdl::parse(r.text(0, "Create Table")));
    CW_TRY_ASSIGN(const auto ours, TableDdl::parse(sql));
    if (names(there, ItemKind::Column) != names(ours, ItemKind::Column))
        return false;
    // One that the user made has its other keys already.
    const QStringList keys = names(there, ItemKind::Key);
    for (const QString &key : names(ours, ItemKind::Key)) {
        if (!keys.contains(key))
            return false;
    }
    CW_TRY_ASSIGN(
        const auto row,
        m_session.query(QStringLiteral("SELECT 1 FROM %1 LIMIT 1").arg(quoteName(table)), m_stop));
    return row.rows.empty();
}

/// A statement that a killed predecessor had carried out already is done, not failed. Only what can
/// be proven counts: indexes and foreign keys by their names, objects by their whole text.
Result<bool> CreatingSession::alreadyThere(const SchemaStatement &s, const Error &error)
{
    const Tokens t(s.sql);
    const int first = t.next(0);
    if (t.isWord(first, QLatin1String("ALTER"))) {
        // 1061 duplicate key name, 1826 and 1005 duplicate foreign key.
        if (error.number != 1061 && error.number != 1826 && error.number != 1005)
            return false;
        const int name = t.next(t.next(first + 1) + 1);
        const TableName table{t.name(name), t.name(t.next(t.next(name + 1) + 1))};
        CW_TRY_ASSIGN(
            const auto r,
            m_session.query(QLatin1String("SHOW CREATE TABLE ") + quoteName(table), m_stop));
        const Tokens there(r.text(0, "Create Table"));
        QStringList names;
        for (int i = there.next(0); i < there.size(); i = there.next(i + 1)) {
            if ((there.isWord(i, QLatin1String("KEY")) ||
                 there.isWord(i, QLatin1String("CONSTRAINT"))) &&
                there.isName(there.next(i + 1)))
                names << there.name(there.next(i + 1)).toLower();
        }
        int depth = 0, wantedNames = 0;
        for (int i = t.next(0); i < t.size(); i = t.next(i + 1)) {
            depth += t.isMark(i, '(') ? 1 : t.isMark(i, ')') ? -1 : 0;
            const int next = t.next(i + 1);
            if (depth != 0 || next >= t.size() || t.at(next).kind != TokenKind::QuotedId ||
                !(t.isWord(i, QLatin1String("KEY")) || t.isWord(i, QLatin1String("CONSTRAINT"))))
                continue;
            ++wantedNames;
            if (!names.contains(t.name(next).toLower()))
                return false;
        }
        return wantedNames > 0;
    }
    // 1050 table or view, 1304 routine, 1359 trigger, 1537 event.
    static const QHash<int, QString> kinds = {{1050, QStringLiteral("VIEW")},
                                              {1304, QStringLiteral("PROCEDURE")},
                                              {1359, QStringLiteral("TRIGGER")},
                                              {1537, QStringLiteral("EVENT")}};
    if (!t.isWord(first, QLatin1String("CREATE")) || !kinds.contains(error.number))
        return false;
    QString kind = kinds.value(error.number);
    int i = first;
    const auto isKind = [&](const char *word) { return t.isWord(i, QLatin1String(word)); };
    while (i < t.size() && !isKind("VIEW") && !isKind("PROCEDURE") && !isKind("FUNCTION") &&
           !isKind("TRIGGER") && !isKind("EVENT") && !isKind("TABLE") && !isKind("SEQUENCE"))
        i = t.next(i + 1);
    if (i >= t.size() || isKind("SEQUENCE"))
        return false;
    if (isKind("TABLE"))
        return sameEmptyTable(s.sql);
    kind = t.text(i).toString().toUpper();
    const int name = t.next(i + 1);
    const int second = t.next(t.next(name + 1) + 1);
    const TableName object{t.name(name), t.name(second)};
    CW_TRY_ASSIGN(
        const auto r,
        m_session.query(QStringLiteral("SHOW CREATE %1 %2").arg(kind, quoteName(object)), m_stop));
    const QString columns[] = {QLatin1String("Create ") + kind,
                               QStringLiteral("SQL Original Statement")};
    QString text;
    for (const QString &column : columns) {
        const QByteArray c = column.toLatin1();
        if (r.columnIndex(c.constData()) >= 0)
            text = r.text(0, c.constData());
    }
    // From the kind on: the server fills in ALGORITHM and DEFINER. Names with or without schema.
    const TokenMode mode = TokenMode::fromSqlMode(r.text(0, "sql_mode"));
    const auto rest = [&mode](const QString &sql, const QString &word, const TableName &n) {
        const Tokens x(sql, mode);
        int at = x.next(0);
        while (at < x.size() && !x.isWord(at, QLatin1String(word.toLatin1().constData())))
            at = x.next(at + 1);
        std::vector<QString> out = x.canonical(at);
        for (std::size_t k = 0; k + 1 < out.size();) {
            if (out[k] == n.schema.toLower() && out[k + 1] == QLatin1String("."))
                out.erase(out.begin() + static_cast<std::ptrdiff_t>(k),
                          out.begin() + static_cast<std::ptrdiff_t>(k) + 2);
            else
                ++k;
        }
        // One that was created among several statements keeps its ";" on MySQL, ours loses it.
        if (!out.empty() && out.back() == QLatin1String(";"))
            out.pop_back();
        return out;
    };
    return rest(text, kind, object) == rest(s.sql, kind, object);
}

Status CreatingSession::run(const SchemaStatement &s)
{
    const auto act = [&]() -> Status {
        if (!s.sessionSetup.isEmpty())
            CW_TRY(m_session.exec(s.sessionSetup, m_stop));
        CW_TRY_ASSIGN(const std::string bytes, encode(s.sql));
        return m_session.execBytes(markOwn(bytes), m_stop);
    };
    // Foreign keys of several tables that refer to one another are made at once: one of two may
    // have to wait for the other and lose.
    constexpr int mostAttempts = 10;
    Status done = act();
    for (int attempt = 1; !done && attempt < mostAttempts &&
                          (done.error().number == 1213 || done.error().number == 1205);
         ++attempt) {
        if (!pauseFor(m_stop, std::chrono::milliseconds(50 * attempt)))
            return fail(cancelledError());
        done = act();
    }
    if (done || done.error().code == ErrorCode::Server) {
        if (!s.sessionSetup.isEmpty())
            CW_TRY(restoreContext());
    }
    if (done)
        return {};
    Error error = std::move(done).error();
    if (error.code == ErrorCode::Server) {
        const auto there = alreadyThere(s, error);
        if (there && *there)
            return {};
    }
    error.object = s.object;
    if (error.code == ErrorCode::Server && s.mayFail) {
        logWarning(QStringLiteral("%1 is left out: %2").arg(s.object, error.serverWords));
        return {};
    }
    if (error.code == ErrorCode::Server) {
        error.id = QStringLiteral("mysql-object-failed");
        error.message =
            cwText("core", "%1 cannot be created on %2.", s.object, m_session.address().display());
    }
    return fail(std::move(error));
}

class MySqlStatementRunner final : public StatementRunner {
public:
    explicit MySqlStatementRunner(Address address) : m_address(std::move(address)) {}

    Status run(const SchemaStatement &statement, std::stop_token stop) override
    {
        if (!m_session || m_session->isDead()) {
            CW_TRY_ASSIGN(m_session, Session::open(m_address, Use::Control, stop));
            own::changesSchema(m_address.display(), m_session->connectionId());
            m_creating.emplace(*m_session, stop);
            if (Status begun = m_creating->begin(); !begun) {
                m_session.reset();
                return begun;
            }
        }
        m_creating->useStop(std::move(stop));
        return m_creating->run(statement);
    }

private:
    Address m_address;
    std::unique_ptr<Session> m_session;
    std::optional<CreatingSession> m_creating; ///< never put back: the session is this object's own
};

} // namespace

Result<std::unique_ptr<StatementRunner>> makeStatementRunner(const Address &address,
                                                             std::stop_token)
{
    return std::make_unique<MySqlStatementRunner>(address); // connects with the first statement
}

namespace {
constexpr std::string_view kMark = "/* causeway */ ";
}

std::string markOwn(const std::string &ddl)
{
    return std::string(kMark) + ddl;
}

bool isMarkedOwn(const QString &statement)
{
    return statement.startsWith(QLatin1String(kMark.data(), static_cast<qsizetype>(kMark.size())));
}

Status runStatements(Session &session, const std::vector<SchemaStatement> &statements,
                     std::stop_token stop)
{
    own::changesSchema(session.address().display(), session.connectionId());
    CreatingSession creating(session, stop);
    CW_TRY(creating.begin());
    for (const SchemaStatement &s : statements) {
        Status done = creating.run(s);
        if (!done) {
            // The settings are put back as far as the session still answers; the first error is the
            // one to tell.
            const Status restored = creating.end();
            Q_UNUSED(restored);
            return done;
        }
    }
    return creating.end();
}

} // namespace causeway::mysql
