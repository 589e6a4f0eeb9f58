#include "database/Fence.h"

#include <array>
#include <utility>

namespace causeway {

namespace {
constexpr std::array<std::pair<FenceKind, const char *>, 3> kKinds{
    {{FenceKind::Auto, "auto"},
     {FenceKind::ReadOnly, "read_only"},
     {FenceKind::Triggers, "triggers"}}};

QString shown(double seconds)
{
    return seconds < 10 ? QString::number(seconds, 'f', 1) : QString::number(qRound(seconds));
}
} // namespace

QString toString(FenceKind kind)
{
    for (const auto &[k, name] : kKinds) {
        if (k == kind)
            return QString::fromLatin1(name);
    }
    return {};
}

std::optional<FenceKind> fenceKindFromString(const QString &text)
{
    for (const auto &[kind, name] : kKinds) {
        if (text == QLatin1String(name))
            return kind;
    }
    return std::nullopt;
}

Text FenceForecast::words() const
{
    if (kind.isEmpty())
        return limitation;
    if (kind == QLatin1String("triggers")) {
        return cwText("core",
                      "By triggers on each table that moves (%1). Making them is expected to take "
                      "%2 s on an idle server and up to %3 s on a busy one, in which nobody reads "
                      "or writes these tables; removing them %4 to %5 s.",
                      tables, shown(seconds.least), shown(seconds.most), shown(toOpen.least),
                      shown(toOpen.most));
    }
    const QString way = kind == QLatin1String("provider")
                            ? QStringLiteral("mysql.rds_set_read_only")
                            : QStringLiteral("read_only");
    if (forgotten && others.isEmpty())
        return cwText("core",
                      "The whole server, by %1. Reads go on. A restart of the server forgets it, "
                      "until Causeway is connected again: put read_only=ON into its configuration "
                      "for the time that it follows, or close by triggers (--fence triggers), "
                      "which outlive it.",
                      way);
    if (others.isEmpty())
        return cwText("core", "The whole server, by %1. Reads go on.", way);
    return cwText("core",
                  "The whole server, by %1: these databases cannot be written either: %2. Reads "
                  "go on.",
                  way, others.join(QStringLiteral(", ")));
}

} // namespace causeway
