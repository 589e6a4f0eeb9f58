#include "preflight/Check.h"

#include "preflight/CheckList.h"
#include "preflight/FixPlan.h"

#include <QJsonArray>

namespace causeway {

QString toString(FindingStatus s)
{
    switch (s) {
    case FindingStatus::Pass:
        return QStringLiteral("pass");
    case FindingStatus::Info:
        return QStringLiteral("info");
    case FindingStatus::Warning:
        return QStringLiteral("warning");
    case FindingStatus::Blocker:
        return QStringLiteral("blocker");
    case FindingStatus::Unknown:
        return QStringLiteral("unknown");
    case FindingStatus::Skipped:
        return QStringLiteral("skipped");
    }
    return QStringLiteral("unknown");
}

QString toString(FindingSide s)
{
    switch (s) {
    case FindingSide::Source:
        return QStringLiteral("source");
    case FindingSide::Target:
        return QStringLiteral("target");
    case FindingSide::Pair:
        return QStringLiteral("pair");
    }
    return QStringLiteral("pair");
}

QString someOf(const QStringList &names, int most)
{
    if (names.size() <= most)
        return names.join(QStringLiteral(", "));
    return QStringLiteral("%1, ... (%2)")
        .arg(names.mid(0, most).join(QStringLiteral(", ")))
        .arg(names.size());
}

QString CheckReport::verdict(const QStringList &accepted) const
{
    bool warned = false;
    for (const Finding &f : findings) {
        const bool waved = f.acceptable && accepted.contains(f.id);
        switch (f.status) {
        case FindingStatus::Blocker:
            if (!waved)
                return QStringLiteral("blocked");
            warned = true;
            break;
        case FindingStatus::Unknown:
            // A verdict about the source alone starts nothing, so what is not known yet can wait.
            if (f.blocksMigration && target && !waved)
                return QStringLiteral("blocked");
            warned = true;
            break;
        case FindingStatus::Warning:
            warned = true;
            break;
        case FindingStatus::Pass:
        case FindingStatus::Info:
        case FindingStatus::Skipped:
            break;
        }
    }
    return warned ? QStringLiteral("warnings") : QStringLiteral("ready");
}

namespace {

QJsonObject serverJson(const ServerFacts &facts, const QString &address)
{
    return {{QStringLiteral("address"), address},
            {QStringLiteral("product"), facts.product},
            {QStringLiteral("version"), facts.version},
            {QStringLiteral("platform"), toString(facts.platform)},
            {QStringLiteral("tls"), facts.tlsVersion},
            {QStringLiteral("cipher"), facts.tlsCipher},
            {QStringLiteral("read_only"), facts.readOnly}};
}

QJsonObject fixJson(const Fix &fix)
{
    return {{QStringLiteral("platform"), toString(fix.platform)},
            {QStringLiteral("text"), fix.text.english()},
            {QStringLiteral("sql"), QJsonArray::fromStringList(fix.sql)},
            {QStringLiteral("config"), QJsonArray::fromStringList(fix.config)},
            {QStringLiteral("command"), QJsonArray::fromStringList(fix.command)},
            {QStringLiteral("restart"), fix.restart},
            {QStringLiteral("privilege"), fix.privilege},
            {QStringLiteral("can_apply"), fix.canApply}};
}

QJsonObject findingJson(const Finding &f, const QStringList &accepted)
{
    return {{QStringLiteral("id"), f.id},
            {QStringLiteral("side"), toString(f.side)},
            {QStringLiteral("server"), f.server},
            {QStringLiteral("status"), toString(f.status)},
            {QStringLiteral("title"), f.title.english()},
            {QStringLiteral("found"), f.found.english()},
            {QStringLiteral("needed"), f.needed.english()},
            {QStringLiteral("why"), f.why.english()},
            {QStringLiteral("objects"), QJsonArray::fromStringList(f.objects)},
            {QStringLiteral("acceptable"), f.acceptable},
            {QStringLiteral("accepted"), f.acceptable && accepted.contains(f.id)},
            {QStringLiteral("fix"), fixJson(f.fix)}};
}

} // namespace

QJsonObject CheckReport::toJson(const QStringList &accepted) const
{
    QJsonArray list;
    for (const Finding &f : findings)
        list.append(findingJson(f, accepted));
    QJsonArray plans;
    for (const FixPlan &plan : fixPlans(*this, accepted))
        plans.append(plan.toJson());
    return {{QStringLiteral("verdict"), verdict(accepted)},
            {QStringLiteral("source"), source ? QJsonValue(serverJson(*source, sourceAddress))
                                              : QJsonValue(QJsonValue::Null)},
            {QStringLiteral("target"), target ? QJsonValue(serverJson(*target, targetAddress))
                                              : QJsonValue(QJsonValue::Null)},
            {QStringLiteral("findings"), list},
            {QStringLiteral("plan"), plans}};
}

} // namespace causeway
