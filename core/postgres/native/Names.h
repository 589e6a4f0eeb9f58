#pragma once

#include "endpoint/Address.h"

#include <QString>

namespace causeway::postgres {

/// Names of everything that a native migration makes on the servers: each carries the migration's
/// eight hex digits, so that several migrations may share a server, and says which way it goes, so
/// that the two directions can stand side by side for the moment of a switch.
class Names {
public:
    explicit Names(QString migration) : m_id(std::move(migration)) {}

    [[nodiscard]] const QString &migration() const { return m_id; }
    /// Publication on the leader, slot on the leader, subscription on the follower: one name.
    [[nodiscard]] QString stream(Side leader) const
    {
        return QStringLiteral("causeway_%1_%2")
            .arg(m_id, leader == Side::Source ? QStringLiteral("fwd") : QStringLiteral("rev"));
    }
    [[nodiscard]] QString probe() const { return QStringLiteral("causeway_%1_probe").arg(m_id); }
    /// The row of the barrier table that travels in this direction.
    [[nodiscard]] static int barrierRow(Side leader) { return leader == Side::Source ? 1 : 2; }
    [[nodiscard]] QString barrierTable() const { return QStringLiteral("barrier_") + m_id; }
    /// Schema with the function that refuses writes, and name of the triggers that call it. Outside
    /// `_causeway`, since they stay on an old source that is left sealed.
    [[nodiscard]] QString seal() const { return QStringLiteral("causeway_sealed_") + m_id; }

private:
    QString m_id;
};

} // namespace causeway::postgres
