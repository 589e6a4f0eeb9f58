#include "cli/Passwords.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSettings>

#include <cstdio>
#include <termios.h>
#include <unistd.h>

namespace causeway::cli {

namespace {
/// [client] password of an option file, for the account it names or for any.
QString fromMyCnf(const Address &a)
{
    QFile file(QDir::home().filePath(QStringLiteral(".my.cnf")));
    if (!file.open(QIODevice::ReadOnly | QIODevice::Text))
        return {};
    QString section, user, password;
    while (!file.atEnd()) {
        const QString line = QString::fromUtf8(file.readLine()).trimmed();
        if (line.startsWith(QLatin1Char('['))) {
            section = line.mid(1, line.indexOf(QLatin1Char(']')) - 1);
            continue;
        }
        if (section != QLatin1String("client") || line.startsWith(QLatin1Char('#')))
            continue;
        const QString key = line.section(QLatin1Char('='), 0, 0).trimmed();
        QString value = line.section(QLatin1Char('='), 1).trimmed();
        if (value.size() >= 2 &&
            (value.front() == QLatin1Char('"') || value.front() == QLatin1Char('\'')) &&
            value.back() == value.front())
            value = value.mid(1, value.size() - 2);
        if (key == QLatin1String("user"))
            user = value;
        else if (key == QLatin1String("password"))
            password = value;
    }
    return user.isEmpty() || user == a.user ? password : QString();
}

/// host:port:database:user:password, \ escapes, * matches anything. Like libpq, a file that others
/// may read is not used.
QString fromPgPass(const Address &a)
{
    const QString path = QDir::home().filePath(QStringLiteral(".pgpass"));
    const auto others = QFileDevice::ReadGroup | QFileDevice::ReadOther;
    if (QFileInfo(path).permissions() & others)
        return {};
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly | QIODevice::Text))
        return {};
    const QStringList wanted{a.host, QString::number(a.port), a.database, a.user};
    while (!file.atEnd()) {
        const QString line = QString::fromUtf8(file.readLine()).trimmed();
        if (line.startsWith(QLatin1Char('#')))
            continue;
        QStringList fields{QString()};
        for (qsizetype i = 0; i < line.size(); ++i) {
            if (line[i] == QLatin1Char('\\') && i + 1 < line.size())
                fields.last() += line[++i];
            else if (line[i] == QLatin1Char(':') && fields.size() < 5)
                fields << QString();
            else
                fields.last() += line[i];
        }
        if (fields.size() != 5)
            continue;
        bool matches = true;
        for (qsizetype i = 0; i < 4; ++i)
            matches = matches && (fields[i] == QLatin1String("*") || fields[i] == wanted[i]);
        if (matches)
            return fields[4];
    }
    return {};
}

QString prompt(const Address &a, Side side)
{
    if (::isatty(STDIN_FILENO) == 0)
        return {};
    std::fprintf(stderr, "Password of %s on the %s %s: ", a.user.toLocal8Bit().constData(),
                 toString(side).toLocal8Bit().constData(), a.display().toLocal8Bit().constData());
    termios before{};
    ::tcgetattr(STDIN_FILENO, &before);
    termios quiet = before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    std::string line;
    for (int c = std::getchar(); c != EOF && c != '\n'; c = std::getchar())
        line.push_back(static_cast<char>(c));
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fputc('\n', stderr);
    return QString::fromStdString(line);
}
} // namespace

Secret findPassword(const Address &a, Side side)
{
    const char *variable =
        side == Side::Source ? "CAUSEWAY_SOURCE_PASSWORD" : "CAUSEWAY_TARGET_PASSWORD";
    if (qEnvironmentVariableIsSet(variable))
        return Secret(qEnvironmentVariable(variable));
    if (!a.password.isEmpty())
        return a.password;
    QString found = a.engine == Engine::Postgres ? fromPgPass(a) : fromMyCnf(a);
    if (found.isEmpty())
        found = prompt(a, side);
    return Secret(found);
}

} // namespace causeway::cli
