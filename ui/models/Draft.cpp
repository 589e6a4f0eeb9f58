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
    Settings s;
    s.id = id;
    s.source.fromHere = source;
    s.target.fromHere = target;
    s.selection = selection;
    s.workers = workers;
    s.throttleBytesPerSecond = throttleBytesPerSecond;
    if (follow == Follow::Hook)
        s.onSwitched = hook;
    s.accepted = accepted;
    s.oneWayAccepted = oneWayAccepted;
    s.createdAt = QDateTime::currentDateTimeUtc();
    return s;
}

Draft Draft::fromSettings(const Settings &s)
{
    Draft d;
    d.id = s.id;
    d.source = s.source.fromHere;
    d.target = s.target.fromHere;
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
