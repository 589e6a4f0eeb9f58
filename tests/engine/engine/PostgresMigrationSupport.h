#pragma once

#include "engine/engine/MigrationSupport.h"
#include "servers/PostgresClient.h"
#include "servers/PostgresCompare.h"
#include "servers/PostgresWorkload.h"

namespace causeway::test {

inline ServerOptions postgres(const QString &major = QStringLiteral("15"),
                              const QStringList &settings = {})
{
    ServerOptions options;
    options.product = Product::Postgres;
    options.postgresMajor = major;
    options.settings = settings;
    return options;
}

/// A source and an empty target database "shop", with accounts of Causeway's own on both.
struct PostgresPair {
    TestServer source, target;
    QTemporaryDir folder;
    Settings settings;
    QString file;

    static constexpr const char *kRole = "mover";
    static constexpr const char *kPassword = "mover-secret";

    explicit PostgresPair(const ServerOptions &from = postgres(),
                          const ServerOptions &to = postgres(),
                          const QString &roleOptions = QStringLiteral("SUPERUSER"))
        : source(from), target(to)
    {
        // Debian's pg_dump is one of 15, which refuses a newer source.
        if (from.postgresMajor.toInt() > 15)
            qputenv("CAUSEWAY_PG_BIN", postgresClientFolder(to.postgresMajor).toUtf8());
        for (TestServer *server : {&source, &target}) {
            server->exec(QStringLiteral("CREATE ROLE mover LOGIN %1 PASSWORD 'mover-secret'")
                             .arg(roleOptions));
        }
        target.exec(QStringLiteral("CREATE DATABASE shop"));
        const auto address = [](TestServer &server) {
            return server.address(QString::fromLatin1(kRole), QString::fromLatin1(kPassword),
                                  QStringLiteral("shop"));
        };
        settings.source.fromHere = address(source);
        settings.target.fromHere = address(target);
        settings.route = QStringLiteral("native");
        file = folder.filePath(QStringLiteral("m.causeway"));
    }

    std::unique_ptr<Migration> open()
    {
        if (!QFile::exists(file)) {
            const auto journal = Journal::create(file, settings);
            if (!journal)
                qFatal("%s", qPrintable(journal.error().describe()));
        }
        Migration::Secrets secrets;
        secrets.source = Secret(QString::fromLatin1(kPassword));
        secrets.target = Secret(QString::fromLatin1(kPassword));
        auto migration = Migration::open(file, secrets);
        if (!migration)
            qFatal("%s", qPrintable(migration.error().describe()));
        return std::move(*migration);
    }

    /// Of everything that a migration makes outside the application's own: names that are left.
    static QStringList leftOn(TestServer &server)
    {
        QStringList out;
        const auto list = [&](const QString &sql) {
            for (const TestRow &row : server.query(sql, QStringLiteral("shop")))
                out << QString::fromStdString(row.front().value());
        };
        list(QStringLiteral("SELECT nspname FROM pg_namespace WHERE nspname ~ 'causeway'"));
        list(QStringLiteral("SELECT slot_name FROM pg_replication_slots"));
        list(QStringLiteral("SELECT subname FROM pg_subscription"));
        list(QStringLiteral("SELECT pubname FROM pg_publication"));
        list(QStringLiteral("SELECT tgname FROM pg_trigger WHERE tgname ~ 'causeway'"));
        list(QStringLiteral("SELECT roname FROM pg_replication_origin"));
        list(QStringLiteral("SELECT setconfig::text FROM pg_db_role_setting WHERE setrole = 0 AND "
                            "setconfig::text ~ 'read_only'"));
        return out;
    }

    [[nodiscard]] QStringList differences(bool sequences = false)
    {
        PostgresCompareOptions options;
        options.objects = false;
        options.sequences = sequences;
        return comparePostgres(source, target, QStringLiteral("shop"), options);
    }
};

} // namespace causeway::test
