#include "models/Draft.h"

#include <QRandomGenerator>

namespace causeway::ui {

QString Draft::newId()
{
    return QStringLiteral("%1").arg(QRandomGenerator::system()->generate(), 8, 16,
                                    QLatin1Char('0'));
}

Settings Draft::toSettings() const
{
    Settings s = kept;
    s.id = id;
    s.source = endpoint(Side::Source);
    s.target = endpoint(Side::Target);
    s.selection = selection;
    s.workers = workers;
    s.throttleBytesPerSecond = throttleBytesPerSecond;
    s.onSwitched = follow == Follow::Hook ? hook : QString();
    s.accepted = accepted;
    s.oneWayAccepted = oneWayAccepted;
    if (!s.createdAt.isValid())
        s.createdAt = QDateTime::currentDateTimeUtc();
    return s;
}

Endpoint Draft::endpoint(Side side) const
{
    Endpoint out;
    out.fromHere = side == Side::Source ? source : target;
    out.fromPeer = side == Side::Source ? sourceFromPeer : targetFromPeer;
    if (side == Side::Source)
        out.writer = sourceWriter;
    return out;
}

QStringList Draft::otherAddresses() const
{
    QStringList out;
    for (const auto &address : {sourceFromPeer, targetFromPeer, sourceWriter})
        out << (address ? address->toUrl() : QString());
    return out;
}

Draft Draft::fromSettings(const Settings &s)
{
    Draft d;
    d.id = s.id;
    d.kept = s;
    d.source = s.source.fromHere;
    d.target = s.target.fromHere;
    d.sourceFromPeer = s.source.fromPeer;
    d.targetFromPeer = s.target.fromPeer;
    d.sourceWriter = s.source.writer;
    d.selection = s.selection;
    d.accepted = s.accepted;
    d.hook = s.onSwitched;
    d.follow = s.onSwitched.isEmpty() ? Follow::TriesBoth : Follow::Hook;
    d.workers = s.workers;
    d.throttleBytesPerSecond = s.throttleBytesPerSecond;
    d.oneWayAccepted = s.oneWayAccepted;
    return d;
}

} // namespace causeway::ui
