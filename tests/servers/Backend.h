#pragma once

#include "servers/ServerProcess.h"
#include "servers/TestServer.h"

namespace causeway::test {

/// What differs between the products; TestServer does the rest. `home` is the server's own folder;
/// its data are in home/data and its socket is in home.
class Backend {
public:
    Backend() = default;
    virtual ~Backend() = default;
    Backend(const Backend &) = delete;
    Backend &operator=(const Backend &) = delete;

    /// Fills home/data from a template that is made once and kept in the cache folder.
    virtual void prepare(const QString &home) = 0;
    /// Called before each start; removes what a killed server left and would stumble over.
    [[nodiscard]] virtual Launch launch(const QString &home, quint16 port) = 0;
    /// One try to sign in; true once the server takes statements.
    [[nodiscard]] virtual bool isReady(const QString &home, quint16 port) = 0;
    /// Runs statements over the local socket as the superuser, so that it works whatever a test did
    /// to networks and accounts; the rows of the last one. Fatal on an error.
    virtual std::vector<TestRow> run(const QString &home, quint16 port, const QString &sql,
                                     const QString &database) = 0;
};

std::unique_ptr<Backend> makeMySqlBackend(const ServerOptions &options);
std::unique_ptr<Backend> makePostgresBackend(const ServerOptions &options);

inline constexpr const char kSuperuserPassword[] = "root-secret";

} // namespace causeway::test
