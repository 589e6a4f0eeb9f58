#pragma once

#include <QString>
#include <QStringList>

#include <optional>
#include <vector>

namespace causeway {

/// `schema.table`. For PostgreSQL the schema inside the database; for MySQL the database.
struct TableName {
    QString schema;
    QString name;
    [[nodiscard]] QString display() const { return schema + QLatin1Char('.') + name; }
    bool operator==(const TableName &) const = default;
    bool operator<(const TableName &o) const
    {
        return schema != o.schema ? schema < o.schema : name < o.name;
    }
};
inline size_t qHash(const TableName &n, size_t seed = 0)
{
    return qHashMulti(seed, n.schema, n.name);
}

/// How a value of a column travels (see database/Value.h), whatever the engine calls the type.
enum class TypeClass {
    Integer,  ///< ASCII decimal; YEAR and PostgreSQL's int too
    Decimal,  ///< ASCII decimal, scale kept
    Float,    ///< 32 bit: shortest text that reads back to the same float
    Double,   ///< 64 bit: likewise
    Bit,      ///< big-endian bytes, as many as the column has ((n + 7) / 8)
    Temporal, ///< DATE, TIME, DATETIME, TIMESTAMP (UTC) as ASCII text with all declared fraction
              ///< digits
    Text,     ///< bytes in the column's own charset, never converted
    Binary,   ///< raw bytes; BINARY(n) padded to n with zero bytes
    Json,     ///< UTF-8 text
    Enum,     ///< ASCII decimal ordinal (0 = the invalid value '')
    Set,      ///< ASCII decimal bit mask
    Geometry, ///< 4 bytes SRID little-endian, then WKB: the server's own storage form
    Vector,   ///< raw little-endian floats
    Other,    ///< the server's text form, UTF-8 (uuid, inet6, PostgreSQL's many)
};

struct Column {
    QString name;
    QString typeText; ///< the full declared type: "int(10) unsigned", "enum('a','b')"
    QString dataType; ///< bare and lower case: "int", "enum", "timestamp"
    TypeClass typeClass = TypeClass::Other;
    bool nullable = true;
    bool isUnsigned = false;
    bool generated = false; ///< computed by the server, VIRTUAL or STORED: never written
    bool invisible = false;
    bool autoIncrement = false;
    bool onUpdateNow = false; ///< ON UPDATE CURRENT_TIMESTAMP
    QString charset;          ///< "" for types without one
    QString collation;
    QStringList labels; ///< ENUM and SET
    int length = 0; ///< bytes of BINARY/BIT's bits/characters of CHAR; 0 where it has no meaning
    int precision = 0, scale = 0; ///< DECIMAL; scale = fraction digits of temporal types
    bool operator==(const Column &) const = default;
};

struct KeyPart {
    int column = -1; ///< index into Table::columns; -1 = expression
    int prefix = 0;  ///< 0 = whole column
    bool descending = false;
    QString expression; ///< where column is -1
    bool operator==(const KeyPart &) const = default;
};

struct Key {
    QString name; ///< "PRIMARY" for MySQL's primary key
    bool primary = false;
    bool unique = false;
    QString method; ///< "BTREE", "HASH", "FULLTEXT", "SPATIAL"
    std::vector<KeyPart> parts;
    bool operator==(const Key &) const = default;
};

enum class RefAction { NoAction, Restrict, Cascade, SetNull, SetDefault };

struct ForeignKey {
    QString name;
    std::vector<int> columns; ///< indexes into Table::columns
    TableName refTable;
    QStringList refColumns; ///< same order as columns
    RefAction onUpdate = RefAction::NoAction;
    RefAction onDelete = RefAction::NoAction;
    bool operator==(const ForeignKey &) const = default;
};

struct Table {
    TableName name;
    std::vector<Column> columns; ///< in ordinal order, all of them; hidden ones of the server not
    std::vector<Key> keys;
    std::vector<ForeignKey> foreignKeys;
    /// Index into keys of the one that identifies a row: the primary key, else a unique key whose
    /// columns are all NOT NULL, whole, and not expressions. Empty: no usable key.
    std::optional<int> rowKey;
    QString engine; ///< "InnoDB", ...; empty for PostgreSQL
    QString charset, collation, comment, createOptions, rowFormat;
    bool partitioned = false;
    QString createSql; ///< the server's own CREATE statement
    qint64 rowsEstimate = 0, dataBytes = 0, indexBytes = 0;
    std::optional<quint64> autoIncrement; ///< next value

    [[nodiscard]] int columnIndex(const QString &column) const;
    /// Indexes of the columns of rowKey; empty where there is none.
    [[nodiscard]] std::vector<int> rowKeyColumns() const;
    /// Indexes of the columns that are written (all but generated ones), in ordinal order.
    [[nodiscard]] std::vector<int> writableColumns() const;
    /// "name/typeText/null/charset/collation/generated" of all columns and the row key, hashed:
    /// differs when a change of the table matters to copying or applying.
    [[nodiscard]] QString fingerprint() const;
};

enum class ObjectKind { View, Procedure, Function, Trigger, Event, Sequence };
QString toString(ObjectKind); ///< "view", "procedure", ...

/// A schema object that is not a table: kept with everything needed to create it again exactly.
struct SchemaObject {
    ObjectKind kind = ObjectKind::View;
    QString schema, name;
    QString createSql;    ///< the server's own CREATE statement, DEFINER included
    QString definer;      ///< "user@host"; empty where the kind has none
    bool invoker = false; ///< SQL SECURITY INVOKER
    QString sqlMode, characterSetClient, collationConnection, databaseCollation, timeZone;
    QString table;         ///< triggers: the table in the same schema
    QString timing, event; ///< triggers: BEFORE/AFTER, INSERT/UPDATE/DELETE
    int order = 0;         ///< triggers: ACTION_ORDER; views: dependency order
    QString status;        ///< events: ENABLED, DISABLED, SLAVESIDE_DISABLED as the server names it
    bool invalid = false;  ///< views: the server itself cannot use it (error 1356)
    std::vector<TableName> reads; ///< views: the tables and views of its server that it reads
    [[nodiscard]] QString display() const { return schema + QLatin1Char('.') + name; }
};

struct SchemaInfo {
    QString name, charset, collation;
};

struct Catalog {
    std::vector<SchemaInfo> schemas;
    std::vector<Table> tables;
    std::vector<SchemaObject> objects; ///< in an order in which they can be created
    [[nodiscard]] const Table *find(const TableName &) const;
};

} // namespace causeway
