#include "schema/Leftovers.h"

#include <QtTest>

using namespace causeway;

class LeftoversTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tellsThemByTheirNames_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("is");
        for (const char *name :
             {"orders_bak", "bak_orders", "tmp_import", "users_old", "OLD_users", "users_copy2",
              "orders_20240131", "orders_2024_01", "x_backup_3", "invoice_2019_11_30", "temp"})
            QTest::newRow(name) << QString::fromLatin1(name) << true;
        for (const char *name : {"orders", "feedback", "gold_members", "template", "temperature",
                                 "copyright", "sales_2024", "batch_12345678", "bold", "attempts"})
            QTest::newRow(name) << QString::fromLatin1(name) << false;
    }
    void tellsThemByTheirNames()
    {
        QFETCH(const QString, name);
        QTEST(looksLikeLeftover(name), "is");
    }
};

QTEST_GUILESS_MAIN(LeftoversTest)
#include "LeftoversTest.moc"
