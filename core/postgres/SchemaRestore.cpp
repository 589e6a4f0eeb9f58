#include "base/Stop.h"
#include "postgres/PostgresSession.h"
#include "postgres/SchemaParts.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace causeway::postgres {

namespace {

/// Others' locks (the subscription's sessions, autovacuum) are waited for, but not for ever: what
/// waits behind us waits with us.
constexpr int kLockWaitSeconds = 10;
constexpr int kAttempts = 60;

/// One thing to do: an entry, or the validation of a foreign key made before.
struct Item {
    const SchemaEntry *entry = nullptr;
    QString key, sql;
};

std::vector<Item> itemsOf(const SchemaArchive &archive, SchemaPhase phase)
{
    std::vector<Item> out;
    std::vector<Item> validations;
    for (const SchemaEntry *e : archive.ofPhase(phase)) {
        const auto [add, validate] = foreignKeySql(*e);
        out.push_back({e, e->key(), add});
        if (!validate.isEmpty())
            validations.push_back({e, validationKey(*e), validate});
    }
    out.insert(out.end(), validations.begin(), validations.end());
    return out;
}

/// Schema and name of the ledger's table, quoted.
QString quotedLedger(const RestoreOptions &options)
{
    QStringList parts;
    for (const QString &part : options.ledgerTable.split(QLatin1Char('.')))
        parts << quoteId(part);
    return parts.join(QLatin1Char('.'));
}

Result<std::unique_ptr<Session>> openTarget(const Address &target, const RestoreOptions &options,
                                            const std::stop_token &stop)
{
    CW_TRY_ASSIGN(auto session, Session::open(target, stop));
    CW_TRY(session->exec(
        QStringLiteral("SET check_function_bodies = off; SET xmloption = content; SET row_security "
                       "= off; SET client_min_messages = warning; SET standard_conforming_strings "
                       "= on; SET default_transaction_read_only = off; SET lock_timeout = '%1s'")
            .arg(kLockWaitSeconds),
        stop));
    if (!options.setup.isEmpty())
        CW_TRY(session->exec(options.setup, stop));
    return session;
}

Status createLedger(Session &session, const RestoreOptions &options, const std::stop_token &stop)
{
    return session.exec(
        QStringLiteral("CREATE TABLE IF NOT EXISTS %1 (migration text NOT NULL, "
                       "entry text NOT NULL, state text NOT NULL, at timestamptz NOT "
                       "NULL DEFAULT pg_catalog.clock_timestamp(), PRIMARY KEY "
                       "(migration, entry))")
            .arg(quotedLedger(options)),
        stop);
}

QString recordSql(const RestoreOptions &options, const QString &key, const char *state)
{
    return QStringLiteral("INSERT INTO %1 (migration, entry, state) VALUES (%2, %3, '%4') ON "
                          "CONFLICT DO NOTHING")
        .arg(quotedLedger(options), quoteText(options.migration), quoteText(key),
             QLatin1String(state));
}

Result<std::set<QString>> recorded(Session &session, const RestoreOptions &options,
                                   const QString &condition, const std::stop_token &stop)
{
    std::set<QString> out;
    CW_TRY_ASSIGN(const auto there,
                  session.query(QStringLiteral("SELECT pg_catalog.to_regclass(%1) IS NOT NULL")
                                    .arg(quoteText(quotedLedger(options))),
                                stop));
    if (!there.isTrue(0, 0))
        return out;
    CW_TRY_ASSIGN(
        const auto r,
        session.query(QStringLiteral("SELECT entry FROM %1 WHERE migration = %2%3")
                          .arg(quotedLedger(options), quoteText(options.migration), condition),
                      stop));
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        out.insert(r.text(i, 0));
    return out;
}

bool isLockError(const Error &e)
{
    return e.sqlState == QLatin1String("55P03") || e.sqlState == QLatin1String("40P01");
}

/// The work of one phase, shared by its threads.
class Restore {
public:
    Restore(const Address &target, const RestoreOptions &options, std::deque<Item> items, int done,
            int total)
        : m_target(target), m_options(options), m_items(std::move(items)), m_done(done),
          m_total(total)
    {
    }

    Result<RestoreResult> run(int workers, std::stop_token stop)
    {
        // The first error ends the others, within the statement that they are at.
        std::stop_source ended;
        const std::stop_callback onStop(stop, [&ended] { ended.request_stop(); });
        m_parallel = workers > 1;
        std::vector<Status> ends(static_cast<std::size_t>(workers));
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < workers; ++i)
                threads.emplace_back([this, i, &ends, &ended] {
                    Status &end = ends[static_cast<std::size_t>(i)];
                    end = work(ended.get_token());
                    if (!end)
                        ended.request_stop();
                });
        }
        if (stop.stop_requested())
            return fail(cancelledError());
        // Those that were stopped say less than the one that stopped them.
        const Error *first = nullptr;
        for (const Status &end : ends) {
            if (!end && (!first || first->code == ErrorCode::Cancelled))
                first = &end.error();
        }
        if (first)
            return fail(*first);
        return m_result;
    }

private:
    Status work(const std::stop_token &stop)
    {
        std::unique_ptr<Session> session;
        for (;;) {
            Item item;
            {
                const std::lock_guard lock(m_mutex);
                if (m_items.empty())
                    return {};
                item = std::move(m_items.front());
                m_items.pop_front();
            }
            if (!session) {
                CW_TRY_ASSIGN(session, openTarget(m_target, m_options, stop));
                // Two indexes of one table wait for each other for as long as they take.
                if (m_parallel)
                    CW_TRY(session->exec(QStringLiteral("SET lock_timeout = 0"), stop));
            }
            CW_TRY(make(*session, item, stop));
        }
    }

    Status make(Session &session, const Item &item, const std::stop_token &stop)
    {
        for (int attempt = 1;; ++attempt) {
            const Status made = tryOnce(session, item, stop);
            if (made) {
                report(item, false);
                return {};
            }
            Error e = made.error();
            if (e.code != ErrorCode::Server || session.isDead()) {
                if (e.object.isEmpty())
                    e.object = item.key;
                return fail(std::move(e));
            }
            if (isLockError(e) && attempt < kAttempts) {
                if (!pauseFor(stop, std::chrono::milliseconds(200)))
                    return fail(cancelledError());
                continue;
            }
            e.object = item.key;
            switch (ask(item, e)) {
            case RestoreChoice::Retry:
                continue;
            case RestoreChoice::Skip:
                CW_TRY(session.exec(recordSql(m_options, item.key, "skipped"), stop));
                report(item, true);
                return {};
            case RestoreChoice::Stop:
                break;
            }
            e.code = ErrorCode::NeedsDecision;
            e.id = QStringLiteral("pg-object-failed");
            e.message = cwText("core", "%1 could not be made on the target.", item.key);
            return fail(std::move(e));
        }
    }

    /// Schemas and extensions may be there before us; then they are not ours to drop either.
    Result<bool> wasThere(Session &session, const Item &item, const std::stop_token &stop)
    {
        const bool schema = item.entry->type == QLatin1String("SCHEMA");
        if (!schema && item.entry->type != QLatin1String("EXTENSION"))
            return false;
        CW_TRY_ASSIGN(
            const auto r,
            session.query((schema ? QStringLiteral("SELECT 1 FROM pg_catalog.pg_namespace WHERE "
                                                   "nspname = %1")
                                  : QStringLiteral("SELECT 1 FROM pg_catalog.pg_extension WHERE "
                                                   "extname = %1"))
                              .arg(quoteText(item.entry->name)),
                          stop));
        return !r.rows.empty();
    }

    /// The object and the record that it is there, or neither.
    Status tryOnce(Session &session, const Item &item, const std::stop_token &stop)
    {
        CW_TRY_ASSIGN(const bool there, wasThere(session, item, stop));
        if (there)
            return session.exec(recordSql(m_options, item.key, "there"), stop);
        Status made = session.exec(
            QStringLiteral("BEGIN;\n") + item.entry->setup + item.sql + QStringLiteral("\n;") +
                recordSql(m_options, item.key, "done") + QStringLiteral(";COMMIT"),
            stop);
        if (!made && !session.isDead()) {
            const Status back = session.exec(QStringLiteral("ROLLBACK"), stop);
            if (!back && session.isDead())
                return back;
        }
        return made;
    }

    RestoreChoice ask(const Item &item, const Error &e)
    {
        if (!m_options.onError)
            return RestoreChoice::Stop;
        const std::lock_guard lock(m_asking);
        return m_options.onError(*item.entry, e);
    }

    void report(const Item &item, bool skipped)
    {
        int done = 0;
        {
            const std::lock_guard lock(m_mutex);
            done = ++m_done;
            if (skipped) {
                ++m_result.skipped;
                m_result.skippedKeys << item.key;
            } else {
                ++m_result.done;
            }
        }
        if (m_options.onProgress)
            m_options.onProgress(done, m_total, *item.entry);
    }

    const Address &m_target;
    const RestoreOptions &m_options;
    std::mutex m_mutex, m_asking;
    std::deque<Item> m_items;
    int m_done;
    const int m_total;
    bool m_parallel = false;
    RestoreResult m_result;
};

} // namespace

QString validationKey(const SchemaEntry &e)
{
    return QStringLiteral("VALIDATE ") + e.key();
}

std::pair<QString, QString> foreignKeySql(const SchemaEntry &e)
{
    if (e.type != QLatin1String("FK CONSTRAINT"))
        return {e.sql, {}};
    // ALTER TABLE ONLY "s"."t"\n    ADD CONSTRAINT "c" FOREIGN KEY (...) ...;  Without ONLY the
    // table is partitioned, and such a key cannot be added without being validated.
    const QString head = QStringLiteral("ALTER TABLE ONLY ");
    if (!e.sql.startsWith(head) || !e.sql.endsWith(QLatin1Char(';')) ||
        e.sql.endsWith(QLatin1String(" NOT VALID;")))
        return {e.sql, {}};
    qsizetype at = head.size();
    const QString table = quotedNameAt(e.sql, at);
    const QString middle = QStringLiteral("\n    ADD CONSTRAINT ");
    if (table.isEmpty() || e.sql.mid(at, middle.size()) != middle)
        return {e.sql, {}};
    at += middle.size();
    const QString name = quotedNameAt(e.sql, at);
    if (name.isEmpty() || e.sql.mid(at, 13) != QLatin1String(" FOREIGN KEY "))
        return {e.sql, {}};
    return {e.sql.chopped(1) + QStringLiteral(" NOT VALID;"),
            QStringLiteral("ALTER TABLE %1 VALIDATE CONSTRAINT %2;").arg(table, name)};
}

Result<RestoreResult> restorePhase(const SchemaArchive &archive, SchemaPhase phase,
                                   const Address &target, const RestoreOptions &options,
                                   std::stop_token stop)
{
    std::vector<Item> items = itemsOf(archive, phase);
    std::set<QString> made;
    {
        CW_TRY_ASSIGN(const auto session, openTarget(target, options, stop));
        CW_TRY(createLedger(*session, options, stop));
        CW_TRY_ASSIGN(made, recorded(*session, options, {}, stop));
    }
    const int total = static_cast<int>(items.size());
    std::erase_if(items, [&](const Item &i) {
        return made.contains(i.key) || options.present.contains(i.entry->key());
    });
    const bool parallel = phase == SchemaPhase::Indexes;
    // The long ones first, so that none is left to run alone in the end.
    if (parallel)
        std::stable_sort(items.begin(), items.end(), [](const Item &a, const Item &b) {
            return a.entry->weight > b.entry->weight;
        });
    RestoreResult result;
    const int there = total - static_cast<int>(items.size());
    const int workers =
        parallel ? std::max(1, std::min(options.workers, static_cast<int>(items.size()))) : 1;
    // Comments of indexes come after the indexes that others may be building.
    std::deque<Item> first, then;
    for (Item &i : items)
        (parallel && i.entry->type == QLatin1String("COMMENT") ? then : first)
            .push_back(std::move(i));
    const int count = static_cast<int>(first.size());
    CW_TRY_ASSIGN(result,
                  Restore(target, options, std::move(first), there, total).run(workers, stop));
    if (!then.empty()) {
        CW_TRY_ASSIGN(const RestoreResult more,
                      Restore(target, options, std::move(then), there + count, total).run(1, stop));
        result.done += more.done;
        result.skipped += more.skipped;
        result.skippedKeys += more.skippedKeys;
    }
    result.alreadyDone = there;
    return result;
}

Status skipEntry(const QString &key, const Address &target, const RestoreOptions &options,
                 std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto session, openTarget(target, options, stop));
    CW_TRY(createLedger(*session, options, stop));
    return session->exec(recordSql(options, key, "skipped"), stop);
}

Result<std::set<QString>> restoredKeys(const Address &target, const RestoreOptions &options,
                                       bool skipped, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto session, openTarget(target, options, stop));
    return recorded(*session, options,
                    skipped ? QStringLiteral(" AND state = 'skipped'")
                            : QStringLiteral(" AND state = 'done'"),
                    stop);
}

Status refreshMaterializedViews(const SchemaArchive &archive, const Address &target, bool again,
                                const RestoreOptions &options, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto session, openTarget(target, options, stop));
    int done = 0;
    for (const TableName &view : archive.materializedViews()) {
        const QString name = quoteId(view.schema) + QLatin1Char('.') + quoteId(view.name);
        CW_TRY_ASSIGN(
            const auto r,
            session->query(QStringLiteral("SELECT relispopulated FROM pg_catalog.pg_class "
                                          "WHERE oid = pg_catalog.to_regclass(%1)")
                               .arg(quoteText(name)),
                           stop));
        // Left out by a decision: there is nothing to fill.
        if (r.rows.empty())
            continue;
        if (again || !r.isTrue(0, 0)) {
            if (auto filled =
                    session->exec(QStringLiteral("REFRESH MATERIALIZED VIEW ") + name, stop);
                !filled) {
                Error e = filled.error();
                e.object = QStringLiteral("MATERIALIZED VIEW ") + view.display();
                return fail(std::move(e));
            }
        }
        if (options.onProgress) {
            if (const SchemaEntry *e =
                    archive.find(QStringLiteral("MATERIALIZED VIEW ") + view.display()))
                options.onProgress(++done, static_cast<int>(archive.materializedViews().size()),
                                   *e);
        }
    }
    return {};
}

} // namespace causeway::postgres
