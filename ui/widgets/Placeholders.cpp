#include "widgets/Placeholders.h"

#include <algorithm>
#include <cmath>

namespace causeway::ui {

namespace {
constexpr double leastContrast = 4.5;

double luminance(const QColor &c)
{
    const auto part = [](double v) {
        return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * part(c.redF()) + 0.7152 * part(c.greenF()) + 0.0722 * part(c.blueF());
}

QColor mixed(const QColor &over, const QColor &under, double part)
{
    const auto one = [part](double a, double b) { return a * part + b * (1 - part); };
    return QColor::fromRgbF(static_cast<float>(one(over.redF(), under.redF())),
                            static_cast<float>(one(over.greenF(), under.greenF())),
                            static_cast<float>(one(over.blueF(), under.blueF())));
}
} // namespace

double contrast(const QColor &a, const QColor &b)
{
    const double x = luminance(a), y = luminance(b);
    return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

QPalette withReadablePlaceholders(QPalette palette)
{
    for (const auto group : {QPalette::Active, QPalette::Inactive}) {
        const QColor base = palette.color(group, QPalette::Base);
        const QColor text = palette.color(group, QPalette::Text);
        const QColor now = palette.color(group, QPalette::PlaceholderText);
        if (contrast(mixed(now, base, now.alphaF()), base) >= leastContrast)
            continue;
        // Paler than what is typed, as far as it stays readable.
        double part = 0.6;
        while (part < 1 && contrast(mixed(text, base, part), base) < leastContrast)
            part += 0.1;
        palette.setColor(group, QPalette::PlaceholderText, mixed(text, base, std::min(part, 1.0)));
    }
    return palette;
}

} // namespace causeway::ui
