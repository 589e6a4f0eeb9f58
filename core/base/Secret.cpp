#include "base/Secret.h"

#include <QRegularExpression>
#include <QSet>
#include <QUrl>

#include <algorithm>
#include <mutex>

namespace causeway {

namespace {
struct Known {
    std::mutex mutex;
    QStringList plain; ///< longest first, so that a prefix does not hide the rest of a longer one
};
Known &known()
{
    static auto *k = new Known; // never destroyed: redaction must work in late log lines
    return *k;
}
} // namespace

Secret::Secret(const QString &plain) : m_utf8(plain.toUtf8())
{
    // Very short words would blot out ordinary text everywhere.
    if (plain.size() < 4)
        return;
    Known &k = known();
    const std::lock_guard lock(k.mutex);
    for (const QString &form : {plain, QString::fromLatin1(QUrl::toPercentEncoding(plain))}) {
        if (!k.plain.contains(form))
            k.plain.append(form);
    }
    std::sort(k.plain.begin(), k.plain.end(),
              [](const QString &a, const QString &b) { return a.size() > b.size(); });
}

Secret::~Secret()
{
    // Only the last owner wipes: the others still share the buffer.
    if (m_utf8.isDetached())
        std::fill(m_utf8.begin(), m_utf8.end(), '\0');
}

QString redact(const QString &text)
{
    QString out = text;
    {
        Known &k = known();
        const std::lock_guard lock(k.mutex);
        for (const QString &secret : k.plain)
            out.replace(secret, QStringLiteral("***"));
    }
    static const QRegularExpression sql(
        QStringLiteral(
            R"(((?:IDENTIFIED\s+(?:WITH\s+\S+\s+)?(?:BY|AS)|PASSWORD)\s*(?:=|\()?\s*)'(?:[^'\\]|\\.|'')*')"),
        QRegularExpression::CaseInsensitiveOption);
    out.replace(sql, QStringLiteral("\\1'***'"));
    static const QRegularExpression url(QStringLiteral(R"((\w+://[^:/@\s]+):[^@\s]+@)"));
    out.replace(url, QStringLiteral("\\1:***@"));
    static const QRegularExpression dsn(QStringLiteral(R"((\bpassword\s*=\s*)('[^']*'|[^\s'&]+))"),
                                        QRegularExpression::CaseInsensitiveOption);
    out.replace(dsn, QStringLiteral("\\1***"));
    return out;
}

} // namespace causeway
