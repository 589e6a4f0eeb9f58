#include "engine/Context.h"

#include "base/Json.h"
#include "base/Log.h"
#include "base/Secret.h"
#include "base/Stop.h"
#include "engine/Hook.h"
#include "engine/LogKeeping.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSysInfo>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

namespace causeway {

namespace {
bool sameShape(const Table &a, const Table &b, bool compareTypes)
{
    return std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                      [&](const Column &x, const Column &y) {
                          return x.name == y.name && (!compareTypes || (x.typeText == y.typeText &&
                                                                        x.charset == y.charset));
                      });
}
} // namespace

void Live::update(const std::function<void(Snapshot &)> &change)
{
    const std::lock_guard lock(m_mutex);
    change(m_now);
}

std::shared_ptr<const Snapshot> Live::get() const
{
    const std::lock_guard lock(m_mutex);
    auto copy = std::make_shared<Snapshot>(m_now);
    copy->atMs = QDateTime::currentMSecsSinceEpoch();
    return copy;
}

void Live::setClients(Side side, std::vector<LiveClient> clients)
{
    const std::lock_guard lock(m_mutex);
    m_clients[side == Side::Source ? 0 : 1] = std::move(clients);
}

std::vector<LiveClient> Live::clients(Side side) const
{
    const std::lock_guard lock(m_mutex);
    return m_clients[side == Side::Source ? 0 : 1];
}

QString keyOfTable(const TableName &name)
{
    return name.schema + QChar(0x1f) + name.name;
}

TableName tableFromKey(const QString &key)
{
    const qsizetype end = key.indexOf(QChar(0x1f));
    return {key.left(end), key.mid(end + 1)};
}

namespace {
/// Whoever was at work when it was stored is not now: readers shall not think so. The rest, such as
/// a decision that waits, stays for them.
void storeAsIdle(Journal &journal, QJsonObject last)
{
    const QString key = QStringLiteral("run_state");
    const QString state = last.value(key).toString();
    for (const RunState atWork : {RunState::Running, RunState::Stalled, RunState::Pausing}) {
        if (state != toString(atWork))
            continue;
        last.insert(key, toString(RunState::Idle));
        (void)journal.setValue(QStringLiteral("snapshot"), compactJson(last));
    }
}
} // namespace

Context::Context(std::unique_ptr<Journal> j, Settings s, Live &l)
    : journal(std::move(j)), settings(std::move(s)), live(l)
{
    live.update([&](Snapshot &snap) {
        snap.sourceName = settings.source.primary().display();
        snap.targetName = settings.target.fromHere.display();
        snap.oneWay = settings.oneWayAccepted;
        if (const auto steps = journal->steps())
            snap.steps = *steps;
        if (const auto phase = journal->phase())
            snap.phase = *phase;
        // Until the servers are asked: as it was when the file was written last.
        if (snap.phase == Phase::Primary || snap.phase == Phase::SwitchingBack ||
            snap.phase == Phase::Finished)
            snap.roles = {Side::Target, Side::Source};
        if (const auto stored = journal->value(QStringLiteral("snapshot")); stored && *stored) {
            const QJsonObject last = QJsonDocument::fromJson((*stored)->toUtf8()).object();
            snap.restore(last);
            storeAsIdle(*journal, last);
        }
    });
}

Status Context::openDatabases(const Migration::Secrets &secrets)
{
    m_endpoints = {settings.source, settings.target};
    auto &[source, target] = m_endpoints;
    source.fromHere.password = secrets.source;
    if (source.writer)
        source.writer->password = secrets.sourceWriter;
    target.fromHere.password = secrets.target;
    for (const Side side : {Side::Source, Side::Target}) {
        CW_TRY_ASSIGN(m_databases[index(side)], makeDatabase(m_endpoints[index(side)]));
    }
    return {};
}

Address Context::addressFromPeer(Side side) const
{
    const Endpoint &endpoint = side == Side::Source ? settings.source : settings.target;
    const Address &fromHere = m_databases[index(side)]->address();
    if (!endpoint.fromPeer)
        return fromHere;
    Address there = *endpoint.fromPeer;
    there.password = fromHere.password;
    return there;
}

Result<Ledger *> Context::ledger(Side side, std::stop_token stop)
{
    auto &slot = m_ledgers[index(side)];
    if (!slot) {
        CW_TRY_ASSIGN(slot, db(side).ledger(settings.id, stop));
    }
    return slot.get();
}

FenceRequest Context::fenceRequest(Side side) const
{
    FenceRequest request;
    request.selection = selectionOn(side);
    request.isTarget = side == Side::Target;
    request.kind = request.isTarget && settings.targetFence != FenceKind::Auto
                       ? settings.targetFence
                       : settings.fence;
    if (const auto &lease = m_leases[index(side)])
        request.lease = *lease;
    else
        request.lease.migration = settings.id;
    return request;
}

Result<std::unique_ptr<Fence>> Context::fence(Side side, std::stop_token stop)
{
    CW_TRY(lease(side, stop));
    return db(side).fence(fenceRequest(side), std::move(stop));
}

void Context::dropLedgerSessions()
{
    for (auto &ledger : m_ledgers)
        ledger.reset();
}

Result<Lease> Context::lease(Side side, std::stop_token stop)
{
    auto &held = m_leases[index(side)];
    if (held)
        return *held;
    if (!m_holds[index(side)]) {
        CW_TRY_ASSIGN(m_holds[index(side)], db(side).holdLease(settings.id, stop));
    }
    CW_TRY_ASSIGN(Ledger *const l, ledger(side, stop));
    Status created = l->create(stop);
    if (!created && created.error().number == 1290) {
        // Our own seal, of a process before this one: super_read_only keeps us out as well. Only
        // where we closed this server; everybody else stays out.
        CW_TRY_ASSIGN(const auto closed, db(side).fence(fenceRequest(side), stop));
        CW_TRY(closed->admitApplier(stop));
        created = l->create(stop);
    }
    CW_TRY(created);
    const QString holder = QStringLiteral("%1 (process %2)")
                               .arg(QSysInfo::machineHostName())
                               .arg(QCoreApplication::applicationPid());
    CW_TRY_ASSIGN(held, l->takeLease(holder, stop));
    return *held;
}

Result<std::optional<QString>> Context::fact(Side side, const QString &name, std::stop_token stop)
{
    CW_TRY_ASSIGN(Ledger *const l, ledger(side, stop));
    CW_TRY_ASSIGN(const bool there, l->exists(stop));
    if (!there)
        return std::optional<QString>{};
    return l->fact(name, stop);
}

Status Context::setFact(Side side, const QString &name, const QString &value, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Lease held, lease(side, stop));
    CW_TRY_ASSIGN(Ledger *const l, ledger(side, stop));
    return l->setFact(held, name, value, stop);
}

Status Context::clearFact(Side side, const QString &name, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto value, fact(side, name, stop));
    if (!value)
        return {};
    CW_TRY_ASSIGN(const Lease held, lease(side, stop));
    CW_TRY_ASSIGN(Ledger *const l, ledger(side, stop));
    return l->clearFact(held, name, stop);
}

Result<Roles> Context::roles(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto onTarget, fact(Side::Target, fact::leads, stop));
    if (!onTarget)
        return Roles{};
    CW_TRY_ASSIGN(const auto onSource, fact(Side::Source, fact::leads, stop));
    if (onTarget->toInt() > onSource.value_or(QString()).toInt())
        return Roles{Side::Target, Side::Source};
    return Roles{};
}

Result<Phase> Context::derivePhase(std::stop_token stop)
{
    CW_TRY_ASSIGN(const Phase recorded, journal->phase());
    if (recorded == Phase::Finished || recorded == Phase::Cancelled)
        return recorded;
    CW_TRY_ASSIGN(const Roles now, roles(stop));
    if (now.leader == Side::Target)
        return Phase::Primary;
    CW_TRY_ASSIGN(const auto low, fact(Side::Target, fact::lowWatermark, stop));
    if (!low)
        return recorded == Phase::Checked ? Phase::Checked : Phase::Draft;
    CW_TRY_ASSIGN(const auto copied, fact(Side::Target, fact::copyDone, stop));
    if (!copied)
        return Phase::Copying;
    CW_TRY_ASSIGN(const auto complete, fact(Side::Target, fact::complete, stop));
    return complete && *complete != fact::rebuild ? Phase::Replica : Phase::CatchingUp;
}

Status Context::setPhase(Phase phase)
{
    live.update([&](Snapshot &s) {
        s.phase = phase;
        if (phase == Phase::Primary)
            s.roles = {Side::Target, Side::Source};
        else if (phase == Phase::Replica)
            s.roles = {};
    });
    CW_TRY_ASSIGN(const Phase before, journal->phase());
    if (before != phase)
        event(QStringLiteral("info"), QStringLiteral("Phase: %1").arg(toString(phase)));
    return journal->setPhase(phase);
}

Result<std::optional<QString>> Context::journalValue(const QString &name)
{
    return journal->value(name);
}

Status Context::setJournalValue(const QString &name, const QString &value)
{
    return journal->setValue(name, value);
}

Status Context::runHookCommand(const QString &command, const QMap<QString, QString> &environment,
                               std::stop_token stop)
{
    return runHook(command, environment, std::move(stop));
}

void Context::activity(const Text &text)
{
    logInfo(text.english());
    live.update([&](Snapshot &s) {
        s.activity = text;
        s.retrying.clear();
    });
}

void Context::retrying(const Error &why)
{
    Error e = why;
    e.fix = Text(); // in the journal; this is one line
    live.update([&](Snapshot &s) { s.retrying = e.describe(); });
}

void Context::event(const QString &level, const QString &text)
{
    // For showing only: a journal that cannot take it is reported by whatever must be recorded.
    (void)journal->addEvent({QDateTime::currentMSecsSinceEpoch(), level, text});
    logLine(level == QLatin1String("error")     ? LogLevel::Error
            : level == QLatin1String("warning") ? LogLevel::Warning
                                                : LogLevel::Info,
            text);
}

Status Context::runSteps(const std::vector<Step> &steps, std::stop_token stop)
{
    StepRunner runner(*journal);
    runner.onChange = [this](const StepRecord &record) {
        live.update([&](Snapshot &s) {
            const auto it = std::find_if(s.steps.begin(), s.steps.end(),
                                         [&](const StepRecord &r) { return r.id == record.id; });
            if (it == s.steps.end())
                s.steps.push_back(record);
            else
                *it = record;
            if (record.state == StepState::Running) {
                s.activity = record.title;
                s.retrying.clear();
            }
        });
        if (record.state != StepState::Running)
            return;
        logInfo(QStringLiteral("Step %1: %2").arg(record.id, record.title.english()));
    };
    // Who was silent once is not waited for again, and both are asked at once: cancelling takes a
    // second at most.
    std::mutex mutex;
    std::map<Side, bool> silent;
    runner.answers = [&](Side side) {
        const std::lock_guard lock(mutex);
        const Side other = side == Side::Source ? Side::Target : Side::Source;
        if (silent.empty()) {
            auto asked = std::async(std::launch::async, [&] { return answersSoon(other); });
            silent[side] = !answersSoon(side);
            silent[other] = !asked.get();
        } else if (!silent[side]) {
            silent[side] = !answersSoon(side);
        }
        return !silent[side];
    };
    return runner.run(steps, std::move(stop));
}

bool Context::answersSoon(Side side)
{
    std::stop_source cancelled;
    cancelled.request_stop();
    const StopAfter soon(cancelled.get_token(), kGraceAfterCancel);
    return db(side).facts(soon.token()).has_value();
}

/// On a thread of its own: a server that does not answer must not keep the engine from being
/// cancelled.
void Context::refreshClients()
{
    if (m_clientsAsked.exchange(true))
        return;
    m_clients = std::jthread([this](const std::stop_token &stop) {
        for (const Side side : {Side::Source, Side::Target}) {
            // For showing only; whatever fails here fails louder where it matters.
            if (auto clients = db(side).liveClients(stop))
                live.setClients(side, std::move(*clients));
        }
        m_clientsAsked = false;
    });
}

bool Context::tick()
{
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    const Phase phase = live.get()->phase;
    if ((phase == Phase::Replica || phase == Phase::Primary) && now - m_lastClients > 3000) {
        m_lastClients = now;
        refreshClients();
    }
    if (now - m_lastSample >= 1000) {
        live.update([&](Snapshot &s) {
            qint64 rows = 0, bytes = 0;
            for (const TableProgress &t : s.tables) {
                rows += t.rows;
                bytes += t.bytes;
            }
            if (m_lastSample > 0 && s.phase == Phase::Copying) {
                const double seconds = static_cast<double>(now - m_lastSample) / 1000.0;
                // Smoothed over a few seconds: chunks land in bursts.
                const double keep = 0.7;
                s.rateRows = keep * s.rateRows +
                             (1 - keep) * static_cast<double>(rows - m_lastRows) / seconds;
                s.rateBytes = keep * s.rateBytes +
                              (1 - keep) * static_cast<double>(bytes - m_lastBytes) / seconds;
            }
            m_lastRows = rows;
            m_lastBytes = bytes;
        });
        m_lastSample = now;
        watchLog(*this);
        const auto snap = live.get();
        (void)journal->addSample(
            {now, snap->lagSeconds, snap->rateRows, snap->rateBytes, m_lastRows});
    }
    if (now - m_lastStored >= 1000)
        storeSnapshot();
    return !cancelAsked;
}

void Context::storeSnapshot()
{
    m_lastStored = QDateTime::currentMSecsSinceEpoch();
    // The steps have a table of their own.
    QJsonObject shown = live.get()->toProgressJson();
    shown.remove(QStringLiteral("steps"));
    (void)journal->setValue(QStringLiteral("snapshot"), compactJson(shown));
}

Selection Context::selectionOn(Side side) const
{
    return side == Side::Source ? settings.selection : settings.selection.onTargetSide();
}

TableName Context::nameOn(Side side, const TableName &sourceName) const
{
    return side == Side::Source ? sourceName : settings.selection.onTarget(sourceName);
}

Status Context::noteTableStarts(const std::vector<TableName> &leaderNames, const Position &position,
                                std::stop_token stop)
{
    const std::lock_guard lock(m_startsMutex); // several tables may be read at once
    CW_TRY_ASSIGN(const auto own, db(Side::Target).ledger(settings.id, stop));
    CW_TRY_ASSIGN(const auto before, own->fact(fact::tableStarts, stop));
    QJsonObject json = QJsonDocument::fromJson(before.value_or(QString()).toUtf8()).object();
    for (const TableName &name : leaderNames)
        json.insert(keyOfTable(name), position.text);
    return own->setFact(*m_leases[index(Side::Target)], fact::tableStarts, compactJson(json), stop);
}

TableName Context::nameOnFollower(Roles roles, const TableName &leaderName) const
{
    return roles.leader == Side::Source ? settings.selection.onTarget(leaderName)
                                        : settings.selection.onSource(leaderName);
}

Result<Context::Plans> Context::plansFor(Roles r, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Catalog leader, db(r.leader).catalog(selectionOn(r.leader), stop));
    CW_TRY_ASSIGN(const Catalog follower, db(r.follower).catalog(selectionOn(r.follower), stop));
    Plans out;
    const bool sameProduct =
        sourceFacts && targetFacts && sourceFacts->isMariaDb == targetFacts->isMariaDb;
    const auto earlier = [&](const Table &theirs) {
        auto table = std::make_shared<Table>(theirs);
        table->name = nameOnLeader(r, theirs.name);
        return table;
    };
    for (const Table &t : leader.tables) {
        const Table *other = follower.find(nameOnFollower(r, t.name));
        if (!other) {
            out.unmatched.push_back(t.name);
            continue;
        }
        TablePlan plan{std::make_shared<Table>(t), std::make_shared<Table>(*other)};
        // Where the leader has another shape than the follower, a schema change lies ahead in the
        // stream: what comes before it has the follower's shape.
        if (!sameShape(*plan.leader, *plan.follower, sameProduct))
            plan.leader = earlier(*other);
        out.plans.push_back(std::move(plan));
    }
    for (const Table &t : follower.tables) {
        if (!leader.find(nameOnLeader(r, t.name)))
            out.followerOnly.push_back({earlier(t), std::make_shared<Table>(t)});
    }
    return out;
}

Status createMissing(Database &database, const std::vector<SchemaStatement> &statements,
                     int workers, std::stop_token stop)
{
    // What concerns one object stays in its order: a routine between two changes of its schema, the
    // indexes of a table, which the servers keep in the order of their making.
    std::vector<std::vector<const SchemaStatement *>> groups;
    std::map<QString, std::size_t> groupOf;
    for (const SchemaStatement &s : statements) {
        const auto [it, isNew] = workers > 1 ? groupOf.try_emplace(s.object, groups.size())
                                             : groupOf.try_emplace(QString(), groups.size());
        if (isNew)
            groups.emplace_back();
        groups[it->second].push_back(&s);
    }
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::optional<Error> first;
    std::stop_source others;
    const std::stop_callback onStop(stop, [&] { others.request_stop(); });
    const auto work = [&] {
        std::unique_ptr<StatementRunner> runner;
        const auto run = [&](const SchemaStatement &statement) -> Status {
            if (!runner) {
                CW_TRY_ASSIGN(runner, database.statementRunner(others.get_token()));
            }
            return runner->run(statement, others.get_token());
        };
        for (;;) {
            const std::size_t i = next.fetch_add(1);
            if (i >= groups.size())
                return;
            for (const SchemaStatement *s : groups[i]) {
                if (others.stop_requested())
                    return;
                const Status done = run(*s);
                if (done || done.error().id == QLatin1String("mysql-already-exists"))
                    continue;
                const std::lock_guard lock(mutex);
                if (!first)
                    first = done.error();
                others.request_stop();
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        const auto n =
            std::min<std::size_t>(static_cast<std::size_t>(std::max(1, workers)), groups.size());
        for (std::size_t i = 1; i < n; ++i)
            threads.emplace_back(work);
        work();
    }
    if (first)
        return fail(*first);
    if (stop.stop_requested())
        return fail(cancelledError());
    return {};
}

Step createStep(Context &ctx, Side side, const QString &id, const Text &title,
                const std::vector<SchemaStatement> &statements, int workers)
{
    Step step;
    step.id = id;
    step.side = side;
    step.title = title;
    for (const SchemaStatement &s : statements)
        step.shownSql << s.sql;
    step.act = [&ctx, side, &statements, workers](std::stop_token token) {
        return createMissing(ctx.db(side), statements, workers, std::move(token));
    };
    return step;
}

} // namespace causeway
