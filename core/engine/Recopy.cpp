#include "engine/Recopy.h"

#include "base/Json.h"
#include "engine/Created.h"
#include "engine/ForeignWrites.h"
#include "engine/Replication.h"

#include <QCryptographicHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

#include <algorithm>

namespace causeway {

namespace {
/// A table that changes again while it is copied anew is copied anew again, but not for ever.
constexpr int kRounds = 5;

QJsonObject parse(const std::optional<QString> &json)
{
    return QJsonDocument::fromJson(json.value_or(QString()).toUtf8()).object();
}

/// Everything that the definition says, but the counter that moves with each insert.
QString definitionHash(const Table &table)
{
    static const QRegularExpression counter(QStringLiteral(" AUTO_INCREMENT=[0-9]+"));
    QString text = table.createSql;
    text.remove(counter);
    return QString::fromLatin1(
        QCryptographicHash::hash((text + table.fingerprint()).toUtf8(), QCryptographicHash::Sha256)
            .toHex()
            .left(16));
}

/// Statements about these tables of the target.
std::vector<SchemaStatement> about(const std::vector<TableName> &targets,
                                   const std::vector<SchemaStatement> &all)
{
    std::vector<SchemaStatement> out;
    std::copy_if(all.begin(), all.end(), std::back_inserter(out), [&](const SchemaStatement &s) {
        return std::any_of(targets.begin(), targets.end(),
                           [&](const TableName &t) { return s.object == t.display(); });
    });
    return out;
}

/// A recopy under way, as it is kept on the target.
struct Work {
    std::vector<TableName> tables; ///< source names
    /// Named with them, and not in the selection: a table that took the place of one of them, or
    /// made way for it. The stream skips a statement only when it knows of all its tables that the
    /// copies came after it.
    std::vector<TableName> beside;
    bool everything = false;
    bool made = false; ///< dropped and made anew; the rows come next
    QString dropsFrom; ///< a position of the target's log before the first was dropped

    static Work decode(const QJsonObject &json)
    {
        Work w;
        for (const QJsonValue &v : json.value(QStringLiteral("tables")).toArray())
            w.tables.push_back(tableFromKey(v.toString()));
        for (const QJsonValue &v : json.value(QStringLiteral("beside")).toArray())
            w.beside.push_back(tableFromKey(v.toString()));
        w.everything = json.value(QStringLiteral("everything")).toBool();
        w.made = json.value(QStringLiteral("made")).toBool();
        w.dropsFrom = json.value(QStringLiteral("drops_from")).toString();
        return w;
    }
    [[nodiscard]] QString encode() const
    {
        QJsonArray names, others;
        for (const TableName &t : tables)
            names.append(keyOfTable(t));
        for (const TableName &t : beside)
            others.append(keyOfTable(t));
        return compactJson(QJsonObject{{QStringLiteral("tables"), names},
                                       {QStringLiteral("beside"), others},
                                       {QStringLiteral("everything"), everything},
                                       {QStringLiteral("made"), made},
                                       {QStringLiteral("drops_from"), dropsFrom}});
    }
    void add(const TableName &name)
    {
        if (std::find(tables.begin(), tables.end(), name) == tables.end())
            tables.push_back(name);
    }
};

/// New tables are ours to drop when the migration is discarded; those that were there are not.
Status noteCreated(Context &ctx, const std::vector<TableName> &targets, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto noted, ctx.fact(Side::Target, fact::created, stop));
    Created created = Created::parse(noted.value_or(QString()));
    const Catalog *wanted = &ctx.sourceCatalog;
    Catalog there;
    {
        const QStringList schemas = [&] {
            QStringList out;
            for (const SchemaInfo &s : wanted->schemas)
                out << ctx.settings.selection.schemaOnTarget(s.name);
            return out;
        }();
        CW_TRY_ASSIGN(const QStringList existing, ctx.db(Side::Target).schemaNames(stop));
        Selection here = ctx.selectionOn(Side::Target);
        here.schemas.removeIf([&](const QString &s) { return !existing.contains(s); });
        if (!here.schemas.isEmpty()) {
            CW_TRY_ASSIGN(there, ctx.db(Side::Target).catalog(here, stop));
        }
        for (const QString &s : schemas) {
            if (!existing.contains(s) && !created.schemas.contains(s))
                created.schemas << s;
        }
    }
    for (const TableName &t : targets) {
        if (!there.find(t) &&
            std::find(created.tables.begin(), created.tables.end(), t) == created.tables.end())
            created.tables.push_back(t);
    }
    return ctx.setFact(Side::Target, fact::created, created.encode(), stop);
}

/// The tables go and come back as the source has them now, empty. Repeatable until it is noted.
Status remake(Context &ctx, Work &work, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Lease lease, ctx.lease(Side::Target, stop));
    CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(Side::Target, stop));
    std::vector<TableName> targets;
    for (const TableName &name : work.tables)
        targets.push_back(ctx.nameOn(Side::Target, name));
    Database &target = ctx.db(Side::Target);
    const auto drops = target.tableStatements(TableAction::Drop, targets);
    const auto creates = about(targets, ctx.script.tables);
    Step step;
    step.id = QStringLiteral("recopy.tables");
    step.side = Side::Target;
    step.title = cwText("core", "Make the changed tables anew");
    for (const SchemaStatement &s : drops)
        step.shownSql << s.sql;
    for (const SchemaStatement &s : creates)
        step.shownSql << s.sql;
    step.act = [&](std::stop_token token) -> Status {
        CW_TRY(noteCreated(ctx, targets, token));
        CW_TRY_ASSIGN(const Capabilities can, target.capabilities(token));
        const Selection onTarget = ctx.selectionOn(Side::Target);
        if (can.follow.yes && work.dropsFrom.isEmpty()) {
            CW_TRY_ASSIGN(const Position from, target.currentPosition(onTarget, token));
            work.dropsFrom = from.text;
            CW_TRY(ctx.setFact(Side::Target, fact::recopy, work.encode(), token));
        }
        CW_TRY(target.execute(drops, token));
        if (can.follow.yes) {
            CW_TRY_ASSIGN(const Position to, target.currentPosition(onTarget, token));
            CW_TRY(noteOwnDrops(ctx, Side::Target, targets, Position{work.dropsFrom}, to, token));
        }
        for (const TableName &name : work.tables)
            CW_TRY(ledger->forgetChunks(lease, name, token));
        // Its changes before here are skipped: they are in the copy that begins now.
        CW_TRY_ASSIGN(const Position now,
                      ctx.db(Side::Source).currentPosition(ctx.settings.selection, token));
        CW_TRY(ctx.noteTableStarts(work.tables, now, token));
        CW_TRY(ctx.noteTableStarts(work.beside, now, token));
        if (work.everything) {
            CW_TRY_ASSIGN(const Position known, ctx.db(Side::Source).identified(now, token));
            CW_TRY(ledger->openStreams(lease, {QStringLiteral("apply")}, token));
            CW_TRY(ledger->setAppliedPosition(lease, known, token));
        }
        CW_TRY(createMissing(target, ctx.script.schemas, 1, token));
        CW_TRY(target.execute(creates, token));
        // After the position: what changed in between is seen by the next comparison.
        CW_TRY_ASSIGN(const auto noted, ctx.fact(Side::Target, fact::tables, token));
        QJsonObject json = parse(noted);
        for (const TableName &name : work.tables) {
            const Table *t = ctx.sourceCatalog.find(name);
            if (t)
                json.insert(keyOfTable(name), definitionHash(*t));
            else
                json.remove(keyOfTable(name));
        }
        CW_TRY(ctx.setFact(Side::Target, fact::tables, compactJson(json), token));
        work.made = true;
        return ctx.setFact(Side::Target, fact::recopy, work.encode(), token);
    };
    return ctx.runSteps({step}, stop);
}

/// Takes tables that changed since they were made into the work; whether there were any.
Result<bool> addChanged(Context &ctx, Work &work, bool others, std::stop_token stop)
{
    ctx.schemaKnown = false;
    CW_TRY(learnSchema(ctx, stop));
    CW_TRY_ASSIGN(const auto changed, changedTables(ctx, std::move(stop)));
    bool any = false;
    for (const TableName &name : changed) {
        const bool mine =
            std::find(work.tables.begin(), work.tables.end(), name) != work.tables.end();
        if (!mine && !others)
            continue;
        work.add(name);
        work.made = false;
        any = true;
    }
    return any;
}

Status carryOut(Context &ctx, Work work, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto done, ctx.fact(Side::Target, fact::copyDone, stop));
    CW_TRY_ASSIGN(const auto complete, ctx.fact(Side::Target, fact::complete, stop));
    // Until everything was built once, it is built from the schema as it is now: whatever changed
    // since its copy was made is copied anew with the rest. Later the stream carries changes.
    const bool others = !complete;
    for (int round = 0; round < kRounds; ++round) {
        CW_TRY(addChanged(ctx, work, others, stop));
        CW_TRY(ctx.setFact(Side::Target, fact::recopy, work.encode(), stop));
        if (complete)
            CW_TRY(ctx.setFact(Side::Target, fact::complete, fact::rebuild, stop));
        if (!work.made)
            CW_TRY(remake(ctx, work, stop));
        if (done) {
            // The target is closed since the copy ended; where triggers do that, new tables have
            // none.
            CW_TRY_ASSIGN(const auto fence, ctx.fence(Side::Target, stop));
            CW_TRY(fence->keepClosed(stop));
        }
        if (!done) {
            // Still in the copy stage, which goes on with whatever has no rows yet.
            CW_TRY(ctx.clearFact(Side::Target, fact::copied, stop));
            CW_TRY(ctx.clearFact(Side::Target, fact::indexes, stop));
            return ctx.clearFact(Side::Target, fact::recopy, stop);
        }
        std::vector<TableName> targets;
        std::vector<TablePlan> plans;
        for (const TableName &name : work.tables)
            targets.push_back(ctx.nameOn(Side::Target, name));
        for (const TablePlan &p : ctx.script.plans) {
            if (std::find(work.tables.begin(), work.tables.end(), p.leader->name) !=
                work.tables.end())
                plans.push_back(p);
        }
        ctx.activity(cwText("core", "Copying changed tables anew."));
        Status rows = copyRows(ctx, plans, stop);
        if (!rows && rows.error().code != ErrorCode::Server)
            return rows;
        CW_TRY_ASSIGN(const bool again, addChanged(ctx, work, others, stop));
        if (again)
            continue;
        CW_TRY(rows);
        CW_TRY(noteCopied(ctx, stop));
        CW_TRY(createMissing(ctx.db(Side::Target), about(targets, ctx.script.indexes),
                             ctx.settings.workers, stop));
        return ctx.clearFact(Side::Target, fact::recopy, stop);
    }
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("schema-unstable");
    e.message = cwText("core", "The source's schema changed each time that tables were copied.");
    e.fix = cwText("core", "Run again when nobody changes it.");
    return fail(std::move(e));
}
} // namespace

Result<std::vector<TableName>> changedTables(Context &ctx, std::stop_token stop)
{
    std::vector<TableName> out;
    CW_TRY_ASSIGN(const auto noted, ctx.fact(Side::Target, fact::tables, stop));
    if (!noted)
        return out; // nothing was made yet
    const QJsonObject json = parse(noted);
    for (const Table &t : ctx.sourceCatalog.tables) {
        if (json.value(keyOfTable(t.name)).toString() != definitionHash(t))
            out.push_back(t.name);
    }
    for (auto it = json.begin(); it != json.end(); ++it) {
        if (!ctx.sourceCatalog.find(tableFromKey(it.key())))
            out.push_back(tableFromKey(it.key()));
    }
    return out;
}

Status noteDefinitions(Context &ctx, std::stop_token stop)
{
    QJsonObject json;
    for (const Table &t : ctx.sourceCatalog.tables)
        json.insert(keyOfTable(t.name), definitionHash(t));
    return ctx.setFact(Side::Target, fact::tables, compactJson(json), std::move(stop));
}

Status noteApplied(Context &ctx, const DdlChange &ddl, std::stop_token stop)
{
    // On the follower's thread: with a session of its own.
    CW_TRY_ASSIGN(const auto ledger, ctx.db(Side::Target).ledger(ctx.settings.id, stop));
    CW_TRY_ASSIGN(const auto noted, ledger->fact(fact::tables, stop));
    CW_TRY_ASSIGN(const auto created, ledger->fact(fact::created, stop));
    const std::optional<Lease> lease = ctx.leaseIfHeld(Side::Target);
    if (!noted || !lease)
        return {};
    CW_TRY_ASSIGN(const Catalog there,
                  ctx.db(Side::Target).catalog(ctx.selectionOn(Side::Target), stop));
    QJsonObject json = parse(noted);
    Created ours = Created::parse(created.value_or(QString()));
    // The log of either side gives names of its own.
    for (const TableName &name : ddl.tables) {
        const TableName source = ctx.settings.selection.onSource(name);
        const TableName target = ctx.settings.selection.onTarget(source);
        if (!there.find(target)) {
            json.remove(keyOfTable(source));
            continue;
        }
        const bool known = json.contains(keyOfTable(source));
        json.insert(keyOfTable(source), QStringLiteral("changed"));
        if (!known &&
            std::find(ours.tables.begin(), ours.tables.end(), target) == ours.tables.end())
            ours.tables.push_back(target);
    }
    CW_TRY(ledger->setFact(*lease, fact::tables, compactJson(json), stop));
    return ledger->setFact(*lease, fact::created, ours.encode(), stop);
}

std::vector<SchemaStatement> ofUnchanged(Context &ctx, const std::vector<TableName> &changed,
                                         const std::vector<SchemaStatement> &all)
{
    std::vector<SchemaStatement> out;
    std::copy_if(all.begin(), all.end(), std::back_inserter(out), [&](const SchemaStatement &s) {
        return std::none_of(changed.begin(), changed.end(), [&](const TableName &t) {
            return s.object == ctx.nameOn(Side::Target, t).display();
        });
    });
    return out;
}

Result<std::vector<TableName>>
copiedAmong(Context &ctx, Roles roles, const std::vector<TableName> &names, std::stop_token stop)
{
    std::vector<TableName> out;
    if (names.empty())
        return out;
    CW_TRY_ASSIGN(const auto ledger, ctx.db(Side::Target).ledger(ctx.settings.id, stop));
    CW_TRY_ASSIGN(const auto noted, ledger->fact(fact::tables, stop));
    const QJsonObject json = parse(noted);
    for (const TableName &name : names) {
        const TableName source =
            roles.leader == Side::Source ? name : ctx.settings.selection.onSource(name);
        if (json.contains(keyOfTable(source)))
            out.push_back(name);
    }
    return out;
}

Status checkUnchanged(Context &ctx, std::stop_token stop)
{
    if (ctx.settings.mode == Mode::Once)
        return {}; // nobody can change anything
    CW_TRY_ASSIGN(const auto changed, changedTables(ctx, stop));
    if (changed.empty())
        return {};
    QStringList names;
    QString place;
    for (const TableName &t : changed) {
        names << t.display();
        const Table *now = ctx.sourceCatalog.find(t);
        place += t.display() + (now ? definitionHash(*now) : QString()) + QLatin1Char(' ');
    }
    ctx.stopped = StreamStop{changed, false, false, place};
    Error e;
    e.code = ErrorCode::NeedsDecision;
    e.id = QStringLiteral("ddl");
    e.object = names.join(QLatin1String(", "));
    e.message = cwText("core", "The source's schema changed while it was copied (%1).", e.object);
    e.fix = cwText("core", "Such tables can only be copied anew: --on-ddl recopy, or answer "
                           "recopy.");
    return fail(std::move(e));
}

Status recopyTables(Context &ctx, const std::vector<TableName> &sourceNames, bool everything,
                    std::stop_token stop)
{
    CW_TRY(ctx.clearFact(Side::Target, fact::verified, stop));
    CW_TRY(ctx.journal->setValue(kKeptKeys, QString())); // of rows that are copied anew
    Work work;
    work.everything = everything;
    ctx.schemaKnown = false;
    CW_TRY(learnSchema(ctx, stop));
    // Of a whole schema: every table that the source has in it, or that was copied from it.
    CW_TRY_ASSIGN(const auto noted, ctx.fact(Side::Target, fact::tables, stop));
    std::vector<TableName> all;
    for (const Table &t : ctx.sourceCatalog.tables)
        all.push_back(t.name);
    const QJsonObject json = parse(noted);
    for (auto it = json.begin(); it != json.end(); ++it)
        all.push_back(tableFromKey(it.key()));
    for (const TableName &name : all) {
        const bool asked =
            everything ||
            std::any_of(sourceNames.begin(), sourceNames.end(), [&](const TableName &n) {
                return n == name || (n.name.isEmpty() && n.schema == name.schema);
            });
        if (asked)
            work.add(name);
    }
    // Gone from the source, and perhaps still on the target under that name.
    for (const TableName &name : sourceNames) {
        if (!name.name.isEmpty() && ctx.settings.selection.matches(name))
            work.add(name);
        else
            work.beside.push_back(name);
    }
    return carryOut(ctx, std::move(work), stop);
}

Status resumeRecopy(Context &ctx, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto noted, ctx.fact(Side::Target, fact::recopy, stop));
    return noted ? carryOut(ctx, Work::decode(parse(noted)), stop) : Status{};
}

} // namespace causeway
