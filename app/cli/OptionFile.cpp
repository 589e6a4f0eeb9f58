#include "cli/OptionFile.h"

#include <QDir>
#include <QFile>

namespace causeway::cli {

namespace {
/// A value as the client programs read it: quoted or up to a comment, with \n \t \r \b \s \\ .
QString valueOf(QString raw)
{
    raw = raw.trimmed();
    QString text;
    const QChar quote =
        !raw.isEmpty() && (raw[0] == QLatin1Char('"') || raw[0] == QLatin1Char('\'')) ? raw[0]
                                                                                      : QChar();
    if (!quote.isNull()) {
        // Up to the closing one that no backslash takes away.
        qsizetype end = 1;
        while (end < raw.size() && raw[end] != quote)
            end += raw[end] == QLatin1Char('\\') ? 2 : 1;
        text = raw.mid(1, end - 1);
    } else {
        const qsizetype comment = raw.indexOf(QLatin1Char('#'));
        text = comment < 0 ? raw : raw.left(comment).trimmed();
    }
    QString out;
    for (qsizetype i = 0; i < text.size(); ++i) {
        if (text[i] != QLatin1Char('\\') || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        ++i;
        switch (text[i].unicode()) {
        case 'n':
            out += QLatin1Char('\n');
            break;
        case 't':
            out += QLatin1Char('\t');
            break;
        case 'r':
            out += QLatin1Char('\r');
            break;
        case 'b':
            out += QLatin1Char('\b');
            break;
        case 's':
            out += QLatin1Char(' ');
            break;
        case '\\':
        case '"':
        case '\'':
            out += text[i];
            break;
        default:
            out += QLatin1Char('\\');
            out += text[i];
        }
    }
    return out;
}
} // namespace

ClientOptions parseClientOptions(const QString &text)
{
    ClientOptions out;
    QString section;
    for (const QString &whole : text.split(QLatin1Char('\n'))) {
        const QString line = whole.trimmed();
        if (line.isEmpty() || line.startsWith(QLatin1Char('#')) ||
            line.startsWith(QLatin1Char(';')) || line.startsWith(QLatin1Char('!')))
            continue;
        if (line.startsWith(QLatin1Char('['))) {
            section = line.mid(1, line.indexOf(QLatin1Char(']')) - 1).trimmed();
            continue;
        }
        if (section != QLatin1String("client"))
            continue;
        const QString key = line.section(QLatin1Char('='), 0, 0).trimmed();
        if (key == QLatin1String("user"))
            out.user = valueOf(line.section(QLatin1Char('='), 1));
        else if (key == QLatin1String("password") && line.contains(QLatin1Char('=')))
            out.password = valueOf(line.section(QLatin1Char('='), 1));
    }
    return out;
}

ClientOptions homeClientOptions()
{
    QFile file(QDir::home().filePath(QStringLiteral(".my.cnf")));
    if (!file.open(QIODevice::ReadOnly | QIODevice::Text))
        return {};
    return parseClientOptions(QString::fromUtf8(file.readAll()));
}

} // namespace causeway::cli
