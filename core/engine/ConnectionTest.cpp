#include "engine/Engine.h"

#include "mysql/ConnectionTest.h"

namespace causeway {

namespace {
ConnectStage stageOf(mysql::ProbeStage stage)
{
    switch (stage) {
    case mysql::ProbeStage::Resolve:
        return ConnectStage::Resolve;
    case mysql::ProbeStage::Tcp:
        return ConnectStage::Tcp;
    case mysql::ProbeStage::Tls:
        return ConnectStage::Tls;
    case mysql::ProbeStage::SignIn:
        return ConnectStage::SignIn;
    case mysql::ProbeStage::Grants:
        return ConnectStage::Grants;
    }
    return ConnectStage::Grants;
}

ConnectionReport testMySql(const Address &address,
                           const std::function<void(const StageReport &)> &onStage,
                           std::stop_token stop)
{
    ConnectionReport report;
    const mysql::ConnectionProbe probe = mysql::probe(
        address,
        [&](const mysql::ProbeStep &step) {
            const StageReport stage{stageOf(step.stage), step.passed, step.detail};
            report.stages.push_back(stage);
            if (onStage)
                onStage(stage);
        },
        std::move(stop));
    report.error = probe.error;
    report.facts = probe.facts;
    report.dataBytes = probe.dataBytes;
    report.tables = probe.tables;
    report.foreignKeys = probe.foreignKeys;
    report.schemas = probe.schemas;
    return report;
}

/// libpq reaches, encrypts and signs in in one call; what it says names the stage that failed.
ConnectionReport testPostgres(const Address &address,
                              const std::function<void(const StageReport &)> &onStage,
                              std::stop_token stop)
{
    ConnectionReport report;
    const auto reached = [&](ConnectStage stage, const Text &detail) {
        report.stages.push_back({stage, true, detail});
        if (onStage)
            onStage(report.stages.back());
    };
    const auto db = makeDatabase(address);
    if (!db) {
        report.error = db.error();
        return report;
    }
    const auto facts = (*db)->facts(stop);
    if (!facts) {
        report.error = facts.error();
        const StageReport failed{facts.error().code == ErrorCode::Connect ? ConnectStage::SignIn
                                                                          : ConnectStage::Grants,
                                 false, facts.error().message};
        report.stages.push_back(failed);
        if (onStage)
            onStage(failed);
        return report;
    }
    report.facts = *facts;
    reached(ConnectStage::Tcp, cwText("core", "reached %1", address.display()));
    reached(ConnectStage::Tls, facts->tlsCipher.isEmpty()
                                   ? cwText("core", "not encrypted")
                                   : cwText("core", "%1, %2", facts->tlsVersion, facts->tlsCipher));
    reached(ConnectStage::SignIn, cwText("core", "%1 %2", facts->product, facts->version));
    const auto schemas = (*db)->schemaNames(stop);
    if (!schemas) {
        report.error = schemas.error();
        return report;
    }
    report.schemas = *schemas;
    reached(ConnectStage::Grants, cwText("core", "Schemas that can be seen: %1", schemas->size()));
    return report;
}
} // namespace

ConnectionReport testConnection(const Address &address,
                                const std::function<void(const StageReport &)> &onStage,
                                std::stop_token stop)
{
    return address.isMySqlFamily() ? testMySql(address, onStage, std::move(stop))
                                   : testPostgres(address, onStage, std::move(stop));
}

} // namespace causeway
