#include "mysql/FencePlan.h"

#include <QMap>
#include <QSet>

#include <algorithm>

namespace causeway::mysql {

namespace {

const QString kSystemSchemas = QStringLiteral(
    "('mysql', 'sys', 'information_schema', 'performance_schema', 'ndbinfo', '_causeway')");

/// The rights that let one set read_only, and write under it: the applier must, or the way back is
/// closed.
QStringList readOnlyRights(const SealFacts &f)
{
    if (f.mariaDb) {
        // MariaDB 10.11 took the right to write under read_only out of SUPER.
        return f.version >= 100502 ? QStringList{QStringLiteral("READ_ONLY ADMIN")}
                                   : QStringList{QStringLiteral("SUPER")};
    }
    return f.version >= 80000 ? QStringList{QStringLiteral("SYSTEM_VARIABLES_ADMIN"),
                                            QStringLiteral("CONNECTION_ADMIN")}
                              : QStringList{QStringLiteral("SUPER")};
}

bool holds(const SealFacts &f, const QString &right)
{
    if (f.grants.has(right) || (right == QLatin1String("READ_ONLY ADMIN") &&
                                f.grants.has(QStringLiteral("READ ONLY ADMIN"))))
        return true;
    // SUPER stands for all of them, but on MariaDB from 10.11 on.
    return (!f.mariaDb || f.version < 101100) && f.grants.has(QStringLiteral("SUPER"));
}

/// FLUSH TABLES WITH READ LOCK.
bool mayLockServer(const SealFacts &f)
{
    return f.grants.has(QStringLiteral("RELOAD")) ||
           (!f.mariaDb && f.grants.has(QStringLiteral("FLUSH_TABLES")));
}

/// A service can keep SET GLOBAL to itself and offer a routine instead; our applier must be able to
/// write under it all the same.
bool byProvider(const SealFacts &f)
{
    const QString set = QStringLiteral("SYSTEM_VARIABLES_ADMIN");
    const QStringList rights = readOnlyRights(f);
    return f.providerRoutine && mayLockServer(f) && (f.refused || !holds(f, set)) &&
           std::all_of(rights.begin(), rights.end(),
                       [&](const QString &r) { return r == set || holds(f, r); });
}

} // namespace

bool mayBrace(const SealFacts &f)
{
    // Three triggers for each table take a disk some 50 ms, at each switch: so many and no more.
    constexpr std::size_t kMostBraced = 200;
    return !f.keepsSettings && f.tables.size() <= kMostBraced && missingForTriggers(f).isEmpty() &&
           (!f.untrusted || f.grants.has(QStringLiteral("SUPER")));
}

Result<Grants> readGrants(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet r, s.query(QStringLiteral("SHOW GRANTS"), stop));
    QStringList lines;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        lines << r.text(i, std::size_t(0));
    CW_TRY_ASSIGN(const ResultSet partial,
                  s.query(QStringLiteral("SHOW GLOBAL VARIABLES LIKE 'partial_revokes'"), stop));
    const bool literal = !partial.rows.empty() && partial.text(0, 1) == QLatin1String("ON");
    return Grants::parse(lines, !literal);
}

Result<SealFacts> readSealFacts(Session &s, const Selection &selection, std::stop_token stop)
{
    SealFacts f;
    f.account = s.address().user;
    f.mariaDb = s.isMariaDb();
    f.version = s.version();
    CW_TRY_ASSIGN(f.grants, readGrants(s, stop));
    CW_TRY_ASSIGN(const ResultSet log,
                  s.query(QStringLiteral("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', "
                                         "'log_bin_trust_function_creators')"),
                          stop));
    bool binlog = false, trusted = false;
    for (std::size_t i = 0; i < log.rows.size(); ++i) {
        const bool on = log.text(i, 1) == QLatin1String("ON");
        (log.text(i, std::size_t(0)) == QLatin1String("log_bin") ? binlog : trusted) = on;
    }
    f.untrusted = binlog && !trusted;
    if (!f.mariaDb && f.version >= 80000) {
        // A server that was started without any option file does not read what was persisted either
        // (--no-defaults). Where this cannot be seen, it is as usual.
        const auto files =
            s.query(QStringLiteral("SELECT COUNT(*) FROM performance_schema.variables_info WHERE "
                                   "variable_path<>''"),
                    stop);
        CW_TRY_ASSIGN(const ResultSet load,
                      s.query(QStringLiteral("SELECT @@GLOBAL.persisted_globals_load"), stop));
        f.keepsSettings = load.text(0, std::size_t(0)) == QLatin1String("1") &&
                          (!files || files->text(0, std::size_t(0)) != QLatin1String("0"));
    }
    CW_TRY_ASSIGN(const ResultSet routine,
                  s.query(QStringLiteral("SELECT 1 FROM information_schema.routines WHERE "
                                         "routine_schema='mysql' AND "
                                         "routine_name='rds_set_read_only'"),
                          stop));
    f.providerRoutine = !routine.rows.empty();

    CW_TRY_ASSIGN(
        const ResultSet r,
        s.query(QStringLiteral("SELECT table_schema, table_name FROM information_schema.tables "
                               "WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND "
                               "table_schema NOT IN %1 ORDER BY table_schema, table_name")
                    .arg(kSystemSchemas),
                stop));
    QMap<QString, qint64> beside; // schema -> tables that do not move
    QSet<QString> looked;
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        const TableName t{r.text(i, std::size_t(0)), r.text(i, 1)};
        looked.insert(t.schema);
        if (t.name.startsWith(QLatin1String("_causeway_")))
            continue;
        if (selection.matches(t))
            f.tables.push_back(t);
        else
            ++beside[t.schema];
    }
    for (auto it = beside.cbegin(); it != beside.cend(); ++it) {
        f.others << (selection.schemas.contains(it.key())
                         ? QStringLiteral("%1 (%2 tables that do not move)")
                               .arg(it.key())
                               .arg(it.value())
                         : it.key());
    }
    // What the account may not look into may be full.
    if (!f.grants.has(QStringLiteral("SELECT"))) {
        CW_TRY_ASSIGN(const ResultSet all,
                      s.query(QStringLiteral("SELECT schema_name FROM information_schema.schemata "
                                             "WHERE schema_name NOT IN %1 ORDER BY 1")
                                  .arg(kSystemSchemas),
                              stop));
        for (std::size_t i = 0; i < all.rows.size(); ++i) {
            const QString name = all.text(i, std::size_t(0));
            if (!looked.contains(name) && !selection.schemas.contains(name))
                f.others << name;
        }
    }
    return f;
}

Result<std::vector<TableName>> tablesToFence(Session &s, const Selection &selection,
                                             std::stop_token stop)
{
    QStringList schemas;
    for (const QString &name : selection.schemas)
        schemas << quoteText(name);
    CW_TRY_ASSIGN(
        const ResultSet r,
        s.query(QStringLiteral("SELECT table_schema, table_name FROM information_schema.tables "
                               "WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND %1 "
                               "ORDER BY table_schema, table_name")
                    .arg(schemas.isEmpty() ? QStringLiteral("table_schema NOT IN ") + kSystemSchemas
                                           : QStringLiteral("table_schema IN (%1)")
                                                 .arg(schemas.join(QLatin1Char(',')))),
                stop));
    std::vector<TableName> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        const TableName t{r.text(i, std::size_t(0)), r.text(i, 1)};
        if (!t.name.startsWith(QLatin1String("_causeway_")) && selection.matches(t))
            out.push_back(t);
    }
    return out;
}

QStringList missingForReadOnly(const SealFacts &f)
{
    QStringList out;
    if (!mayLockServer(f))
        out << QStringLiteral("RELOAD ON *.*");
    for (const QString &right : readOnlyRights(f)) {
        if (!holds(f, right))
            out << right + QStringLiteral(" ON *.*");
    }
    return out;
}

QStringList missingForTriggers(const SealFacts &f)
{
    QStringList out;
    for (const TableName &t : f.tables) {
        for (const char *right : {"TRIGGER", "SELECT", "LOCK TABLES"}) {
            if (f.grants.has(QString::fromLatin1(right), t))
                continue;
            const QString text =
                QStringLiteral("%1 ON %2.*").arg(QString::fromLatin1(right), quoteId(t.schema));
            if (!out.contains(text))
                out << text;
        }
    }
    return out;
}

SealChoice chooseSeal(const SealFacts &f, FenceKind wish)
{
    const QStringList noReadOnly = missingForReadOnly(f);
    const QStringList noTriggers = missingForTriggers(f);
    const bool trust = f.untrusted && !f.grants.has(QStringLiteral("SUPER"));
    const bool readOnly = (noReadOnly.isEmpty() && !f.refused) || byProvider(f);
    const bool triggers = noTriggers.isEmpty() && !trust;
    const Text whyNotReadOnly =
        !noReadOnly.isEmpty()
            ? cwText("core",
                     "The account %1 may not close the server by read_only and write "
                     "under it: it lacks %2.",
                     f.account, noReadOnly.join(QStringLiteral(", ")))
            : cwText("core", "This server refuses to set read_only, and has no routine for it.");
    const Text whyNotTriggers =
        !noTriggers.isEmpty()
            ? cwText("core", "The account %1 may not close the tables by triggers: it lacks %2.",
                     f.account, noTriggers.join(QStringLiteral(", ")))
            : cwText("core",
                     "The account %1 may not create triggers: with the binary log on, the server "
                     "wants SUPER or log_bin_trust_function_creators=1 (error 1419).",
                     f.account);
    const bool preferTriggers =
        wish == FenceKind::Triggers || (wish == FenceKind::Auto && !f.others.isEmpty());

    SealChoice c;
    const auto take = [&](bool withTriggers) {
        c.kind = withTriggers    ? QStringLiteral("triggers")
                 : byProvider(f) ? QStringLiteral("provider")
                                 : QStringLiteral("read_only");
        c.persist = c.kind == QLatin1String("read_only") && !f.mariaDb && f.version >= 80000;
        c.brace = c.kind == QLatin1String("read_only") && mayBrace(f);
    };
    const bool first = preferTriggers ? triggers : readOnly;
    const bool second = preferTriggers ? readOnly : triggers;
    if (first) {
        take(preferTriggers);
        return c;
    }
    c.instead = preferTriggers ? whyNotTriggers : whyNotReadOnly;
    if (second && wish == FenceKind::Auto) {
        take(!preferTriggers);
        return c;
    }
    // With no rights at all, what triggers need is the lesser thing to ask for.
    if (wish == FenceKind::ReadOnly) {
        c.limitation = whyNotReadOnly;
        c.missing = noReadOnly;
    } else {
        c.limitation = whyNotTriggers;
        c.missing = noTriggers;
        c.needsTrust = trust;
    }
    return c;
}

Result<SealChoice> chooseSeal(Session &s, SealFacts &facts, FenceKind wish, std::stop_token stop)
{
    if (missingForReadOnly(facts).isEmpty()) {
        const Status set =
            s.exec(QStringLiteral("SET GLOBAL read_only = @@GLOBAL.read_only"), std::move(stop));
        if (!set && set.error().code != ErrorCode::Server)
            return fail(set.error());
        facts.refused = !set;
    }
    return chooseSeal(facts, wish);
}

FenceForecast forecastOf(const SealFacts &facts, const SealChoice &choice)
{
    // Three triggers for each table: what an idle server with a disk of its own takes, and one that
    // shares two cores and a disk with both servers and an application (74 to 130 ms were measured
    // there). A check writes nothing, so that this one cannot be measured; the seal itself says
    // what it took.
    constexpr FenceForecast::Seconds kToMake{0.012, 0.130}, kToRemove{0.006, 0.065};
    const auto each = [&](const FenceForecast::Seconds &s) {
        const auto n = static_cast<double>(facts.tables.size());
        return FenceForecast::Seconds{s.least * n, s.most * n};
    };
    FenceForecast f;
    f.kind = choice.kind;
    f.limitation = choice.limitation;
    f.others = facts.others;
    f.tables = static_cast<qint64>(facts.tables.size());
    f.forgotten = f.kind == QLatin1String("read_only") && !facts.keepsSettings && !choice.brace;
    if (f.kind == QLatin1String("triggers")) {
        f.seconds = each(kToMake);
        f.toOpen = each(kToRemove);
    }
    return f;
}

} // namespace causeway::mysql
