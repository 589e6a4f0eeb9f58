#include "engine/RelayRoute.h"

#include "engine/FailedObjects.h"
#include "engine/ForeignWrites.h"
#include "engine/Plan.h"
#include "engine/Recopy.h"

namespace causeway {

namespace {
/// Schema changes have a choice of their own; what else stops the stream has one remedy.
QString decisionId(const Error &e)
{
    return e.id == QLatin1String("ddl") ? e.id : QStringLiteral("recopy");
}
} // namespace

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
    // Of the pair, whoever follows: a clean comparison, and every switch since compared what
    // changed.
    CW_TRY_ASSIGN(const auto verified, m_ctx.fact(Side::Target, fact::verified, stop));
    CW_TRY_ASSIGN(const auto alarm, readAlarm(m_ctx, stop));
    return verified.has_value() && !alarm;
}

Status RelayRoute::completeSwitch(std::stop_token stop)
{
    return askAboutObject(m_ctx, causeway::completeSwitch(m_ctx, std::move(stop)));
}

Status RelayRoute::reopenLeader(std::stop_token stop)
{
    return causeway::reopenLeader(m_ctx, std::move(stop));
}

Status RelayRoute::requireWayBack(std::stop_token stop)
{
    if (!m_ctx.settings.hasWayBack())
        return {};
    return causeway::requireWayBack(m_ctx, Side::Target, std::move(stop));
}

Status RelayRoute::copy(std::stop_token stop)
{
    m_ctx.stopped.reset();
    if (m_ctx.settings.mode == Mode::Once)
        CW_TRY(closeSourceForOnce(m_ctx, stop));
    CW_TRY(resumeRecopy(m_ctx, stop));
    return copyStage(m_ctx, stop);
}

Status RelayRoute::becomeReplica(std::stop_token stop)
{
    m_ctx.stopped.reset();
    CW_TRY(resumeRecopy(m_ctx, stop));
    return askAboutObject(m_ctx, catchUpStage(m_ctx, m_replication, stop));
}

Status RelayRoute::startFollowing(std::stop_token stop)
{
    if (m_ctx.settings.mode == Mode::Once)
        return {};
    CW_TRY_ASSIGN(const Roles now, roles(stop));
    if (now.leader == Side::Target && m_ctx.settings.oneWayAccepted)
        return {};
    if (now.leader == Side::Source && !m_replication.follower)
        CW_TRY(resumeRecopy(m_ctx, stop));
    return m_replication.start(m_ctx, now, stop);
}

Status RelayRoute::catchUpNow(std::stop_token stop)
{
    if (!m_replication.follower)
        return {};
    CW_TRY(m_replication.catchUp(m_ctx, std::chrono::milliseconds(0), stop));
    // Written there while nothing ran: told now, not when the switch has lost it.
    return m_replication.lookForForeignWrites(m_ctx, std::move(stop));
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
    return askAboutObject(m_ctx, switchStage(m_ctx, m_replication, std::move(stop)));
}

Status RelayRoute::finish(bool oldSourceOpen, std::stop_token stop)
{
    return finishStage(m_ctx, oldSourceOpen, std::move(stop));
}

Status RelayRoute::cancel(bool discard, std::stop_token stop)
{
    return cancelStage(m_ctx, discard, std::move(stop));
}

std::optional<StreamStop> RelayRoute::stoppedAt() const
{
    if (m_ctx.stopped)
        return m_ctx.stopped;
    return m_replication.follower ? m_replication.follower->stats().stop : std::nullopt;
}

Decision RelayRoute::decisionFor(const Error &e) const
{
    if (isAboutObject(e))
        return decisionAboutObject(e);
    const auto stop = stoppedAt().value_or(StreamStop{});
    Decision d;
    d.id = decisionId(e);
    d.question = e.message;
    d.detail = e.serverWords;
    for (const TableName &t : stop.tables)
        d.objects << t.display();
    if (stop.canApply) {
        d.choices.push_back({QStringLiteral("apply"),
                             cwText("core", "Run the statement on the follower and go on")});
    }
    // The old source cannot be copied anew from the server that leads now.
    if (m_replication.roles.leader == Side::Source) {
        d.choices.push_back({QStringLiteral("recopy"),
                             stop.everything ? cwText("core", "Copy all tables again")
                                             : cwText("core", "Copy the tables concerned again")});
    }
    d.choices.push_back({QStringLiteral("stop"), cwText("core", "Leave it stopped")});
    return d;
}

/// Something stopped the copy or the follower: done as the user answered or set beforehand.
Status RelayRoute::settle(const Error &stopped, std::stop_token stop)
{
    const auto at = stoppedAt();
    if (stopped.code != ErrorCode::NeedsDecision || !at || isAboutObject(stopped))
        return fail(stopped);
    Journal &journal = *m_ctx.journal;
    const QString key = QStringLiteral("answer.") + decisionId(stopped);
    CW_TRY_ASSIGN(const auto place, journal.value(QStringLiteral("decision.place")));
    CW_TRY_ASSIGN(const auto answer, journal.value(key));
    QString choice = QStringLiteral("stop");
    if (stopped.id == QLatin1String("ddl")) {
        choice = m_ctx.settings.onDdl;
        // Nobody is asked whether what cannot be applied shall be copied anew instead.
        if (choice == QLatin1String("apply"))
            choice = QStringLiteral("recopy");
    }
    // An answer is to one stop, not to whatever comes.
    if (place && *place == at->place && answer && !answer->isEmpty())
        choice = *answer;
    if (choice != QLatin1String("recopy") || m_replication.roles.leader != Side::Source) {
        CW_TRY(journal.setValue(QStringLiteral("decision.place"), at->place));
        // Answered with what does not help here: asked again.
        CW_TRY(journal.setValue(key, QString()));
        Error e = stopped;
        if (m_replication.roles.leader == Side::Target) {
            e.fix = cwText("core", "Or give up the way back: run --to finished --accept one-way.");
        }
        return fail(std::move(e));
    }
    CW_TRY(journal.setValue(key, QString()));
    m_ctx.event(QStringLiteral("warning"),
                QStringLiteral("Copying anew: %1").arg(stopped.describe()));
    m_replication.stop();
    m_ctx.stopped.reset();
    return recopyTables(m_ctx, at->tables, at->everything, std::move(stop));
}

} // namespace causeway
