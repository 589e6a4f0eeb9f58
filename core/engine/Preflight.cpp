#include "base/Stop.h"
#include "engine/Engine.h"
#include "journal/Journal.h"
#include "mysql/checks/CheckList.h"
#include "postgres/checks/Context.h"

#include <algorithm>

namespace causeway {

namespace {

/// The checks of one migration. They hold what was read of the servers: made anew for each run.
struct Suite {
    std::vector<Check> checks;
    std::function<Result<ServerFacts>(std::stop_token)> sourceFacts, targetFacts;
    /// Runs the SQL of a finding's fix where it was found.
    std::function<Status(const Finding &, std::stop_token)> runSql;
};

template <class Context>
std::function<Result<ServerFacts>(std::stop_token)> factsOf(const std::shared_ptr<Context> &context)
{
    if (!context)
        return {};
    return [context](std::stop_token stop) -> Result<ServerFacts> {
        CW_TRY_ASSIGN(const auto *facts, context->facts(std::move(stop)));
        return *facts;
    };
}

/// All of a fix in one session: a SET of the session may lead it.
Status runStatements(const std::shared_ptr<mysql::ServerContext> &server, const QStringList &sql,
                     std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto session,
                  mysql::Session::open(server->address(), mysql::Use::Control, stop));
    for (const QString &statement : sql)
        CW_TRY(session->exec(statement, stop));
    return {};
}

Status runStatements(const std::shared_ptr<postgres::ServerContext> &server, const QStringList &sql,
                     std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto session, postgres::Session::open(server->address(), stop));
    for (const QString &statement : sql)
        CW_TRY(session->exec(statement, stop));
    return {};
}

template <class Servers> Suite suiteFrom(const Servers &servers, std::vector<Check> checks)
{
    Suite suite;
    suite.checks = std::move(checks);
    suite.sourceFacts = factsOf(servers.source);
    suite.targetFacts = factsOf(servers.target);
    suite.runSql = [servers](const Finding &f, std::stop_token stop) {
        return runStatements(f.side == FindingSide::Target ? servers.target : servers.source,
                             f.fix.sql, std::move(stop));
    };
    return suite;
}

/// Looks also at the replica that is read in place of the source's primary.
void addReplica(Suite &suite, const Endpoint &source,
                const std::shared_ptr<mysql::ServerContext> &primary, const CheckOptions &options)
{
    mysql::Servers pair;
    pair.source = std::make_shared<mysql::ServerContext>(source, Side::Source, options);
    pair.target = primary;
    for (Check &c : mysql::replicaChecks(pair, options))
        suite.checks.push_back(std::move(c));
    suite.runSql = [replica = pair.source, others = suite.runSql](const Finding &f,
                                                                  std::stop_token stop) {
        return f.server.isEmpty() ? others(f, std::move(stop))
                                  : runStatements(replica, f.fix.sql, std::move(stop));
    };
}

/// An empty list of schemas means the one in the URL, else all that there are.
Status fillSchemas(const Endpoint &source, CheckOptions &options, std::stop_token stop)
{
    if (!options.selection.schemas.isEmpty() || !source.fromHere.isMySqlFamily())
        return {};
    if (!source.fromHere.database.isEmpty()) {
        options.selection.schemas << source.fromHere.database;
        return {};
    }
    CW_TRY_ASSIGN(const auto database, makeDatabase(source.primary()));
    CW_TRY_ASSIGN(options.selection.schemas, database->schemaNames(std::move(stop)));
    return {};
}

Result<Suite> makeSuite(const Endpoint &source, const std::optional<Endpoint> &target,
                        const CheckOptions &given, std::stop_token stop)
{
    if (target && target->fromHere.isMySqlFamily() != source.fromHere.isMySqlFamily()) {
        return fail(ErrorCode::Usage,
                    cwText("core", "A migration from %1 to %2 is not possible.",
                           toString(source.fromHere.engine), toString(target->fromHere.engine)),
                    QStringLiteral("engines-differ"));
    }
    CW_TRY(checkWriter(source));
    CheckOptions options = given;
    CW_TRY(fillSchemas(source, options, std::move(stop)));
    if (source.fromHere.isMySqlFamily()) {
        mysql::Servers servers;
        Endpoint primary = source;
        primary.fromHere = source.primary();
        servers.source = std::make_shared<mysql::ServerContext>(primary, Side::Source, options);
        if (target)
            servers.target = std::make_shared<mysql::ServerContext>(*target, Side::Target, options);
        Suite suite = suiteFrom(servers, mysql::allChecks(servers, options));
        if (source.readsFromReplica())
            addReplica(suite, source, servers.source, options);
        return suite;
    }
    postgres::Servers servers;
    servers.source = std::make_shared<postgres::ServerContext>(source, Side::Source, options);
    if (target)
        servers.target = std::make_shared<postgres::ServerContext>(*target, Side::Target, options);
    return suiteFrom(servers, postgres::allChecks(servers, options));
}

} // namespace

Result<CheckReport> runPreflight(const Endpoint &source, const std::optional<Endpoint> &target,
                                 const CheckOptions &options,
                                 const std::function<void(const Finding &)> &onFinding,
                                 std::stop_token stop)
{
    CW_TRY_ASSIGN(const Suite suite, makeSuite(source, target, options, stop));
    CheckReport report;
    report.sourceAddress = source.primary().display();
    // A server that cannot be reached is one error, not thirty unknown findings.
    CW_TRY_ASSIGN(report.source, suite.sourceFacts(stop));
    if (target) {
        report.targetAddress = target->fromHere.display();
        CW_TRY_ASSIGN(report.target, suite.targetFacts(stop));
    }
    report.findings = runChecks(suite.checks, options, onFinding, stop);
    if (stop.stop_requested())
        return fail(cancelledError());
    return report;
}

CheckOptions checkOptions(const Settings &settings)
{
    CheckOptions options;
    options.selection = settings.selection;
    options.once = settings.mode == Mode::Once;
    options.fence = settings.fence;
    options.targetFence = settings.targetFence;
    options.lockAccounts = settings.lockAccounts;
    options.oneWay = settings.oneWayAccepted;
    options.route = settings.route;
    options.bytesPerSecond = settings.throttleBytesPerSecond;
    return options;
}

std::vector<CheckInfo> describeChecks(Engine engine)
{
    // Contexts connect only when a check looks.
    Endpoint nowhere;
    nowhere.fromHere.engine = engine;
    nowhere.fromHere.database = QStringLiteral("x");
    CheckOptions options;
    options.selection.schemas << nowhere.fromHere.database;
    std::vector<CheckInfo> out;
    if (const auto suite = makeSuite(nowhere, nowhere, options, {})) {
        for (const Check &c : suite->checks) {
            const bool known = std::any_of(out.begin(), out.end(),
                                           [&](const CheckInfo &i) { return i.id == c.id; });
            if (!known)
                out.push_back({c.id, c.title, c.why});
        }
    }
    return out;
}

Result<QStringList> preflightSql(const Endpoint &source, const std::optional<Endpoint> &target,
                                 const CheckOptions &options, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Suite suite, makeSuite(source, target, options, std::move(stop)));
    QStringList out;
    for (const Check &c : suite.checks) {
        if (c.shownSql.isEmpty() || (c.isProbe && !options.probes) ||
            (c.readsRows && !options.data.wanted))
            continue;
        out << QStringLiteral("-- %1 (%2)%3")
                   .arg(c.id, toString(c.side), c.isProbe ? QStringLiteral(", writes") : QString());
        for (const QString &sql : c.shownSql)
            out << sql + QLatin1Char(';');
    }
    return out;
}

Result<AppliedFix> applyFix(const Endpoint &source, const std::optional<Endpoint> &target,
                            const CheckOptions &options, const QString &id, std::stop_token stop)
{
    // Fixes are made for what is found now, not for what a report of last week said.
    CW_TRY_ASSIGN(Suite suite, makeSuite(source, target, options, stop));
    const auto keepOnly = [&id](std::vector<Check> &checks) {
        std::erase_if(checks, [&id](const Check &c) { return c.id != id; });
    };
    keepOnly(suite.checks);
    if (suite.checks.empty()) {
        return fail(ErrorCode::Usage, cwText("core", "There is no check \"%1\" here.", id),
                    QStringLiteral("no-such-check"));
    }
    const auto isOpen = [](const Finding &f) {
        return f.status == FindingStatus::Warning || f.status == FindingStatus::Blocker ||
               f.status == FindingStatus::Info;
    };
    const auto before = runChecks(suite.checks, options, {}, stop);
    const auto it = std::find_if(before.begin(), before.end(),
                                 [&](const Finding &f) { return isOpen(f) && f.fix.canApply; });
    if (it == before.end()) {
        const auto open = std::find_if(before.begin(), before.end(), isOpen);
        if (open == before.end())
            return AppliedFix{before.front(), before.front(), false};
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("fix-by-hand");
        e.message = cwText("core", "Causeway does not apply the fix of \"%1\" itself.", id);
        e.fix = open->fix.text;
        return fail(std::move(e));
    }
    CW_TRY(suite.runSql(*it, stop));
    CW_TRY_ASSIGN(Suite again, makeSuite(source, target, options, stop));
    keepOnly(again.checks);
    std::erase_if(again.checks,
                  [&](const Check &c) { return c.side != it->side || c.server != it->server; });
    return AppliedFix{*it, runChecks(again.checks, options, {}, stop).front(), true};
}

Result<QStringList> userScript(const Endpoint &endpoint, Side side, const CheckOptions &given,
                               const QString &accountName, std::stop_token stop)
{
    CheckOptions options = given;
    if (side == Side::Source)
        CW_TRY(fillSchemas(endpoint, options, stop));
    if (endpoint.fromHere.isMySqlFamily()) {
        mysql::ServerContext server(endpoint, side, options);
        return mysql::userScript(server, accountName, std::move(stop));
    }
    postgres::ServerContext server(endpoint, side, options);
    return postgres::userScript(server, accountName, std::move(stop));
}

} // namespace causeway
