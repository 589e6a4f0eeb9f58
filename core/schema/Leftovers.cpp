#include "schema/Leftovers.h"

#include <QRegularExpression>

namespace causeway {

bool looksLikeLeftover(const QString &table)
{
    // Whole words between underscores, so that "feedback" and "gold_members" stay out. A date of
    // this or the last century, as YYYYMMDD, YYYY_MM_DD or YYYY_MM.
    static const QRegularExpression pattern(
        QStringLiteral(
            "(?:^|_)(?:bak|bkp|backup|old|orig|tmp|temp|copy|deleted|unused|obsolete|"
            "deprecated)\\d*(?:_|$)|_(?:19|20)\\d{2}(?:_?(?:0[1-9]|1[0-2]))(?:_?\\d{2})?$"),
        QRegularExpression::CaseInsensitiveOption);
    return pattern.match(table).hasMatch();
}

} // namespace causeway
