#pragma once

#include "mysql/Parts.h"

#include <QString>

namespace causeway::mysql {

/// What the applier keeps among a migration's facts on the follower.
namespace applierFact {
inline const QString mark = QStringLiteral("apply.row");
inline const QString statement = QStringLiteral("apply.statement");
inline const QString group = QStringLiteral("apply.group");
/// There: no row of the follower is newer than the recorded position, so that a cascade may follow
/// the follower's own rows. It outlives the process, even one that was killed: whoever is about to
/// write rows that run ahead takes it away before, and whoever sets another position with it.
inline const QString exact = QStringLiteral("apply.exact");
} // namespace applierFact

inline QString setFactSql(const StateNames &names, const QString &migration, const QString &fact,
                          const QString &value)
{
    return QStringLiteral("REPLACE INTO %1 (migration, name, value) VALUES (%2, %3, %4)")
        .arg(quoteName(names.table(QStringLiteral("fact"))), quoteText(migration), quoteText(fact),
             quoteText(value));
}

inline QString clearFactSql(const StateNames &names, const QString &migration, const QString &fact)
{
    return QStringLiteral("DELETE FROM %1 WHERE migration=%2 AND name=%3")
        .arg(quoteName(names.table(QStringLiteral("fact"))), quoteText(migration), quoteText(fact));
}

} // namespace causeway::mysql
