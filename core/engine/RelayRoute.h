#pragma once

#include "engine/Context.h"
#include "engine/Replication.h"
#include "route/Route.h"

namespace causeway {

/// Rows and changes pass through Causeway: copy pool, follower and ledger over any two databases of
/// one family. The stages, one file each, are its parts.
class RelayRoute final : public Route {
public:
    explicit RelayRoute(Context &ctx) : m_ctx(ctx) {}
    ~RelayRoute() override { m_replication.stop(); }

    [[nodiscard]] QString name() const override { return QStringLiteral("relay"); }
    [[nodiscard]] std::vector<StepRecord> plan() const override;
    Result<Roles> roles(std::stop_token) override;
    Result<Phase> phase(std::stop_token) override;
    Result<bool> isFinishing(std::stop_token) override;
    Result<bool> isVerified(std::stop_token) override;
    Status completeSwitch(std::stop_token) override;
    Status reopenLeader(std::stop_token) override;
    Status requireWayBack(std::stop_token) override;
    Status copy(std::stop_token) override;
    Status becomeReplica(std::stop_token) override;
    Status startFollowing(std::stop_token) override;
    void stopFollowing() override { m_replication.stop(); }
    [[nodiscard]] bool isFollowing() const override { return m_replication.follower != nullptr; }
    Status catchUpNow(std::stop_token) override;
    Status follow(std::stop_token) override;
    void observe() override { m_replication.show(m_ctx); }
    Result<VerifyReport> verify(bool repair, std::stop_token) override;
    Status switchOver(std::stop_token) override;
    Status finish(bool oldSourceOpen, std::stop_token) override;
    Status cancel(bool discard, std::stop_token) override;
    [[nodiscard]] Decision decisionFor(const Error &) const override;
    Status settle(const Error &, std::stop_token) override;

private:
    [[nodiscard]] std::optional<StreamStop> stoppedAt() const;

    Context &m_ctx;
    Replication m_replication;
};

} // namespace causeway
