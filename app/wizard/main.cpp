#include "base/Log.h"
#include "models/EnglishPlurals.h"
#include "shell/MainWindow.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QLibraryInfo>
#include <QLocale>
#include <QTextStream>
#include <QTranslator>

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

} // namespace

int main(int argc, char **argv)
{
    QApplication app(argc, argv);
    QApplication::setApplicationName(QStringLiteral("causeway"));
    QApplication::setApplicationDisplayName(QStringLiteral("Causeway"));
    QApplication::setOrganizationName(QStringLiteral("causeway"));
    QApplication::setApplicationVersion(QStringLiteral(CAUSEWAY_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("causeway"));

    ui::EnglishPlurals plurals;
    QApplication::installTranslator(&plurals);
    QTranslator qtTexts;
    if (qtTexts.load(QLocale(), QStringLiteral("qtbase"), QStringLiteral("_"),
                     QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
        QApplication::installTranslator(&qtTexts);

    QCommandLineParser parser;
    parser.setApplicationDescription(
        QApplication::translate("main", "Moves a live database to another server."));
    parser.addHelpOption();
    parser.addVersionOption();
    const QCommandLineOption source(
        QStringLiteral("source"),
        QApplication::translate("main", "Fill in the source: mysql://user@host:port/database"),
        QStringLiteral("URL"));
    const QCommandLineOption target(QStringLiteral("target"),
                                    QApplication::translate("main", "Fill in the target."),
                                    QStringLiteral("URL"));
    const QCommandLineOption open(QStringLiteral("open"),
                                  QApplication::translate("main", "Open a migration's file."),
                                  QStringLiteral("FILE"));
    parser.addOptions({source, target, open});
    parser.process(app);

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
    const auto from = address(source, sourcePassword);
    const auto to = address(target, targetPassword);
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
    if (parser.isSet(open))
        files.prepend(parser.value(open));
    if (!files.isEmpty())
        window.openFile(files.first());
    return QApplication::exec();
}
