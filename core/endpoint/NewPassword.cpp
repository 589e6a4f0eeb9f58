#include "endpoint/NewPassword.h"

#include <QRandomGenerator>

#include <array>
#include <utility>

namespace causeway {

QString newPassword()
{
    static const std::array groups{QStringLiteral("ABCDEFGHJKLMNPQRSTUVWXYZ"),
                                   QStringLiteral("abcdefghijkmnopqrstuvwxyz"),
                                   QStringLiteral("23456789"), QStringLiteral("-_.~")};
    auto *random = QRandomGenerator::system();
    const auto pick = [random](const QString &from) {
        return from[random->bounded(static_cast<int>(from.size()))];
    };
    QString all, out;
    for (const QString &group : groups) {
        all += group;
        out += pick(group);
    }
    while (out.size() < 24)
        out += pick(all);
    for (int i = static_cast<int>(out.size()) - 1; i > 0; --i)
        std::swap(out[i], out[random->bounded(i + 1)]);
    return out;
}

} // namespace causeway
