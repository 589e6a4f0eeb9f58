#pragma once

#include "base/Error.h"
#include "endpoint/Address.h"
#include "endpoint/Platform.h"

#include <QStringList>

#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

namespace causeway::mysql {

enum class ProbeStage { Resolve, Tcp, Tls, SignIn, Grants };

struct ProbeStep {
    ProbeStage stage = ProbeStage::Resolve;
    bool passed = false;
    Text detail; ///< what was found: addresses, cipher, version
};

struct ConnectionProbe {
    std::vector<ProbeStep> steps;
    std::optional<Error> error; ///< of the first stage that failed
    ServerFacts facts;
    qint64 dataBytes = -1;
    int tables = -1, foreignKeys = -1;
    QStringList schemas;
};

/// Connects stage by stage, to tell a person how far it gets; `onStep` is called from this thread
/// after each one. Cancelled within a second.
ConnectionProbe probe(const Address &, const std::function<void(const ProbeStep &)> &onStep,
                      std::stop_token);

} // namespace causeway::mysql
