#include "models/EnglishPlurals.h"

namespace causeway::ui {

QString EnglishPlurals::translate(const char *, const char *source, const char *, int n) const
{
    if (n < 0 || !source)
        return {}; // null: not translated here
    QString text = QString::fromUtf8(source);
    if (!text.contains(QLatin1String("(s)")))
        return {};
    return text.replace(QLatin1String("(s)"), n == 1 ? QString() : QStringLiteral("s"));
}

} // namespace causeway::ui
