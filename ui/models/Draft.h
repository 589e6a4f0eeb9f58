#pragma once

#include "engine/Engine.h"
#include "journal/Journal.h"

#include <QString>
#include <QStringList>

#include <optional>

namespace causeway::ui {

/// What the user has said so far, page by page; becomes Settings when the plan is prepared.
struct Draft {
    enum class Purpose { Migrate, CheckOnly };
    enum class Follow { TriesBoth, Hook, ByHand }; ///< how the application finds the new server

    Purpose purpose = Purpose::Migrate;
    Address source, target;
    /// How each server is reached by the other one, and the primary of a source that is a replica;
    /// absent = as the server itself is reached from here.
    std::optional<Address> sourceFromPeer, targetFromPeer, sourceWriter;
    std::optional<ConnectionReport> sourceReport, targetReport; ///< of exactly these addresses
    Selection selection;
    QStringList leftOut;              ///< tables of chosen schemas that do not move
    std::optional<CheckReport> check; ///< of exactly these addresses and this selection
    QStringList accepted;             ///< ids of warnings acknowledged and blockers accepted
    Follow follow = Follow::TriesBoth;
    QString hook;
    int workers = 4;
    qint64 throttleBytesPerSecond = 0;
    bool oneWayAccepted = false;
    QString file;
    QString id;    ///< eight hex digits
    Settings kept; ///< of an opened file: what the pages do not ask for stays as it is

    [[nodiscard]] bool hasTarget() const { return purpose == Purpose::Migrate; }
    [[nodiscard]] Settings toSettings() const;
    /// With passwords.
    [[nodiscard]] Endpoint endpoint(Side) const;
    /// URLs of those addresses that are set apart.
    [[nodiscard]] QStringList otherAddresses() const;
    static Draft fromSettings(const Settings &);
    static QString newId();
};

} // namespace causeway::ui
