#include "base/Stop.h"
#include "postgres/ChildProcess.h"
#include "postgres/ConnectionParameters.h"
#include "postgres/PostgresSession.h"
#include "postgres/Resolve.h"
#include "postgres/SchemaParts.h"

#include <QFile>
#include <QHash>
#include <QRegularExpression>

#include <algorithm>

namespace causeway::postgres {

namespace {

Error dumpError(const ChildRun &run, const DumpTool &tool, const Address &source)
{
    Error e;
    e.code = ErrorCode::Server;
    e.id = QStringLiteral("pg-dump-failed");
    e.object = source.display();
    e.serverWords = run.words.right(2000);
    const QString &w = run.words;
    if (w.contains(QLatin1String("server version mismatch"))) {
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("pg-dump-version");
        e.message = cwText("core", "pg_dump %1 is too old for this server.", tool.version);
        // --lock-wait-timeout is a statement time-out in fact.
    } else if (w.contains(QLatin1String("lock timeout")) ||
               (w.contains(QLatin1String("statement timeout")) &&
                w.contains(QLatin1String("LOCK TABLE")))) {
        e.id = QStringLiteral("pg-dump-locked");
        e.message = cwText("core", "Somebody holds a lock that keeps pg_dump from reading the "
                                   "schema.");
        e.fix = cwText("core", "Let the schema change that is under way on the source end, and try "
                               "again.");
    } else if (w.contains(QLatin1String("permission denied"))) {
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("pg-dump-privilege");
        e.message = cwText("core", "The account may not read all of the schema.");
        e.fix = cwText("core", "Grant it USAGE on the schemas and SELECT on the tables and "
                               "sequences.");
    } else if (w.contains(QLatin1String("connection to server")) ||
               w.contains(QLatin1String("could not connect"))) {
        e.code = ErrorCode::ConnectionLost;
        e.message = cwText("core", "pg_dump lost its connection or could not connect.");
    } else {
        e.message = cwText("core", "pg_dump could not read the schema.");
    }
    return e;
}

Error restoreError(const ChildRun &run, const DumpTool &tool)
{
    Error e;
    e.code = ErrorCode::Io;
    e.id = QStringLiteral("pg-restore-failed");
    e.object = tool.folder;
    e.serverWords = run.words.right(2000);
    e.message = cwText("core", "pg_restore could not read the archive.");
    return e;
}

/// One archive on disk and the tool that reads it.
class Archive {
public:
    Archive(const DumpTool &tool, QString folder) : m_tool(tool), m_folder(std::move(folder)) {}

    [[nodiscard]] QString file() const { return m_folder + QStringLiteral("/schema.dump"); }

    Result<QString> restore(QStringList arguments, const std::stop_token &stop) const
    {
        arguments << file();
        CW_TRY_ASSIGN(const ChildRun run, runChild(m_tool.folder + QStringLiteral("/pg_restore"),
                                                   arguments, Secret(), stop));
        if (run.exitStatus != 0)
            return fail(restoreError(run, m_tool));
        return QString::fromUtf8(run.output);
    }

    /// The archive's own numbers of some entries, as pg_restore takes them.
    Result<QString> listOf(const std::vector<int> &ids) const
    {
        const QString path = m_folder + QStringLiteral("/list");
        QFile list(path);
        QByteArray text;
        for (const int id : ids)
            text += QByteArray::number(id) + ";\n";
        if (!list.open(QIODevice::WriteOnly | QIODevice::Truncate) ||
            list.write(text) != text.size())
            return fail(ErrorCode::Io, cwText("core", "%1 cannot be written.", path));
        return path;
    }

private:
    const DumpTool &m_tool;
    QString m_folder;
};

QStringList scriptArguments(const DumpOptions &options)
{
    QStringList a{QStringLiteral("--verbose"), QStringLiteral("--file=-")};
    if (!options.owners)
        a << QStringLiteral("--no-owner");
    if (!options.grants)
        a << QStringLiteral("--no-privileges");
    if (!options.tablespaces)
        a << QStringLiteral("--no-tablespaces");
    return a;
}

Result<std::vector<SchemaEntry>> readEntries(const Archive &archive, const DumpOptions &options,
                                             const std::stop_token &stop)
{
    CW_TRY_ASSIGN(const QString list, archive.restore({QStringLiteral("--list")}, stop));
    const std::set<ArchiveTriple> known = parseList(list);
    CW_TRY_ASSIGN(const QString script, archive.restore(scriptArguments(options), stop));
    auto entries = parseScript(script, known);
    if (entries || entries.error().id != QLatin1String("pg-archive-ambiguous"))
        return entries;
    std::vector<SchemaEntry> out;
    for (const ArchiveTriple &triple : known) {
        CW_TRY_ASSIGN(const QString path, archive.listOf({triple.id}));
        CW_TRY_ASSIGN(const QString alone,
                      archive.restore(
                          scriptArguments(options) << QStringLiteral("--use-list=") + path, stop));
        CW_TRY_ASSIGN(auto one, parseScript(alone, {triple}));
        for (SchemaEntry &e : one)
            out.push_back(std::move(e));
    }
    // In the order of the script, which is that in which objects can be made.
    QHash<int, qsizetype> place;
    for (const SchemaEntry &e : out)
        place.insert(e.id, script.indexOf(QStringLiteral("\n-- TOC entry %1 (class %2 OID %3)\n")
                                              .arg(e.id)
                                              .arg(e.classOid)
                                              .arg(e.oid)));
    std::stable_sort(out.begin(), out.end(), [&](const SchemaEntry &a, const SchemaEntry &b) {
        return place.value(a.id) < place.value(b.id);
    });
    return out;
}

/// Rows, what only a dump of rows has, and what must not come to life on the target.
bool isWanted(const SchemaEntry &e)
{
    static const QStringList never{QStringLiteral("TABLE DATA"),
                                   QStringLiteral("SEQUENCE SET"),
                                   QStringLiteral("BLOB"),
                                   QStringLiteral("BLOBS"),
                                   QStringLiteral("BLOB METADATA"),
                                   QStringLiteral("BLOB COMMENTS"),
                                   QStringLiteral("STATISTICS DATA"),
                                   QStringLiteral("MATERIALIZED VIEW DATA"),
                                   QStringLiteral("DATABASE"),
                                   QStringLiteral("DATABASE PROPERTIES"),
                                   QStringLiteral("ENCODING"),
                                   QStringLiteral("STDSTRINGS"),
                                   QStringLiteral("SEARCHPATH"),
                                   QStringLiteral("PUBLICATION"),
                                   QStringLiteral("PUBLICATION TABLE"),
                                   QStringLiteral("PUBLICATION TABLES IN SCHEMA"),
                                   QStringLiteral("SUBSCRIPTION"),
                                   QStringLiteral("SUBSCRIPTION TABLE")};
    if (never.contains(e.type) || e.sql.isEmpty())
        return false;
    // An extension brings its own comment, and it takes more rights to make than to lack; the
    // schema "public" is there with its own.
    if (e.type == QLatin1String("COMMENT") &&
        (e.sql.startsWith(QLatin1String("COMMENT ON EXTENSION ")) ||
         e.sql.startsWith(QLatin1String("COMMENT ON SCHEMA \"public\" "))))
        return false;
    // What an earlier migration left to keep a source closed.
    if (e.type == QLatin1String("TRIGGER") && e.name.contains(QLatin1String(" causeway_sealed")))
        return false;
    return true;
}

struct SourceFacts {
    QStringList schemas;
    std::set<TableName> filledMatviews;
    QHash<TableName, qint64> bytes;
};

Result<SourceFacts> readSource(const Address &source, const std::stop_token &stop)
{
    CW_TRY_ASSIGN(const auto session, Session::open(source, stop));
    SourceFacts out;
    CW_TRY_ASSIGN(const auto schemas,
                  session->query(QStringLiteral("SELECT nspname FROM pg_catalog.pg_namespace WHERE "
                                                "nspname !~ '^pg_' AND nspname <> "
                                                "'information_schema'"),
                                 stop));
    for (std::size_t i = 0; i < schemas.rows.size(); ++i)
        out.schemas << schemas.text(i, 0);
    CW_TRY_ASSIGN(
        const auto tables,
        session->query(
            QStringLiteral(
                "SELECT n.nspname, c.relname, c.relpages, c.relkind = 'm' AND "
                "c.relispopulated FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace "
                "n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm')"),
            stop));
    for (std::size_t i = 0; i < tables.rows.size(); ++i) {
        const TableName name{tables.text(i, 0), tables.text(i, 1)};
        out.bytes.insert(name, tables.text(i, 2).toLongLong());
        if (tables.isTrue(i, 3))
            out.filledMatviews.insert(name);
    }
    return out;
}

Result<ChildRun> runDump(const DumpTool &tool, const Address &source, const QString &file,
                         const DumpOptions &options, const QStringList &leaveOut,
                         const std::stop_token &stop)
{
    // The name is looked up here: pg_dump could not be stopped while it does.
    QStringList addresses;
    if (source.socket.isEmpty()) {
        CW_TRY_ASSIGN(
            addresses,
            resolve(source.host, std::chrono::steady_clock::now() + source.connectTimeout, stop));
    }
    ConnectionParameters parameters = connectionParameters(source, addresses);
    parameters.append(
        {"connect_timeout", QByteArray::number(std::max<qint64>(
                                2, static_cast<qint64>(source.connectTimeout.count() / 1000)))});
    QStringList arguments{QStringLiteral("--format=custom"), QStringLiteral("--schema-only"),
                          QStringLiteral("--no-publications"), QStringLiteral("--no-subscriptions"),
                          QStringLiteral("--no-password"), QStringLiteral("--encoding=UTF8"),
                          // A word may be reserved on one version and not on the other.
                          QStringLiteral("--quote-all-identifiers"),
                          QStringLiteral("--lock-wait-timeout=%1").arg(options.lockWait.count()),
                          QStringLiteral("--exclude-schema=_causeway"),
                          QStringLiteral("--exclude-schema=causeway_sealed*"),
                          QStringLiteral("--file=") + file};
    for (const QString &schema : leaveOut) {
        QString quoted = schema;
        quoted.replace(QLatin1Char('"'), QLatin1String("\"\""));
        arguments << QStringLiteral("--exclude-schema=\"%1\"").arg(quoted);
    }
    arguments << QStringLiteral("--dbname=") + connectionString(parameters);
    return runChild(tool.folder + QStringLiteral("/pg_dump"), arguments, source.password, stop);
}

} // namespace

QString toString(SchemaPhase phase)
{
    switch (phase) {
    case SchemaPhase::Before:
        return QStringLiteral("before");
    case SchemaPhase::Indexes:
        return QStringLiteral("indexes");
    case SchemaPhase::Constraints:
        return QStringLiteral("constraints");
    case SchemaPhase::ForeignKeys:
        return QStringLiteral("foreign-keys");
    case SchemaPhase::Triggers:
        return QStringLiteral("triggers");
    case SchemaPhase::Last:
        break;
    }
    return QStringLiteral("last");
}

QString SchemaEntry::key() const
{
    return type + QLatin1Char(' ') + (schema.isEmpty() ? name : schema + QLatin1Char('.') + name);
}

std::vector<const SchemaEntry *> SchemaArchive::ofPhase(SchemaPhase phase) const
{
    std::vector<const SchemaEntry *> out;
    for (const SchemaEntry &e : m_entries) {
        if (e.phase == phase)
            out.push_back(&e);
    }
    return out;
}

const SchemaEntry *SchemaArchive::find(const QString &key) const
{
    const auto it = std::find_if(m_entries.begin(), m_entries.end(),
                                 [&key](const SchemaEntry &e) { return e.key() == key; });
    return it == m_entries.end() ? nullptr : &*it;
}

QStringList SchemaArchive::roles() const
{
    std::set<QString> roles;
    static const QRegularExpression named(QStringLiteral(" (?:TO|FROM|FOR ROLE|BY) "
                                                         "(\"(?:[^\"]|\"\")+\"(?:, "
                                                         "\"(?:[^\"]|\"\")+\")*)"));
    static const QRegularExpression quoted(QStringLiteral("\"((?:[^\"]|\"\")+)\""));
    for (const SchemaEntry &e : m_entries) {
        if (!e.owner.isEmpty() && e.sql.contains(QLatin1String(" OWNER TO ")))
            roles.insert(e.owner);
        if (e.type != QLatin1String("ACL") && e.type != QLatin1String("DEFAULT ACL") &&
            e.type != QLatin1String("POLICY"))
            continue;
        auto lists = named.globalMatch(e.sql);
        while (lists.hasNext()) {
            auto names = quoted.globalMatch(lists.next().captured(1));
            while (names.hasNext()) {
                QString name = names.next().captured(1);
                roles.insert(name.replace(QLatin1String("\"\""), QLatin1String("\"")));
            }
        }
    }
    return QStringList(roles.begin(), roles.end());
}

Result<QString> SchemaArchive::dropSql(const std::set<QString> &keys, std::stop_token stop) const
{
    std::set<TableName> goes;
    for (const SchemaEntry &e : m_entries) {
        if (keys.contains(e.key()) && isRelation(e))
            goes.insert(e.table);
    }
    std::vector<int> ids;
    for (const SchemaEntry &e : m_entries) {
        // These go with their table: a key that a partition has from its parent cannot be dropped
        // alone. Triggers and the like are dropped before, since functions may come before tables.
        static const QStringList types{
            QStringLiteral("CONSTRAINT"), QStringLiteral("DEFAULT"), QStringLiteral("TABLE ATTACH"),
            QStringLiteral("INDEX ATTACH"), QStringLiteral("SEQUENCE OWNED BY")};
        const bool withItsTable =
            e.ownedSequence || (types.contains(e.type) && goes.contains(e.table));
        if (keys.contains(e.key()) && !withItsTable)
            ids.push_back(e.id);
    }
    if (ids.empty())
        return QString();
    const Archive archive(m_tool, m_folder->path());
    CW_TRY_ASSIGN(const QString list, archive.listOf(ids));
    CW_TRY_ASSIGN(const QString script,
                  archive.restore({QStringLiteral("--clean"), QStringLiteral("--if-exists"),
                                   QStringLiteral("--verbose"), QStringLiteral("--no-owner"),
                                   QStringLiteral("--no-privileges"), QStringLiteral("--file=-"),
                                   QStringLiteral("--use-list=") + list},
                                  stop));
    // All DROPs stand between the settings and the first entry.
    const QString lastSetting = QStringLiteral("\nSET row_security = off;\n");
    const qsizetype from = script.indexOf(lastSetting);
    const qsizetype to = script.indexOf(QLatin1String("\n--\n-- TOC entry "));
    if (from < 0 || to < from)
        return fail(ErrorCode::Internal, cwText("core", "pg_restore's output is not as expected."),
                    QStringLiteral("pg-restore-output"));
    const qsizetype begin = from + lastSetting.size();
    return script.mid(begin, to - begin).trimmed();
}

Result<SchemaArchive> dumpSchema(const DumpTool &tool, const Address &source,
                                 const DumpOptions &options, std::stop_token stop)
{
    if (!options.selection.renames.isEmpty()) {
        return fail(ErrorCode::Usage,
                    cwText("core", "Schemas of PostgreSQL cannot be renamed while they move."),
                    QStringLiteral("pg-rename"));
    }
    SchemaArchive out;
    out.m_tool = tool;
    out.m_folder = std::make_shared<QTemporaryDir>(); // only we can enter it
    if (!out.m_folder->isValid())
        return fail(ErrorCode::Io, cwText("core", "A temporary folder cannot be made."));
    const Archive archive(out.m_tool, out.m_folder->path());
    CW_TRY_ASSIGN(const SourceFacts facts, readSource(source, stop));
    CW_TRY_ASSIGN(ChildRun run, runDump(tool, source, archive.file(), options, {}, stop));
    const QStringList &chosen = options.selection.schemas;
    if (run.exitStatus != 0 && !chosen.isEmpty() &&
        run.words.contains(QLatin1String("permission denied"))) {
        // Other schemas are read too, for what the chosen ones need of them; where the account may
        // not, the chosen ones must do.
        QStringList others;
        for (const QString &schema : facts.schemas) {
            if (!chosen.contains(schema))
                others << schema;
        }
        CW_TRY_ASSIGN(run, runDump(tool, source, archive.file(), options, others, stop));
    }
    if (run.exitStatus != 0)
        return fail(dumpError(run, tool, source));
    CW_TRY_ASSIGN(out.m_entries, readEntries(archive, options, stop));
    if (!options.owners) {
        // Owners' names are left out with the statements.
        DumpOptions withOwners = options;
        withOwners.owners = true;
        CW_TRY_ASSIGN(const auto named, readEntries(archive, withOwners, stop));
        QHash<int, QString> owners;
        for (const SchemaEntry &e : named)
            owners.insert(e.id, e.owner);
        for (SchemaEntry &e : out.m_entries)
            e.owner = owners.value(e.id);
    }
    std::erase_if(out.m_entries, [](const SchemaEntry &e) { return !isWanted(e); });
    for (SchemaEntry &e : out.m_entries) {
        if (e.type == QLatin1String("SCHEMA"))
            e.sql.replace(0, 14, QStringLiteral("CREATE SCHEMA IF NOT EXISTS "));
    }
    assignTables(out.m_entries);
    out.m_leftOut = applySelection(out.m_entries, options.selection);
    assignPhases(out.m_entries);
    makeKeysUnique(out.m_entries);
    for (SchemaEntry &e : out.m_entries) {
        e.weight = facts.bytes.value(e.table);
        if (e.type == QLatin1String("MATERIALIZED VIEW") && facts.filledMatviews.contains(e.table))
            out.m_matviews.push_back(e.table);
    }
    return out;
}

QStringList phaseSql(const SchemaArchive &archive, SchemaPhase phase)
{
    QStringList out;
    for (const SchemaEntry *e : archive.ofPhase(phase)) {
        const auto [add, validate] = foreignKeySql(*e);
        out << add;
        if (!validate.isEmpty())
            out << validate;
    }
    return out;
}

std::vector<SchemaDifference> compareSchemas(const SchemaArchive &source,
                                             const SchemaArchive &target)
{
    std::vector<SchemaDifference> out;
    QHash<QString, const SchemaEntry *> there;
    for (const SchemaEntry &e : target.entries())
        there.insert(e.key(), &e);
    for (const SchemaEntry &e : source.entries()) {
        const SchemaEntry *other = there.take(e.key());
        if (!other)
            out.push_back({SchemaDifference::Kind::Missing, e.key(), e.sql, {}});
        else if (other->setup + other->sql != e.setup + e.sql)
            out.push_back({SchemaDifference::Kind::Different, e.key(), e.sql, other->sql});
    }
    for (const SchemaEntry &e : target.entries()) {
        if (there.contains(e.key()))
            out.push_back({SchemaDifference::Kind::Extra, e.key(), {}, e.sql});
    }
    return out;
}

} // namespace causeway::postgres
