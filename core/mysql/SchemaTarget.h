#pragma once

#include "database/Database.h"
#include "mysql/SchemaCollations.h"
#include "mysql/SqlTokens.h"

#include <QMap>
#include <QSet>

#include <optional>
#include <vector>

namespace causeway::mysql {

/// Accounts as far as a DEFINER clause is concerned.
class Definers {
public:
    static Result<Definers> read(Session &, std::stop_token);
    /// Empty: `definer` ("user@host") may be kept. Else why not.
    [[nodiscard]] std::optional<Text> obstacle(const QString &definer) const;

private:
    QString m_self;
    bool m_readable = false; ///< the list of accounts could be read
    bool m_maySet = false;
    bool m_maySetSystem = true; ///< accounts with SYSTEM_USER too (MySQL 8.0.16)
    QSet<QString> m_accounts, m_systemAccounts;
};

/// The server on which a schema is to be built, and where the schema comes from.
struct SchemaTarget {
    bool fromMariaDb = false;
    bool mariaDb = false;
    int version = 0; ///< as Session::version()
    Collations collations;
    Definers definers;
    Selection selection;
    [[nodiscard]] bool crosses() const { return fromMariaDb != mariaDb; }

    static Result<SchemaTarget> read(Session &, const Selection &, const ServerFacts &leaderFacts,
                                     std::stop_token);
};

/// What was changed on the way, collected for the plan.
class Adjustments {
public:
    explicit Adjustments(std::vector<SchemaAdjustment> &out) : m_out(out) {}
    void add(const QString &object, Text what);

private:
    std::vector<SchemaAdjustment> &m_out;
};

/// A table taken apart for the target: what exists while rows are copied, and what comes later.
struct TablePieces {
    SchemaStatement create;
    std::vector<SchemaStatement> indexes, uniques, foreignKeys;
    Table follower;
};
/// (SchemaTables.cpp) `checkNames`: names of CHECK constraints already given in that schema.
Result<TablePieces> buildTable(const Table &leader, const SchemaTarget &, QSet<QString> &checkNames,
                               Adjustments &);

/// (SchemaColumns.cpp) The definition as the target must be told it, and `column` changed into what
/// it will be there.
Result<QString> translateColumn(const QString &definition, const Table &, Column &column,
                                const SchemaTarget &, Adjustments &);
/// What a version comment at token `open` holds, and the token after it.
struct VersionedPart {
    QString content;
    QString firstWord; ///< upper case
    int version = 0;
    int end = 0;
};
VersionedPart versionedPart(const Tokens &, int open);
/// MariaDB 10.11 fails on its own printing of _utf8mb4'it\'s' in CHECK, DEFAULT and generated
/// columns. What our session sends is utf8mb4 anyway: takes the introducers off that MySQL prints.
void dropIntroducers(const Tokens &, Rewriter &, const SchemaTarget &);
/// Whether the target's server would read a version comment of its own product.
bool readsVersion(const SchemaTarget &, int version);
/// Nearest collation on the target, or an error that names the table and the character set.
Result<QString> mapCollation(const QString &collation, const QString &object, const SchemaTarget &,
                             Adjustments &);

/// (SchemaObjects.cpp) Statements that create an object; none where it is left out.
Result<std::vector<SchemaStatement>> buildObject(const SchemaObject &, const Catalog &leader,
                                                 const SchemaTarget &, Adjustments &);
/// sql_mode less the modes that the target does not know; `lost` receives those whose loss matters.
QString mapSqlMode(const QString &sqlMode, const SchemaTarget &, QStringList *lost);

/// Type text without what is only for show (display widths) and differs between versions.
QString comparableType(const QString &typeText);

} // namespace causeway::mysql
