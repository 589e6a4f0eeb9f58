#include "journal/Journal.h"

#include "base/Json.h"
#include "base/Secret.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSqlDatabase>
#include <QSqlError>
#include <QSqlQuery>
#include <QSysInfo>
#include <QUuid>

#include <array>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace causeway {

namespace {
constexpr int kFormat = 2;
// Samples and events are for showing: bounded, so that a migration that follows for a month does
// not fill a disk.
constexpr int kKeepSamples = 100'000;
constexpr int kKeepEvents = 20'000;

const char *const kSchema[] = {
    "CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    // A line for each run of a step: the same step runs again after an undo, and at each switch.
    ("CREATE TABLE step(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT, side TEXT, "
     "title TEXT, args TEXT, sql TEXT, state INTEGER, started INTEGER, finished INTEGER, "
     "error TEXT)"),
    "CREATE INDEX step_by_id ON step(id, seq)",
    "CREATE TABLE event(seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER, level TEXT, text TEXT)",
    ("CREATE TABLE sample(at INTEGER PRIMARY KEY, lag REAL, rate_rows REAL, rate_bytes REAL, "
     "rows INTEGER)"),
    "CREATE TABLE command(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, args TEXT)",
};

QString lockPath(const QString &path)
{
    return path + QStringLiteral("-owner");
}

Error fileError(const QString &path, const QString &words)
{
    Error e;
    e.code = ErrorCode::Io;
    e.id = QStringLiteral("file-unreadable");
    e.message = cwText("core", "The migration file %1 cannot be read or written.", path);
    e.serverWords = words;
    e.object = path;
    return e;
}

Error notAMigration(const QString &path, const QString &words = {})
{
    Error e = fileError(path, words);
    e.code = ErrorCode::Usage;
    e.id = QStringLiteral("not-a-migration");
    e.message = cwText("core", "%1 is not the file of a Causeway migration.", path);
    e.fix = cwText("core", "Name a file that \"new\" has made.");
    return e;
}

QString ownerWritten(int fd)
{
    std::array<char, 256> text{};
    const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
    return n > 0 ? QString::fromUtf8(text.data(), static_cast<qsizetype>(n)).trimmed() : QString();
}
} // namespace

struct Journal::Private {
    QString path;
    QString connection;
    QSqlDatabase db;
    int lockFd = -1;

    Error error(const QString &words) const { return fileError(path, words); }

    Status exec(const QString &sql, const QVariantList &args = {})
    {
        QSqlQuery q(db);
        if (!q.prepare(sql))
            return fail(error(q.lastError().text()));
        for (const QVariant &a : args)
            q.addBindValue(a);
        if (!q.exec())
            return fail(error(q.lastError().text()));
        return {};
    }
    Result<QList<QVariantList>> rows(const QString &sql, const QVariantList &args, int columns)
    {
        QSqlQuery q(db);
        if (!q.prepare(sql))
            return fail(error(q.lastError().text()));
        for (const QVariant &a : args)
            q.addBindValue(a);
        if (!q.exec())
            return fail(error(q.lastError().text()));
        QList<QVariantList> out;
        while (q.next()) {
            QVariantList row;
            for (int i = 0; i < columns; ++i)
                row << q.value(i);
            out << row;
        }
        return out;
    }
    Status lock()
    {
        const QByteArray name = QFile::encodeName(lockPath(path));
        for (;;) {
            lockFd = ::open(name.constData(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
            if (lockFd < 0)
                return fail(error(QString::fromLocal8Bit(strerror(errno))));
            if (::flock(lockFd, LOCK_EX | LOCK_NB) != 0) {
                const QString who = ownerWritten(lockFd);
                ::close(lockFd);
                lockFd = -1;
                return fail(inUse(who));
            }
            // The last owner removes the file while it holds the lock: one that was opened before
            // that and locked after it is nobody's, and a second owner could lock the new one.
            struct stat ours = {}, there = {};
            if (::fstat(lockFd, &ours) == 0 && ::stat(name.constData(), &there) == 0 &&
                ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
                break;
            ::close(lockFd);
        }
        const QByteArray me = QStringLiteral("process %1 on %2\n")
                                  .arg(::getpid())
                                  .arg(QSysInfo::machineHostName())
                                  .toUtf8();
        // For people only: who cannot write it there still owns the file.
        (void)!::ftruncate(lockFd, 0);
        (void)!::pwrite(lockFd, me.constData(), static_cast<std::size_t>(me.size()), 0);
        return {};
    }
    Error inUse(const QString &who) const
    {
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("file-in-use");
        e.message =
            who.isEmpty()
                ? cwText("core", "The migration %1 is open in another Causeway.", path)
                : cwText("core", "The migration %1 is open in another Causeway (%2).", path, who);
        e.fix = cwText("core", "Use the other window or process, or end it first. \"status\", "
                               "\"report\", \"answer\" and \"cancel\" work meanwhile.");
        e.object = path;
        return e;
    }
    void closeDatabase()
    {
        if (db.isOpen())
            db.close();
        db = QSqlDatabase();
        if (!connection.isEmpty())
            QSqlDatabase::removeDatabase(connection);
        connection.clear();
    }
    Status openDatabase(bool readOnly)
    {
        connection = QStringLiteral("causeway-") + QUuid::createUuid().toString();
        db = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), connection);
        db.setDatabaseName(path);
        // Where the file may be written, readers open it so too (and are kept from writing by
        // query_only): SQLite's last one out removes its helper files, but not one that cannot.
        db.setConnectOptions(readOnly && !QFileInfo(path).isWritable()
                                 ? QStringLiteral("QSQLITE_OPEN_READONLY;QSQLITE_BUSY_TIMEOUT=5000")
                                 : QStringLiteral("QSQLITE_BUSY_TIMEOUT=5000"));
        if (!db.open())
            return fail(error(db.lastError().text()));
        if (readOnly) {
            CW_TRY(exec(QStringLiteral("PRAGMA query_only=ON")));
        } else {
            CW_TRY(exec(QStringLiteral("PRAGMA journal_mode=WAL")));
            CW_TRY(exec(QStringLiteral("PRAGMA synchronous=FULL")));
        }
        return {};
    }
};

Journal::Journal() : d(std::make_unique<Private>()) {}

Journal::~Journal()
{
    d->closeDatabase();
    if (d->lockFd >= 0) {
        // Removed while still locked: whoever opens the path next makes a new one.
        ::unlink(QFile::encodeName(lockPath(d->path)).constData());
        ::close(d->lockFd);
    }
}

Result<std::unique_ptr<Journal>> Journal::create(const QString &path, const Settings &settings)
{
    if (QFileInfo::exists(path)) {
        return fail(ErrorCode::Usage,
                    cwText("core",
                           "%1 exists already. Choose another name, or go on with that "
                           "migration by \"run\".",
                           path));
    }
    const QDir folder = QFileInfo(path).absoluteDir();
    if (!folder.exists()) {
        return fail(ErrorCode::Usage,
                    cwText("core", "The folder %1 does not exist.", folder.path()));
    }
    // Names of hosts and accounts are nobody else's business.
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly))
        return fail(fileError(path, file.errorString()));
    file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    file.close();
    std::unique_ptr<Journal> j(new Journal);
    j->d->path = QFileInfo(path).absoluteFilePath();
    CW_TRY(j->d->lock());
    CW_TRY(j->d->openDatabase(false));
    for (const char *sql : kSchema)
        CW_TRY(j->d->exec(QString::fromLatin1(sql)));
    CW_TRY(j->setValue(QStringLiteral("format"), QString::number(kFormat)));
    Settings s = settings;
    if (s.id.isEmpty())
        s.id = QUuid::createUuid().toString(QUuid::Id128).left(8);
    if (!s.createdAt.isValid())
        s.createdAt = QDateTime::currentDateTimeUtc();
    CW_TRY(j->setSettings(s));
    CW_TRY(j->setPhase(Phase::Draft));
    return j;
}

Result<std::unique_ptr<Journal>> Journal::open(const QString &path, Access access)
{
    if (!QFileInfo::exists(path)) {
        Error e = fileError(path, {});
        e.code = ErrorCode::Usage;
        e.message = cwText("core", "There is no file %1.", path);
        return fail(std::move(e));
    }
    // Whatever else it is stays as it is: looked at before anything is written or locked. Through
    // SQLite alone: to open and close the file by other means would drop the locks that another
    // connection of this process holds on it (POSIX), and with them the log under its feet.
    if (!QFileInfo(path).isFile())
        return fail(notAMigration(path));
    std::unique_ptr<Journal> j(new Journal);
    j->d->path = QFileInfo(path).absoluteFilePath();
    if (const Status opened = j->d->openDatabase(true); !opened) {
        return fail(QFileInfo(path).isReadable() ? notAMigration(path, opened.error().serverWords)
                                                 : opened.error());
    }
    const auto format = j->value(QStringLiteral("format"));
    if (!format || !*format || (*format)->toInt() < 1)
        return fail(notAMigration(path, format ? QString() : format.error().serverWords));
    if ((*format)->toInt() != kFormat) {
        Error e = fileError(path, {});
        e.id = QStringLiteral("file-of-another-version");
        e.code = ErrorCode::Usage;
        e.message =
            cwText("core",
                   "%1 was written by another version of Causeway; this one cannot read it.", path);
        return fail(std::move(e));
    }
    if (access == Access::Read)
        return j;
    j->d->closeDatabase();
    if (access == Access::Own)
        CW_TRY(j->d->lock());
    CW_TRY(j->d->openDatabase(false));
    return j;
}

bool Journal::hasOwner(const QString &path)
{
    const QString absolute = QFileInfo(path).absoluteFilePath();
    const int fd = ::open(QFile::encodeName(lockPath(absolute)).constData(), O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    // Shared, so that two who only look do not see each other.
    const bool owned = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
    ::close(fd);
    return owned;
}

QString Journal::owner(const QString &path)
{
    if (!hasOwner(path))
        return {};
    const QString absolute = QFileInfo(path).absoluteFilePath();
    const int fd = ::open(QFile::encodeName(lockPath(absolute)).constData(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return {};
    QString who = ownerWritten(fd);
    ::close(fd);
    return who;
}

QString Journal::path() const
{
    return d->path;
}

Result<std::optional<QString>> Journal::value(const QString &name)
{
    CW_TRY_ASSIGN(const auto rows,
                  d->rows(QStringLiteral("SELECT value FROM setting WHERE name=?"), {name}, 1));
    if (rows.isEmpty())
        return std::optional<QString>{};
    return std::optional<QString>{rows[0][0].toString()};
}

Status Journal::setValue(const QString &name, const QString &value)
{
    return d->exec(QStringLiteral("INSERT INTO setting(name,value) VALUES(?,?) "
                                  "ON CONFLICT(name) DO UPDATE SET value=excluded.value"),
                   {name, value.isNull() ? QStringLiteral("") : value});
}

Result<Settings> Journal::settings()
{
    CW_TRY_ASSIGN(const auto json, value(QStringLiteral("settings")));
    return Settings::fromJson(QJsonDocument::fromJson(json.value_or(QString()).toUtf8()).object());
}

Status Journal::setSettings(const Settings &settings)
{
    return setValue(QStringLiteral("settings"), compactJson(settings.toJson()));
}

Result<Phase> Journal::phase()
{
    CW_TRY_ASSIGN(const auto name, value(QStringLiteral("phase")));
    return phaseFromString(name.value_or(QString())).value_or(Phase::Draft);
}

Status Journal::setPhase(Phase phase)
{
    return setValue(QStringLiteral("phase"), toString(phase));
}

namespace {
QStringList strings(const QVariant &json)
{
    QStringList out;
    for (const QJsonValue &s : QJsonDocument::fromJson(json.toString().toUtf8()).array())
        out << s.toString();
    return out;
}

QString json(const QStringList &strings)
{
    return QString::fromUtf8(
        QJsonDocument(QJsonArray::fromStringList(strings)).toJson(QJsonDocument::Compact));
}

std::vector<StepRecord> stepsFrom(const QList<QVariantList> &rows)
{
    std::vector<StepRecord> out;
    for (const QVariantList &row : rows) {
        StepRecord r;
        r.id = row[0].toString();
        if (row[1].toString() == QLatin1String("source"))
            r.side = Side::Source;
        else if (row[1].toString() == QLatin1String("target"))
            r.side = Side::Target;
        const QString title = row[2].toString();
        r.title = Text{title.section(QLatin1Char('\n'), 0, 0).toUtf8(),
                       title.section(QLatin1Char('\n'), 1), strings(row[3])};
        r.shownSql = strings(row[4]);
        r.state = static_cast<StepState>(row[5].toInt());
        r.startedMs = row[6].toLongLong();
        r.finishedMs = row[7].toLongLong();
        r.error = row[8].toString();
        out.push_back(std::move(r));
    }
    return out;
}
} // namespace

Status Journal::recordStep(const StepRecord &r)
{
    CW_TRY_ASSIGN(const auto last,
                  d->rows(QStringLiteral("SELECT seq,started,state FROM step WHERE id=? ORDER BY "
                                         "seq DESC LIMIT 1"),
                          {r.id}, 3));
    if (!last.isEmpty()) {
        const auto before = static_cast<StepState>(last[0][2].toInt());
        // That it was found done says nothing new, and happens at each start.
        if (r.state == StepState::Skipped &&
            (before == StepState::Done || before == StepState::Skipped))
            return {};
        if (last[0][1].toLongLong() == r.startedMs) {
            return d->exec(QStringLiteral("UPDATE step SET state=?,finished=?,error=? WHERE seq=?"),
                           {static_cast<int>(r.state), r.finishedMs, redact(r.error), last[0][0]});
        }
    }
    const QString title = QString::fromUtf8(r.title.context) + QLatin1Char('\n') + r.title.source;
    return d->exec(
        QStringLiteral("INSERT INTO step(id,side,title,args,sql,state,started,finished,error) "
                       "VALUES(?,?,?,?,?,?,?,?,?)"),
        {r.id, r.side ? toString(*r.side) : QStringLiteral(""), title, json(r.title.args),
         json(r.shownSql), static_cast<int>(r.state), r.startedMs, r.finishedMs, redact(r.error)});
}

Result<std::vector<StepRecord>> Journal::steps()
{
    CW_TRY_ASSIGN(
        const auto rows,
        d->rows(QStringLiteral("SELECT s.id,s.side,s.title,s.args,s.sql,s.state,s.started,"
                               "s.finished,s.error FROM step s JOIN (SELECT MIN(seq) first,"
                               "MAX(seq) last FROM step GROUP BY id) r ON s.seq=r.last "
                               "ORDER BY r.first"),
                {}, 9));
    return stepsFrom(rows);
}

Result<std::vector<StepRecord>> Journal::stepRuns()
{
    CW_TRY_ASSIGN(const auto rows,
                  d->rows(QStringLiteral("SELECT id,side,title,args,sql,state,started,finished,"
                                         "error FROM step ORDER BY seq"),
                          {}, 9));
    return stepsFrom(rows);
}

Status Journal::addEvent(const Event &e)
{
    CW_TRY(d->exec(QStringLiteral("INSERT INTO event(at,level,text) VALUES(?,?,?)"),
                   {e.atMs, e.level, redact(e.text)}));
    return d->exec(
        QStringLiteral("DELETE FROM event WHERE seq <= (SELECT MAX(seq) FROM event) - ?"),
        {kKeepEvents});
}

Result<std::vector<Event>> Journal::events(int most)
{
    CW_TRY_ASSIGN(const auto rows,
                  d->rows(QStringLiteral("SELECT at,level,text FROM (SELECT * FROM event ORDER BY "
                                         "seq DESC LIMIT ?) ORDER BY seq"),
                          {most}, 3));
    std::vector<Event> out;
    for (const QVariantList &row : rows)
        out.push_back({row[0].toLongLong(), row[1].toString(), row[2].toString()});
    return out;
}

Status Journal::addSample(const Sample &s)
{
    CW_TRY(d->exec(QStringLiteral("INSERT OR REPLACE INTO sample(at,lag,rate_rows,rate_bytes,rows) "
                                  "VALUES(?,?,?,?,?)"),
                   {s.atMs, s.lagSeconds, s.rateRows, s.rateBytes, s.rows}));
    return d->exec(
        QStringLiteral("DELETE FROM sample WHERE at < (SELECT at FROM sample ORDER BY at "
                       "DESC LIMIT 1 OFFSET ?)"),
        {kKeepSamples});
}

Result<std::vector<Sample>> Journal::samples(qint64 sinceMs)
{
    CW_TRY_ASSIGN(const auto rows,
                  d->rows(QStringLiteral("SELECT at,lag,rate_rows,rate_bytes,rows FROM sample "
                                         "WHERE at>=? ORDER BY at"),
                          {sinceMs}, 5));
    std::vector<Sample> out;
    for (const QVariantList &row : rows) {
        out.push_back({row[0].toLongLong(), row[1].toDouble(), row[2].toDouble(), row[3].toDouble(),
                       row[4].toLongLong()});
    }
    return out;
}

Status Journal::answer(const QString &decision, const QString &choice)
{
    // It stays as it is: open, for whoever looks must go on seeing that nothing is carried over.
    if (choice == QLatin1String("stop"))
        return {};
    CW_TRY(setValue(QStringLiteral("answer.") + decision, choice));
    CW_TRY_ASSIGN(const auto stored, value(QStringLiteral("snapshot")));
    QJsonObject status = QJsonDocument::fromJson(stored.value_or(QString()).toUtf8()).object();
    if (status.isEmpty())
        return {};
    status.insert(QStringLiteral("decision"), QJsonValue(QJsonValue::Null));
    status.insert(QStringLiteral("error"), QJsonValue(QJsonValue::Null));
    status.insert(QStringLiteral("run_state"), QStringLiteral("paused"));
    return setValue(QStringLiteral("snapshot"), compactJson(status));
}

Result<qint64> Journal::leaveCommand(const QString &name, const QStringList &args)
{
    CW_TRY(d->exec(QStringLiteral("INSERT INTO command(name,args) VALUES(?,?)"),
                   {name, QString::fromUtf8(QJsonDocument(QJsonArray::fromStringList(args))
                                                .toJson(QJsonDocument::Compact))}));
    CW_TRY_ASSIGN(const auto rows, d->rows(QStringLiteral("SELECT last_insert_rowid()"), {}, 1));
    return rows[0][0].toLongLong();
}

Result<QStringList> Journal::waitingCommands()
{
    CW_TRY_ASSIGN(const auto rows,
                  d->rows(QStringLiteral("SELECT name FROM command ORDER BY id"), {}, 1));
    QStringList out;
    for (const QVariantList &row : rows)
        out << row[0].toString();
    return out;
}

Result<std::vector<LeftCommand>> Journal::takeCommands()
{
    CW_TRY_ASSIGN(const auto rows,
                  d->rows(QStringLiteral("SELECT id,name,args FROM command ORDER BY id"), {}, 3));
    std::vector<LeftCommand> out;
    for (const QVariantList &row : rows) {
        LeftCommand c{row[0].toLongLong(), row[1].toString(), {}};
        for (const QJsonValue &v : QJsonDocument::fromJson(row[2].toString().toUtf8()).array())
            c.args << v.toString();
        CW_TRY(d->exec(QStringLiteral("DELETE FROM command WHERE id=?"), {c.id}));
        out.push_back(std::move(c));
    }
    return out;
}

Status Journal::saveCopy(const QString &path)
{
    if (QFileInfo::exists(path))
        return fail(ErrorCode::Usage, cwText("core", "%1 exists already.", path));
    return d->exec(QStringLiteral("VACUUM INTO ?"), {path});
}

} // namespace causeway
