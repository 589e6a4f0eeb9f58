#pragma once

#include "postgres/native/Native.h"
#include "route/Route.h"

#include <memory>

namespace causeway::postgres {

/// Publication and subscription, conducted by Causeway. See Native.h.
class NativeRoute final : public Route {
public:
    explicit NativeRoute(RouteHost &host) : m_host(host), m_native(host) {}

    [[nodiscard]] QString name() const override { return QStringLiteral("native"); }
    [[nodiscard]] std::vector<StepRecord> plan() const override;
    Result<Roles> roles(std::stop_token) override;
    Result<Phase> phase(std::stop_token) override;
    Result<bool> isFinishing(std::stop_token) override;
    Result<bool> isVerified(std::stop_token) override;
    Status completeSwitch(std::stop_token) override;
    Status reopenLeader(std::stop_token) override;
    Status copy(std::stop_token) override;
    Status becomeReplica(std::stop_token) override;
    Status startFollowing(std::stop_token) override;
    void stopFollowing() override { m_following = false; }
    [[nodiscard]] bool isFollowing() const override { return m_following; }
    Status catchUpNow(std::stop_token) override;
    Status follow(std::stop_token) override;
    void observe() override;
    Result<VerifyReport> verify(bool repair, std::stop_token) override;
    Status switchOver(std::stop_token) override;
    Status finish(bool oldSourceOpen, std::stop_token) override;
    Status cancel(bool discard, std::stop_token) override;
    Result<bool> finishWithoutSource(bool oldSourceOpen, std::stop_token) override;
    Status removeLeftBehind(std::stop_token) override;
    [[nodiscard]] Decision decisionFor(const Error &) const override;
    Status settle(const Error &, std::stop_token) override;

private:
    RouteHost &m_host;
    Native m_native;
    Roles m_roles;
    bool m_following = false; ///< we watch it; the servers go on without us too
};

/// Opens a source that an interrupted switch left closed; works without the file, refuses once
/// SWITCHED is written on the target. Returns what it did, a line each.
Result<QStringList> unfence(const Address &source, const Address &target, std::stop_token);

} // namespace causeway::postgres
