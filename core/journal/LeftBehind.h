#pragma once

#include "base/Text.h"
#include "endpoint/Address.h"

#include <QStringList>

#include <optional>

namespace causeway {

/// What a migration that has ended could not remove from a server, since it was away then. Kept in
/// the migration's file; named at every start, in `status` and in the report, until it is gone.
struct LeftBehind {
    Side side = Side::Source;
    QString server;    ///< host:port
    bool open = false; ///< what closed it for writes goes too
    QStringList sql;

    static QString key() { return QStringLiteral("left_behind"); } ///< of the journal's value
    [[nodiscard]] QString encode() const;
    static std::optional<LeftBehind> decode(const QString &); ///< nothing where there is nothing
    [[nodiscard]] Text text() const;
    [[nodiscard]] Text fix() const;
};

} // namespace causeway
