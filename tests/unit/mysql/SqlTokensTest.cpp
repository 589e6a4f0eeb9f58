#include "mysql/SqlTokens.h"

#include <QTest>

using namespace causeway::mysql;

namespace {

/// "w:SELECT i:`a` m:( ..." of the tokens that mean something.
QString shape(const QString &sql, TokenMode mode = {})
{
    const Tokens t(sql, mode);
    QStringList out;
    for (int i = 0; i < t.size(); ++i) {
        const char *kind = nullptr;
        switch (t.at(i).kind) {
        case TokenKind::Space:
            continue;
        case TokenKind::Comment:
            kind = "c:";
            break;
        case TokenKind::VersionOpen:
            kind = "vo:";
            break;
        case TokenKind::VersionClose:
            kind = "vc:";
            break;
        case TokenKind::Word:
            kind = "w:";
            break;
        case TokenKind::QuotedId:
            kind = "i:";
            break;
        case TokenKind::String:
            kind = "s:";
            break;
        case TokenKind::Number:
            kind = "n:";
            break;
        case TokenKind::HexOrBit:
            kind = "h:";
            break;
        case TokenKind::Variable:
            kind = "v:";
            break;
        case TokenKind::Mark:
            kind = "m:";
            break;
        }
        out << QLatin1String(kind) + t.text(i).toString();
    }
    return out.join(QLatin1Char('|'));
}

} // namespace

class SqlTokensTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void cuts_data()
    {
        QTest::addColumn<QString>("sql");
        QTest::addColumn<QString>("expected");
        const auto row = [](const char *name, const char *sql, const char *expected) {
            QTest::newRow(name) << QString::fromUtf8(sql) << QString::fromUtf8(expected);
        };
        row("names", "select $a, größe, `b``c` from 2fa.1st",
            "w:select|w:$a|m:,|w:größe|m:,|i:`b``c`|w:from|w:2fa|m:.|w:1st");
        row("numbers", "1 1.5 .5 1e5 1.e-3 1e5x -2", "n:1|n:1.5|n:.5|n:1e5|n:1.e-3|w:1e5x|m:-|n:2");
        row("hex and bits", "0x1F x'ab' X'' b'01' 0b11 0xzz bx",
            "h:0x1F|h:x'ab'|h:X''|h:b'01'|h:0b11|w:0xzz|w:bx");
        row("strings", "'a''b\\'c' \"d\"\"e\" N'x' _utf8'y'",
            "s:'a''b\\'c'|s:\"d\"\"e\"|w:N|s:'x'|w:_utf8|s:'y'");
        row("comments", "a -- b 'c\nd #e`\nf/* 'g */h/*+ hint */--1",
            "w:a|c:-- b 'c|w:d|c:#e`|w:f|c:/* 'g */|w:h|c:/*+ hint */|m:-|m:-|n:1");
        row("versions", "a /*!80023 b */ /*!c*/ /*M!100301 d*/ /*!101106e*/",
            "w:a|vo:/*!80023|w:b|vc:*/|vo:/*!|w:c|vc:*/|vo:/*M!100301|w:d|vc:*/|vo:/"
            "*!101106|w:e|vc:*/");
        row("comment within a version", "/*!50100 a /* b */ c */ d",
            "vo:/*!50100|w:a|c:/* b */|w:c|vc:*/|w:d");
        row("variables", "@a.b @`c d` @'e' @@global.f @@g",
            "v:@a.b|v:@`c d`|v:@'e'|v:@@global|m:.|w:f|v:@@g");
        row("account", "`root`@`10.0.0.%` root@localhost",
            "i:`root`|v:@`10.0.0.%`|w:root|v:@localhost");
        row("unclosed", "a 'b", "w:a|s:'b");
    }
    void cuts()
    {
        QFETCH(QString, sql);
        QFETCH(QString, expected);
        QCOMPARE(shape(sql), expected);
        const Tokens t(sql); // without gap
        QString again;
        for (int i = 0; i < t.size(); ++i)
            again += t.text(i);
        QCOMPARE(again, sql);
    }

    void obeysTheMode()
    {
        const QString sql = QStringLiteral("\"a\"\"b\" '\\' 'c'");
        QCOMPARE(
            shape(sql, TokenMode::fromSqlMode(QStringLiteral("ANSI_QUOTES,NO_BACKSLASH_ESCAPES"))),
            QStringLiteral("i:\"a\"\"b\"|s:'\\'|s:'c'"));
        QVERIFY(TokenMode::fromSqlMode(QStringLiteral("REAL_AS_FLOAT,ANSI")).ansiQuotes);
        QVERIFY(!TokenMode::fromSqlMode(QStringLiteral("STRICT_ALL_TABLES")).ansiQuotes);
        const Tokens t(sql, TokenMode::fromSqlMode(QStringLiteral("ANSI_QUOTES")));
        QCOMPARE(t.name(0), QStringLiteral("a\"b"));
    }

    void resolvesEscapes()
    {
        const Tokens t(QString::fromUtf8("'a''b\\n\\\\\\'\\%\\é\\0' `x``y`"));
        QString expected = QString::fromUtf8("a'b\n\\'\\%é");
        expected += QChar();
        QCOMPARE(t.string(0), expected);
        QCOMPARE(t.name(2), QStringLiteral("x`y"));
    }

    void skipsParentheses()
    {
        const Tokens t(QStringLiteral("f(a,(b),')') c"));
        QVERIFY(t.isWord(t.next(t.afterParenthesis(1)), QLatin1String("C")));
    }

    void rewritesRangesOnly()
    {
        const Tokens t(QStringLiteral("a b c"));
        Rewriter edit(t);
        edit.replace(4, QStringLiteral("C"));
        edit.insertBefore(4, QStringLiteral("<"));
        edit.replace(0, 1, QString());
        edit.insertBefore(t.size(), QStringLiteral(">"));
        QCOMPARE(edit.result(), QStringLiteral(" b <C>"));
    }

    void comparesSpellings()
    {
        const Tokens a(QStringLiteral("select `A` from b /* c */ where 'x'")),
            b(QStringLiteral("SELECT a  FROM `B` where \"x\"")),
            c(QStringLiteral("select a from b where 'X'"));
        QVERIFY(a.canonical() == b.canonical());
        QVERIFY(a.canonical() != c.canonical());
    }
};

QTEST_GUILESS_MAIN(SqlTokensTest)
#include "SqlTokensTest.moc"
