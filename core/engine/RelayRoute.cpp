#include "engine/RelayRoute.h"

#include "engine/Plan.h"

namespace causeway {

std::vector<StepRecord> RelayRoute::plan() const
{
    return planOf(m_ctx.settings);
}

Result<Roles> RelayRoute::roles(std::stop_token stop)
{
    return m_ctx.roles(std::move(stop));
}

Result<Phase> RelayRoute::phase(std::stop_token stop)
{
    return m_ctx.derivePhase(std::move(stop));
}

Result<bool> RelayRoute::isFinishing(std::stop_token stop)
{
    return causeway::isFinishing(m_ctx, std::move(stop));
}

Result<bool> RelayRoute::isVerified(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto verified, m_ctx.fact(Side::Target, fact::verified, std::move(stop)));
    return verified.has_value();
}

Status RelayRoute::completeSwitch(std::stop_token stop)
{
    return causeway::completeSwitch(m_ctx, std::move(stop));
}

Status RelayRoute::reopenLeader(std::stop_token stop)
{
    return causeway::reopenLeader(m_ctx, std::move(stop));
}

Status RelayRoute::copy(std::stop_token stop)
{
    if (m_ctx.settings.mode == Mode::Once)
        CW_TRY(closeSourceForOnce(m_ctx, stop));
    return copyStage(m_ctx, stop);
}

Status RelayRoute::becomeReplica(std::stop_token stop)
{
    return catchUpStage(m_ctx, m_replication, std::move(stop));
}

Status RelayRoute::startFollowing(std::stop_token stop)
{
    if (m_ctx.settings.mode == Mode::Once)
        return {};
    CW_TRY_ASSIGN(const Roles now, roles(stop));
    if (now.leader == Side::Target && m_ctx.settings.oneWayAccepted)
        return {};
    return m_replication.start(m_ctx, now, stop);
}

Status RelayRoute::catchUpNow(std::stop_token stop)
{
    if (!m_replication.follower)
        return {};
    return m_replication.catchUp(m_ctx, std::chrono::milliseconds(0), std::move(stop));
}

Status RelayRoute::follow(std::stop_token stop)
{
    return m_replication.follow(m_ctx, std::move(stop));
}

Result<VerifyReport> RelayRoute::verify(bool repair, std::stop_token stop)
{
    return verifyStage(m_ctx, m_replication, repair, std::move(stop));
}

Status RelayRoute::switchOver(std::stop_token stop)
{
    return switchStage(m_ctx, m_replication, std::move(stop));
}

Status RelayRoute::finish(bool oldSourceOpen, std::stop_token stop)
{
    return finishStage(m_ctx, oldSourceOpen, std::move(stop));
}

Status RelayRoute::cancel(bool discard, std::stop_token stop)
{
    return cancelStage(m_ctx, discard, std::move(stop));
}

Decision RelayRoute::decisionFor(const Error &e) const
{
    Decision d;
    d.id = QStringLiteral("ddl");
    d.question = e.message;
    d.detail = e.serverWords;
    d.choices = {
        {QStringLiteral("apply"), cwText("core", "Run the statement on the follower and go on")},
        {QStringLiteral("recopy"), cwText("core", "Copy the tables concerned again")},
        {QStringLiteral("stop"), cwText("core", "Leave it stopped")},
    };
    return d;
}

/// A schema change stopped the follower: done as the user answered or set beforehand.
Status RelayRoute::settle(const Error &stopped, std::stop_token stop)
{
    if (stopped.id != QLatin1String("ddl"))
        return fail(stopped);
    CW_TRY_ASSIGN(const auto answer, m_ctx.journal->value(QStringLiteral("answer.ddl")));
    const QString choice = answer && !answer->isEmpty() ? *answer : m_ctx.settings.onDdl;
    const auto stats = m_replication.follower ? m_replication.follower->stats() : FollowerStats{};
    if (choice != QLatin1String("recopy") || !stats.ddlStop ||
        m_replication.roles.leader != Side::Source)
        return fail(stopped);
    CW_TRY(m_ctx.journal->setValue(QStringLiteral("answer.ddl"), QString()));
    const std::vector<TableName> tables = stats.ddlStop->tables;
    m_replication.stop();
    CW_TRY(recopyTables(m_ctx, tables, stop));
    return startFollowing(stop);
}

} // namespace causeway
