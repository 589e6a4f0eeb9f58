// A throw-away source with sample data and live writes, and an empty target, on loopback: what
// packaging/demo.sh shows the wizard. Ends with its standard input or on SIGTERM.

#include "servers/PostgresWorkload.h"
#include "servers/TestServer.h"
#include "servers/Workload.h"

#include <QCoreApplication>

#include <cstdio>
#include <poll.h>
#include <unistd.h>

using namespace causeway::test;

namespace {
/// "mariadb", "mysql", "postgres" (Debian's 15), "postgres-18".
ServerOptions optionsOf(const QString &name)
{
    ServerOptions options;
    options.product = name == QLatin1String("mysql")               ? Product::MySql
                      : name.startsWith(QLatin1String("postgres")) ? Product::Postgres
                                                                   : Product::MariaDb;
    const QString major = name.section(QLatin1Char('-'), 1);
    if (!major.isEmpty())
        options.postgresMajor = major;
    return options;
}

const char *schemeOf(Product product)
{
    switch (product) {
    case Product::MySql:
        return "mysql";
    case Product::Postgres:
        return "postgresql";
    case Product::MariaDb:
        break;
    }
    return "mariadb";
}

void untilInputEnds()
{
    for (;;) {
        pollfd in{STDIN_FILENO, POLLIN, 0};
        if (::poll(&in, 1, 60'000) > 0) {
            char buffer[64];
            if (::read(STDIN_FILENO, buffer, sizeof buffer) <= 0)
                return;
        }
    }
}

/// Writes until the input ends. A demonstration shares its machine with both servers: not as fast
/// as it could.
template <class Writer, class Options> void show(TestServer &source, TestServer &target)
{
    Options writes;
    writes.rate = 200;
    writes.longTransaction = std::chrono::seconds(3);
    Writer writer({Writer::address(source), Writer::address(target)}, writes);
    writer.start();
    std::printf("SOURCE=%s://causeway@127.0.0.1:%u/shop\nTARGET=%s://causeway@127.0.0.1:%u/shop\n",
                schemeOf(source.product()), source.port(), schemeOf(target.product()),
                target.port());
    std::fflush(stdout);
    untilInputEnds();
    writer.stop();
}
} // namespace

int main(int argc, char *argv[])
{
    const QCoreApplication app(argc, argv);
    const QStringList args = QCoreApplication::arguments();
    TestServer source(optionsOf(args.value(1))), target(optionsOf(args.value(2)));
    // Accounts of the application and of Causeway are different ones: who shares an account passes
    // every fence.
    if (source.product() == Product::Postgres) {
        for (TestServer *server : {&source, &target})
            server->exec(
                QStringLiteral("CREATE ROLE causeway LOGIN SUPERUSER PASSWORD 'causeway-demo'"));
        PostgresWorkload::createSchema(source);
        PostgresWorkload::createAccount(target);
        show<PostgresWorkload, PostgresWorkloadOptions>(source, target);
        return 0;
    }
    for (TestServer *server : {&source, &target}) {
        server->exec(QStringLiteral("CREATE USER 'causeway'@'%' IDENTIFIED BY 'causeway-demo'"));
        server->exec(QStringLiteral("GRANT ALL ON *.* TO 'causeway'@'%' WITH GRANT OPTION"));
    }
    Workload::createSchema(source);
    Workload::createAccount(target);
    show<Workload, WorkloadOptions>(source, target);
    return 0;
}
