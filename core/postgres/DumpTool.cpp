#include "postgres/ChildProcess.h"
#include "postgres/Schema.h"

#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>

#include <algorithm>

namespace causeway::postgres {

namespace {

/// Where packages of the usual systems put the programs, beside the PATH.
QStringList usualFolders()
{
    QStringList out;
    for (const char *pattern : {"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
                                "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql@*/bin",
                                "/usr/local/opt/postgresql@*/bin", "/Library/PostgreSQL/*/bin"}) {
        const QString path = QString::fromLatin1(pattern);
        const qsizetype star = path.indexOf(QLatin1Char('*'));
        if (star < 0) {
            out << path;
            continue;
        }
        const qsizetype begin = path.lastIndexOf(QLatin1Char('/'), star);
        const qsizetype end = path.indexOf(QLatin1Char('/'), star);
        const QDir parent(path.left(begin));
        const QStringList found = parent.entryList({path.mid(begin + 1, end - begin - 1)},
                                                   QDir::Dirs | QDir::NoDotAndDotDot);
        for (const QString &name : found)
            out << parent.filePath(name) + path.mid(end);
    }
    return out;
}

std::optional<DumpTool> toolIn(const QString &folder, const std::stop_token &stop)
{
    const QString dump = folder + QStringLiteral("/pg_dump");
    if (!QFileInfo(dump).isExecutable() ||
        !QFileInfo(folder + QStringLiteral("/pg_restore")).isExecutable())
        return std::nullopt;
    const auto run = runChild(dump, {QStringLiteral("--version")}, Secret(), stop);
    if (!run || run->exitStatus != 0)
        return std::nullopt;
    static const QRegularExpression number(QStringLiteral("\\(PostgreSQL\\) ((\\d+)\\S*)"));
    const auto match = number.match(QString::fromUtf8(run->output));
    if (!match.hasMatch())
        return std::nullopt;
    return DumpTool{folder, match.captured(2).toInt(), match.captured(1), false};
}

} // namespace

std::vector<DumpTool> findDumpTools(const QString &named, std::stop_token stop)
{
    QStringList folders;
    const QString environment = qEnvironmentVariable("CAUSEWAY_PG_BIN");
    for (const QString &place : {named, environment}) {
        if (!place.isEmpty())
            folders << (QFileInfo(place).isDir() ? place : QFileInfo(place).path());
    }
    folders += usualFolders();
    folders += qEnvironmentVariable("PATH").split(QLatin1Char(':'), Qt::SkipEmptyParts);
    std::vector<DumpTool> out;
    QStringList seen;
    for (const QString &folder : std::as_const(folders)) {
        const QString real = QFileInfo(folder).canonicalFilePath();
        if (real.isEmpty() || seen.contains(real))
            continue;
        seen << real;
        if (auto tool = toolIn(QDir::cleanPath(folder), stop))
            out.push_back(std::move(*tool));
    }
    return out;
}

Result<DumpTool> chooseDumpTool(const std::vector<DumpTool> &tools, int sourceMajor,
                                int targetMajor)
{
    const DumpTool *best = nullptr;
    const DumpTool *newer = nullptr;
    QStringList found;
    for (const DumpTool &t : tools) {
        found << t.version;
        if (t.major < sourceMajor)
            continue;
        if (t.major <= targetMajor) {
            if (!best || t.major > best->major)
                best = &t;
        } else if (!newer || t.major < newer->major) {
            newer = &t;
        }
    }
    if (best)
        return *best;
    if (newer) {
        DumpTool tool = *newer;
        tool.newerThanTarget = true;
        return tool;
    }
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("pg-dump-missing");
    e.object = QStringLiteral("pg_dump");
    found.removeDuplicates();
    e.message = found.isEmpty()
                    ? cwText("core", "pg_dump and pg_restore are not installed here.")
                    : cwText("core",
                             "pg_dump here is too old (%1) for a source of version %2: it would "
                             "refuse it.",
                             found.join(QStringLiteral(", ")), sourceMajor);
    e.fix = cwText("core",
                   "Install the package postgresql-client-%1 (any version from %2 to %1 does), or "
                   "name its folder in CAUSEWAY_PG_BIN.",
                   targetMajor, sourceMajor);
    return fail(std::move(e));
}

} // namespace causeway::postgres
