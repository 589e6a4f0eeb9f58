#include "mysql/SchemaRead.h"
#include "mysql/SchemaTarget.h"
#include "mysql/TableDdl.h"

#include <QHash>

#include <algorithm>

namespace causeway::mysql {

namespace {

tl::unexpected<Error> cannot(const char *id, const TableName &table, Text message, Text fix)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QString::fromLatin1(id);
    e.object = table.display();
    e.message = std::move(message);
    e.fix = std::move(fix);
    return fail(std::move(e));
}

/// What becomes of an option of CREATE TABLE.
enum class Fate {
    Keep,
    Drop,       ///< and say so
    DropQuietly ///< part of another adjustment
};

Fate fateOf(const TableOption &o, bool converted, const SchemaTarget &target)
{
    static const QSet<QString> always = {
        QStringLiteral("KEY_BLOCK_SIZE"),    QStringLiteral("DATA DIRECTORY"),
        QStringLiteral("INDEX DIRECTORY"),   QStringLiteral("TABLESPACE"),
        QStringLiteral("STORAGE DISK"),      QStringLiteral("STORAGE MEMORY"),
        QStringLiteral("ENCRYPTION"),        QStringLiteral("ENCRYPTED"),
        QStringLiteral("ENCRYPTION_KEY_ID"), QStringLiteral("COMPRESSION"),
        QStringLiteral("PAGE_COMPRESSED"),   QStringLiteral("PAGE_COMPRESSION_LEVEL"),
        QStringLiteral("SECONDARY_ENGINE"),  QStringLiteral("SECONDARY_ENGINE_ATTRIBUTE"),
        QStringLiteral("ENGINE_ATTRIBUTE"),  QStringLiteral("AUTOEXTEND_SIZE"),
        QStringLiteral("TRANSACTIONAL"),     QStringLiteral("CONNECTION"),
        QStringLiteral("PASSWORD"),          QStringLiteral("START TRANSACTION")};
    static const QSet<QString> everywhere = {QStringLiteral("ENGINE"),
                                             QStringLiteral("AUTO_INCREMENT"),
                                             QStringLiteral("DEFAULT CHARSET"),
                                             QStringLiteral("CHARSET"),
                                             QStringLiteral("COLLATE"),
                                             QStringLiteral("COMMENT"),
                                             QStringLiteral("ROW_FORMAT"),
                                             QStringLiteral("STATS_PERSISTENT"),
                                             QStringLiteral("MAX_ROWS"),
                                             QStringLiteral("MIN_ROWS"),
                                             QStringLiteral("AVG_ROW_LENGTH"),
                                             QStringLiteral("CHECKSUM"),
                                             QStringLiteral("PACK_KEYS"),
                                             QStringLiteral("DELAY_KEY_WRITE"),
                                             QStringLiteral("STATS_AUTO_RECALC"),
                                             QStringLiteral("STATS_SAMPLE_PAGES")};
    static const QSet<QString> ofMyIsam = {
        QStringLiteral("PACK_KEYS"),       QStringLiteral("CHECKSUM"),
        QStringLiteral("DELAY_KEY_WRITE"), QStringLiteral("PAGE_CHECKSUM"),
        QStringLiteral("TRANSACTIONAL"),   QStringLiteral("MAX_ROWS"),
        QStringLiteral("MIN_ROWS"),        QStringLiteral("AVG_ROW_LENGTH"),
        QStringLiteral("INSERT_METHOD")};
    if (converted && ofMyIsam.contains(o.name))
        return Fate::DropQuietly;
    if (always.contains(o.name))
        return Fate::Drop;
    if (o.name == QLatin1String("ROW_FORMAT")) {
        static const QSet<QString> innodb = {QStringLiteral("DYNAMIC"), QStringLiteral("COMPACT"),
                                             QStringLiteral("REDUNDANT"),
                                             QStringLiteral("DEFAULT")};
        return innodb.contains(o.value.toUpper()) ? Fate::Keep : Fate::Drop;
    }
    if (everywhere.contains(o.name))
        return Fate::Keep;
    return target.crosses() ? Fate::Drop : Fate::Keep;
}

struct Builder {
    const Table &leader;
    const SchemaTarget &target;
    QSet<QString> &checkNames;
    Adjustments &adjustments;
    TableDdl ddl;
    TablePieces out;
    bool converted = false; ///< another engine becomes InnoDB
    QStringList early;      ///< keys that must exist while rows are copied

    void note(Text what) { adjustments.add(leader.name.display(), std::move(what)); }
    Status engine();
    Status columns();
    Result<bool> key(TableItem &);
    Status keys();
    bool check(TableItem &);
    [[nodiscard]] bool feedsStored(const ForeignKey &) const;
    Status foreignKeys();
    Status options();
    void partitions();
    Status versioning();
    void chooseEarly();
    void assemble();
};

Status Builder::engine()
{
    static const QHash<QString, QString> becomeInnoDb = {
        {QStringLiteral("MYISAM"), {}},     {QStringLiteral("ARIA"), {}},
        {QStringLiteral("MEMORY"), {}},     {QStringLiteral("ARCHIVE"), {}},
        {QStringLiteral("CSV"), {}},        {QStringLiteral("ROCKSDB"), {}},
        {QStringLiteral("TOKUDB"), {}},     {QStringLiteral("HEAP"), {}},
        {QStringLiteral("NDBCLUSTER"), {}}, {QStringLiteral("COLUMNSTORE"), {}}};
    const QString name = leader.engine.toUpper();
    if (name == QLatin1String("INNODB"))
        return {};
    if (!becomeInnoDb.contains(name)) {
        // MERGE, FEDERATED, CONNECT, SPIDER, BLACKHOLE: their rows are elsewhere or nowhere.
        return cannot("mysql-storage-engine", leader.name,
                      cwText("core",
                             "Table %1 uses the engine %2, which holds no rows of its own "
                             "that could be moved.",
                             leader.name.display(), leader.engine),
                      cwText("core", "Leave the table out of the selection."));
    }
    converted = true;
    note(cwText("core", "Engine %1 becomes InnoDB.", leader.engine));
    return {};
}

Status Builder::columns()
{
    for (TableItem &item : ddl.items) {
        if (item.kind != ItemKind::Column)
            continue;
        const int at = leader.columnIndex(item.name);
        if (at < 0) {
            return fail(ErrorCode::Internal,
                        cwText("core", "Column \"%1\" of table %2 is not in the server's catalog.",
                               item.name, leader.name.display()));
        }
        CW_TRY_ASSIGN(item.text, translateColumn(item.text, leader,
                                                 out.follower.columns[static_cast<std::size_t>(at)],
                                                 target, adjustments));
    }
    return {};
}

/// False: the key is left out.
Result<bool> Builder::key(TableItem &item)
{
    const Tokens t(item.text);
    Rewriter edit(t);
    int open = 0;
    while (open < t.size() && !t.isMark(open, '('))
        ++open;
    const bool vector = t.isWord(t.next(0), QLatin1String("VECTOR"));
    if ((item.expression && target.mariaDb) || (vector && !target.mariaDb)) {
        if (item.unique) {
            return cannot("mysql-unique-key", leader.name,
                          cwText("core",
                                 "Unique key \"%1\" of table %2 is over an expression, "
                                 "which the target does not have.",
                                 item.name, leader.name.display()),
                          cwText("core", "Make it a key over a generated column on the source."));
        }
        note(cwText("core", "Index \"%1\" is left out: the target has no index of that kind.",
                    item.name));
        return false;
    }
    if (item.primary() && target.mariaDb && !target.fromMariaDb) {
        const bool generated =
            std::any_of(leader.keys.begin(), leader.keys.end(), [this](const Key &k) {
                return k.primary &&
                       std::any_of(k.parts.begin(), k.parts.end(), [this](const KeyPart &p) {
                           return p.column >= 0 &&
                                  leader.columns[static_cast<std::size_t>(p.column)].generated;
                       });
            });
        if (generated) {
            return cannot("mysql-unique-key", leader.name,
                          cwText("core",
                                 "The primary key of table %1 is over a generated column, which "
                                 "MariaDB does not allow.",
                                 leader.name.display()),
                          cwText("core", "Give the table another primary key on the source."));
        }
    }
    for (int i = open; i < t.size(); ++i) {
        const int next = t.next(i + 1);
        if (t.at(i).kind == TokenKind::VersionOpen) {
            const VersionedPart part = versionedPart(t, i);
            if (target.crosses() || !readsVersion(target, part.version)) {
                const bool ignored = part.firstWord == QLatin1String("INVISIBLE") &&
                                     target.mariaDb && target.version >= 100600;
                edit.replace(i, part.end, ignored ? QStringLiteral("IGNORED") : QString());
                if (!ignored && part.firstWord != QLatin1String("VISIBLE"))
                    note(
                        cwText("core", "%1 of index \"%2\" is left out.", part.content, item.name));
            } else if (part.firstWord == QLatin1String("KEY_BLOCK_SIZE")) {
                edit.replace(i, part.end, QString());
            }
            i = part.end - 1;
        } else if (t.isWord(i, QLatin1String("KEY_BLOCK_SIZE"))) {
            const int value = t.isMark(next, '=') ? t.next(next + 1) : next;
            edit.replace(i, value + 1, QString());
            note(cwText("core", "KEY_BLOCK_SIZE of index \"%1\" is left out.", item.name));
            i = value;
        } else if (t.isWord(i, QLatin1String("USING")) && converted) {
            edit.replace(i, next + 1, QString());
            i = next;
        } else if (t.isWord(i, QLatin1String("USING")) && target.fromMariaDb && !target.mariaDb &&
                   t.isWord(next, QLatin1String("HASH"))) {
            // MariaDB's unique key over a whole TEXT or BLOB; elsewhere HASH means nothing.
            const auto k =
                std::find_if(leader.keys.begin(), leader.keys.end(), [&](const Key &have) {
                    return have.name.compare(item.name, Qt::CaseInsensitive) == 0;
                });
            const bool large = k != leader.keys.end() &&
                               std::any_of(k->parts.begin(), k->parts.end(), [&](const KeyPart &p) {
                                   if (p.column < 0 || p.prefix != 0)
                                       return false;
                                   const QString &type =
                                       leader.columns[static_cast<std::size_t>(p.column)].dataType;
                                   return type.endsWith(QLatin1String("text")) ||
                                          type.endsWith(QLatin1String("blob"));
                               });
            if (large) {
                return cannot("mysql-unique-key", leader.name,
                              cwText("core",
                                     "Unique key \"%1\" of table %2 is over a whole TEXT "
                                     "or BLOB, which MySQL does not have.",
                                     item.name, leader.name.display()),
                              cwText("core", "Drop it, or give it a prefix length on the source."));
            }
            edit.replace(i, next + 1, QString());
            i = next;
        } else if (t.isWord(i, QLatin1String("IGNORED")) && !target.mariaDb) {
            if (target.version >= 80000)
                edit.replace(i, QStringLiteral("INVISIBLE"));
            else
                edit.replace(i, QString());
        } else if (t.isWord(i, QLatin1String("WITHOUT")) && !target.mariaDb) {
            return cannot("mysql-unique-key", leader.name,
                          cwText("core",
                                 "Key \"%1\" of table %2 is WITHOUT OVERLAPS, which MySQL "
                                 "does not have.",
                                 item.name, leader.name.display()),
                          cwText("core", "Drop it on the source, or leave the table out."));
        } else if (t.isWord(i, QLatin1String("CLUSTERING"))) {
            const int value = t.isMark(next, '=') ? t.next(next + 1) : next;
            edit.replace(i, value + 1, QString());
            i = value;
        }
    }
    dropIntroducers(t, edit, target);
    item.text = edit.result().trimmed();
    return true;
}

Status Builder::keys()
{
    std::vector<TableItem> kept;
    QStringList dropped;
    for (TableItem &item : ddl.items) {
        if (item.kind == ItemKind::Key) {
            CW_TRY_ASSIGN(const bool keep, key(item));
            if (!keep) {
                dropped << item.name.toLower();
                continue;
            }
        } else if (item.kind == ItemKind::Check && !check(item)) {
            continue;
        }
        kept.push_back(std::move(item));
    }
    ddl.items = std::move(kept);
    Table &f = out.follower;
    std::erase_if(f.keys, [&](const Key &k) { return dropped.contains(k.name.toLower()); });
    for (Key &k : f.keys) {
        if (converted && (k.method == QLatin1String("HASH") || k.method == QLatin1String("RTREE")))
            k.method = QStringLiteral("BTREE");
    }
    // The same key as on the leader, wherever it stands in the list now: both sides must cut chunks
    // by one key.
    f.rowKey.reset();
    if (leader.rowKey) {
        const QString name = leader.keys[static_cast<std::size_t>(*leader.rowKey)].name;
        for (std::size_t i = 0; i < f.keys.size(); ++i) {
            if (f.keys[i].name == name)
                f.rowKey = static_cast<int>(i);
        }
    }
    return {};
}

bool Builder::check(TableItem &item)
{
    const Tokens t(item.text);
    Rewriter edit(t);
    for (int i = 0; i < t.size(); ++i) {
        if (t.at(i).kind != TokenKind::VersionOpen)
            continue;
        const VersionedPart part = versionedPart(t, i);
        if (target.crosses() &&
            part.content.compare(QLatin1String("NOT ENFORCED"), Qt::CaseInsensitive) == 0) {
            note(cwText("core",
                        "CHECK constraint \"%1\" is left out: it is NOT ENFORCED, which "
                        "MariaDB does not have.",
                        item.name));
            return false;
        }
        i = part.end - 1;
    }
    dropIntroducers(t, edit, target);
    if (!edit.isEmpty())
        item.text = edit.result();
    if (target.fromMariaDb && !target.mariaDb) {
        // MariaDB's names are unique per table (CONSTRAINT_1 in each), MySQL's per schema.
        const QString schema = out.follower.name.schema;
        const QString unique = schema + QChar(0x1f) + item.name.toLower();
        const bool generated = item.name.startsWith(QLatin1String("CONSTRAINT_"));
        if (generated || checkNames.contains(unique)) {
            const int word = t.next(0);
            const int name = t.next(word + 1);
            if (t.isWord(word, QLatin1String("CONSTRAINT")) && t.isName(name)) {
                edit.replace(word, t.next(name + 1), QString());
                item.text = edit.result();
                if (!generated)
                    note(cwText("core",
                                "CHECK constraint \"%1\" gets another name: MySQL's names "
                                "are unique in a schema.",
                                item.name));
            }
        }
        checkNames.insert(unique);
    }
    return true;
}

Status Builder::versioning()
{
    const bool versioned = ddl.option("WITH SYSTEM VERSIONING") != nullptr;
    const bool period = std::any_of(ddl.items.begin(), ddl.items.end(),
                                    [](const TableItem &i) { return i.kind == ItemKind::Period; });
    if (target.mariaDb) {
        if (versioned)
            note(cwText("core", "System versioning: the rows' history before the move stays on the "
                                "source."));
        return {};
    }
    if (period) {
        return cannot("mysql-period", leader.name,
                      cwText("core", "Table %1 has a PERIOD, which MySQL does not have.",
                             leader.name.display()),
                      cwText("core", "Drop the period on the source, or leave the table out."));
    }
    if (versioned) {
        ddl.removeOption("WITH SYSTEM VERSIONING");
        if (ddl.partitions.contains(QLatin1String("SYSTEM_TIME"), Qt::CaseInsensitive)) {
            ddl.partitions.clear();
            out.follower.partitioned = false;
        }
        note(cwText("core", "System versioning is left out: MySQL does not have it."));
    }
    return {};
}

Status Builder::options()
{
    std::vector<TableOption> kept;
    bool charset = false, collate = false;
    for (TableOption &o : ddl.options) {
        const Fate fate = fateOf(o, converted, target);
        if (fate == Fate::Drop)
            note(cwText("core", "The option %1 is left out.",
                        o.value.isEmpty() ? o.name : o.name + QLatin1Char('=') + o.value));
        if (fate != Fate::Keep)
            continue;
        if (o.name == QLatin1String("ENGINE")) {
            o.value = QStringLiteral("InnoDB");
        } else if (o.name == QLatin1String("DEFAULT CHARSET") ||
                   o.name == QLatin1String("COLLATE")) {
            const bool isCharset = o.name != QLatin1String("COLLATE");
            (isCharset ? charset : collate) = true;
            CW_TRY_ASSIGN(const QString here, mapCollation(leader.collation, leader.name.display(),
                                                           target, adjustments));
            o.value = isCharset ? target.collations.charset(charsetOfCollation(here)) : here;
        }
        kept.push_back(std::move(o));
    }
    CW_TRY_ASSIGN(const QString here,
                  mapCollation(leader.collation, leader.name.display(), target, adjustments));
    if (!charset) {
        kept.push_back({QStringLiteral("DEFAULT CHARSET"),
                        target.collations.charset(charsetOfCollation(here)), 0});
    }
    if (!collate)
        kept.push_back({QStringLiteral("COLLATE"), here, 0});
    ddl.options = std::move(kept);
    out.follower.collation = here;
    out.follower.charset = target.collations.charset(charsetOfCollation(here));
    out.follower.engine = QStringLiteral("InnoDB");
    return {};
}

void Builder::partitions()
{
    if (ddl.partitions.isEmpty())
        return;
    static const QSet<QString> dropped = {QStringLiteral("TABLESPACE"),
                                          QStringLiteral("NODEGROUP")};
    const Tokens t(ddl.partitions);
    Rewriter edit(t);
    for (int i = 0; i < t.size(); ++i) {
        const int next = t.next(i + 1);
        if (t.isWord(i, QLatin1String("ENGINE")) && t.isMark(next, '=')) {
            edit.replace(t.next(next + 1), QStringLiteral("InnoDB"));
        } else if ((t.isWord(i, QLatin1String("DATA")) || t.isWord(i, QLatin1String("INDEX"))) &&
                   t.isWord(next, QLatin1String("DIRECTORY"))) {
            const int equals = t.next(next + 1);
            const int value = t.isMark(equals, '=') ? t.next(equals + 1) : equals;
            edit.replace(i, value + 1, QString());
            note(cwText("core", "DATA DIRECTORY of a partition is left out."));
            i = value;
        } else if (t.at(i).kind == TokenKind::Word &&
                   dropped.contains(t.text(i).toString().toUpper()) && t.isMark(next, '=')) {
            const int value = t.next(next + 1);
            edit.replace(i, value + 1, QString());
            i = value;
        } else if (t.at(i).kind == TokenKind::VersionOpen && target.crosses()) {
            // PARTITION BY KEY /*!50611 ALGORITHM = 2 */ ("2" is the only one left).
            const VersionedPart part = versionedPart(t, i);
            edit.replace(i, part.end, QString());
            i = part.end - 1;
        }
    }
    ddl.partitions = edit.result();
}

void Builder::chooseEarly()
{
    const Table &f = out.follower;
    if (f.rowKey)
        early << f.keys[static_cast<std::size_t>(*f.rowKey)].name.toLower();
    QString counter;
    for (const Column &c : f.columns) {
        if (c.autoIncrement)
            counter = c.name;
    }
    if (counter.isEmpty())
        return;
    // A server wants AUTO_INCREMENT to begin some key, from the first CREATE on. Non-unique keys
    // are preferred: a unique one would turn away rows of the fuzzy copy.
    const TableItem *best = nullptr;
    for (const TableItem &i : ddl.items) {
        if (i.kind != ItemKind::Key || i.fulltext || i.spatial ||
            i.firstColumn.compare(counter, Qt::CaseInsensitive) != 0)
            continue;
        const bool already = i.primary() || early.contains(i.name.toLower());
        if (already)
            return;
        if (!best || (best->unique && !i.unique))
            best = &i;
    }
    if (best) {
        early << best->name.toLower();
        return;
    }
    // MyISAM numbers within a group by a key (group, counter); InnoDB cannot.
    QString name = QLatin1String("auto_increment_") + counter;
    name = name.left(64);
    TableItem item;
    item.kind = ItemKind::Key;
    item.name = name;
    item.firstColumn = counter;
    item.text = QStringLiteral("KEY %1 (%2)").arg(quoteId(name), quoteId(counter));
    ddl.items.push_back(item);
    early << name.toLower();
    Key key;
    key.name = name;
    key.method = QStringLiteral("BTREE");
    key.parts.push_back({out.follower.columnIndex(counter), 0, false, {}});
    out.follower.keys.push_back(std::move(key));
    note(
        cwText("core", "Index \"%1\" is added: InnoDB wants AUTO_INCREMENT to begin a key.", name));
}

/// Whether a STORED column is computed from one that this key's actions would change.
bool Builder::feedsStored(const ForeignKey &key) const
{
    const auto changes = [](RefAction a) {
        return a == RefAction::Cascade || a == RefAction::SetNull || a == RefAction::SetDefault;
    };
    if (!changes(key.onDelete) && !changes(key.onUpdate))
        return false;
    for (const TableItem &item : ddl.items) {
        const int column = item.kind == ItemKind::Column ? leader.columnIndex(item.name) : -1;
        if (column < 0 || !leader.columns[static_cast<std::size_t>(column)].generated)
            continue;
        const Tokens t(item.text);
        bool stored = false, uses = false;
        for (int i = t.next(0); i < t.size(); i = t.next(i + 1)) {
            stored = stored || t.isWord(i, QLatin1String("STORED")) ||
                     t.isWord(i, QLatin1String("PERSISTENT"));
            uses = uses ||
                   (t.isName(i) && std::any_of(key.columns.begin(), key.columns.end(), [&](int c) {
                        return t.name(i).compare(leader.columns[static_cast<std::size_t>(c)].name,
                                                 Qt::CaseInsensitive) == 0;
                    }));
        }
        if (stored && uses)
            return true;
    }
    return false;
}

Status Builder::foreignKeys()
{
    QStringList clauses;
    bool byCopy = false;
    for (const ForeignKey &key : leader.foreignKeys) {
        if (!feedsStored(key))
            continue;
        if (!target.mariaDb) {
            return cannot("mysql-foreign-keys", leader.name,
                          cwText("core",
                                 "Foreign key \"%1\" of %2 changes rows (CASCADE, SET NULL) in a "
                                 "column from which a STORED column is computed; MySQL refuses "
                                 "that.",
                                 key.name, leader.name.display()),
                          cwText("core",
                                 "Make the computed column VIRTUAL on the source, or let the "
                                 "foreign key restrict."));
        }
        // MariaDB refuses to add one in place (error 138), which is what it tries first while
        // foreign keys are not checked; a table that is made with it, or copied, may have it.
        byCopy = true;
    }
    for (const TableItem &item : ddl.items) {
        if (item.kind != ItemKind::ForeignKey)
            continue;
        const Tokens t(item.text);
        Rewriter edit(t);
        for (int i = 0; i < t.size(); ++i) {
            if (!t.isWord(i, QLatin1String("REFERENCES")))
                continue;
            const int first = t.next(i + 1);
            const int point = t.next(first + 1);
            TableName name{leader.name.schema, t.name(first)};
            int end = first + 1;
            if (t.isMark(point, '.')) {
                const int second = t.next(point + 1);
                name = {t.name(first), t.name(second)};
                end = second + 1;
            }
            edit.replace(first, end, quoteName(target.selection.onTarget(name)));
            if (!target.selection.matches(name)) {
                note(cwText("core",
                            "Foreign key \"%1\" references %2, which is not part of the "
                            "selection: it must exist on the target.",
                            item.name, name.display()));
            }
            break;
        }
        clauses << QLatin1String("ADD ") + edit.result();
    }
    if (!clauses.isEmpty()) {
        out.foreignKeys.push_back(
            {out.follower.name.display(),
             QStringLiteral("ALTER TABLE %1\n  %2%3")
                 .arg(quoteName(out.follower.name), clauses.join(QLatin1String(",\n  ")),
                      byCopy ? QStringLiteral(",\n  ALGORITHM=COPY") : QString()),
             {}});
    }
    for (ForeignKey &k : out.follower.foreignKeys)
        k.refTable = target.selection.onTarget(k.refTable);
    return {};
}

void Builder::assemble()
{
    const QString table = quoteName(out.follower.name);
    const QString object = out.follower.name.display();
    QStringList body;
    QStringList pending; // consecutive plain indexes share one ALTER: one pass over the table
    bool pendingUnique = false;
    const auto flush = [&] {
        if (pending.isEmpty())
            return;
        (pendingUnique ? out.uniques : out.indexes)
            .push_back({object,
                        QStringLiteral("ALTER TABLE %1\n  %2")
                            .arg(table, pending.join(QLatin1String(",\n  "))),
                        {}});
        pending.clear();
    };
    for (const TableItem &item : ddl.items) {
        switch (item.kind) {
        case ItemKind::ForeignKey:
            break;
        case ItemKind::Key: {
            if (item.primary() || early.contains(item.name.toLower())) {
                body << item.text;
                break;
            }
            // InnoDB builds one FULLTEXT index at a time, and a spatial one or one over an
            // expression would make the whole ALTER copy the table.
            const bool alone = item.fulltext || item.spatial || item.expression;
            if (alone || pendingUnique != item.unique)
                flush();
            pendingUnique = item.unique;
            pending << QLatin1String("ADD ") + item.text;
            if (alone)
                flush();
            break;
        }
        default:
            body << item.text;
        }
    }
    flush();
    QString sql =
        QStringLiteral("CREATE TABLE %1 (\n  %2\n)").arg(table, body.join(QLatin1String(",\n  ")));
    for (const TableOption &o : ddl.options) {
        // Options of MariaDB's engines have quoted names; all of those are dropped before.
        sql += QLatin1Char(' ') + o.name;
        if (!o.value.isEmpty())
            sql += QLatin1Char('=') + o.value;
    }
    if (!ddl.partitions.isEmpty())
        sql += QLatin1Char('\n') + ddl.partitions;
    out.create = {object, sql, {}};
    out.follower.createSql = sql;
}

} // namespace

Result<TablePieces> buildTable(const Table &leader, const SchemaTarget &target,
                               QSet<QString> &checkNames, Adjustments &adjustments)
{
    Builder b{leader, target, checkNames, adjustments, {}, {}, false, {}};
    b.out.follower = leader;
    b.out.follower.name = target.selection.onTarget(leader.name);
    CW_TRY_ASSIGN(b.ddl, TableDdl::parse(leader.createSql));
    CW_TRY(b.engine());
    CW_TRY(b.versioning());
    CW_TRY(b.columns());
    CW_TRY(b.keys());
    CW_TRY(b.options());
    b.partitions();
    b.chooseEarly();
    CW_TRY(b.foreignKeys());
    b.assemble();
    return std::move(b.out);
}

} // namespace causeway::mysql
