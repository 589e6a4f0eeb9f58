#pragma once

#include "base/Error.h"
#include "mysql/SqlTokens.h"

#include <QString>

#include <optional>
#include <vector>

namespace causeway::mysql {

enum class ItemKind { Column, Key, ForeignKey, Check, Period };

/// One entry of the body of CREATE TABLE, as the server printed it.
struct TableItem {
    ItemKind kind = ItemKind::Column;
    QString name; ///< column or constraint; "PRIMARY" for the primary key; "" where it has none
    QString text;
    bool unique = false;     ///< keys; the primary key too
    bool fulltext = false;   ///< keys
    bool spatial = false;    ///< keys
    bool expression = false; ///< keys: a part is an expression
    QString firstColumn;     ///< keys: of the first part; "" for an expression
    [[nodiscard]] bool primary() const
    {
        return kind == ItemKind::Key && name == QLatin1String("PRIMARY");
    }
};

struct TableOption {
    QString name;    ///< upper case, single spaces, without quotes: "DEFAULT CHARSET", "COMMENT"
    QString value;   ///< as printed; "" for options without one
    int version = 0; ///< of the version comment around it
};

/// A CREATE TABLE statement of SHOW CREATE TABLE, split at its top level.
struct TableDdl {
    QString name;
    std::vector<TableItem> items;
    std::vector<TableOption> options;
    QString partitions; ///< from PARTITION BY on, without the version comment around it
    int partitionsVersion = 0;

    static Result<TableDdl> parse(const QString &createSql);
    [[nodiscard]] const TableOption *option(const char *option) const;
    void removeOption(const char *option);
};

} // namespace causeway::mysql
