#pragma once

#include "mysql/Session.h"

#include <QHash>
#include <QString>

namespace causeway::mysql {

/// The character sets and collations that one server knows, and the nearest one for a name that it
/// does not know.
class Collations {
public:
    static Result<Collations> read(Session &, std::stop_token);
    /// For tests: collation -> charset; the default collation of a charset is its first.
    explicit Collations(const std::vector<std::pair<QString, QString>> &known);

    [[nodiscard]] bool knows(const QString &collation) const;
    [[nodiscard]] bool knowsCharset(const QString &charset) const;
    /// The same collation (perhaps under its other name), or the nearest; empty where the server
    /// has not even the character set.
    [[nodiscard]] QString nearest(const QString &collation) const;
    /// utf8 and utf8mb3 are one character set; the name this server uses. Empty: it has none.
    [[nodiscard]] QString charset(const QString &name) const;
    /// True where both names mean one collation: equal, or utf8 against utf8mb3.
    static bool same(const QString &a, const QString &b);

private:
    Collations() = default;
    void add(const QString &collation, const QString &charset, bool isDefault);
    QHash<QString, QString> m_charsetOf; ///< lower case
    QHash<QString, QString> m_default;
};

/// The character set that a collation's name begins with.
QString charsetOfCollation(const QString &collation);
/// Trailing spaces count when strings are compared (NO PAD).
bool isNoPad(const QString &collation);
/// Texts that are different in collation `from` are certainly different in `to` as well. False also
/// where nothing is known of the two.
bool keepsApart(const QString &from, const QString &to);

} // namespace causeway::mysql
