#include "endpoint/Platform.h"

#include <array>
#include <utility>

namespace causeway {

namespace {
constexpr std::array<std::pair<Platform, const char *>, 12> kNames{{
    {Platform::SelfManaged, "self-managed"},
    {Platform::Rds, "rds"},
    {Platform::Aurora, "aurora"},
    {Platform::CloudSql, "cloudsql"},
    {Platform::AlloyDb, "alloydb"},
    {Platform::Azure, "azure"},
    {Platform::DigitalOcean, "digitalocean"},
    {Platform::PlanetScale, "planetscale"},
    {Platform::Vitess, "vitess"},
    {Platform::Neon, "neon"},
    {Platform::Supabase, "supabase"},
    {Platform::Heroku, "heroku"},
}};
} // namespace

QString toString(Platform p)
{
    for (const auto &[platform, name] : kNames) {
        if (platform == p)
            return QString::fromLatin1(name);
    }
    return QStringLiteral("self-managed");
}

Platform platformFromString(const QString &s)
{
    for (const auto &[platform, name] : kNames) {
        if (s == QLatin1String(name))
            return platform;
    }
    return Platform::SelfManaged;
}

} // namespace causeway
