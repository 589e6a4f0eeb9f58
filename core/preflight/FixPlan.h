#pragma once

#include "preflight/Check.h"

#include <QString>
#include <QStringList>

#include <vector>

namespace causeway {

/// What is to be done on one server to mend its findings, in order: settings of several findings in
/// one change, with one restart. Pure; no I/O.
struct FixPlan {
    /// How long a step takes a person, not the machine.
    enum class Effort { UnderAnHour, Hours, More };
    struct Step {
        Text text;
        QStringList sql, config, command;
        QString privilege;
        QStringList findings; ///< ids that it mends
        bool restart = false; ///< everybody who is connected is thrown out for a moment
        Effort effort = Effort::UnderAnHour;
    };
    FindingSide side = FindingSide::Source; ///< Pair: concerns both
    QString server;                         ///< host:port
    Platform platform = Platform::SelfManaged;
    std::vector<Step> steps;
    [[nodiscard]] QJsonObject toJson() const;
};

QString toString(FixPlan::Effort); ///< "under-an-hour" | "hours" | "more"

/// For the findings that block, warn or could not be told, less those accepted. No plan for a
/// server where nothing is to be done. The steps for Amazon follow its guides for parameter groups:
/// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_WorkingWithParamGroups.html
std::vector<FixPlan> fixPlans(const CheckReport &, const QStringList &accepted);

/// Cluster, instance and region as an endpoint of Amazon's names them; empty where it does not.
struct AmazonEndpoint {
    QString cluster, instance, region;
    static AmazonEndpoint fromHost(const QString &host);
};

} // namespace causeway
