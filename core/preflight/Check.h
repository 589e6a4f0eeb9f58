#pragma once

#include "base/Error.h"
#include "database/Database.h"
#include "endpoint/Address.h"
#include "endpoint/Platform.h"

#include <QJsonObject>

#include <functional>
#include <optional>
#include <vector>

namespace causeway {

enum class FindingStatus { Pass, Info, Warning, Blocker, Unknown, Skipped };
enum class FindingSide { Source, Target, Pair };
enum class TargetKind {
    Generic,
    PlanetScale,
    AuroraMySql,
    RdsMySql,
    CloudSqlMySql,
    AuroraPostgres
};

/// The value of gcloud's --database-flags, which splits at commas unless told another separator.
QString cloudSqlFlags(const QStringList &flags);

QString toString(FindingStatus);
QString toString(FindingSide);

/// A setting of a server and the value that it should have.
struct Setting {
    QString name, value; ///< value bare, as in a configuration file
    bool restart = false;
};

/// How to mend a finding on one platform. `sql` is complete: run as printed, in order, by an
/// account with `privilege`, it mends the finding (after the restart, where one is needed).
struct Fix {
    Platform platform = Platform::SelfManaged;
    Text text;
    QStringList sql, config, command;
    /// Where changing settings is all there is to do: which, as the platform names them. Several
    /// values of one are rounds, in order. fixPlans() makes one change of those of all findings.
    std::vector<Setting> settings;
    bool restart = false;
    QString privilege;
    bool canApply = false; ///< safe, and this account may: Causeway can run the SQL itself
    [[nodiscard]] bool isEmpty() const
    {
        return text.isEmpty() && sql.isEmpty() && config.isEmpty() && command.isEmpty();
    }
};

struct Finding {
    QString id;
    FindingSide side = FindingSide::Source;
    QString server; ///< host:port, where it is not the side's own: a replica that is read
    FindingStatus status = FindingStatus::Unknown;
    Text title, found, needed, why;
    QStringList objects;
    Fix fix;
    bool acceptable = false;     ///< a blocker or unknown that --accept ID may wave through
    bool blocksMigration = true; ///< an Unknown of this check blocks (a failure would)
};

struct CheckReport {
    std::optional<ServerFacts> source, target;
    QString sourceAddress, targetAddress; ///< without passwords
    std::vector<Finding> findings;
    /// "ready", "warnings", "blocked": unknowns block where the check blocks and there is a target.
    [[nodiscard]] QString verdict(const QStringList &accepted = {}) const;
    /// The published schema (DESIGN.md), English.
    [[nodiscard]] QJsonObject toJson(const QStringList &accepted = {}) const;
};

/// Looking at the rows themselves, which takes time and is done on request only.
struct DataScanOptions {
    bool wanted = false;
    qint64 rowLimit = 100'000;                 ///< of each table, or each unique key
    std::chrono::milliseconds timeout{60'000}; ///< of each kind of look; what is left is named
};

struct CheckOptions {
    Selection selection;
    TargetKind targetKind = TargetKind::Generic;
    bool probes = false; ///< functional probes, which write
    DataScanOptions data{};
    bool once = false;                       ///< mode once: needs no binlog
    FenceKind fence = FenceKind::Auto;       ///< how a server is to be closed
    FenceKind targetFence = FenceKind::Auto; ///< the target, where set apart
    QStringList lockAccounts;                ///< user@host, to be locked at the switch
    bool oneWay = false;                     ///< accepted: no way back after the switch
    QString route = QStringLiteral("auto");
    qint64 bytesPerSecond = 0; ///< throttle of the copy, 0 = none; for its forecast
    std::chrono::milliseconds timeoutPerCheck{20'000};
};

/// One check: data plus one function. `run` gets an engine-specific context through a closure made
/// where the check is registered (core/mysql/checks, core/postgres), so that this file knows no
/// client library. An error from `run` becomes Unknown with the server's words.
struct Check {
    QString id;
    FindingSide side = FindingSide::Source;
    QString server; ///< Finding::server
    Text title;
    Text why;
    bool blocking = true; ///< its failure would block a migration
    bool acceptable = false;
    QStringList shownSql; ///< for --print-sql
    bool needsTarget = false;
    bool isProbe = false;
    bool readsRows = false;               ///< only made where CheckOptions::data wants it
    std::chrono::milliseconds timeout{0}; ///< 0: CheckOptions::timeoutPerCheck
    std::function<Result<Finding>(std::stop_token)> run;
};

/// Runs the checks on a few threads, each with its time-out; order of the result is the order
/// given.
std::vector<Finding> runChecks(const std::vector<Check> &, const CheckOptions &,
                               const std::function<void(const Finding &)> &onFinding,
                               std::stop_token);

} // namespace causeway
