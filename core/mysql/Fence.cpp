#include "base/Json.h"
#include "base/Log.h"
#include "base/Stop.h"
#include "mysql/AccountLocks.h"
#include "mysql/FencePlan.h"
#include "mysql/KeepAlive.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace causeway::mysql {

namespace {

const QString kReadOnly = QStringLiteral("read_only");
const QString kProvider = QStringLiteral("provider");
const QString kTriggers = QStringLiteral("triggers");
const QString kShortWait = QStringLiteral("SET SESSION lock_wait_timeout=2");

/// Settings as they were before us; kept on the server as the fact "fence.<side>.read_only".
struct Found {
    QString kind;
    bool readOnly = false, superReadOnly = false;
    /// Value in mysqld-auto.cnf; nothing = not there.
    std::optional<QString> persistedReadOnly, persistedSuper;
};

QString encode(const Found &f)
{
    QJsonObject o;
    o.insert(QStringLiteral("kind"), f.kind);
    o.insert(QStringLiteral("read_only"), f.readOnly);
    o.insert(QStringLiteral("super_read_only"), f.superReadOnly);
    if (f.persistedReadOnly)
        o.insert(QStringLiteral("persisted_read_only"), *f.persistedReadOnly);
    if (f.persistedSuper)
        o.insert(QStringLiteral("persisted_super_read_only"), *f.persistedSuper);
    return compactJson(o);
}

Found decode(const QString &json)
{
    const QJsonObject o = QJsonDocument::fromJson(json.toUtf8()).object();
    Found f;
    f.kind = o.value(QStringLiteral("kind")).toString();
    f.readOnly = o.value(QStringLiteral("read_only")).toBool();
    f.superReadOnly = o.value(QStringLiteral("super_read_only")).toBool();
    const auto text = [&o](const char *key) -> std::optional<QString> {
        const QJsonValue v = o.value(QLatin1String(key));
        return v.isString() ? std::optional<QString>(v.toString()) : std::nullopt;
    };
    f.persistedReadOnly = text("persisted_read_only");
    f.persistedSuper = text("persisted_super_read_only");
    return f;
}

class MySqlFence final : public Fence {
public:
    MySqlFence(Address address, FenceRequest request, SealFacts facts, SealChoice choice,
               bool hasSuperReadOnly)
        : m_address(std::move(address)), m_request(std::move(request)), m_facts(std::move(facts)),
          m_choice(std::move(choice)), m_tables(m_facts.tables), m_hasSuper(hasSuperReadOnly),
          m_locks(m_address, m_request.lease, m_request.isTarget)
    {
    }

    QString sealKind() const override { return m_choice.kind; }
    FenceForecast forecast() const override { return forecastOf(m_facts, m_choice); }
    std::optional<SealTiming> lastSeal() const override { return m_lastSeal; }
    QStringList holdSql() const override;
    QStringList sealSql() const override;
    QStringList openSql() const override;
    Result<Position> hold(std::stop_token) override;
    Result<Position> seal(std::stop_token) override;
    Result<bool> isWaitedFor(std::stop_token) override;
    Result<QStringList> endWaiters(std::stop_token) override;
    Status release(std::stop_token) override;
    Status admitApplier(std::stop_token) override;
    Status keepClosed(std::stop_token) override;
    Status easeOpening(std::stop_token) override;
    Status open(std::stop_token) override;
    Result<bool> isSealed(std::stop_token) override;
    void interrupt() noexcept override;

    Result<QStringList> passingWriters(std::chrono::milliseconds look, std::stop_token) override;
    QStringList lockAccountsSql(const QStringList &accounts) const override
    {
        return lockSql(accounts);
    }
    Result<QStringList> lockAccounts(const QStringList &, std::stop_token) override;
    Status unlockAccounts(std::stop_token) override;

    Status goOnAsBegun(Session &, std::stop_token);
    Status loadLocks(Session &s, std::stop_token stop) { return m_locks.load(s, std::move(stop)); }

private:
    [[nodiscard]] bool byTriggers() const { return m_choice.kind == kTriggers; }
    [[nodiscard]] QString factName() const
    {
        return QStringLiteral("fence.%1.read_only")
            .arg(toString(m_request.isTarget ? Side::Target : Side::Source));
    }
    [[nodiscard]] QString setting(const char *name, bool on) const
    {
        return QStringLiteral("SET %1 %2=%3")
            .arg(m_choice.persist ? QStringLiteral("PERSIST") : QStringLiteral("GLOBAL"),
                 QString::fromLatin1(name), on ? QStringLiteral("ON") : QStringLiteral("OFF"));
    }
    [[nodiscard]] QStringList closeSql() const;
    [[nodiscard]] QStringList restoreSql(const Found &) const;
    Status usable() const;
    void keep(std::unique_ptr<KeptAlive>);
    Result<std::optional<Found>> found(Session &, std::stop_token);
    Status recordFound(std::stop_token);
    Status lockWithRetries(const QString &sql, std::stop_token);
    Status createTriggers(std::stop_token);
    Status createMissingTriggers(Session &, SealWhen, std::stop_token);
    Status dropTriggers(Session &, std::stop_token);

    Address m_address;
    FenceRequest m_request;
    SealFacts m_facts;
    SealChoice m_choice;
    std::vector<TableName> m_tables;
    bool m_hasSuper; ///< the server knows super_read_only
    std::optional<SealTiming> m_lastSeal;
    std::mutex m_mutex;                   ///< guards the pointer against interrupt()
    std::unique_ptr<KeptAlive> m_session; ///< holds the fence
    bool m_holding = false;               ///< from hold() to release()
    AccountLocks m_locks;
    QStringList m_notEnded; ///< sessions that the seal does not stop
};

QStringList MySqlFence::holdSql() const
{
    const QString wait = QStringLiteral("SET SESSION lock_wait_timeout=%1")
                             .arg((m_request.lockWait.count() + 999) / 1000);
    if (byTriggers()) {
        if (m_tables.empty())
            return {};
        return {wait, lockTables(m_tables, "READ")};
    }
    return {wait, QStringLiteral("FLUSH TABLES WITH READ LOCK")};
}

/// Statements that close the server, under the hold.
QStringList MySqlFence::closeSql() const
{
    if (m_choice.kind == kProvider)
        return {QStringLiteral("CALL mysql.rds_set_read_only(1)")};
    QStringList sql{setting("read_only", true)};
    // The applier goes on writing into the target, and super_read_only refuses it too.
    if (m_hasSuper && !m_request.isTarget)
        sql << setting("super_read_only", true);
    return sql;
}

QStringList MySqlFence::sealSql() const
{
    if (!byTriggers())
        return closeSql();
    if (m_tables.empty())
        return {};
    QStringList sql{lockTables(m_tables, "WRITE")};
    for (const SealTrigger &t : sealTriggers(m_tables, m_request.lease.migration, m_address.user))
        sql << t.sql;
    return sql << QStringLiteral("UNLOCK TABLES");
}

QStringList MySqlFence::openSql() const
{
    if (!byTriggers()) {
        Found nothing;
        nothing.kind = m_choice.kind;
        return restoreSql(nothing) + unlockSql(m_locks.locked());
    }
    QStringList sql;
    for (const SealTrigger &t : sealTriggers(m_tables, m_request.lease.migration, m_address.user))
        sql << QStringLiteral("DROP TRIGGER IF EXISTS ") + quoteName(t.name);
    return sql;
}

QStringList MySqlFence::restoreSql(const Found &f) const
{
    if (f.kind == kProvider) {
        return f.readOnly ? QStringList{}
                          : QStringList{QStringLiteral("CALL mysql.rds_set_read_only(0)")};
    }
    if (f.kind != kReadOnly)
        return {};
    QStringList sql;
    // What stands in mysqld-auto.cnf first: SET PERSIST sets the running value too.
    const auto persisted = [&](const char *name, const std::optional<QString> &value) {
        if (!m_choice.persist)
            return;
        sql << (value ? QStringLiteral("SET PERSIST %1=%2").arg(QString::fromLatin1(name), *value)
                      : QStringLiteral("RESET PERSIST IF EXISTS ") + QString::fromLatin1(name));
    };
    if (m_hasSuper)
        persisted("super_read_only", f.persistedSuper);
    persisted("read_only", f.persistedReadOnly);
    // super_read_only=ON switches read_only on, read_only=OFF switches super_read_only off: in this
    // order both end as they were.
    const auto onOff = [](bool on) { return on ? QStringLiteral("ON") : QStringLiteral("OFF"); };
    if (m_hasSuper)
        sql << QStringLiteral("SET GLOBAL super_read_only=") + onOff(f.superReadOnly);
    sql << QStringLiteral("SET GLOBAL read_only=") + onOff(f.readOnly);
    return sql;
}

Status MySqlFence::usable() const
{
    if (!m_choice.kind.isEmpty())
        return {};
    return fail(ErrorCode::NotReady, m_choice.limitation, QStringLiteral("mysql-no-seal"));
}

void MySqlFence::keep(std::unique_ptr<KeptAlive> s)
{
    // The old one ends outside the lock: its thread may have to be waited for.
    {
        const std::lock_guard lock(m_mutex);
        std::swap(m_session, s);
    }
}

void MySqlFence::interrupt() noexcept
{
    const std::lock_guard lock(m_mutex);
    if (m_session)
        m_session->interrupt();
}

/// What was recorded before an earlier hold; nothing where we have changed nothing.
Result<std::optional<Found>> MySqlFence::found(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto record,
                  readFact(s, m_request.lease.migration, factName(), std::move(stop)));
    return record ? std::optional<Found>(decode(*record)) : std::optional<Found>();
}

/// Closed already, or half: the way that was begun is the one to go on with, and to undo, whatever
/// databases or rights have come since.
Status MySqlFence::goOnAsBegun(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const std::optional<Found> begun, found(s, std::move(stop)));
    if (!begun || begun->kind.isEmpty() || begun->kind == m_choice.kind)
        return {};
    m_choice = SealChoice{};
    m_choice.kind = begun->kind;
    m_choice.persist = begun->kind == kReadOnly && !s.isMariaDb() && s.version() >= 80000;
    m_choice.brace = begun->kind == kReadOnly && mayBrace(m_facts);
    return {};
}

/// Before the hold, since neither under FLUSH TABLES WITH READ LOCK nor under super_read_only can
/// anything be written. An earlier record stays: it is older than our own changes.
Status MySqlFence::recordFound(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    CW_TRY_ASSIGN(const std::optional<Found> earlier, found(*s, stop));
    if (earlier)
        return {};
    Found f;
    f.kind = m_choice.kind;
    CW_TRY_ASSIGN(const ResultSet r,
                  s->query(QStringLiteral("SHOW GLOBAL VARIABLES WHERE Variable_name IN "
                                          "('read_only', 'super_read_only')"),
                           stop));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        const bool on = r.text(i, 1) != QLatin1String("OFF");
        (r.text(i, std::size_t(0)) == kReadOnly ? f.readOnly : f.superReadOnly) = on;
    }
    if (m_choice.persist) {
        CW_TRY_ASSIGN(const ResultSet persisted,
                      s->query(QStringLiteral("SELECT variable_name, variable_value FROM "
                                              "performance_schema.persisted_variables WHERE "
                                              "variable_name IN ('read_only', 'super_read_only')"),
                               stop));
        for (std::size_t i = 0; i < persisted.rows.size(); ++i) {
            (persisted.text(i, std::size_t(0)) == kReadOnly ? f.persistedReadOnly
                                                            : f.persistedSuper) =
                persisted.text(i, 1);
        }
    }
    CW_TRY_ASSIGN(const auto ledger, makeLedger(m_address, m_request.lease.migration, stop));
    return ledger->setFact(m_request.lease, factName(), encode(f), stop);
}

/// Each attempt stalls the server's writers for at most lockWait; between attempts they flow, so
/// that what stands in the way can end.
Status MySqlFence::lockWithRetries(const QString &sql, std::stop_token stop)
{
    for (int attempt = 1;; ++attempt) {
        Status locked = KeptAlive::Use(*m_session, stop)->exec(sql, stop);
        if (locked)
            return {};
        if (locked.error().number != 1205 && locked.error().number != 1213)
            return locked;
        if (attempt >= m_request.attempts)
            return fail(fenceBlocked(m_address, m_tables, {m_session->connectionId()},
                                     locked.error(), stop));
        if (!pauseFor(stop, m_request.lockWait / 4))
            return fail(cancelledError());
    }
}

Result<Position> MySqlFence::hold(std::stop_token stop)
{
    CW_TRY(usable());
    CW_TRY(release(stop));
    CW_TRY(recordFound(stop));
    CW_TRY_ASSIGN(auto session, Session::open(m_address, Use::Control, stop));
    if (byTriggers()) {
        CW_TRY_ASSIGN(m_tables,
                      tablesToFence(*session, m_request.selection, stop)); // some may be new
    }
    CW_TRY_ASSIGN(auto kept, KeptAlive::keep(std::move(session), stop));
    keep(std::move(kept));
    // While triggers are the seal, READ: others may still read, as the comparison and the
    // re-reading of cascades must, each in a session of its own.
    Result<Position> held = [&]() -> Result<Position> {
        for (const QString &sql : holdSql())
            CW_TRY(lockWithRetries(sql, stop));
        const KeptAlive::Use holder(*m_session, stop);
        return positionUnderFence(*holder, !byTriggers(), stop);
    }();
    if (!held)
        keep(nullptr); // the server lets go with the session
    m_holding = held.has_value();
    return held;
}

/// The change from READ to WRITE lets writers that waited go first: they commit here before the
/// seal, and are before the position that is returned. The change back to READ does the same for
/// what triggers do not stop, a TRUNCATE that waited: from then on until release() nothing at all
/// can change these tables, while others may read them.
Status MySqlFence::createTriggers(std::stop_token stop)
{
    m_lastSeal.reset();
    if (m_tables.empty())
        return {};
    CW_TRY(lockWithRetries(lockTables(m_tables, "WRITE"), stop));
    const auto began = std::chrono::steady_clock::now();
    {
        const KeptAlive::Use holder(*m_session, stop);
        CW_TRY(createMissingTriggers(*holder, SealWhen::Always, stop));
    }
    m_lastSeal = SealTiming{static_cast<qint64>(m_tables.size()),
                            std::chrono::duration_cast<std::chrono::microseconds>(
                                std::chrono::steady_clock::now() - began)};
    return lockWithRetries(lockTables(m_tables, "READ"), stop);
}

/// A table that was renamed has taken its triggers along, whose names stand for its old name.
Status MySqlFence::createMissingTriggers(Session &s, SealWhen when, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto tables, sealedTables(s, m_request.lease.migration, stop));
    for (const SealTrigger &t :
         sealTriggers(m_tables, m_request.lease.migration, m_address.user, when)) {
        const auto there = tables.find(t.name);
        if (there != tables.end() && there->second == t.table)
            continue;
        if (there != tables.end())
            CW_TRY(s.exec(QStringLiteral("DROP TRIGGER IF EXISTS ") + quoteName(t.name), stop));
        CW_TRY(s.exec(t.sql, stop));
    }
    return {};
}

Result<Position> MySqlFence::seal(std::stop_token stop)
{
    CW_TRY(usable());
    const bool held = m_session && !m_session->isDead();
    if (!held && m_holding) {
        // The server let go: we were stopped or cut off for too long. Whoever wrote since has to be
        // drained and compared first.
        m_holding = false;
        keep(nullptr);
        Error e;
        e.code = ErrorCode::ConnectionLost;
        e.id = QStringLiteral("fence-lost");
        e.object = m_address.display();
        e.message = cwText("core",
                           "%1 let go of the hold on its writes: the session that held them "
                           "was lost.",
                           m_address.display());
        return fail(std::move(e));
    }
    if (!held) {
        // Nobody waits for a barrier: a target is closed while its applier goes on.
        CW_TRY(hold(stop));
    }
    Result<Position> after = [&]() -> Result<Position> {
        if (byTriggers()) {
            CW_TRY(createTriggers(stop));
        } else {
            // In the holding session: it has the global read lock, so that the setting takes effect
            // at once instead of waiting for the writers that queue behind that lock.
            const KeptAlive::Use holder(*m_session, stop);
            for (const QString &sql : closeSql())
                CW_TRY(holder->exec(sql, stop));
            // A lock keeps new sessions out; those that wait at the hold would write after it.
            CW_TRY_ASSIGN(m_notEnded, m_locks.endSessions(*holder, stop));
        }
        const KeptAlive::Use holder(*m_session, stop);
        return positionUnderFence(*holder, !byTriggers(), stop);
    }();
    if (!after) {
        keep(nullptr);
        return after;
    }
    if (!held)
        CW_TRY(release(stop));
    return after;
}

/// Readers queue behind whoever waits for an exclusive lock on a table that is locked for reading.
/// FLUSH TABLES WITH READ LOCK stops a TRUNCATE before it asks for the table.
Result<bool> MySqlFence::isWaitedFor(std::stop_token stop)
{
    if (!byTriggers() || !m_session)
        return false;
    const KeptAlive::Use holder(*m_session, stop);
    CW_TRY_ASSIGN(const auto waiting, readWaitingDdl(*holder, m_tables, stop));
    return !waiting.empty();
}

Result<QStringList> MySqlFence::endWaiters(std::stop_token stop)
{
    QStringList left = m_notEnded;
    if (!byTriggers() || !m_session)
        return left;
    const KeptAlive::Use holder(*m_session, stop);
    CW_TRY_ASSIGN(const auto waiting, readWaitingDdl(*holder, m_tables, stop));
    for (const WaitingStatement &w : waiting) {
        if (!endConnection(*holder, w.id, stop))
            left << QStringLiteral("%1: %2").arg(w.account, w.statement);
    }
    return left;
}

Status MySqlFence::release(std::stop_token stop)
{
    m_holding = false;
    if (!m_session)
        return {};
    Status done;
    if (!m_session->isDead()) {
        done = KeptAlive::Use(*m_session, stop)->exec(QStringLiteral("UNLOCK TABLES"), stop);
    }
    // Where the session died, the server has let go by itself.
    keep(nullptr);
    return !done && done.error().code != ErrorCode::ConnectionLost ? done : Status{};
}

Status MySqlFence::admitApplier(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    CW_TRY_ASSIGN(const std::optional<Found> f, found(*s, stop));
    // Triggers let our account pass, and the provider's setting is one that we write under.
    if (!f || f->kind != kReadOnly)
        return {};
    // Said again each time: without PERSIST a restart of the server has lost it.
    CW_TRY(s->exec(setting("read_only", true), stop));
    if (m_hasSuper)
        CW_TRY(s->exec(setting("super_read_only", false), stop));
    return {};
}

Status MySqlFence::keepClosed(std::stop_token stop)
{
    CW_TRY(admitApplier(stop));
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    CW_TRY_ASSIGN(const std::optional<Found> f, found(*s, stop));
    if (!f || (f->kind != kTriggers && !(f->kind == kReadOnly && m_choice.brace)))
        return {};
    CW_TRY_ASSIGN(m_tables, tablesToFence(*s, m_request.selection, stop));
    if (f->kind == kTriggers)
        return createMissingTriggers(*s, SealWhen::Always, stop);
    // Besides the setting that closes it now: readers of the follower must not wait for this, and
    // where it fails the setting still holds until a restart.
    CW_TRY(s->exec(kShortWait, stop));
    Status braced = createMissingTriggers(*s, SealWhen::Reopened, stop);
    if (!braced && braced.error().code == ErrorCode::Server) {
        logWarning(QStringLiteral("A restart of %1 would open it until Causeway is connected "
                                  "again: %2")
                       .arg(m_address.display(), braced.error().describe()));
        return {};
    }
    return braced;
}

Status MySqlFence::easeOpening(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    CW_TRY_ASSIGN(const std::optional<Found> f, found(*s, stop));
    if (!f || f->kind != kReadOnly)
        return {};
    CW_TRY(s->exec(kShortWait, stop));
    return dropTriggers(*s, stop);
}

Status MySqlFence::dropTriggers(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const std::vector<TableName> names,
                  findSealTriggers(s, m_request.lease.migration, stop));
    for (const TableName &name : names)
        CW_TRY(s.exec(QStringLiteral("DROP TRIGGER IF EXISTS ") + quoteName(name), stop));
    return {};
}

Status MySqlFence::open(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    CW_TRY_ASSIGN(const std::optional<Found> f, found(*s, stop));
    std::unique_ptr<Ledger> ledger; // `unfence` has no lease, and under super_read_only takes none
    if (m_request.lease.epoch != 0 && (f || !m_locks.locked().isEmpty())) {
        CW_TRY_ASSIGN(ledger, makeLedger(m_address, m_request.lease.migration, stop));
        // Not by a Causeway that was replaced: the present one counts on the fence.
        CW_TRY(ledger->checkLease(m_request.lease, stop));
    }
    CW_TRY(release(stop));
    // Triggers first: those that stand by for a restart would refuse as soon as the setting is off.
    CW_TRY(dropTriggers(*s, stop));
    if (f) {
        for (const QString &sql : restoreSql(*f))
            CW_TRY(s->exec(sql, stop));
    }
    // After super_read_only, under which nothing is altered.
    CW_TRY(m_locks.unlock(*s, ledger.get(), stop));
    if (!f)
        return {};
    return removeFact(*s, ledger.get(), m_request.lease, factName(), stop);
}

Result<QStringList> MySqlFence::passingWriters(std::chrono::milliseconds look, std::stop_token stop)
{
    if (byTriggers()) // which let only our own account pass
        return QStringList{};
    if (m_holding && m_session) { // writes are held: no time to connect
        auto seen = m_locks.passing(*KeptAlive::Use(*m_session, stop), look, stop);
        if (seen || !m_session->isDead())
            return seen;
        return QStringList{}; // seal() says that the hold was lost
    }
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return m_locks.passing(*s, look, std::move(stop));
}

Result<QStringList> MySqlFence::lockAccounts(const QStringList &accounts, std::stop_token stop)
{
    if (byTriggers() || accounts.isEmpty())
        return QStringList{};
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    CW_TRY_ASSIGN(QStringList refused, m_locks.lock(*s, accounts, stop));
    // A follower is closed already: who is connected to it might write at any moment.
    CW_TRY_ASSIGN(const bool sealed, isSealed(stop));
    if (sealed) {
        CW_TRY_ASSIGN(const QStringList left, m_locks.endSessions(*s, stop));
        refused += left;
    }
    return refused;
}

Status MySqlFence::unlockAccounts(std::stop_token stop)
{
    if (m_locks.locked().isEmpty())
        return {};
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    CW_TRY_ASSIGN(const auto ledger, makeLedger(m_address, m_request.lease.migration, stop));
    return m_locks.unlock(*s, ledger.get(), std::move(stop));
}

Result<bool> MySqlFence::isSealed(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    CW_TRY_ASSIGN(const std::optional<Found> f, found(*s, stop));
    if (!f)
        return false;
    if (f->kind == kTriggers) {
        CW_TRY_ASSIGN(const std::vector<TableName> tables,
                      tablesToFence(*s, m_request.selection, stop));
        CW_TRY_ASSIGN(const auto there, sealedTables(*s, m_request.lease.migration, stop));
        // One that is missing leaves a way in.
        for (const SealTrigger &t :
             sealTriggers(tables, m_request.lease.migration, m_address.user)) {
            const auto found = there.find(t.name);
            if (found == there.end() || found->second != t.table)
                return false;
        }
        return !there.empty();
    }
    CW_TRY_ASSIGN(const ResultSet r,
                  s->query(QStringLiteral("SHOW GLOBAL VARIABLES LIKE 'read_only'"), stop));
    return !r.rows.empty() && r.text(0, 1) != QLatin1String("OFF");
}

} // namespace

Result<std::unique_ptr<Fence>> makeFence(const Address &address, const FenceRequest &request,
                                         std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(address, Use::Control, stop));
    CW_TRY_ASSIGN(SealFacts facts, readSealFacts(*s, request.selection, stop));
    CW_TRY_ASSIGN(SealChoice choice, chooseSeal(*s, facts, request.kind, stop));
    CW_TRY_ASSIGN(const ResultSet super,
                  s->query(QStringLiteral("SHOW GLOBAL VARIABLES LIKE 'super_read_only'"), stop));
    auto fence = std::make_unique<MySqlFence>(address, request, std::move(facts), std::move(choice),
                                              !super.rows.empty());
    CW_TRY(fence->goOnAsBegun(*s, stop));
    CW_TRY(fence->loadLocks(*s, stop));
    return fence;
}

} // namespace causeway::mysql
