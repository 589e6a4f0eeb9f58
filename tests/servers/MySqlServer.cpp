#include "servers/Backend.h"
#include "servers/MySqlClient.h"
#include "servers/Support.h"

#include <QCryptographicHash>
#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <csignal>

#include <unistd.h>

namespace causeway::test {
namespace {

// Changes when the templates are made in another way, so that old ones are not taken.
constexpr int kTemplateVersion = 3;

class MySqlBackend final : public Backend {
public:
    explicit MySqlBackend(ServerOptions options) : m_options(std::move(options)) {}

    void prepare(const QString &home) override
    {
        const QString ready = templateFolder();
        copyTree(ready, home + QStringLiteral("/data"));
    }

    Launch launch(const QString &home, quint16 port) override
    {
        QFile::remove(socketOf(home));
        QFile::remove(socketOf(home) + QStringLiteral(".lock"));
        QStringList command = baseCommand(home);
        command << QStringLiteral("--bind-address=127.0.0.1")
                << QStringLiteral("--port=%1").arg(port)
                // The port is this server's alone on the machine, so this is too.
                << QStringLiteral("--server-id=%1").arg(port);
        if (m_options.binlog) {
            // sync_binlog=0: the bytes are with the kernel at commit, which outlives a killed
            // server.
            command << QStringLiteral("--log-bin=binlog") << QStringLiteral("--binlog-format=ROW")
                    << QStringLiteral("--binlog-row-image=FULL")
                    << QStringLiteral("--sync-binlog=0");
        } else if (isMySql()) {
            command << QStringLiteral("--skip-log-bin");
        }
        if (isMySql()) {
            const QString on = m_options.gtid ? QStringLiteral("ON") : QStringLiteral("OFF");
            command << QStringLiteral("--gtid-mode=") + on
                    << QStringLiteral("--enforce-gtid-consistency=") + on;
        }
        command += m_options.settings;
        return {command, home + QStringLiteral("/error.log"), SIGTERM, SIGKILL, false};
    }

    bool isReady(const QString &home, quint16 /*port*/) override
    {
        MySqlClient client;
        return client.connect(superuser(home), 10).ok();
    }

    std::vector<TestRow> run(const QString &home, quint16 /*port*/, const QString &sql,
                             const QString &database) override
    {
        Address address = superuser(home);
        address.database = database;
        MySqlClient client;
        std::vector<TestRow> rows;
        SqlOutcome outcome = client.connect(address);
        if (outcome.ok())
            outcome = client.run(sql.toStdString(), &rows);
        if (!outcome.ok())
            fatal(QStringLiteral("%1 [%2] in: %3")
                      .arg(QString::fromStdString(outcome.words))
                      .arg(outcome.number)
                      .arg(sql.left(2000)));
        return rows;
    }

private:
    [[nodiscard]] bool isMySql() const { return m_options.product == Product::MySql; }
    static QString socketOf(const QString &home) { return home + QStringLiteral("/s.sock"); }

    static Address superuser(const QString &home)
    {
        Address address;
        address.socket = socketOf(home);
        address.user = QStringLiteral("root");
        address.password = Secret(QLatin1String(kSuperuserPassword));
        return address;
    }

    // The unpacked MySQL tree; fetched where it is not there yet.
    static QString mySqlRoot()
    {
        static const QString root = fetchedTree(QStringLiteral("get-mysql.sh"), {},
                                                cacheFolder() + QStringLiteral("/mysql"));
        return root;
    }

    [[nodiscard]] QString binary() const
    {
        return isMySql() ? mySqlRoot() + QStringLiteral("/usr/sbin/mysqld")
                         : QStringLiteral("/usr/sbin/mariadbd");
    }

    // Up to the data folder and the settings that are the same for all.
    [[nodiscard]] QStringList baseCommand(const QString &home) const
    {
        QStringList command;
        if (isMySql()) {
            const QString root = mySqlRoot();
            const QString lib = root + QStringLiteral("/usr/lib/x86_64-linux-gnu");
            command << lib + QStringLiteral("/ld-linux-x86-64.so.2")
                    << QStringLiteral("--library-path") << lib << QStringLiteral("--argv0")
                    << binary() << binary() << QStringLiteral("--no-defaults")
                    << QStringLiteral("--basedir=%1/usr").arg(root)
                    << QStringLiteral("--lc-messages-dir=%1/usr/share/mysql").arg(root)
                    << QStringLiteral("--character-sets-dir=%1/usr/share/mysql/charsets").arg(root)
                    << QStringLiteral("--plugin-dir=%1/usr/lib/mysql/plugin").arg(root)
                    << QStringLiteral("--mysqlx=OFF")
                    << QStringLiteral("--innodb-redo-log-capacity=64M");
        } else {
            command << binary() << QStringLiteral("--no-defaults")
                    << QStringLiteral("--innodb-log-file-size=32M");
        }
        if (::geteuid() == 0)
            command << QStringLiteral("--user=root");
        command << QStringLiteral("--datadir=%1/data").arg(home)
                << QStringLiteral("--tmpdir=%1").arg(home)
                << QStringLiteral("--secure-file-priv=%1").arg(home)
                << QStringLiteral("--socket=%1").arg(socketOf(home))
                << QStringLiteral("--pid-file=%1/pid").arg(home)
                << QStringLiteral("--log-error=%1/error.log").arg(home)
                // 127.0.0.1 is then nobody's 'localhost', and no resolver slows a sign-in.
                << QStringLiteral("--skip-name-resolve") << QStringLiteral("--local-infile=ON")
                << QStringLiteral("--innodb-buffer-pool-size=48M")
                // Many servers at once would use up the kernel's aio slots.
                << QStringLiteral("--innodb-use-native-aio=OFF");
        return command;
    }

    // An initialised data folder with our accounts, made once for each version of the server.
    [[nodiscard]] QString templateFolder() const
    {
        const QFileInfo program(binary());
        if (!program.exists())
            fatal(QStringLiteral("%1 is missing: run packaging/install-deps.sh test")
                      .arg(program.filePath()));
        const QByteArray what = QStringLiteral("%1 %2 %3 %4")
                                    .arg(program.filePath())
                                    .arg(program.size())
                                    .arg(program.lastModified().toSecsSinceEpoch())
                                    .arg(kTemplateVersion)
                                    .toUtf8();
        QString folder =
            cacheFolder() +
            (isMySql() ? QStringLiteral("/mysql-data-") : QStringLiteral("/mariadb-data-")) +
            QString::fromLatin1(
                QCryptographicHash::hash(what, QCryptographicHash::Sha1).toHex().left(12));
        const FileLock lock(folder + QStringLiteral(".lock"), FileLock::Wait::Yes);
        if (!QFileInfo::exists(folder))
            makeTemplate(folder);
        return folder;
    }

    void makeTemplate(const QString &folder) const
    {
        const ServerFolder work;
        const QString home = work.path();
        const QString log = home + QStringLiteral("/error.log");
        if (isMySql()) {
            runTool(baseCommand(home) << QStringLiteral("--initialize-insecure"), log, false);
        } else {
            QStringList install{QStringLiteral("/usr/bin/mariadb-install-db"),
                                QStringLiteral("--no-defaults"),
                                QStringLiteral("--datadir=%1/data").arg(home),
                                QStringLiteral("--auth-root-authentication-method=normal"),
                                QStringLiteral("--skip-test-db"),
                                QStringLiteral("--skip-name-resolve"),
                                QStringLiteral("--innodb-log-file-size=32M")};
            if (::geteuid() == 0)
                install << QStringLiteral("--user=root");
            runTool(install, log, false);
        }

        const QString accounts = home + QStringLiteral("/accounts.sql");
        QFile file(accounts);
        if (!file.open(QIODevice::WriteOnly))
            fatal(QStringLiteral("cannot write %1").arg(accounts));
        const QString secret = QLatin1String(kSuperuserPassword);
        // mariadb-install-db makes more roots, without password.
        if (!isMySql())
            file.write("DELETE FROM mysql.global_priv WHERE User='root' AND Host<>'localhost';\n"
                       "FLUSH PRIVILEGES;\n");
        file.write(QStringLiteral("ALTER USER 'root'@'localhost' IDENTIFIED BY '%1';\n"
                                  "CREATE USER 'root'@'%' IDENTIFIED BY '%1';\n"
                                  "GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;\n")
                       .arg(QLatin1String(kSuperuserPassword))
                       .toUtf8());
        file.close();
        QStringList once = baseCommand(home) << QStringLiteral("--skip-networking")
                                             << QStringLiteral("--init-file=%1").arg(accounts);
        if (isMySql())
            once << QStringLiteral("--skip-log-bin");
        ServerProcess server;
        server.start({once, log, SIGTERM, SIGKILL, false});
        MySqlClient client;
        while (!client.connect(superuser(home), 10).ok()) {
            if (server.waitForEnd(std::chrono::milliseconds(20)))
                fatal(QStringLiteral("making %1 failed:\n%2").arg(folder, tailOf(log)));
        }
        client.close();
        server.stop();
        // Each copy makes its own server_uuid, and begins its own log.
        const QString data = home + QStringLiteral("/data");
        QFile::remove(data + QStringLiteral("/auto.cnf"));
        const QStringList logs = QDir(data).entryList({QStringLiteral("binlog.*")});
        for (const QString &name : logs)
            QFile::remove(data + u'/' + name);

        const QString half = folder + QStringLiteral(".new");
        QDir(half).removeRecursively();
        copyTree(data, half);
        if (!QDir().rename(half, folder))
            fatal(QStringLiteral("cannot rename %1").arg(half));
    }

    ServerOptions m_options;
};

} // namespace

std::unique_ptr<Backend> makeMySqlBackend(const ServerOptions &options)
{
    return std::make_unique<MySqlBackend>(options);
}

} // namespace causeway::test
