#include "base/Log.h"
#include "models/EnglishPlurals.h"
#include "shell/MainWindow.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QLibraryInfo>
#include <QLocale>
#include <QTextStream>
#include <QTranslator>

#include <algorithm>
#include <initializer_list>
#include <optional>

using namespace causeway;

namespace {

/// Passwords come through the environment, never through arguments that `ps` shows. Taken out of
/// it, so that a hook command does not inherit them.
Secret passwordFrom(const char *variable)
{
    const Secret out(qEnvironmentVariable(variable));
    qunsetenv(variable);
    return out;
}

struct Options {
    QCommandLineParser parser;
    QCommandLineOption source{
        QStringLiteral("source"),
        QCoreApplication::translate("main", "Fill in the source: mysql://user@host:port/database"),
        QStringLiteral("URL")};
    QCommandLineOption target{QStringLiteral("target"),
                              QCoreApplication::translate("main", "Fill in the target."),
                              QStringLiteral("URL")};
    QCommandLineOption open{QStringLiteral("open"),
                            QCoreApplication::translate("main", "Open a migration's file."),
                            QStringLiteral("FILE")};
    Options()
    {
        parser.setApplicationDescription(
            QCoreApplication::translate("main", "Moves a live database to another server."));
        parser.addHelpOption();
        parser.addVersionOption();
        parser.addOptions({source, target, open});
    }
};

void nameProgram()
{
    QCoreApplication::setApplicationName(QStringLiteral("causeway"));
    QCoreApplication::setOrganizationName(QStringLiteral("causeway"));
    QCoreApplication::setApplicationVersion(QStringLiteral(CAUSEWAY_VERSION));
}

bool isGiven(int argc, char **argv, std::initializer_list<const char *> names)
{
    return std::any_of(argv + 1, argv + argc, [&names](const char *given) {
        return std::any_of(names.begin(), names.end(),
                           [given](const char *name) { return qstrcmp(given, name) == 0; });
    });
}

/// Qt aborts where it finds no display: help must work there, and the rest must say what is wrong.
bool hasDisplay(int argc, char **argv)
{
#if defined(Q_OS_UNIX) && !defined(Q_OS_DARWIN)
    return !qEnvironmentVariableIsEmpty("DISPLAY") ||
           !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY") ||
           !qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM") ||
           isGiven(argc, argv, {"-platform", "--platform"});
#else
    Q_UNUSED(argc)
    Q_UNUSED(argv)
    return true;
#endif
}

} // namespace

int main(int argc, char **argv)
{
    nameProgram();
    if (isGiven(argc, argv, {"--help", "-h", "--help-all", "--version", "-v"})) {
        QCoreApplication app(argc, argv);
        Options options;
        options.parser.process(app); // prints and ends
        return 0;
    }
    if (!hasDisplay(argc, argv)) {
        QTextStream(stderr) << QCoreApplication::translate(
                                   "main", "causeway: there is no display (neither DISPLAY nor "
                                           "WAYLAND_DISPLAY is set). Start it in a desktop, or use "
                                           "causeway-cli, which needs none.")
                            << Qt::endl;
        return 2;
    }
    QApplication app(argc, argv);
    QApplication::setApplicationDisplayName(QStringLiteral("Causeway"));
    QApplication::setDesktopFileName(QStringLiteral("causeway"));

    ui::EnglishPlurals plurals;
    QApplication::installTranslator(&plurals);
    QTranslator qtTexts;
    if (qtTexts.load(QLocale(), QStringLiteral("qtbase"), QStringLiteral("_"),
                     QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
        QApplication::installTranslator(&qtTexts);

    Options options;
    const QCommandLineParser &parser = options.parser;
    options.parser.process(app);

    const Secret sourcePassword = passwordFrom("CAUSEWAY_SOURCE_PASSWORD");
    const Secret targetPassword = passwordFrom("CAUSEWAY_TARGET_PASSWORD");
    const auto address = [&](const QCommandLineOption &option,
                             const Secret &password) -> Result<std::optional<Address>> {
        if (!parser.isSet(option))
            return std::optional<Address>();
        CW_TRY_ASSIGN(Address a, Address::fromUrl(parser.value(option)));
        if (!password.isEmpty())
            a.password = password;
        return std::optional<Address>(std::move(a));
    };
    const auto from = address(options.source, sourcePassword);
    const auto to = address(options.target, targetPassword);
    for (const auto *given : {&from, &to}) {
        if (!*given) {
            QTextStream(stderr) << redact(given->error().describe()) << Qt::endl;
            return given->error().exitStatus();
        }
    }

    setLogToStderr(false);
    ui::MainWindow window(ui::makeCoreEngine());
    window.setPasswords(sourcePassword, targetPassword);
    window.prefill(*from, *to);
    window.show();
    QStringList files = parser.positionalArguments();
    if (parser.isSet(options.open))
        files.prepend(parser.value(options.open));
    if (!files.isEmpty())
        window.openFile(files.first());
    return QApplication::exec();
}
