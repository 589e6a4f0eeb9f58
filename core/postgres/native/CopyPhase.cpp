#include "postgres/native/AccountSettings.h"
#include "postgres/native/Carry.h"
#include "postgres/native/Drift.h"
#include "postgres/native/Fence.h"
#include "postgres/native/Native.h"

#include "base/Stop.h"

#include <QSet>

#include <deque>
#include <limits>

/// Draft -> copied. Publication before slot, schema before rows, and of the schema only what a copy
/// needs: tables, primary keys, replica identities. The subscription copies each table from a
/// snapshot of its own and lets it catch up with the others by itself.
namespace causeway::postgres {

namespace {
constexpr std::chrono::milliseconds kTick{250};

Step stateStep(Native &n, Side side)
{
    Server &server = n.on(side);
    Step s = Native::step(side == Side::Source ? QStringLiteral("copy.state-source")
                                               : QStringLiteral("copy.state-target"),
                          side, cwText("core", "Create Causeway's state"), server.createStateSql());
    s.act = [&n, &server, side](std::stop_token stop) -> Status {
        CW_TRY(server.createState(stop));
        if (side == Side::Target)
            CW_TRY(noteDatabaseMade(n, stop));
        return server.setFact(fact::selection, n.host.selectionOn(side).encode(), stop);
    };
    return s;
}

Step accountStep(Native &n, Side side, int version)
{
    Server &server = n.on(side);
    Step s = Native::step(side == Side::Source ? QStringLiteral("copy.account-source")
                                               : QStringLiteral("copy.account-target"),
                          side,
                          cwText("core",
                                 "Keep time-outs and styles of the database from what "
                                 "replication does in the name of %1, until finish",
                                 server.address().user),
                          accountSettingsSql(server, version));
    s.act = [&n, &server](std::stop_token stop) -> Status {
        CW_TRY_ASSIGN(const bool set, setAccountSettings(server, stop));
        if (!set) {
            n.host.event(QStringLiteral("warning"),
                         QStringLiteral("The account may not change settings of its own on %1: "
                                        "time-outs of that database may end the copy of a table.")
                             .arg(server.display()));
        }
        return {};
    };
    return s;
}

/// Functional, since nothing else tells: firewalls, names, pg_hba, certificates are the *servers'*
/// own view of each other.
Step reachStep(Native &n, Roles roles)
{
    const Address address = n.host.addressFromPeer(roles.leader);
    Step s = Native::step(
        roles.leader == Side::Source ? QStringLiteral("copy.reach-source")
                                     : QStringLiteral("copy.reach-target"),
        roles.follower,
        cwText("core", "See whether %1 reaches %2, with a subscription that is dropped at once",
               n.on(roles.follower).display(), address.display()),
        {QStringLiteral("CREATE SUBSCRIPTION causeway_%1_probe CONNECTION %2 PUBLICATION "
                        "causeway_%1_probe WITH (create_slot = false, slot_name = NONE, enabled = "
                        "false, copy_data = false)")
             .arg(n.names.migration(), quoteText(connectionString(address, false))),
         QStringLiteral("DROP SUBSCRIPTION causeway_%1_probe").arg(n.names.migration())});
    s.act = [&n, roles, address](std::stop_token stop) {
        return probeReach(n.on(roles.follower), n.on(roles.leader), address, std::move(stop));
    };
    return s;
}

Step publicationStep(Native &n, const Scope &scope, int version)
{
    Step s = Native::step(QStringLiteral("copy.publication"), Side::Source,
                          cwText("core", "Publish the tables"),
                          createPublicationSql(n.source, scope, version));
    s.check = [&n](std::stop_token stop) { return hasPublication(n.source, std::move(stop)); };
    s.act = [&n, &scope](std::stop_token stop) {
        return createPublication(n.source, scope, std::move(stop));
    };
    return s;
}

Step slotStep(Native &n)
{
    const QString name = n.names.stream(Side::Source);
    Step s = Native::step(
        QStringLiteral("copy.slot"), Side::Source,
        cwText("core", "Create the slot that keeps changes for the target, once every transaction "
                       "that is writing now has ended"),
        {createSlotSql(name)});
    s.check = [&n](std::stop_token stop) -> Result<bool> {
        CW_TRY_ASSIGN(const SlotState now, readSlot(n.source, Side::Source, stop));
        return now.exists;
    };
    s.act = [&n](std::stop_token stop) {
        return createSlot(
            n.source,
            [&n](const QString &who) {
                n.host.activity(cwText("core", "The slot waits for: %1", who));
                (void)n.host.tick();
            },
            std::move(stop));
    };
    return s;
}

Step subscriptionStep(Native &n, SubscriptionOptions options)
{
    const Address address = n.host.addressFromPeer(Side::Source);
    options.copy = true;
    options.enabled = true;
    Step s = Native::step(QStringLiteral("copy.subscription"), Side::Target,
                          cwText("core", "Subscribe: the target copies the rows and follows. Its "
                                         "server keeps the password of the account until finish"),
                          {createSubscriptionSql(n.names, address, Side::Source, options)});
    s.check = [&n](std::stop_token stop) -> Result<bool> {
        CW_TRY_ASSIGN(const SubscriptionState now, readSubscription(n.target, Side::Source, stop));
        return now.exists;
    };
    s.act = [&n, address, options](std::stop_token stop) {
        return createSubscription(n.target, address, Side::Source, options, std::move(stop));
    };
    return s;
}

void showTables(Native &n, const Scope &scope)
{
    std::map<TableName, TableProgress> roots;
    for (const ScopeTable &t : scope.tables) {
        TableProgress &p = roots[t.root];
        p.name = t.root.display();
        p.rowsEstimate += t.rows;
        p.bytesEstimate += t.bytes;
    }
    n.host.show([&](Snapshot &s) {
        if (s.tables.size() == roots.size())
            return;
        s.tables.clear();
        for (auto &[name, progress] : roots)
            s.tables.push_back(progress);
    });
}

/// The copy of a table that cannot succeed is tried again by the server for ever, while the
/// subscription's main worker runs and all looks well. Told by failures that go on while no table
/// gets done: a leader that was away for a moment gives some, and then no more. (15 and later:
/// older servers count nothing.)
class CopyFailures {
public:
    bool goOn(const SubscriptionState &now)
    {
        const auto time = Clock::now();
        if (now.notReady != m_notReady) {
            m_notReady = now.notReady;
            m_rises.clear();
        } else if (now.syncErrors > m_errors) {
            m_rises.push_back(time);
        }
        m_errors = now.syncErrors;
        while (!m_rises.empty() && time - m_rises.front() > kRemember)
            m_rises.pop_front();
        return m_rises.size() >= kRises && m_rises.back() - m_rises.front() >= kLasting;
    }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::size_t kRises = 4;
    static constexpr std::chrono::seconds kLasting{15};
    static constexpr std::chrono::seconds kRemember{60};
    std::deque<Clock::time_point> m_rises;
    qint64 m_errors = std::numeric_limits<qint64>::max(); ///< those before us do not count
    int m_notReady = -1;
};

Error copyFails(Native &n, std::stop_token stop)
{
    QStringList withRows;
    const auto relations = readRelations(n.target, Side::Source, stop);
    for (const auto &[name, progress] :
         relations.value_or(std::map<TableName, RelationProgress>())) {
        if (progress.state == RelationState::Ready)
            continue;
        const auto there = n.target.query(
            QStringLiteral("SELECT EXISTS (SELECT FROM ONLY %1)").arg(quoteName(name)), stop);
        if (there && there->isTrue(0, 0))
            withRows << name.display();
    }
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("pg-copy-fails");
    e.object = withRows.join(QStringLiteral(", "));
    e.message = withRows.isEmpty()
                    ? cwText("core", "%1 fails again and again to copy a table from %2.",
                             n.target.display(), n.source.display())
                    : cwText("core",
                             "%1 fails again and again to copy: it holds rows already in %2, which "
                             "somebody else has written.",
                             n.target.display(), e.object);
    e.fix = withRows.isEmpty()
                ? cwText("core", "The log of that server says why. Mend it, then run the migration "
                                 "again: it goes on.")
                : cwText("core", "Keep everybody else from writing there, empty these tables there "
                                 "(TRUNCATE as Causeway's account, or after SET "
                                 "session_replication_role = replica), then run the migration "
                                 "again: it goes on.");
    return e;
}

Status waitCopied(Native &n, std::stop_token stop)
{
    CopyFailures failures;
    for (;;) {
        CW_TRY_ASSIGN(const SubscriptionState now, readSubscription(n.target, Side::Source, stop));
        if (!now.exists) {
            return fail(ErrorCode::NotReady,
                        cwText("core", "The subscription on %1 is gone.", n.target.display()),
                        QStringLiteral("pg-no-subscription"));
        }
        if (now.allReady && now.tables > 0) {
            n.observer.look(n.host, n.source, n.target, Observer::Tables::Now);
            return {};
        }
        if (!now.enabled)
            CW_TRY(enableSubscription(n.target, Side::Source, stop));
        if (failures.goOn(now))
            return fail(copyFails(n, stop));
        CW_TRY(n.idle(Roles{}));
        if (!pauseFor(stop, kTick))
            return fail(cancelledError());
    }
}

/// Before the first row comes: an application that looks for a writable server, while the source is
/// away for a moment, would write into the copy.
Step closeTarget(Native &n, const Scope &scope)
{
    Step s = Native::step(
        QStringLiteral("copy.close-target"), Side::Target,
        cwText("core", "Close the target for everybody but replication until the switch"),
        Fence::sealSql(n.target, scope));
    s.act = [&n](std::stop_token stop) -> Status {
        CW_TRY_ASSIGN(const Scope made, n.scopeOn(Side::Target, stop));
        return Fence(n.target).close(made, stop);
    };
    return s;
}

Error noWayBack(const Native &n, const Text &why)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("pg-no-way-back");
    e.object = n.target.display();
    e.message = cwText("core", "After the switch there would be no way back: %1", why.english());
    e.fix = cwText("core", "Mend that, or accept it: run --accept one-way.");
    return e;
}
} // namespace

Status copyPhase(Native &n, std::stop_token stop)
{
    CW_TRY(n.host.setPhase(Phase::Copying));
    CW_TRY(createTargetDatabase(n, stop));
    const bool oneWay = n.settings().oneWayAccepted;
    if (!oneWay) {
        // Known before anything is copied, not when somebody wants to go back.
        CW_TRY_ASSIGN(const Support back, wayBack(n, stop));
        if (!back.yes)
            return fail(noWayBack(n, back.why));
    }
    CW_TRY_ASSIGN(const int version, n.source.version(stop));
    CW_TRY_ASSIGN(const int there, n.target.version(stop));
    CW_TRY(n.host.runSteps({stateStep(n, Side::Source), stateStep(n, Side::Target),
                            accountStep(n, Side::Source, version),
                            accountStep(n, Side::Target, there)},
                           stop));
    CW_TRY_ASSIGN(const auto copied, n.target.fact(fact::copied, stop));
    if (copied)
        return {};
    CW_TRY_ASSIGN(const SubscriptionState subscription,
                  readSubscription(n.target, Side::Source, stop));
    CW_TRY_ASSIGN(const Scope scope, n.scopeOn(Side::Source, stop));
    showTables(n, scope);
    if (!subscription.exists) {
        if (scope.tables.empty()) {
            return fail(ErrorCode::NotReady,
                        cwText("core", "The selection matches no table of the source."),
                        QStringLiteral("empty-selection"));
        }
        if (takesLargeObjects(n.settings().selection))
            CW_TRY(refuseForeignLargeObjects(n.source, n.target, stop));
        std::vector<Step> reach{reachStep(n, Roles{})};
        if (!oneWay)
            reach.push_back(reachStep(n, Roles{Side::Target, Side::Source}));
        CW_TRY(n.host.runSteps(reach, stop));
    }
    CW_TRY(learnSchema(n, stop));
    CW_TRY_ASSIGN(const SubscriptionOptions options, n.optionsFor(Roles{}, stop));
    Step tables = schemaStep(n, SchemaPhase::Before, QStringLiteral("copy.tables"),
                             cwText("core", "Create types, tables and their primary keys"));
    tables.check = [&n](std::stop_token token) -> Result<bool> {
        CW_TRY_ASSIGN(const auto done, n.target.fact(fact::tables, token));
        return done.has_value();
    };
    tables.act = [&n, &scope, make = tables.act](std::stop_token token) -> Status {
        CW_TRY(make(token));
        CW_TRY_ASSIGN(Session *const session, n.source.session(token));
        CW_TRY_ASSIGN(const QString read, schemaFingerprint(*session, scope, token));
        CW_TRY(n.target.setFact(fact::schemaRead, read, token));
        return n.target.setFact(fact::tables, QStringLiteral("1"), token);
    };
    CW_TRY(n.host.runSteps({publicationStep(n, scope, version), tables, closeTarget(n, scope),
                            slotStep(n), subscriptionStep(n, options)},
                           stop));
    n.host.activity(cwText("core", "The target copies the rows from the source."));
    CW_TRY(waitCopied(n, stop));
    CW_TRY(n.host.runSteps({schemaStep(n, SchemaPhase::Indexes, QStringLiteral("copy.indexes"),
                                       cwText("core", "Build the other indexes"))},
                           stop));
    return n.target.setFact(fact::copied, QStringLiteral("1"), stop);
}

} // namespace causeway::postgres
