// The table of checks in core/preflight/CHECKS.md tells of all of them, and of no others.

#include "engine/Engine.h"

#include <QDirIterator>
#include <QFile>
#include <QtTest>

using namespace causeway;

namespace {

QString contents(const QString &name)
{
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

} // namespace

class ChecksTableTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tellsOfEveryCheck()
    {
        const QString root =
            QFileInfo(QFINDTESTDATA("ChecksTableTest.cpp")).path() + QStringLiteral("/../../..");
        const QString table = contents(root + QStringLiteral("/core/preflight/CHECKS.md"));
        QVERIFY(!table.isEmpty());
        QMap<QString, QStringList> rows;
        for (const QString &line : table.split(QLatin1Char('\n'))) {
            QStringList cells = line.split(QLatin1Char('|'));
            for (QString &c : cells)
                c = c.trimmed();
            if (cells.size() == 7 && (cells[1].startsWith(QLatin1String("mysql-")) ||
                                      cells[1].startsWith(QLatin1String("pg-"))))
                rows.insert(cells[1], cells);
        }
        QStringList known{QStringLiteral("mysql-source-writer")}; // only with a replica as source
        for (const Engine engine : {Engine::MySql, Engine::Postgres}) {
            for (const CheckInfo &c : describeChecks(engine)) {
                known << c.id;
                QVERIFY2(rows.contains(c.id), qPrintable(c.id + QStringLiteral(" has no row")));
                QCOMPARE(rows.value(c.id)[2], c.title.english());
            }
        }
        for (auto it = rows.cbegin(); it != rows.cend(); ++it) {
            QVERIFY2(known.contains(it.key()), qPrintable(it.key() + QStringLiteral(": no check")));
            const QString state = it.value()[4], test = it.value()[5];
            QVERIFY2(state == QLatin1String("fix run") || state == QLatin1String("provoked") ||
                         state == QLatin1String("passing"),
                     qPrintable(it.key() + state));
            if (test.isEmpty()) {
                QVERIFY2(state == QLatin1String("passing"), qPrintable(it.key()));
                continue;
            }
            bool spoken = false;
            QDirIterator files(root + QStringLiteral("/tests"), {test + QStringLiteral(".cpp")},
                               QDir::Files, QDirIterator::Subdirectories);
            while (files.hasNext())
                spoken =
                    spoken ||
                    contents(files.next()).contains(QLatin1Char('"') + it.key() + QLatin1Char('"'));
            QVERIFY2(spoken, qPrintable(it.key() + QStringLiteral(" is not in ") + test));
        }
    }
};

QTEST_GUILESS_MAIN(ChecksTableTest)
#include "ChecksTableTest.moc"
