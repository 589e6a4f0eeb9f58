#include "mysql/SchemaCollations.h"

#include <array>

namespace causeway::mysql {

namespace {

/// Language parts of MySQL's utf8mb4_LANG_0900_* and MariaDB's utf8mb4_uca1400_LANGUAGE_*.
struct Language {
    const char *mysql;
    const char *mariaDb;
};
constexpr std::array<Language, 19> languages = {{{"cs", "czech"},
                                                 {"da", "danish"},
                                                 {"de_pb", "german2"},
                                                 {"eo", "esperanto"},
                                                 {"es", "spanish"},
                                                 {"es_trad", "spanish2"},
                                                 {"et", "estonian"},
                                                 {"hr", "croatian"},
                                                 {"hu", "hungarian"},
                                                 {"is", "icelandic"},
                                                 {"la", "roman"},
                                                 {"lt", "lithuanian"},
                                                 {"lv", "latvian"},
                                                 {"pl", "polish"},
                                                 {"ro", "romanian"},
                                                 {"sk", "slovak"},
                                                 {"sl", "slovenian"},
                                                 {"sv", "swedish"},
                                                 {"vi", "vietnamese"}}};

QString toMariaDb(const QString &language)
{
    for (const Language &l : languages) {
        if (language == QLatin1String(l.mysql))
            return QLatin1String(l.mariaDb);
    }
    return language == QLatin1String("tr") ? QStringLiteral("turkish") : QString();
}

QString toMySql(const QString &language)
{
    for (const Language &l : languages) {
        if (language == QLatin1String(l.mariaDb))
            return QLatin1String(l.mysql);
    }
    return language == QLatin1String("turkish") ? QStringLiteral("tr") : QString();
}

QString utf8Twin(const QString &name)
{
    if (name == QLatin1String("utf8") || name.startsWith(QLatin1String("utf8_")))
        return QLatin1String("utf8mb3") + name.mid(4);
    if (name == QLatin1String("utf8mb3") || name.startsWith(QLatin1String("utf8mb3_")))
        return QLatin1String("utf8") + name.mid(7);
    return {};
}

/// Names to try, best first.
QStringList candidates(const QString &collation)
{
    QStringList out;
    const QString charset = charsetOfCollation(collation);
    const QString rest = collation.mid(charset.size() + 1);
    const QString sensitivity = rest.right(5); // "ai_ci", "as_cs", ...
    const auto push = [&](const QString &r) { out << charset + QLatin1Char('_') + r; };

    if (const qsizetype at = rest.indexOf(QLatin1String("0900_")); at >= 0) {
        // MySQL 8: UCA 9.0, NO PAD. MariaDB's NO PAD collations of a newer UCA come first: whether
        // 'a' and 'a ' are one key decides about lost rows, a changed sort order does not.
        const QString language = toMariaDb(rest.left(at).chopped(at > 0 ? 1 : 0));
        if (rest.endsWith(QLatin1String("_bin"))) {
            push(QStringLiteral("nopad_bin"));
            push(QStringLiteral("bin"));
        } else {
            if (!language.isEmpty()) {
                push(QLatin1String("uca1400_") + language + QLatin1String("_nopad_") + sensitivity);
                push(QLatin1String("uca1400_") + language + QLatin1Char('_') + sensitivity);
                push(language + QLatin1String("_ci"));
            }
            push(QLatin1String("uca1400_nopad_") + sensitivity);
            if (sensitivity == QLatin1String("ai_ci"))
                push(QStringLiteral("unicode_520_nopad_ci"));
            push(QLatin1String("uca1400_") + sensitivity);
            // No accent- or case-sensitive collation there: only a binary one keeps apart what
            // this one keeps apart.
            if (sensitivity != QLatin1String("ai_ci")) {
                push(QStringLiteral("nopad_bin"));
                push(QStringLiteral("bin"));
            }
        }
    } else if (rest.startsWith(QLatin1String("uca1400_"))) {
        QString language = rest.mid(8).chopped(5);
        language.remove(QLatin1String("nopad_"));
        if (language.endsWith(QLatin1Char('_')))
            language.chop(1);
        // MySQL has no collation that ignores accents but not case.
        const QString here =
            sensitivity == QLatin1String("ai_cs") ? QStringLiteral("as_cs") : sensitivity;
        if (charset == QLatin1String("utf8mb4")) {
            if (!language.isEmpty() && !toMySql(language).isEmpty())
                push(toMySql(language) + QLatin1String("_0900_") + here);
            push(QLatin1String("0900_") + here);
        }
        if (here != QLatin1String("ai_ci"))
            push(QStringLiteral("bin"));
        if (!language.isEmpty())
            push(language + QLatin1String("_ci"));
    } else if (rest.contains(QLatin1String("nopad"))) {
        if (rest == QLatin1String("nopad_bin"))
            push(QStringLiteral("0900_bin"));
        if (rest == QLatin1String("unicode_520_nopad_ci") ||
            rest == QLatin1String("unicode_nopad_ci"))
            push(QStringLiteral("0900_ai_ci"));
        QString padded = rest;
        push(padded.remove(QLatin1String("nopad_")));
    }
    if (rest.endsWith(QLatin1String("_bin")) || rest == QLatin1String("bin"))
        push(QStringLiteral("bin"));
    push(QStringLiteral("unicode_520_ci"));
    push(QStringLiteral("unicode_ci"));
    return out;
}

} // namespace

QString charsetOfCollation(const QString &collation)
{
    return collation.section(QLatin1Char('_'), 0, 0);
}

bool isNoPad(const QString &collation)
{
    return collation.contains(QLatin1String("_0900_")) ||
           collation.contains(QLatin1String("nopad")) || collation == QLatin1String("binary");
}

bool keepsApart(const QString &from, const QString &to)
{
    const QString a = from.toLower(), b = to.toLower();
    if (Collations::same(a, b))
        return true;
    if (!isNoPad(a) && !isNoPad(b)) {
        // One that pads can still bring together what another that pads keeps apart.
    } else if (isNoPad(a) && !isNoPad(b)) {
        return false; // 'a' and 'a '
    } else {
        QString plain = b;
        plain.remove(QLatin1String("nopad_"));
        if (Collations::same(a, plain))
            return true; // the same but for trailing spaces, which now count
    }
    // By their bytes, whatever the other makes of them; where every character has its own.
    static const QStringList unicode{QStringLiteral("utf8"),    QStringLiteral("utf8mb3"),
                                     QStringLiteral("utf8mb4"), QStringLiteral("latin1"),
                                     QStringLiteral("ascii"),   QStringLiteral("ucs2"),
                                     QStringLiteral("utf16"),   QStringLiteral("utf32")};
    const QString charset = charsetOfCollation(a);
    const bool binary = b.endsWith(QLatin1String("_bin")) || b == QLatin1String("binary");
    return binary && (charset == charsetOfCollation(b) || unicode.contains(charset));
}

void Collations::add(const QString &collation, const QString &charset, bool isDefault)
{
    const QString c = charset.toLower();
    m_charsetOf.insert(collation.toLower(), c);
    if (isDefault || !m_default.contains(c))
        m_default.insert(c, collation.toLower());
}

Collations::Collations(const std::vector<std::pair<QString, QString>> &known)
{
    for (const auto &[collation, charset] : known)
        add(collation, charset, false);
}

Result<Collations> Collations::read(Session &session, std::stop_token stop)
{
    Collations out;
    CW_TRY_ASSIGN(const auto sets,
                  session.query(QStringLiteral("SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME "
                                               "FROM information_schema.CHARACTER_SETS"),
                                stop));
    for (std::size_t i = 0; i < sets.rows.size(); ++i)
        out.add(sets.text(i, std::size_t{1}), sets.text(i, std::size_t{0}), true);
    CW_TRY_ASSIGN(
        const auto all,
        session.query(QStringLiteral(
                          "SELECT * FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"),
                      stop));
    // MariaDB from 10.10 lists uca1400_ai_ci once per character set; its full name is apart.
    const bool full = all.columnIndex("FULL_COLLATION_NAME") >= 0;
    for (std::size_t i = 0; i < all.rows.size(); ++i) {
        out.add(all.text(i, full ? "FULL_COLLATION_NAME" : "COLLATION_NAME"),
                all.text(i, "CHARACTER_SET_NAME"), false);
    }
    return out;
}

bool Collations::knows(const QString &collation) const
{
    return m_charsetOf.contains(collation.toLower());
}

bool Collations::knowsCharset(const QString &charset) const
{
    return m_default.contains(charset.toLower());
}

QString Collations::charset(const QString &name) const
{
    const QString n = name.toLower();
    if (knowsCharset(n))
        return n;
    const QString twin = utf8Twin(n);
    return !twin.isEmpty() && knowsCharset(twin) ? twin : QString();
}

QString Collations::nearest(const QString &collation) const
{
    const QString wanted = collation.toLower();
    if (wanted.isEmpty() || knows(wanted))
        return wanted;
    const QString twin = utf8Twin(wanted);
    if (!twin.isEmpty() && knows(twin))
        return twin;
    QStringList tries = candidates(wanted);
    if (!twin.isEmpty())
        tries += candidates(twin);
    for (const QString &c : std::as_const(tries)) {
        if (knows(c))
            return c;
    }
    return m_default.value(charset(charsetOfCollation(wanted)));
}

bool Collations::same(const QString &a, const QString &b)
{
    return a.compare(b, Qt::CaseInsensitive) == 0 ||
           utf8Twin(a.toLower()).compare(b, Qt::CaseInsensitive) == 0;
}

} // namespace causeway::mysql
