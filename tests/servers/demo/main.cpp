// A throw-away source with sample data and live writes, and an empty target, on loopback: what
// packaging/demo.sh shows the wizard. Ends with its standard input or on SIGTERM.

#include "servers/TestServer.h"
#include "servers/Workload.h"

#include <QCoreApplication>

#include <cstdio>
#include <poll.h>
#include <unistd.h>

using namespace causeway::test;

namespace {
Product productOf(const QString &name)
{
    return name == QLatin1String("mysql") ? Product::MySql : Product::MariaDb;
}
} // namespace

int main(int argc, char *argv[])
{
    const QCoreApplication app(argc, argv);
    const QStringList args = QCoreApplication::arguments();
    ServerOptions sourceOptions, targetOptions;
    sourceOptions.product = productOf(args.value(1));
    targetOptions.product = productOf(args.value(2));
    TestServer source(sourceOptions), target(targetOptions);
    // Accounts of the application and of Causeway are different ones: who shares an account passes
    // every fence.
    for (TestServer *server : {&source, &target}) {
        server->exec(QStringLiteral("CREATE USER 'causeway'@'%' IDENTIFIED BY 'causeway-demo'"));
        server->exec(QStringLiteral("GRANT ALL ON *.* TO 'causeway'@'%' WITH GRANT OPTION"));
    }
    Workload::createSchema(source);
    Workload::createAccount(target);
    WorkloadOptions writes;
    writes.rate = 200; // a demonstration shares its machine with both servers
    writes.longTransaction = std::chrono::seconds(3);
    Workload writer({Workload::address(source), Workload::address(target)}, writes);
    writer.start();
    std::printf("SOURCE=%s://causeway@127.0.0.1:%u/shop\nTARGET=%s://causeway@127.0.0.1:%u/shop\n",
                source.product() == Product::MySql ? "mysql" : "mariadb", source.port(),
                target.product() == Product::MySql ? "mysql" : "mariadb", target.port());
    std::fflush(stdout);
    for (;;) {
        pollfd in{STDIN_FILENO, POLLIN, 0};
        if (::poll(&in, 1, 60'000) > 0) {
            char buffer[64];
            if (::read(STDIN_FILENO, buffer, sizeof buffer) <= 0)
                break;
        }
    }
    writer.stop();
    return 0;
}
