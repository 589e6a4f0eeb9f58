#include "cli/Passwords.h"

#include "cli/Keychain.h"
#include "cli/OptionFile.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <array>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <termios.h>
#include <unistd.h>

namespace causeway::cli {

namespace {
/// For the account that the file names, or for any where it names none.
std::optional<QString> fromMyCnf(const Address &a)
{
    const ClientOptions options = homeClientOptions();
    return options.user.isEmpty() || options.user == a.user ? options.password : std::nullopt;
}

/// host:port:database:user:password, \ escapes, * matches anything. Like libpq, a file that others
/// may read is not used.
std::optional<QString> fromPgPass(const Address &a)
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

termios g_before{};

/// Ctrl+C at the prompt must not leave a terminal without echo.
extern "C" void putEchoBack(int signal)
{
    ::tcsetattr(STDIN_FILENO, TCSANOW, &g_before);
    ::signal(signal, SIG_DFL);
    ::raise(signal);
}

std::optional<QString> prompt(const Address &a, Side side)
{
    if (::isatty(STDIN_FILENO) == 0 || ::tcgetattr(STDIN_FILENO, &g_before) != 0)
        return std::nullopt;
    std::fprintf(stderr, "Password of %s on the %s %s: ", a.user.toLocal8Bit().constData(),
                 toString(side).toLocal8Bit().constData(), a.display().toLocal8Bit().constData());
    constexpr std::array<int, 4> kSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    std::array<struct sigaction, kSignals.size()> old{};
    struct sigaction restore {};
    restore.sa_handler = putEchoBack;
    for (std::size_t i = 0; i < kSignals.size(); ++i)
        ::sigaction(kSignals[i], &restore, &old[i]);
    termios quiet = g_before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    std::string line;
    for (int c = std::getchar(); c != EOF && c != '\n'; c = std::getchar())
        line.push_back(static_cast<char>(c));
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &g_before);
    for (std::size_t i = 0; i < kSignals.size(); ++i)
        ::sigaction(kSignals[i], &old[i], nullptr);
    std::fputc('\n', stderr);
    return QString::fromStdString(line);
}
} // namespace

namespace {
std::optional<QString> lookedUp(const Address &a, Side side)
{
    const char *variable =
        side == Side::Source ? "CAUSEWAY_SOURCE_PASSWORD" : "CAUSEWAY_TARGET_PASSWORD";
    if (qEnvironmentVariableIsSet(variable))
        return qEnvironmentVariable(variable);
    std::optional<QString> found = keychainPassword(a);
    if (!found)
        found = a.engine == Engine::Postgres ? fromPgPass(a) : fromMyCnf(a);
    return found;
}
} // namespace

Secret findPassword(const Address &a, Side side)
{
    if (!a.password.isEmpty())
        return a.password;
    std::optional<QString> found = lookedUp(a, side);
    if (!found)
        found = prompt(a, side);
    return Secret(found.value_or(QString()));
}

Secret findPasswordQuietly(const Address &a, Side side)
{
    return a.password.isEmpty() ? Secret(lookedUp(a, side).value_or(QString())) : a.password;
}

} // namespace causeway::cli
