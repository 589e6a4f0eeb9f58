#include "mysql/SchemaCollations.h"

#include <QTest>

using namespace causeway::mysql;

namespace {

Collations known(const QStringList &names)
{
    std::vector<std::pair<QString, QString>> list;
    for (const QString &n : names)
        list.push_back({n, charsetOfCollation(n)});
    return Collations(list);
}
QString s(const char *text)
{
    return QString::fromLatin1(text);
}

} // namespace

class SchemaCollationsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsTheNearest_data()
    {
        QTest::addColumn<QStringList>("server");
        QTest::addColumn<QString>("wanted");
        QTest::addColumn<QString>("nearest");
        const QStringList maria = {s("utf8mb4_general_ci"),
                                   s("utf8mb4_bin"),
                                   s("utf8mb4_nopad_bin"),
                                   s("utf8mb4_unicode_520_ci"),
                                   s("utf8mb4_unicode_520_nopad_ci"),
                                   s("utf8mb4_uca1400_nopad_ai_ci"),
                                   s("utf8mb4_uca1400_nopad_as_cs"),
                                   s("utf8mb4_uca1400_german2_nopad_as_cs"),
                                   s("utf8mb3_general_ci"),
                                   s("latin1_swedish_ci")};
        const QStringList oldMaria = {s("utf8mb4_general_ci"), s("utf8mb4_unicode_520_ci"),
                                      s("utf8mb4_bin"), s("utf8_general_ci")};
        const QStringList my = {s("utf8mb4_0900_ai_ci"), s("utf8mb4_0900_as_cs"),
                                s("utf8mb4_0900_bin"),   s("utf8mb4_bin"),
                                s("utf8mb4_general_ci"), s("utf8mb4_cs_0900_as_cs"),
                                s("utf8mb3_general_ci"), s("utf8mb3_unicode_520_ci")};
        QTest::newRow("same") << my << s("utf8mb4_general_ci") << s("utf8mb4_general_ci");
        QTest::newRow("0900") << maria << s("utf8mb4_0900_ai_ci")
                              << s("utf8mb4_uca1400_nopad_ai_ci");
        QTest::newRow("0900 old") << oldMaria << s("utf8mb4_0900_ai_ci")
                                  << s("utf8mb4_unicode_520_ci");
        QTest::newRow("0900 as_cs old") << oldMaria << s("utf8mb4_0900_as_cs") << s("utf8mb4_bin");
        QTest::newRow("0900 german")
            << maria << s("utf8mb4_de_pb_0900_as_cs") << s("utf8mb4_uca1400_german2_nopad_as_cs");
        QTest::newRow("0900 chinese")
            << maria << s("utf8mb4_zh_0900_as_cs") << s("utf8mb4_uca1400_nopad_as_cs");
        QTest::newRow("0900 bin") << maria << s("utf8mb4_0900_bin") << s("utf8mb4_nopad_bin");
        QTest::newRow("uca1400") << my << s("utf8mb4_uca1400_ai_ci") << s("utf8mb4_0900_ai_ci");
        QTest::newRow("uca1400 czech")
            << my << s("utf8mb4_uca1400_czech_nopad_as_cs") << s("utf8mb4_cs_0900_as_cs");
        QTest::newRow("uca1400 ai_cs")
            << my << s("utf8mb4_uca1400_ai_cs") << s("utf8mb4_0900_as_cs");
        QTest::newRow("uca1400 utf8mb3")
            << my << s("utf8mb3_uca1400_ai_ci") << s("utf8mb3_unicode_520_ci");
        QTest::newRow("nopad") << my << s("utf8mb4_general_nopad_ci") << s("utf8mb4_general_ci");
        QTest::newRow("nopad bin") << my << s("utf8mb4_nopad_bin") << s("utf8mb4_0900_bin");
        QTest::newRow("utf8 name") << my << s("utf8_general_ci") << s("utf8mb3_general_ci");
        QTest::newRow("utf8mb3 name")
            << oldMaria << s("utf8mb3_general_ci") << s("utf8_general_ci");
        QTest::newRow("no such charset") << my << s("gb18030_chinese_ci") << QString();
    }
    void findsTheNearest()
    {
        QFETCH(QStringList, server);
        QFETCH(QString, wanted);
        QFETCH(QString, nearest);
        QCOMPARE(known(server).nearest(wanted), nearest);
    }

    void knowsBothNamesOfUtf8()
    {
        QVERIFY(Collations::same(s("utf8_bin"), s("utf8mb3_bin")));
        QVERIFY(!Collations::same(s("utf8mb4_bin"), s("utf8mb3_bin")));
        QCOMPARE(known({s("utf8mb3_bin")}).charset(s("utf8")), s("utf8mb3"));
        QVERIFY(known({s("utf8mb3_bin")}).charset(s("latin1")).isEmpty());
    }

    void knowsWhatKeysStayApart()
    {
        QVERIFY(keepsApart(s("utf8_general_ci"), s("utf8mb3_general_ci")));
        QVERIFY(keepsApart(s("utf8mb4_general_ci"), s("utf8mb4_bin")));
        QVERIFY(keepsApart(s("utf8mb4_0900_as_cs"), s("utf8mb4_nopad_bin")));
        QVERIFY(keepsApart(s("utf8mb4_unicode_ci"), s("utf8mb4_unicode_nopad_ci")));
        QVERIFY(!keepsApart(s("utf8mb4_unicode_nopad_ci"), s("utf8mb4_unicode_ci")));
        QVERIFY(!keepsApart(s("utf8mb4_0900_as_cs"), s("utf8mb4_bin")));
        QVERIFY(!keepsApart(s("utf8mb4_general_ci"), s("utf8mb4_0900_ai_ci")));
        QVERIFY(!keepsApart(s("utf8mb4_bin"), s("utf8mb4_general_ci")));
        QVERIFY(!keepsApart(s("sjis_japanese_ci"), s("utf8mb4_bin")));
    }
};

QTEST_GUILESS_MAIN(SchemaCollationsTest)
#include "SchemaCollationsTest.moc"
