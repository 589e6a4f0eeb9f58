#pragma once

#include <QMetaType>
#include <QString>
#include <QStringList>

namespace causeway {

/// A sentence for a person, kept apart from its language: the English source (with %1, %2, ...)
/// and its arguments. Core never renders for a screen; the wizard translates, JSON and logs use
/// English. Make one with `cwText("context", "English %1", arg)`, which lupdate knows as
/// translate().
struct Text {
    QByteArray context; ///< translation context, "core" unless there is a reason
    QString source;     ///< English, the key of the translation
    QStringList args;

    [[nodiscard]] bool isEmpty() const { return source.isEmpty(); }
    /// English with the arguments filled in. Any thread.
    [[nodiscard]] QString english() const;
    /// In the language installed in the application. Any thread.
    [[nodiscard]] QString translated() const;
    bool operator==(const Text &) const = default;
};

namespace detail {
inline QString textArg(const QString &s)
{
    return s;
}
inline QString textArg(const char *s)
{
    return QString::fromUtf8(s);
}
template <class T>
requires std::is_arithmetic_v<T> QString textArg(T n)
{
    return QString::number(n);
}
} // namespace detail

template <class... A> Text cwText(const char *context, const char *source, A &&...args)
{
    return Text{QByteArray(context), QString::fromUtf8(source), {detail::textArg(args)...}};
}

} // namespace causeway

Q_DECLARE_METATYPE(causeway::Text)
