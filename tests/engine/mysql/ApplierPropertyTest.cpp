#include "ApplierHistory.h"

#include "base/Stop.h"
#include "servers/TestServer.h"

#include <QtTest>

#include <thread>

using namespace causeway;
using namespace causeway::mysql;
using namespace causeway::test;

/// The batched, parallel applier against random histories (ALGORITHMS 3.4).
class ApplierPropertyTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void followsRandomHistories_data();
    void followsRandomHistories();
};

namespace {

constexpr int kWorkers = 3;

/// The leader's rows as they are now; without waiting where the test's positions are its own.
class Looking final : public LeaderRows {
public:
    Looking(const Address &address, const Leader &leader)
        : m_rows(check(makeLeaderRows(address, {}))), m_leader(leader)
    {
    }
    Result<std::vector<Row>> read(const Table &table, const std::vector<int> &columns,
                                  const std::vector<Row> &tuples, const Position &visible,
                                  std::stop_token stop) override
    {
        const Position none{QStringLiteral("file:x.000000:0")};
        return m_rows->read(table, columns, tuples, m_leader.isFromBinlog() ? visible : none, stop);
    }
    Result<Position> now(std::stop_token stop) override
    {
        return m_leader.isFromBinlog() ? m_rows->now(stop) : Result<Position>(m_leader.end());
    }

private:
    std::unique_ptr<LeaderRows> m_rows;
    const Leader &m_leader;
};

class History {
public:
    History(TestServer &server, Leader &leader, std::vector<TablePlan> plans)
        : m_address(server.address()), m_leader(leader), m_plans(std::move(plans)),
          m_looking(std::make_shared<Looking>(m_address, leader)),
          m_session(check(Session::open(m_address, Use::Data, {}))),
          m_ledger(check(makeLedger(m_address, QStringLiteral("0badcafe"), {})))
    {
        check(m_ledger->create({}));
    }

    /// Differences at the end; empty = none.
    QStringList run(quint64 seed)
    {
        Random random(seed);
        begin(random);
        while (!m_uncopied.empty()) {
            for (int n = pick(random, 10); n > 0; --n)
                m_leader.change(random);
            copySome(random);
        }
        const std::size_t lastChunkRead = m_leader.log().size();
        bool settled = false;
        const int changesAfter = pick(random, 25);
        int done = 0;
        for (;;) {
            if (done < changesAfter && chance(random, 60)) {
                m_leader.change(random);
                ++done;
            }
            if (m_applied == m_leader.log().size() && done >= changesAfter && settled)
                break;
            if (!settled && m_applied >= lastChunkRead) {
                check(m_applier->settle({}));
                settled = true;
            }
            if (m_applied < m_leader.log().size() && !applySome(random))
                settled = false; // a new applier
        }
        return differences();
    }
    int crashes() const { return m_crashes; }

private:
    struct Chunk {
        std::shared_ptr<const Table> leader, follower;
        std::string where;
    };

    void begin(Random &random)
    {
        m_applier.reset();
        m_leader.forget();
        for (const TablePlan &plan : m_plans) {
            for (const auto &t : {plan.leader, plan.follower})
                check(m_session->execBytes("DELETE FROM " + quoteName(t->name).toStdString()));
        }
        m_leader.chooseTables(random);
        m_leader.populate(random);
        for (int n = pick(random, 6); n > 0; --n)
            m_leader.change(random);
        // Tables without key are copied whole, with their position.
        m_leader.beginLog();
        m_uncopied.clear();
        m_keylessFrom = 0;
        for (const TablePlan &plan : m_plans) {
            Chunk chunk{plan.leader, plan.follower, "1"};
            if (plan.leader->rowKey && chance(random, 70)) {
                const QString column = quoteId(
                    plan.leader
                        ->columns[static_cast<std::size_t>(plan.leader->rowKeyColumns().front())]
                        .name);
                const QString cut = plan.leader->name.name == QLatin1String("q")
                                        ? QStringLiteral("'b'")
                                        : QString::number(1 + pick(random, 5));
                m_uncopied.push_back({chunk.leader, chunk.follower,
                                      (column + QLatin1Char('>') + cut).toStdString()});
                chunk.where = (column + QLatin1String("<=") + cut).toStdString();
            }
            m_uncopied.push_back(std::move(chunk));
        }
        std::shuffle(m_uncopied.begin(), m_uncopied.end(), random);
        m_applied = 0;
        takeLease();
        check(m_ledger->setAppliedPosition(m_lease, m_leader.at(0), {}));
        check(m_ledger->clearFact(m_lease, QStringLiteral("apply.row"), {}));
        openApplier();
    }

    void copySome(Random &random)
    {
        // What nobody changes can be copied at any time; the others one chunk at a time.
        for (bool busy = false; !busy && !m_uncopied.empty();) {
            const Chunk chunk = m_uncopied.back();
            m_uncopied.pop_back();
            busy = m_leader.isBusy(*chunk.leader) && chance(random, 90);
            // Another row may hold the value of another unique key: left to apply.
            check(m_session->execBytes(
                "INSERT IGNORE INTO " + quoteName(chunk.follower->name).toStdString() +
                " SELECT * FROM " + quoteName(chunk.leader->name).toStdString() + " WHERE " +
                chunk.where));
            if (!chunk.leader->rowKey)
                m_keylessFrom = m_leader.log().size();
        }
    }

    void takeLease()
    {
        m_applier.reset();
        m_lease = check(m_ledger->takeLease(QStringLiteral("test"), {}));
    }

    void openApplier()
    {
        ApplierOptions options;
        options.workers = kWorkers;
        options.inlineRows = m_inlineRows;
        options.leader = m_looking;
        m_applier = check(makeApplier(m_address, m_lease, options, {}));
        m_applier->setPlans(m_plans);
    }

    /// A batch of some transactions, the last one perhaps in part. False: it crashed.
    bool applySome(Random &random)
    {
        const auto &log = m_leader.log();
        const std::size_t to =
            m_applied + 1 +
            static_cast<std::size_t>(
                pick(random, static_cast<int>(std::min<std::size_t>(12, log.size() - m_applied))));
        ChangeBatch batch;
        batch.after = m_leader.at(to);
        for (std::size_t i = m_applied; i < to; ++i)
            append(batch, i, 0, log[i].rows.size());
        const std::size_t rowsOfNext = to < log.size() ? log[to].rows.size() : 0;
        const bool split = rowsOfNext > 1 && chance(random, 30);
        const std::size_t part =
            split ? 1 + static_cast<std::size_t>(pick(random, static_cast<int>(rowsOfNext - 1)))
                  : 0;
        append(batch, to, 0, part);
        if (!applyOrCrash(batch, random))
            return false;
        m_applied = to;
        if (!split)
            return true;
        ChangeBatch rest;
        rest.after = m_leader.at(to + 1);
        append(rest, to, part, rowsOfNext);
        if (!applyOrCrash(rest, random))
            return false;
        m_applied = to + 1;
        return true;
    }

    void append(ChangeBatch &batch, std::size_t transaction, std::size_t from, std::size_t to)
    {
        if (from == to)
            return;
        const LoggedTransaction &t = m_leader.log()[transaction];
        batch.starts.push_back({batch.rows.size(), t.id, t.before});
        for (std::size_t i = from; i < to; ++i) {
            if (t.rows[i].table->rowKey || transaction >= m_keylessFrom)
                batch.rows.push_back(t.rows[i]);
        }
    }

    bool applyOrCrash(const ChangeBatch &batch, Random &random)
    {
        if (!chance(random, 12)) {
            check(m_applier->apply(batch, {}));
            return true;
        }
        ++m_crashes;
        const auto delay = std::chrono::microseconds(pick(random, 12000));
        {
            std::jthread killer([&](std::stop_token stop) {
                pauseFor(stop, std::chrono::duration_cast<std::chrono::milliseconds>(delay));
                m_applier->interrupt();
            });
            const Status done = m_applier->apply(batch, {});
            if (!done && done.error().code != ErrorCode::Cancelled &&
                done.error().code != ErrorCode::ConnectionLost)
                check(done);
        }
        takeLease();
        openApplier();
        const Position at = check(m_ledger->appliedPosition({}));
        m_applied = 0;
        while (m_leader.at(m_applied) != at)
            ++m_applied;
        return false;
    }

    QStringList differences()
    {
        QStringList out;
        for (const TablePlan &plan : m_plans) {
            const auto all = [&](const Table &t) {
                auto rows = m_leader.rows(t, "1");
                std::sort(rows.begin(), rows.end());
                return rows;
            };
            const auto leader = all(*plan.leader), follower = all(*plan.follower);
            if (leader != follower)
                out << plan.leader->name.display() + QLatin1String("\n leader  ") + show(leader) +
                           QLatin1String("\n follower") + show(follower);
        }
        return out;
    }

    static QString show(const std::vector<Row> &rows)
    {
        QString out;
        for (const Row &row : rows) {
            out += QLatin1String(" (");
            for (const Value &v : row)
                out += (v ? QString::fromStdString(*v) : QStringLiteral("-")) + QLatin1Char(' ');
            out += QLatin1Char(')');
        }
        return out;
    }

    Address m_address;
    Leader &m_leader;
    std::vector<TablePlan> m_plans;
    std::shared_ptr<Looking> m_looking;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<Ledger> m_ledger;
    Lease m_lease;
    std::unique_ptr<Applier> m_applier;
    std::vector<Chunk> m_uncopied;
    std::size_t m_applied = 0;
    std::size_t m_keylessFrom = 0;
    int m_crashes = 0;

public:
    int m_inlineRows = 0;
};

} // namespace

void ApplierPropertyTest::followsRandomHistories_data()
{
    QTest::addColumn<int>("product");
    QTest::addColumn<QStringList>("settings");
    QTest::addColumn<bool>("fromBinlog");
    QTest::newRow("MariaDB") << int(Product::MariaDb) << QStringList() << false;
    QTest::newRow("MariaDB, real log") << int(Product::MariaDb) << QStringList() << true;
    // Without this setting MySQL 9.7 logs cascades, which older servers do not.
    const QStringList native{QStringLiteral("--innodb-native-foreign-keys=ON")};
    QTest::newRow("MySQL, native foreign keys") << int(Product::MySql) << native << false;
    QTest::newRow("MySQL, native foreign keys, real log") << int(Product::MySql) << native << true;
}

void ApplierPropertyTest::followsRandomHistories()
{
    QFETCH(int, product);
    QFETCH(QStringList, settings);
    QFETCH(bool, fromBinlog);
    ServerOptions options;
    options.product = static_cast<Product>(product);
    options.settings = settings + QStringList{QStringLiteral("--innodb-flush-log-at-trx-commit=0"),
                                              QStringLiteral("--sync-binlog=0")};
    TestServer server(options);
    for (const char *name : {"ldr", "ldr2", "fol", "fol2"})
        server.exec(QStringLiteral("CREATE DATABASE %1").arg(QLatin1String(name)));
    const auto control = check(Session::open(server.address(), Use::Control, {}));
    const auto make = [&](const QString &schema, const QString &other) {
        for (const QString &sql : historyTables(schema, other))
            check(control->exec(sql));
        Selection selection;
        selection.schemas = {schema, other};
        return check(readCatalog(*control, selection, {}));
    };
    const Catalog lead = make(QStringLiteral("ldr"), QStringLiteral("ldr2"));
    const Catalog foll = make(QStringLiteral("fol"), QStringLiteral("fol2"));
    Leader leader(server.address(), lead, fromBinlog);
    std::vector<TablePlan> plans;
    for (const auto &[name, table] : leader.tables()) {
        TableName there = table->name;
        there.schema.replace(QLatin1String("ldr"), QLatin1String("fol"));
        const Table *follower = foll.find(there);
        QVERIFY(follower);
        plans.push_back({table, std::make_shared<const Table>(*follower)});
    }
    History history(server, leader, plans);

    bool isNumber = false;
    int histories = qEnvironmentVariableIntValue("CAUSEWAY_HISTORIES", &isNumber);
    if (!isNumber)
        histories = 40;
    quint64 seed = qEnvironmentVariable("CAUSEWAY_SEED").toULongLong();
    int bad = 0;
    for (int i = 0; i < histories; ++i, ++seed) {
        history.m_inlineRows = i % 3 == 0 ? 64 : 0;
        const QStringList differences = history.run(seed);
        if (!differences.isEmpty()) {
            ++bad;
            qWarning().noquote() << "seed" << seed << differences.join(QLatin1Char('\n'));
        }
    }
    qInfo() << histories << "histories," << history.crashes() << "crashes";
    QCOMPARE(bad, 0);
}

QTEST_GUILESS_MAIN(ApplierPropertyTest)
#include "ApplierPropertyTest.moc"
