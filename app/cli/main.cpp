#include "base/Log.h"
#include "cli/Arguments.h"
#include "cli/Commands.h"
#include "cli/Keychain.h"

#include <QCoreApplication>

#include <array>
#include <cstdio>
#include <cstring>

namespace {
struct Command {
    const char *name;
    const char *what;
    int (*run)(const QStringList &);
};
using namespace causeway::cli;
constexpr std::array<Command, 11> kCommands{{
    {"check", "is this source (and target) ready, and if not, what to do", checkCommand},
    {"new", "write a migration file", newCommand},
    {"run", "drive a migration to a phase: copied, replica, primary, finished", runCommand},
    {"status", "where a migration stands", statusCommand},
    {"answer", "answer a decision that a migration waits for", answerCommand},
    {"verify", "compare both sides row by row, and repair", verifyCommand},
    {"cancel", "end a migration before its switch", cancelCommand},
    {"unfence", "open a source that an interrupted switch left closed", unfenceCommand},
    {"report", "write the report of a migration", reportCommand},
    {"user-script", "the SQL that creates the least-privilege account", userScriptCommand},
    {"explain", "what an error message of a server or an import page means, and its cure",
     explainCommand},
}};

void help(std::FILE *to)
{
    std::fputs("Causeway moves a live MySQL, MariaDB or PostgreSQL database to another server.\n\n"
               "  causeway-cli COMMAND [options]      causeway-cli COMMAND --help\n\n",
               to);
    for (const Command &c : kCommands)
        std::fprintf(to, "  %-12s %s\n", c.name, c.what);
    std::fputs("\nURLs: mysql://user@host:3306/database, mariadb://..., postgresql://...\n"
               "Passwords come from CAUSEWAY_SOURCE_PASSWORD and CAUSEWAY_TARGET_PASSWORD, the\n"
               "keychain, ~/.my.cnf or ~/.pgpass, or a prompt. Nothing asks for confirmation.\n"
               "Exit status: 0 done; 1 not ready, a decision is needed, or differences found;\n"
               "2 usage; 3 a server or the network failed (run again to resume); 4 internal.\n",
               to);
}
void overwrite(char *from, const char *to)
{
    for (; from < to; ++from)
        *from = 'x';
}

/// A password in a URL on the command line is overwritten where everybody on this machine could
/// read it (ps, /proc). For a moment it was there; the environment is the better place.
void hidePasswords(int argc, char *argv[])
{
    for (int i = 1; i < argc; ++i) {
        char *authority = std::strstr(argv[i], "://");
        if (!authority)
            continue;
        authority += 3;
        // To the last @, as URLs are read: a password may hold one, or a / that it should not.
        char *const at = std::strrchr(authority, '@');
        char *const colon = std::strchr(authority, ':');
        if (at && colon && colon < at)
            overwrite(colon + 1, at);
        for (char *p = std::strstr(authority, "password="); p; p = std::strstr(p, "password=")) {
            p += std::strlen("password=");
            overwrite(p, p + std::strcspn(p, "&"));
        }
    }
}
} // namespace

int main(int argc, char *argv[])
{
    const QCoreApplication app(argc, argv);
    QCoreApplication::setApplicationName(QStringLiteral("causeway-cli"));
    QCoreApplication::setApplicationVersion(QStringLiteral(CAUSEWAY_VERSION));
    QStringList arguments = QCoreApplication::arguments();
    arguments.removeFirst();
    hidePasswords(argc, argv);
    if (arguments.isEmpty()) {
        help(stderr);
        return Exit::Usage;
    }
    const QString name = arguments.takeFirst();
    if (name == QLatin1String("--help") || name == QLatin1String("-h") ||
        name == QLatin1String("help")) {
        help(stdout);
        return Exit::Done;
    }
    if (name == QLatin1String("keychain-read"))
        return readKeychain(arguments.value(0));
    if (name == QLatin1String("--version")) {
        std::puts("causeway-cli " CAUSEWAY_VERSION);
        return Exit::Done;
    }
    // Log lines are for finding out afterwards; progress and results speak for themselves.
    if (qEnvironmentVariableIsSet("CAUSEWAY_LOG")) {
        causeway::setLogToStderr(true);
        if (qEnvironmentVariable("CAUSEWAY_LOG") == QLatin1String("debug"))
            causeway::setLogLevel(causeway::LogLevel::Debug);
    }
    for (const Command &c : kCommands) {
        if (name == QLatin1String(c.name))
            return c.run(arguments);
    }
    std::fprintf(stderr, "causeway-cli: there is no command \"%s\" (see \"causeway-cli --help\")\n",
                 name.toLocal8Bit().constData());
    return Exit::Usage;
}
