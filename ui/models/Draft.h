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
    QString id; ///< eight hex digits

    [[nodiscard]] bool hasTarget() const { return purpose == Purpose::Migrate; }
    [[nodiscard]] Settings toSettings() const;
    static Draft fromSettings(const Settings &);
    static QString newId();
};

} // namespace causeway::ui
