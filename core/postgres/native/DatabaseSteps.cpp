#include "postgres/TargetDatabase.h"
#include "postgres/native/Native.h"

/// What belongs to the database as a whole and is in no dump of its schema: the database itself,
/// and its settings, such as the search_path that an application counts on.
namespace causeway::postgres {

namespace {
/// In the file until the target has a state of ours: so that what we made is known to be ours.
const QString kMaking = QStringLiteral("making_database");
const QString kMade = QStringLiteral("database_made");

Result<bool> isMissing(Native &n, std::stop_token stop)
{
    const auto session = n.target.session(std::move(stop));
    if (session)
        return false;
    if (isMissingDatabase(session.error()))
        return true;
    return fail(session.error());
}

/// Values of these are lists that stand as they are; all others are one value.
bool isList(const QString &setting)
{
    static const QStringList lists{
        QStringLiteral("search_path"), QStringLiteral("temp_tablespaces"),
        QStringLiteral("local_preload_libraries"), QStringLiteral("session_preload_libraries")};
    return lists.contains(setting);
}
} // namespace

Status createTargetDatabase(Native &n, std::stop_token stop)
{
    CW_TRY_ASSIGN(const bool missing, isMissing(n, stop));
    if (!missing)
        return {};
    const QString name = n.target.address().database;
    CW_TRY_ASSIGN(Session *const source, n.source.session(stop));
    CW_TRY_ASSIGN(const QString sql, createDatabaseSql(*source, name, stop));
    Step s = Native::step(QStringLiteral("copy.database"), Side::Target,
                          cwText("core", "Create the database, as the source has it"), {sql});
    s.act = [&n, sql](std::stop_token token) -> Status {
        CW_TRY(n.host.setJournalValue(kMaking, QStringLiteral("1")));
        CW_TRY_ASSIGN(const auto beside, openBeside(n.target.address(), token));
        const Status made = beside->exec(sql, token);
        if (made || made.error().sqlState == QLatin1String("42P04"))
            return {};
        Error e = made.error();
        e.fix = cwText("core", "Create the database on the target by hand, with the source's "
                               "encoding and a locale that the target has, and run this again.");
        return fail(std::move(e));
    };
    return n.host.runSteps({s}, stop);
}

Status noteDatabaseMade(Native &n, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto making, n.host.journalValue(kMaking));
    if (!making || making->isEmpty())
        return {};
    CW_TRY(n.target.setFact(kMade, QStringLiteral("1"), std::move(stop)));
    return n.host.setJournalValue(kMaking, QString());
}

Result<std::optional<Step>> dropTargetDatabase(Native &n, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto made, n.target.fact(kMade, std::move(stop)));
    CW_TRY_ASSIGN(const auto begun, n.host.journalValue(kMade));
    if (!made && (!begun || begun->isEmpty()))
        return std::optional<Step>();
    // At the end there is no state left on the target that would tell.
    CW_TRY(n.host.setJournalValue(kMade, QStringLiteral("1")));
    const QString name = quoteId(n.target.address().database);
    Step s = Native::step(QStringLiteral("cancel.database"), Side::Target,
                          cwText("core", "Drop the database that was made, if it is empty"),
                          {QStringLiteral("DROP DATABASE %1").arg(name)});
    s.act = [&n, name](std::stop_token token) -> Status {
        CW_TRY_ASSIGN(const bool gone, isMissing(n, token));
        if (gone)
            return {};
        CW_TRY_ASSIGN(const auto there,
                      n.target.query(QStringLiteral("SELECT count(*) FROM pg_catalog.pg_class c "
                                                    "JOIN pg_catalog.pg_namespace n ON n.oid = "
                                                    "c.relnamespace WHERE n.nspname !~ '^pg_' AND "
                                                    "n.nspname <> 'information_schema'"),
                                     token));
        const bool empty = there.text(0, 0) == QLatin1String("0");
        n.target.dropSession();
        Status dropped;
        if (empty) {
            CW_TRY_ASSIGN(const auto beside, openBeside(n.target.address(), token));
            dropped = beside->exec(QStringLiteral("DROP DATABASE %1").arg(name), token);
        }
        if (!empty || !dropped) {
            n.host.event(QStringLiteral("warning"),
                         empty
                             ? QStringLiteral("The database that was made on the target stays: ") +
                                   dropped.error().describe()
                             : QStringLiteral("The database that was made on the target stays: "
                                              "somebody has put something into it."));
        }
        return {};
    };
    return std::optional<Step>(std::move(s));
}

Result<Step> settingsStep(Native &n, std::stop_token stop)
{
    Step s = Native::step(QStringLiteral("replica.settings"), Side::Target,
                          cwText("core", "Give the database the settings of the source's"));
    CW_TRY_ASSIGN(
        const auto rows,
        n.source.query(QStringLiteral("SELECT c FROM pg_catalog.pg_db_role_setting s, "
                                      "pg_catalog.unnest(s.setconfig) AS c WHERE s.setrole = 0 "
                                      "AND s.setdatabase = (SELECT oid FROM "
                                      "pg_catalog.pg_database WHERE datname = current_database()) "
                                      "ORDER BY 1"),
                       std::move(stop)));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const QString setting = rows.text(i, 0);
        const qsizetype equals = setting.indexOf(QLatin1Char('='));
        const QString name = setting.left(equals), value = setting.mid(equals + 1);
        // That one is how a server is closed.
        if (name == QLatin1String("default_transaction_read_only"))
            continue;
        QStringList quoted;
        for (const QString &part : name.split(QLatin1Char('.')))
            quoted << quoteId(part);
        s.shownSql << QStringLiteral("ALTER DATABASE %1 SET %2 TO %3")
                          .arg(quoteId(n.target.address().database), quoted.join(QLatin1Char('.')),
                               isList(name) && !value.isEmpty() ? value : quoteText(value));
    }
    s.act = [&n, sql = s.shownSql](std::stop_token token) -> Status {
        for (const QString &one : sql) {
            const Status set = n.target.act({one}, token);
            if (set)
                continue;
            if (token.stop_requested() || set.error().sqlState.isEmpty())
                return set;
            // Another version, or a right that the account lacks: the data is none the worse.
            n.host.event(
                QStringLiteral("warning"),
                QStringLiteral("Not set on the target: %1: %2").arg(one, set.error().describe()));
        }
        return {};
    };
    return s;
}

} // namespace causeway::postgres
