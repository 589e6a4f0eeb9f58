#include "base/Text.h"

#include <QCoreApplication>

namespace causeway {

namespace {
// One pass over the template: chained QString::arg() would substitute a "%1" that came in with an
// argument (a table or a LIKE pattern may well contain one).
QString fill(const QString &pattern, const QStringList &args)
{
    QString out;
    out.reserve(pattern.size() + 32);
    for (qsizetype i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == u'%' && i + 1 < pattern.size() && pattern[i + 1].isDigit()) {
            const int n = pattern[i + 1].digitValue();
            if (n >= 1 && n <= args.size()) {
                out += args[n - 1];
                ++i;
                continue;
            }
        }
        out += pattern[i];
    }
    return out;
}
} // namespace

QString Text::english() const
{
    return fill(source, args);
}

QString Text::translated() const
{
    return fill(QCoreApplication::translate(context.constData(), source.toUtf8().constData()),
                args);
}

} // namespace causeway
