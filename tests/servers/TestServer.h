#pragma once

#include "endpoint/Address.h"

#include <QString>
#include <QStringList>
#include <QTemporaryDir>

#include <memory>
#include <optional>
#include <vector>

namespace causeway::test {

enum class Product { MariaDb, MySql, Postgres };

struct ServerOptions {
    Product product = Product::MariaDb;
    QStringList settings; ///< extra server options, each "--name=value" (PostgreSQL: "name=value")
    bool binlog = true;   ///< MySQL family: ROW binlog, FULL image
    bool gtid = true;     ///< MySQL: gtid_mode=ON
    /// "12" to "18"; 15 is Debian's, others are fetched by get-postgres.sh.
    QString postgresMajor = QStringLiteral("15");
};

/// A folder with pg_dump and pg_restore of a major, for tests: Debian's 15, or 13, 17 or 18 as
/// fetched by get-postgres-client.sh.
QString postgresClientFolder(const QString &major);

/// Rows of a query made by the tests' own client code (not by what is under test).
using TestRow = std::vector<std::optional<std::string>>;

/// A real database server, started as an ordinary process on a loopback port with its data in a
/// temporary folder, stopped by process id. Failing to start ends the test program: a missing
/// server is a failure. The account "root" (PostgreSQL: "postgres") has password "root-secret" over
/// TCP.
class TestServer {
public:
    explicit TestServer(const ServerOptions & = {});
    ~TestServer();
    TestServer(const TestServer &) = delete;
    TestServer &operator=(const TestServer &) = delete;

    [[nodiscard]] Product product() const { return m_options.product; }
    [[nodiscard]] quint16 port() const { return m_port; }
    [[nodiscard]] QString dataDir() const;
    /// Address of an account on this server; the password is in it.
    [[nodiscard]] Address address(const QString &user = {}, const QString &password = {},
                                  const QString &database = {}) const;
    /// "mysql://root:root-secret@127.0.0.1:PORT/database" (mariadb://, postgresql://).
    [[nodiscard]] QString url(const QString &database = {}, const QString &user = {},
                              const QString &password = {}) const;

    /// Runs SQL as root (several statements separated by ';' allowed); ends the test on an error.
    void exec(const QString &sql, const QString &database = {});
    /// Rows of one statement as root, values as the server's text; NULL = nullopt.
    std::vector<TestRow> query(const QString &sql, const QString &database = {});
    QString scalar(const QString &sql, const QString &database = {});

    void stop();    ///< orderly
    void kill();    ///< SIGKILL
    void start();   ///< again, same port and data
    void suspend(); ///< SIGSTOP
    void resume();  ///< SIGCONT
    [[nodiscard]] qint64 pid() const;

private:
    struct Private;
    std::unique_ptr<Private> d;
    ServerOptions m_options;
    quint16 m_port = 0;
};

/// Forwards a loopback port to another one and can misbehave. Thread-safe.
class TcpProxy {
public:
    /// `from`: the address that its connections to the server come from, such as 127.0.0.3.
    explicit TcpProxy(quint16 targetPort, const QString &from = {});
    ~TcpProxy();
    TcpProxy(const TcpProxy &) = delete;
    TcpProxy &operator=(const TcpProxy &) = delete;
    [[nodiscard]] quint16 port() const;
    void cut();        ///< closes all connections; new ones are accepted
    void refuse(bool); ///< new connections are refused
    void stall(bool);  ///< bytes stop flowing both ways, connections stay open
    void halfOpen();   ///< closes the server's side only, the client is told nothing
    /// Cuts each connection, also later ones, once this many more bytes went through (both ways
    /// together); 0 ends that.
    void cutAfter(qint64 bytes);

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace causeway::test
