// Where causeway-cli takes passwords from, and where they never go.

#include "engine/engine/CliRun.h"

#include <QDBusAbstractAdaptor>
#include <QDBusConnection>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace causeway;
using namespace causeway::test;

namespace {
QString arg(const char *text)
{
    return QString::fromLatin1(text);
}
// Every character that some layer could take for its own.
const QString kPassword = QStringLiteral("s3 c#r\"e't\\p:@/?&%x");

/// A program on a terminal of its own.
class OnTerminal {
public:
    OnTerminal(const QProcessEnvironment &environment, const QStringList &arguments)
    {
        std::vector<QByteArray> words{QByteArrayLiteral(CAUSEWAY_CLI)};
        for (const QString &a : arguments)
            words.push_back(a.toUtf8());
        std::vector<QByteArray> variables;
        for (const QString &name : environment.keys())
            variables.push_back(name.toUtf8() + '=' + environment.value(name).toUtf8());
        std::vector<char *> argv, envp;
        for (QByteArray &w : words)
            argv.push_back(w.data());
        argv.push_back(nullptr);
        for (QByteArray &v : variables)
            envp.push_back(v.data());
        envp.push_back(nullptr);
        m_pid = ::forkpty(&m_fd, nullptr, nullptr, nullptr);
        if (m_pid == 0) {
            ::execve(argv[0], argv.data(), envp.data());
            ::_exit(127);
        }
    }
    ~OnTerminal()
    {
        if (m_pid > 0 && ::waitpid(m_pid, nullptr, WNOHANG) == 0) {
            ::kill(m_pid, SIGKILL);
            ::waitpid(m_pid, nullptr, 0);
        }
        ::close(m_fd);
    }
    OnTerminal(const OnTerminal &) = delete;
    OnTerminal &operator=(const OnTerminal &) = delete;

    /// Reads until `text` was printed (again, since the last call).
    bool waitFor(const QByteArray &text, int seconds = 20)
    {
        QElapsedTimer time;
        time.start();
        while (!m_unread.contains(text)) {
            if (time.elapsed() > seconds * 1000 || !readSome())
                return false;
        }
        m_unread = m_unread.mid(m_unread.indexOf(text) + text.size());
        return true;
    }
    void type(const QByteArray &text) { (void)!::write(m_fd, text.constData(), text.size()); }
    [[nodiscard]] bool echoes() const
    {
        termios now{};
        return ::tcgetattr(m_fd, &now) == 0 && (now.c_lflag & ECHO) != 0;
    }
    /// Everything it prints until it ends; its raw wait status in `status`.
    QByteArray finish(int *status)
    {
        while (readSome()) {
        }
        ::waitpid(m_pid, status, 0);
        m_pid = -1;
        return m_all;
    }

private:
    bool readSome()
    {
        pollfd p{m_fd, POLLIN, 0};
        if (::poll(&p, 1, 500) == 0)
            return true;
        char buffer[4096];
        const ssize_t n = ::read(m_fd, buffer, sizeof buffer);
        if (n <= 0)
            return false;
        m_all.append(buffer, n);
        m_unread.append(buffer, n);
        return true;
    }

    int m_fd = -1;
    pid_t m_pid = -1;
    QByteArray m_all, m_unread;
};
} // namespace

/// KWallet as the keychain's client library speaks to it, with one password in it.
class Wallet : public QDBusAbstractAdaptor {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.kde.KWallet")
public:
    explicit Wallet(QObject *parent) : QDBusAbstractAdaptor(parent) {}
    QStringList asked;

public Q_SLOTS:
    bool isEnabled() { return true; }
    QString networkWallet() { return QStringLiteral("kdewallet"); }
    int open(const QString &, qlonglong, const QString &) { return 1; }
    int entryType(int, const QString &folder, const QString &key, const QString &)
    {
        asked << folder + QLatin1Char(' ') + key;
        return 1; // a password
    }
    QString readPassword(int, const QString &, const QString &, const QString &)
    {
        return kPassword;
    }
};

class CliPasswordsTest : public QObject {
    Q_OBJECT

    std::unique_ptr<Pair> m_pair;
    QTemporaryDir m_dir;

    static QProcessEnvironment bare()
    {
        QProcessEnvironment env = QProcessEnvironment::systemEnvironment();
        env.remove(arg("CAUSEWAY_SOURCE_PASSWORD"));
        env.remove(arg("CAUSEWAY_TARGET_PASSWORD"));
        env.remove(arg("XDG_RUNTIME_DIR"));
        return env;
    }
    [[nodiscard]] QString url(const QString &userInfo = arg("odd")) const
    {
        return QStringLiteral("mysql://") + (userInfo.isEmpty() ? userInfo : userInfo + arg("@")) +
               QStringLiteral("127.0.0.1:%1/shop").arg(m_pair->source.port());
    }
    [[nodiscard]] QStringList check(const QString &source) const
    {
        return {arg("check"), arg("--source"), source};
    }
    static QString encoded(const QString &text)
    {
        return QString::fromLatin1(QUrl::toPercentEncoding(text));
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_pair = std::make_unique<Pair>(ServerOptions{}, ServerOptions{});
        m_pair->source.exec(QStringLiteral("CREATE DATABASE shop"));
        m_pair->source.exec(QStringLiteral("CREATE TABLE shop.t(id INT PRIMARY KEY)"));
        for (TestServer *s : {&m_pair->source, &m_pair->target}) {
            QString literal = kPassword;
            literal.replace(QLatin1String("\\"), QLatin1String("\\\\"))
                .replace(QLatin1String("'"), QLatin1String("''"));
            s->exec(QStringLiteral("CREATE USER odd IDENTIFIED BY '%1'").arg(literal));
            s->exec(QStringLiteral("GRANT ALL ON *.* TO odd WITH GRANT OPTION"));
        }
    }

    void withoutOneItSaysSo()
    {
        Cli cli(bare());
        const CliRun run = cli(check(url()));
        CW_STATUS(run, 3);
        QVERIFY2(run.err.contains("none was given"), run.err.constData());
    }

    void theUrlComesBeforeTheEnvironmentBeforeTheFile()
    {
        Cli cli(bare());
        cli.environment().insert(arg("CAUSEWAY_SOURCE_PASSWORD"), kPassword);
        CW_STATUS(cli(check(url())), 0);
        CW_STATUS(cli(check(url(arg("odd:wrong")))), 3);
        cli.environment().insert(arg("CAUSEWAY_SOURCE_PASSWORD"), arg("wrong"));
        CW_STATUS(cli(check(url(arg("odd:") + encoded(kPassword)))), 0);
        QFile file(cli.home(arg(".my.cnf")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("[client]\npassword=\"s3 c#r\\\"e't\\\\p:@/?&%x\"\n");
        file.close();
        CW_STATUS(cli(check(url())), 3);
        cli.environment().remove(arg("CAUSEWAY_SOURCE_PASSWORD"));
        CW_STATUS(cli(check(url())), 0);
    }

    void optionFilesAreReadAsTheClientsDo_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("user");
        QTest::addColumn<bool>("signsIn");
        const QByteArray quoted = "\"s3 c#r\\\"e't\\\\p:@/?&%x\"";
        QTest::newRow("double quotes")
            << QByteArray("[client]\npassword=") + quoted << arg("odd") << true;
        QTest::newRow("single quotes")
            << QByteArray("[client]\npassword = 's3 c#r\"e\\'t\\\\p:@/?&%x' # mine\n") << arg("odd")
            << true;
        QTest::newRow("unquoted ends at #")
            << QByteArray("[client]\npassword=s3 c#r\"e't\\\\p:@/?&%x\n") << arg("odd") << false;
        QTest::newRow("another section")
            << QByteArray("[mysqldump]\npassword=") + quoted << arg("odd") << false;
        QTest::newRow("last one counts, comments do not")
            << QByteArray("# [client]\n[mysqld]\npassword=x\n[client]\n;password=y\npassword=z\n"
                          "!includedir /nowhere\npassword=") +
                   quoted
            << arg("odd") << true;
        QTest::newRow("of another account")
            << QByteArray("[client]\nuser=else\npassword=") + quoted << arg("odd") << false;
        QTest::newRow("names the account")
            << QByteArray("[client]\nuser=odd\npassword=") + quoted << QString() << true;
    }

    void optionFilesAreReadAsTheClientsDo()
    {
        QFETCH(const QByteArray, content);
        QFETCH(const QString, user);
        QFETCH(const bool, signsIn);
        Cli cli(bare());
        QFile file(cli.home(arg(".my.cnf")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(content);
        file.close();
        const CliRun run = cli(check(url(user)));
        CW_STATUS(run, signsIn ? 0 : 3);
    }

    void aTerminalIsAskedWithoutEcho()
    {
        Cli cli(bare());
        OnTerminal terminal(cli.environment(), check(url()));
        QVERIFY(terminal.waitFor("Password of odd on the source"));
        QTRY_VERIFY(!terminal.echoes());
        terminal.type(kPassword.toUtf8() + '\n');
        int status = 0;
        const QByteArray all = terminal.finish(&status);
        QVERIFY2(WIFEXITED(status) && WEXITSTATUS(status) == 0, all.constData());
        QVERIFY(!all.contains(kPassword.toUtf8()));
        QVERIFY(all.contains("Ready"));
    }

    void interruptedAtThePromptTheTerminalEchoesAgain()
    {
        Cli cli(bare());
        OnTerminal terminal(cli.environment(), check(url()));
        QVERIFY(terminal.waitFor("Password of odd"));
        QTRY_VERIFY(!terminal.echoes());
        terminal.type("\x03");
        QTRY_VERIFY(terminal.echoes());
        int status = 0;
        terminal.finish(&status);
        QVERIFY(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    }

    void onTheCommandLineItIsHidden()
    {
        TcpProxy silent(m_pair->source.port());
        silent.stall(true);
        Cli cli(bare());
        const auto process = cli.start(
            check(QStringLiteral("mysql://odd:") + encoded(kPassword) +
                  QStringLiteral("@127.0.0.1:%1/shop?connect-timeout=60").arg(silent.port())));
        const QString path = QStringLiteral("/proc/%1/cmdline").arg(process->processId());
        const auto shown = [&] {
            QFile file(path);
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        };
        QTRY_VERIFY(shown().contains("mysql://odd:xxx"));
        QVERIFY2(!shown().contains("s3"), shown().constData());
        process->kill();
        process->waitForFinished();
    }

    void nothingThatIsWrittenHoldsIt()
    {
        Cli cli(bare());
        cli.environment().insert(arg("CAUSEWAY_LOG"), arg("debug"));
        const QString file = m_dir.filePath(arg("m.causeway"));
        QByteArray said;
        const auto run = [&](const QStringList &arguments, int status) {
            const CliRun r = cli(arguments);
            said += r.all();
            CW_STATUS(r, status);
        };
        const QString secret = encoded(kPassword);
        run({arg("new"), file, arg("--source"), url(arg("odd:") + secret), arg("--target"),
             QStringLiteral("mysql://odd:") + secret +
                 QStringLiteral("@127.0.0.1:%1/shop").arg(m_pair->target.port())},
            0);
        run({arg("run"), file, arg("--to"), arg("replica")}, 3); // it was not stored
        cli.environment().insert(arg("CAUSEWAY_SOURCE_PASSWORD"), kPassword);
        cli.environment().insert(arg("CAUSEWAY_TARGET_PASSWORD"), kPassword);
        run({arg("run"), file, arg("--to"), arg("replica"), arg("--json")}, 0);
        run({arg("status"), file, arg("--json")}, 0);
        run({arg("report"), file, arg("--html"), m_dir.filePath(arg("r.html")), arg("--json"),
             m_dir.filePath(arg("r.json"))},
            0);
        run({arg("user-script"), arg("--source"), url(), arg("--account"), arg("odd")}, 0);
        run({arg("cancel"), file, arg("--discard")}, 0);
        for (const QFileInfo &info : QDir(m_dir.path()).entryInfoList(QDir::Files)) {
            QFile written(info.filePath());
            QVERIFY(written.open(QIODevice::ReadOnly));
            said += written.readAll();
        }
        for (const QByteArray &form :
             {kPassword.toUtf8(), secret.toUtf8(), QByteArray("c#r"), QByteArray("s3%20c")})
            QVERIFY2(!said.contains(form), form.constData());
        // The state on the servers neither.
        QVERIFY(said.contains("Phase") || said.contains("phase"));
    }

    void theKeychainIsAskedBeforeTheFile()
    {
        // A session bus of its own with a wallet on it, as a desktop has.
        QProcess bus;
        bus.start(arg("dbus-daemon"),
                  {arg("--session"), arg("--nofork"), arg("--print-address=1")});
        QVERIFY2(bus.waitForStarted() && bus.waitForReadyRead(10'000), "dbus-daemon");
        const QString address = QString::fromUtf8(bus.readLine()).trimmed();
        QDBusConnection connection = QDBusConnection::connectToBus(address, arg("wallet"));
        QVERIFY(connection.isConnected());
        QObject object;
        auto *const wallet = new Wallet(&object);
        QVERIFY(connection.registerObject(arg("/modules/kwalletd5"), &object));
        QVERIFY(connection.registerService(arg("org.kde.kwalletd5")));
        Cli cli(bare());
        cli.environment().insert(arg("DBUS_SESSION_BUS_ADDRESS"), address);
        cli.environment().insert(arg("XDG_CURRENT_DESKTOP"), arg("KDE"));
        cli.environment().insert(arg("KDE_SESSION_VERSION"), arg("5"));
        const auto run = [&](const QStringList &arguments) {
            const auto process = cli.start(arguments);
            // This thread answers for the wallet meanwhile.
            QElapsedTimer time;
            time.start();
            while (process->state() != QProcess::NotRunning && time.elapsed() < 60'000)
                QTest::qWait(20);
            return Cli::finish(*process, 1);
        };
        const CliRun found = run(check(url()));
        QVERIFY2(!wallet->asked.isEmpty(), found.all().constData());
        CW_STATUS(found, 0);
        QVERIFY(wallet->asked.first().endsWith(
            QStringLiteral("mysql://odd@127.0.0.1:%1").arg(m_pair->source.port())));
        // The environment comes before it.
        wallet->asked.clear();
        cli.environment().insert(arg("CAUSEWAY_SOURCE_PASSWORD"), arg("wrong"));
        CW_STATUS(run(check(url())), 3);
        QVERIFY(wallet->asked.isEmpty());
        QDBusConnection::disconnectFromBus(arg("wallet"));
        bus.kill();
        bus.waitForFinished();
    }

    void aKeychainThatDoesNotAnswerIsNotWaitedFor_data()
    {
        QTest::addColumn<QString>("bus");
        QTest::newRow("no bus") << QString();
        QTest::newRow("no such socket") << arg("unix:path=/nonexistent/bus");
        QTest::newRow("silent socket") << arg("silent");
    }

    void aKeychainThatDoesNotAnswerIsNotWaitedFor()
    {
        QFETCH(QString, bus);
        Cli cli(bare());
        TcpProxy silent(m_pair->source.port());
        silent.stall(true);
        if (bus == QLatin1String("silent"))
            bus = QStringLiteral("tcp:host=127.0.0.1,port=%1").arg(silent.port());
        if (!bus.isEmpty())
            cli.environment().insert(arg("DBUS_SESSION_BUS_ADDRESS"), bus);
        cli.environment().insert(arg("XDG_CURRENT_DESKTOP"), arg("KDE"));
        QElapsedTimer time;
        time.start();
        const CliRun run = cli(check(url()));
        CW_STATUS(run, 3);
        QVERIFY(run.err.contains("none was given"));
        QVERIFY2(time.elapsed() < 8'000, qPrintable(QString::number(time.elapsed())));
    }
};

QTEST_GUILESS_MAIN(CliPasswordsTest)
#include "CliPasswordsTest.moc"
