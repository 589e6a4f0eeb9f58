// MariaDB's sequences at a switch there and back: no value is handed out twice.

#include "engine/engine/MigrationSupport.h"

#include <set>

using namespace causeway;
using namespace causeway::test;

class SequenceTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void repeatNoValue_data()
    {
        QTest::addColumn<QString>("fence");
        QTest::newRow("closed by read_only") << QStringLiteral("read_only");
        QTest::newRow("closed by triggers") << QStringLiteral("triggers");
    }

    void repeatNoValue()
    {
        QFETCH(const QString, fence);
        ServerOptions options;
        options.product = Product::MariaDb;
        Pair pair(options, options);
        pair.settings.selection.renames = {{QStringLiteral("shop"), QStringLiteral("shop2")}};
        for (auto *kind : {&pair.settings.fence, &pair.settings.targetFence})
            *kind = fence == QLatin1String("triggers") ? FenceKind::Triggers : FenceKind::Auto;
        const QStringList drawn{QStringLiteral("up"),      QStringLiteral("down"),
                                QStringLiteral("one"),     QStringLiteral("largest"),
                                QStringLiteral("s `q`.x"), QStringLiteral("session")};
        pair.source.exec(QStringLiteral(
            "CREATE DATABASE shop; USE shop; CREATE TABLE t (id INT PRIMARY KEY);"
            "CREATE SEQUENCE up START 100 INCREMENT 7 CACHE 50;"
            "CREATE SEQUENCE down START -5 INCREMENT -3 MINVALUE -100000 MAXVALUE -1 CACHE 10;"
            "CREATE SEQUENCE one NOCACHE;"
            "CREATE SEQUENCE largest START 9223372036854775000 MINVALUE -9223372036854775807 "
            "MAXVALUE 9223372036854775806 INCREMENT 1 CACHE 3;"
            "CREATE SEQUENCE `s ``q``.x` START 1 INCREMENT 1 CACHE 1000;"
            "CREATE SEQUENCE session START 5 INCREMENT 0;"
            "CREATE SEQUENCE round START 1 MINVALUE 1 MAXVALUE 10 CACHE 3 CYCLE;"
            "CREATE SEQUENCE gone START 1 MAXVALUE 3 NOCYCLE NOCACHE;"
            "CREATE SEQUENCE fresh START 42 CACHE 5"));
        std::map<QString, std::set<qint64>> handedOut;
        const auto draw = [&](TestServer &server, const QString &schema, int times) {
            for (const QString &name : drawn) {
                for (int i = 0; i < times; ++i) {
                    QString quoted = name;
                    quoted.replace(u'`', QStringLiteral("``"));
                    const qint64 value =
                        server
                            .scalar(QStringLiteral("SELECT NEXTVAL(`%1`.`%2`)").arg(schema, quoted))
                            .toLongLong();
                    QVERIFY2(handedOut[name].insert(value).second,
                             qPrintable(QStringLiteral("%1: %2").arg(name).arg(value)));
                }
            }
        };
        const auto next = [](TestServer &server, const char *name) {
            return server.scalar(QStringLiteral("SELECT NEXTVAL(%1)").arg(QLatin1String(name)))
                .toInt();
        };
        draw(pair.source, QStringLiteral("shop"), 3);
        for (int i = 0; i < 13; ++i)
            next(pair.source, "shop.round"); // the third of the second round
        for (int i = 0; i < 3; ++i)
            next(pair.source, "shop.gone");

        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        draw(pair.source, QStringLiteral("shop"), 60);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        draw(pair.target, QStringLiteral("shop2"), 4);
        const bool exact = fence != QLatin1String("triggers");
        const int first = next(pair.target, "shop2.fresh");
        QVERIFY(exact ? first == 42 : first >= 42);
        // Ten values, of which the second round's first few are out or were ready.
        const int round = next(pair.target, "shop2.round");
        QVERIFY2(round >= 4 && round <= 10, qPrintable(QString::number(round)));
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT cycle_count FROM shop2.round")),
                 QStringLiteral("1"));
        QCOMPARE(pair.target.scalar(QStringLiteral(
                     "SELECT next_not_cached_value > maximum_value FROM shop2.gone")),
                 QStringLiteral("1"));

        draw(pair.target, QStringLiteral("shop2"), 80);
        CW_VERIFY(runTo(*migration, Goal::Replica));
        draw(pair.source, QStringLiteral("shop"), 5);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        draw(pair.target, QStringLiteral("shop2"), 5);
    }
};

QTEST_GUILESS_MAIN(SequenceTest)
#include "SequenceTest.moc"
