#include "postgres/native/NativeRoute.h"

#include "base/Stop.h"
#include "postgres/native/Drift.h"
#include "postgres/native/LeftBehind.h"

namespace causeway::postgres {

namespace {
constexpr std::chrono::milliseconds kTick{250};
constexpr auto kDriftEvery = std::chrono::seconds(30);
} // namespace

Result<Roles> NativeRoute::roles(std::stop_token stop)
{
    return m_native.roles(std::move(stop));
}

Result<Phase> NativeRoute::phase(std::stop_token stop)
{
    return derivePhase(m_native, std::move(stop));
}

Result<bool> NativeRoute::isFinishing(std::stop_token stop)
{
    return postgres::isFinishing(m_native, std::move(stop));
}

Result<bool> NativeRoute::isVerified(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto verified, m_native.target.fact(fact::verified, std::move(stop)));
    return verified.has_value();
}

Status NativeRoute::completeSwitch(std::stop_token stop)
{
    return postgres::completeSwitch(m_native, std::move(stop));
}

Status NativeRoute::reopenLeader(std::stop_token stop)
{
    return postgres::reopenLeader(m_native, std::move(stop));
}

Status NativeRoute::copy(std::stop_token stop)
{
    if (m_host.configuration().mode == Mode::Once) {
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("native-once-unsupported");
        e.message = cwText("core", "Mode once is not built for the native route.");
        e.fix = cwText("core", "Move live, or use pg_dump.");
        return fail(std::move(e));
    }
    if (!m_host.configuration().selection.renames.isEmpty()) {
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("native-rename-unsupported");
        e.message = cwText("core", "The native route cannot rename schemas: publication and "
                                   "subscription know a table by one name.");
        e.fix = cwText("core", "Rename after the migration: ALTER SCHEMA ... RENAME TO.");
        return fail(std::move(e));
    }
    return copyPhase(m_native, std::move(stop));
}

Status NativeRoute::becomeReplica(std::stop_token stop)
{
    m_roles = {};
    CW_TRY(replicaPhase(m_native, std::move(stop)));
    m_following = true;
    return {};
}

Status NativeRoute::startFollowing(std::stop_token stop)
{
    CW_TRY_ASSIGN(m_roles, m_native.roles(stop));
    if (m_roles.leader == Side::Target && m_host.configuration().oneWayAccepted) {
        m_following = false;
        return {};
    }
    CW_TRY(requireNoDrift(m_native, m_roles, stop));
    CW_TRY(ensureStreaming(m_native, m_roles, stop));
    m_following = true;
    return {};
}

Status NativeRoute::catchUpNow(std::stop_token stop)
{
    CW_TRY_ASSIGN(m_roles, m_native.roles(stop));
    if (m_roles.leader == Side::Target && m_host.configuration().oneWayAccepted)
        return {};
    CW_TRY(m_native.catchUp(m_roles, std::chrono::milliseconds(0), false, std::move(stop)));
    m_native.observer.look(m_host, m_native.on(m_roles.leader), m_native.on(m_roles.follower),
                           Observer::Tables::Now);
    return {};
}

Status NativeRoute::follow(std::stop_token stop)
{
    auto lookAt = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
        CW_TRY(m_native.idle(m_roles));
        if (std::chrono::steady_clock::now() >= lookAt) {
            lookAt = std::chrono::steady_clock::now() + kDriftEvery;
            CW_TRY(ensureStreaming(m_native, m_roles, stop));
            CW_TRY(requireNoDrift(m_native, m_roles, stop));
        }
        if (!pauseFor(stop, kTick))
            break;
    }
    return {};
}

void NativeRoute::observe()
{
    if (m_following)
        m_native.observer.look(m_host, m_native.on(m_roles.leader), m_native.on(m_roles.follower));
}

Result<VerifyReport> NativeRoute::verify(bool repair, std::stop_token stop)
{
    return verifyPhase(m_native, repair, std::move(stop));
}

Status NativeRoute::switchOver(std::stop_token stop)
{
    m_following = false;
    return switchPhase(m_native, std::move(stop));
}

Status NativeRoute::finish(bool oldSourceOpen, std::stop_token stop)
{
    m_following = false;
    return finishPhase(m_native, oldSourceOpen, std::move(stop));
}

Result<bool> NativeRoute::finishWithoutSource(bool oldSourceOpen, std::stop_token stop)
{
    m_following = false;
    return postgres::finishWithoutSource(m_native, oldSourceOpen, std::move(stop));
}

Status NativeRoute::removeLeftBehind(std::stop_token stop)
{
    return postgres::removeLeftBehind(m_native, std::move(stop));
}

Status NativeRoute::cancel(bool discard, std::stop_token stop)
{
    m_following = false;
    return cancelPhase(m_native, discard, std::move(stop));
}

Decision NativeRoute::decisionFor(const Error &e) const
{
    Decision d;
    d.id = e.id;
    d.question = e.message;
    d.detail = e.serverWords;
    d.objects << e.object;
    if (e.id == QLatin1String("apply-error")) {
        if (m_native.trouble && !m_native.trouble->overwrite.isEmpty()) {
            d.choices.push_back(
                {QStringLiteral("overwrite"),
                 cwText("core",
                        "Remove the follower's own rows that are in the way (%1), and go on",
                        static_cast<qint64>(m_native.trouble->overwrite.size()))});
        }
        d.choices.push_back(
            {QStringLiteral("retry"), cwText("core", "Try again, after it was mended by hand")});
        d.choices.push_back({QStringLiteral("stop"), cwText("core", "Leave it stopped")});
        return d;
    }
    if (e.id == QLatin1String("schema-drift")) {
        if (!m_native.driftTakesAPerson)
            d.choices.push_back(
                {QStringLiteral("apply"),
                 cwText("core", "Change the follower's schema likewise: %1", e.fix.english())});
        d.choices.push_back(
            {QStringLiteral("retry"), cwText("core", "Look again, after it was changed by hand")});
        d.choices.push_back({QStringLiteral("stop"), cwText("core", "Leave it stopped")});
        return d;
    }
    d.choices = {
        {QStringLiteral("retry"), cwText("core", "Try again")},
        {QStringLiteral("skip"), cwText("core", "Leave this object out on the target")},
        {QStringLiteral("stop"), cwText("core", "Leave it stopped")},
    };
    return d;
}

Status NativeRoute::settle(const Error &stopped, std::stop_token stop)
{
    if (stopped.id != QLatin1String("apply-error") && stopped.id != QLatin1String("schema-drift"))
        return fail(stopped);
    const QString key = QStringLiteral("answer.") + stopped.id;
    CW_TRY_ASSIGN(const auto answer, m_host.journalValue(key));
    if (!answer || answer->isEmpty() || *answer == QLatin1String("stop"))
        return fail(stopped);
    if (*answer == QLatin1String("apply"))
        return {}; // carried out, and forgotten, where drift is looked for
    // An answer is to one trouble, not to whatever comes.
    CW_TRY(m_host.setJournalValue(key, QString()));
    if (*answer == QLatin1String("overwrite")) {
        if (!m_native.trouble || m_native.trouble->overwrite.isEmpty())
            return fail(stopped);
        CW_TRY_ASSIGN(const Roles roles, m_native.roles(stop));
        Server &follower = m_native.on(roles.follower);
        CW_TRY(removeRowsInTheWay(follower, *m_native.trouble, stop));
        m_host.event(
            QStringLiteral("warning"),
            QStringLiteral("Removed on %1, as answered: %2")
                .arg(follower.display(), m_native.trouble->overwrite.join(QStringLiteral("; "))));
        // What else differs there, nobody knows.
        for (Server *server : {&m_native.source, &m_native.target})
            CW_TRY(server->clearFact(fact::verified, stop));
    }
    m_native.trouble.reset();
    m_native.observer.forget();
    return {};
}

std::vector<StepRecord> NativeRoute::plan() const
{
    std::vector<StepRecord> out;
    const auto add = [&out](const char *id, std::optional<Side> side, const Text &title,
                            const QStringList &sql = {}) {
        StepRecord r;
        r.id = QString::fromLatin1(id);
        r.side = side;
        r.title = title;
        r.shownSql = sql;
        out.push_back(std::move(r));
    };
    const Settings &settings = m_host.configuration();
    const Names names(settings.id);
    const QString fwd = names.stream(Side::Source), rev = names.stream(Side::Target);
    const bool back = !settings.oneWayAccepted;
    add("plan.check", std::nullopt, cwText("core", "Check source and target again"));
    add("copy.state-source", Side::Source, cwText("core", "Create Causeway's state"),
        {QStringLiteral("CREATE SCHEMA IF NOT EXISTS _causeway")});
    add("copy.state-target", Side::Target, cwText("core", "Create Causeway's state"),
        {QStringLiteral("CREATE SCHEMA IF NOT EXISTS _causeway")});
    for (const Side side : {Side::Source, Side::Target}) {
        const bool source = side == Side::Source;
        const Address address = m_host.db(side).address();
        add(source ? "copy.account-source" : "copy.account-target", side,
            cwText("core",
                   "Keep time-outs and styles of the database from what replication does "
                   "in the name of %1, until finish",
                   address.user),
            {QStringLiteral("ALTER ROLE %1 IN DATABASE %2 SET statement_timeout = 0; ...")
                 .arg(quoteId(address.user), quoteId(address.database))});
    }
    add("copy.reach-source", Side::Target,
        cwText("core", "See whether the target's server reaches the source"));
    if (back)
        add("copy.reach-target", Side::Source,
            cwText("core", "See whether the source's server reaches the target"));
    add("copy.publication", Side::Source, cwText("core", "Publish the tables"),
        {QStringLiteral("CREATE PUBLICATION %1 FOR TABLE ...").arg(fwd)});
    add("copy.tables", Side::Target,
        cwText("core", "Create types, tables and their primary keys (pg_dump)"));
    add("copy.close-target", Side::Target,
        cwText("core", "Close the target for everybody but replication until the switch"));
    add("copy.slot", Side::Source,
        cwText("core", "Create the slot that keeps changes for the target"), {createSlotSql(fwd)});
    add("copy.subscription", Side::Target,
        cwText("core", "Subscribe: the target copies the rows and follows. Its server keeps the "
                       "password of the account until finish"),
        {createSubscriptionSql(names, m_host.addressFromPeer(Side::Source), Side::Source,
                               {true, true, false, false})});
    add("copy.indexes", Side::Target, cwText("core", "Build the other indexes"));
    add("replica.constraints", Side::Target,
        cwText("core", "Create the constraints that had to wait"));
    add("replica.foreign-keys", Side::Target,
        cwText("core", "Create the foreign keys, and check every row"));
    add("replica.triggers", Side::Target, cwText("core", "Create triggers, rules and policies"));
    add("replica.views", Side::Target, cwText("core", "Fill the materialised views"));
    add("plan.verify", std::nullopt, cwText("core", "Compare every row of both sides"));
    if (back) {
        add("switch.publication", Side::Target,
            cwText("core", "At the switch: publish the tables of the new leader"),
            {QStringLiteral("CREATE PUBLICATION %1 FOR TABLE ...").arg(rev)});
        add("switch.slot", Side::Target, cwText("core", "Create the slot of the way back"),
            {createSlotSql(rev)});
        add("switch.subscription", Side::Source,
            cwText("core", "Subscribe the old leader to the new one, still disabled. Its server "
                           "keeps the password of the account until finish"),
            {createSubscriptionSql(names, m_host.addressFromPeer(Side::Target), Side::Target, {})});
    }
    add("switch.hold", Side::Source,
        cwText("core", "Hold writes; the server lets go by itself if this ends"),
        {QStringLiteral("LOCK TABLE ... IN SHARE ROW EXCLUSIVE MODE")});
    add("switch.drain", Side::Target,
        cwText("core", "Apply everything up to the last write, and have it on disk"));
    add("switch.sequences", Side::Target,
        cwText("core", "Lift the sequences past those of the old leader"));
    add("switch.seal", Side::Source,
        cwText("core", "Close the old leader for good: triggers that refuse, made under the lock"),
        {QStringLiteral("CREATE TRIGGER %1 BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ...")
             .arg(names.seal())});
    add("switch.stop-stream", Side::Target, cwText("core", "Stop the stream"),
        {QStringLiteral("ALTER SUBSCRIPTION %1 DISABLE").arg(fwd)});
    if (!settings.onSwitched.isEmpty()) {
        add("switch.hook", std::nullopt, cwText("core", "Run the hook command"),
            {settings.onSwitched});
    }
    add("switch.lead", Side::Target,
        cwText("core", "Write down that the target leads: from here on there is no undo"));
    add("complete.open", Side::Target, cwText("core", "Open the target: it takes writes"));
    if (back) {
        add("complete.follow", Side::Source, cwText("core", "The old source follows the target"),
            {QStringLiteral("ALTER SUBSCRIPTION %1 ENABLE").arg(rev)});
    }
    add("plan.finish", std::nullopt,
        cwText("core", "When you say so: drop subscriptions (and the passwords in them), slots and "
                       "publications, and remove Causeway's state from both servers"),
        {QStringLiteral("DROP SCHEMA _causeway CASCADE")});
    return out;
}

} // namespace causeway::postgres
