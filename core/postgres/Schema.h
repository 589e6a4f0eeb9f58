#pragma once

#include "base/Error.h"
#include "endpoint/Address.h"
#include "schema/Selection.h"

#include <QString>
#include <QStringList>
#include <QTemporaryDir>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <vector>

/// The schema of a PostgreSQL database, moved by pg_dump: it alone knows every kind of object of
/// every version. pg_restore only takes the archive apart: each object's SQL runs in a session of
/// ours, so that it can be shown before, fails by itself, and is recorded in the transaction that
/// made it.
namespace causeway::postgres {

/// A pg_dump and the pg_restore beside it.
struct DumpTool {
    QString folder;
    int major = 0;
    QString version; ///< "18.6"
    /// Newer than the target: SQL that the target does not know is possible.
    bool newerThanTarget = false;
};

/// All pairs that run: the one named (a folder, or pg_dump in it; may be empty), the folder in
/// CAUSEWAY_PG_BIN, those on the PATH, /usr/lib/postgresql/*/bin and where other systems have them.
/// Each folder once, the named one first.
std::vector<DumpTool> findDumpTools(const QString &named, std::stop_token);
/// The newest with sourceMajor <= major <= targetMajor: an older one refuses the source, and a
/// newer one may write what the target does not know. Where there is none, the oldest that is newer
/// than the target, marked so. Else an error whose fix names the package.
Result<DumpTool> chooseDumpTool(const std::vector<DumpTool> &, int sourceMajor, int targetMajor);

/// When an object is made, in this order.
enum class SchemaPhase {
    Before,  ///< before rows: schemas, extensions, types, functions, tables, sequences, views,
             ///< primary keys and what is the replica identity
    Indexes, ///< after the copy, several at a time: other indexes, unique and exclusion constraints
    Constraints, ///< what ties those together (partitions' indexes), NOT VALID checks, statistics
    ForeignKeys, ///< added NOT VALID, then validated
    Triggers,    ///< triggers, rules, policies; at the switch or before
    Last,        ///< grants, default privileges, event triggers
};
QString toString(SchemaPhase);

/// One entry of the archive.
struct SchemaEntry {
    int id = 0;     ///< number in this archive
    QString type;   ///< pg_dump's word: "TABLE", "FK CONSTRAINT", "MATERIALIZED VIEW"
    QString schema; ///< empty for what is in none
    QString name;   ///< "orders", "orders orders_customer_fkey", "slug(text)"
    QString owner;
    quint32 classOid = 0, oid = 0; ///< of the source's catalogs
    SchemaPhase phase = SchemaPhase::Before;
    QString setup; ///< SET statements that it needs (table access method)
    QString sql;   ///< complete; several statements, run as one transaction
    std::vector<int> dependencies;
    /// The table that it belongs to; its own name for a table.
    TableName table;
    bool ownedSequence = false; ///< of a serial or identity column
    qint64 weight = 0;          ///< pages of that table on the source

    /// The same in every dump of the same database: "FK CONSTRAINT shop.orders orders_parent_fkey".
    [[nodiscard]] QString key() const;
};

struct DumpOptions {
    Selection selection; ///< under the source's names
    bool owners = false; ///< ALTER ... OWNER TO; needs the same roles on the target
    bool grants = false;
    bool tablespaces = false;
    std::chrono::milliseconds lockWait{10'000}; ///< on the source, for ACCESS SHARE
};

/// Roles of the target, as far as owners and grants go.
struct TargetRoles {
    std::set<QString> there;
    std::set<QString> mayBecome; ///< our account may make them owners
    bool superuser = false;      ///< our account is one
};
Result<TargetRoles> readTargetRoles(const Address &target, std::stop_token);
struct RolesLeftOut {
    QStringList missing; ///< not on the target
    QStringList notOurs; ///< ours may not give them anything: objects stay ours
};

/// What pg_dump said of one database, taken apart. The archive is in a temporary folder that goes
/// with it.
class SchemaArchive {
public:
    /// Only what the selection takes, in an order in which it can be made.
    [[nodiscard]] const std::vector<SchemaEntry> &entries() const { return m_entries; }
    [[nodiscard]] std::vector<const SchemaEntry *> ofPhase(SchemaPhase) const;
    [[nodiscard]] const SchemaEntry *find(const QString &key) const;
    /// Materialised views that hold rows on the source, in an order in which they can be filled.
    [[nodiscard]] const std::vector<TableName> &materializedViews() const { return m_matviews; }
    /// Roles that owners, grants and policies name.
    [[nodiscard]] QStringList roles() const;
    /// Left out of the selection although a selected object needs it, with the reason.
    [[nodiscard]] const std::vector<std::pair<QString, Text>> &leftOut() const { return m_leftOut; }
    /// SQL that drops these entries again, in the right order; for what we recorded creating.
    Result<QString> dropSql(const std::set<QString> &keys, std::stop_token) const;
    /// Leaves out what names roles that the target has not, and owners that ours may not make.
    RolesLeftOut adaptTo(const TargetRoles &);
    [[nodiscard]] const DumpTool &tool() const { return m_tool; }

private:
    friend Result<SchemaArchive> dumpSchema(const DumpTool &, const Address &, const DumpOptions &,
                                            std::stop_token);
    std::shared_ptr<QTemporaryDir> m_folder;
    DumpTool m_tool;
    std::vector<SchemaEntry> m_entries;
    std::vector<TableName> m_matviews;
    std::vector<std::pair<QString, Text>> m_leftOut;
};

/// Reads the schema of the database; holds ACCESS SHARE locks while it runs. The password goes
/// through a file that only we can read, never through a command line or an environment.
/// Publications and subscriptions are left out: the customer's own would start to work on the
/// target. Stopped within a second: the child is ended, and with it its statement.
Result<SchemaArchive> dumpSchema(const DumpTool &, const Address &source, const DumpOptions &,
                                 std::stop_token);

enum class RestoreChoice { Retry, Skip, Stop };
/// Asked for each object that failed, from one thread at a time. Stop ends the restore with the
/// error (code NeedsDecision, object = the entry's key()).
using OnRestoreError = std::function<RestoreChoice(const SchemaEntry &, const Error &)>;

struct RestoreOptions {
    /// Where what is done is recorded, in the transaction that does it: a table that is created
    /// where it is missing, in a schema that exists. What it says is done is never done again.
    QString ledgerTable = QStringLiteral("_causeway.restored");
    QString migration; ///< eight hex digits; entries of several migrations share the table
    int workers = 4;   ///< for SchemaPhase::Indexes
    QString setup;     ///< SET statements of every session, such as maintenance_work_mem
    /// Keys that the target had before and that are as they should be: neither made nor recorded.
    std::set<QString> present;
    OnRestoreError onError; ///< absent: Stop
    /// After each object, any thread: how many of how many, and which.
    std::function<void(int done, int total, const SchemaEntry &)> onProgress;
};

struct RestoreResult {
    int done = 0, skipped = 0, alreadyDone = 0;
    QStringList skippedKeys;
};

/// Makes the phase's entries on the target, those that are not done yet. May be entered again at
/// any point. Lock time-outs and deadlocks (the subscription's own sessions hold locks) are tried
/// again.
Result<RestoreResult> restorePhase(const SchemaArchive &, SchemaPhase, const Address &target,
                                   const RestoreOptions &, std::stop_token);
/// As a person decided: the entry is passed over from now on.
Status skipEntry(const QString &key, const Address &target, const RestoreOptions &,
                 std::stop_token);
/// Keys recorded as done (or skipped).
Result<std::set<QString>> restoredKeys(const Address &target, const RestoreOptions &, bool skipped,
                                       std::stop_token);
/// REFRESH MATERIALIZED VIEW in order, each one that is not filled yet (`again`: each one).
Status refreshMaterializedViews(const SchemaArchive &, const Address &target, bool again,
                                const RestoreOptions &, std::stop_token);
/// The SQL of a phase as it will run, for the plan.
QStringList phaseSql(const SchemaArchive &, SchemaPhase);

struct SchemaDifference {
    enum class Kind { Missing, Different, Extra }; ///< as seen from the source
    Kind kind = Kind::Missing;
    QString key;
    QString source, target; ///< SQL; empty where it is missing
};
/// What differs between two databases, for a target that has a schema already. Both archives by the
/// same tool, which need not be able to restore: another version prints the same thing differently.
std::vector<SchemaDifference> compareSchemas(const SchemaArchive &source,
                                             const SchemaArchive &target);

} // namespace causeway::postgres
