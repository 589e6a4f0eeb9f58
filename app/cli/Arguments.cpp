#include "cli/Arguments.h"

#include "cli/OptionFile.h"
#include "cli/Passwords.h"
#include "engine/Engine.h"

#include <QRegularExpression>

#include <array>
#include <cstdio>
#include <pwd.h>
#include <unistd.h>
#include <utility>

namespace causeway::cli {

Arguments::Arguments(const QString &command, const QString &description) : m_command(command)
{
    m_parser.setApplicationDescription(description);
    // Not addHelpOption(), which brings --help-all with "Qt specific options" along.
    m_parser.addOption(
        {{QStringLiteral("h"), QStringLiteral("help")}, QStringLiteral("show this help")});
}

void Arguments::option(const QString &name, const QString &description, const QString &value)
{
    m_parser.addOption(value.isEmpty() ? QCommandLineOption(name, description)
                                       : QCommandLineOption(name, description, value));
}

void Arguments::positional(const QString &name, const QString &description)
{
    m_names << name;
    m_parser.addPositionalArgument(name, description);
}

Status Arguments::parse(const QStringList &arguments)
{
    if (!m_parser.parse(QStringList{QStringLiteral("causeway-cli ") + m_command} + arguments)) {
        return fail(ErrorCode::Usage, cwText("cli", "%1 (see \"causeway-cli %2 --help\")",
                                             m_parser.errorText(), m_command));
    }
    if (m_parser.isSet(QStringLiteral("help"))) {
        std::fputs(m_parser.helpText()
                       .replace(QRegularExpression(QStringLiteral("^Usage: .*\\[options\\]")),
                                QStringLiteral("Usage: causeway-cli %1 [options]").arg(m_command))
                       .toLocal8Bit()
                       .constData(),
                   stdout);
        std::exit(Exit::Done);
    }
    if (m_parser.positionalArguments().size() > m_names.size()) {
        return fail(ErrorCode::Usage,
                    cwText("cli",
                           "\"%1\" is one argument too many (see \"causeway-cli %2 --help\")",
                           m_parser.positionalArguments().at(m_names.size()), m_command));
    }
    return {};
}

Result<QString> Arguments::required(int index) const
{
    if (index < m_parser.positionalArguments().size())
        return m_parser.positionalArguments().at(index);
    return fail(ErrorCode::Usage, cwText("cli", "%1 is missing (see \"causeway-cli %2 --help\")",
                                         m_names.value(index), m_command));
}

Result<QString> Arguments::requiredOption(const QString &name) const
{
    if (m_parser.isSet(name))
        return m_parser.value(name);
    return fail(ErrorCode::Usage,
                cwText("cli", "--%1 is missing (see \"causeway-cli %2 --help\")", name, m_command));
}

Result<Address> storedAddressFrom(const QString &url, Side side)
{
    auto address = Address::fromUrl(url);
    if (!address) {
        Error e = address.error();
        e.object = toString(side);
        return fail(std::move(e));
    }
    // Whom the client programs would sign in as. Written down, so that whoever reads the file or an
    // error knows.
    if (address->user.isEmpty() && address->isMySqlFamily())
        address->user = homeClientOptions().user;
    if (address->user.isEmpty()) {
        if (const passwd *me = ::getpwuid(::geteuid()))
            address->user = QString::fromLocal8Bit(me->pw_name);
    }
    return address;
}

Result<Address> addressFrom(const QString &url, Side side)
{
    CW_TRY_ASSIGN(Address address, storedAddressFrom(url, side));
    address.password = findPassword(address, side);
    return address;
}

bool needsSchemaNames(const QString &pattern)
{
    const QString schema = pattern.section(QLatin1Char('.'), 0, 0);
    return pattern.count(QLatin1Char('.')) > 1 || schema.contains(QLatin1Char('*')) ||
           schema.contains(QLatin1Char('?'));
}

Result<Selection> selectionFrom(const QStringList &tables, const QStringList &renames,
                                const Address &source, const std::optional<Address> &target)
{
    Selection s;
    CW_TRY_ASSIGN(s.renames, Selection::parseRenames(renames));
    bool ask = false;
    for (const QString &pattern : tables) {
        const bool out = pattern.startsWith(QLatin1Char('!'));
        QString rest = out ? pattern.mid(1) : pattern;
        qsizetype dot = rest.indexOf(QLatin1Char('.'));
        // Without a schema: MySQL's is the database of the URL, PostgreSQL's the usual one.
        const QString usual = source.isMySqlFamily() ? source.database : QStringLiteral("public");
        if (dot < 0 && !usual.isEmpty()) {
            rest = usual + QLatin1Char('.') + rest;
            dot = usual.size();
        }
        if (dot <= 0 || dot + 1 == rest.size()) {
            return fail(ErrorCode::Usage,
                        cwText("cli",
                               "\"%1\" names no table: write SCHEMA.TABLE, with * and ? as "
                               "wildcards.",
                               pattern));
        }
        s.patterns << (out ? QStringLiteral("!") + rest : rest);
        const QString schema = rest.left(dot);
        if (out)
            continue;
        if (needsSchemaNames(rest))
            ask = true;
        else if (!s.schemas.contains(schema))
            s.schemas << schema;
    }
    if (ask) {
        CW_TRY_ASSIGN(const auto db, makeDatabase(source));
        CW_TRY_ASSIGN(const QStringList all, db->schemaNames({}));
        for (const QString &pattern : std::as_const(s.patterns)) {
            if (pattern.startsWith(QLatin1Char('!')) || !needsSchemaNames(pattern))
                continue;
            for (const QString &name : Selection::schemasOf(pattern, all)) {
                if (!s.schemas.contains(name))
                    s.schemas << name;
            }
        }
    }
    if (s.schemas.isEmpty() && !source.database.isEmpty()) {
        if (!source.isMySqlFamily())
            return s; // the whole database, every schema of it
        s.schemas << source.database;
    }
    if (s.schemas.isEmpty() && source.engine != Engine::Postgres) {
        return fail(ErrorCode::Usage,
                    cwText("cli", "Which database? Name it in the source URL "
                                  "(mysql://user@host/DATABASE) or with --tables SCHEMA.TABLE."));
    }
    // mysql://.../shop -> mysql://.../store is a rename said in two URLs.
    if (target && source.isMySqlFamily() && !target->database.isEmpty() &&
        !source.database.isEmpty() && target->database != source.database &&
        !s.renames.contains(source.database) && s.schemas == QStringList{source.database})
        s.renames.insert(source.database, target->database);
    return s;
}

Result<QStringList> acceptedFrom(const Arguments &args, Engine engine)
{
    QStringList out = args.values(QStringLiteral("accept"));
    const auto known = describeChecks(engine);
    for (const QString &id : out) {
        const bool exists =
            std::any_of(known.begin(), known.end(), [&](const CheckInfo &c) { return c.id == id; });
        if (id == QLatin1String("one-way") || id == QLatin1String("changed-objects") ||
            id == QLatin1String("sides-differ") || exists)
            continue;
        return fail(ErrorCode::Usage,
                    cwText("cli",
                           "There is no check \"%1\" to accept; \"check\" lists them with their "
                           "ids.",
                           id),
                    QStringLiteral("no-such-check"));
    }
    return out;
}

Result<bool> onceFrom(const Arguments &args)
{
    const QString mode = args.value(QStringLiteral("mode"));
    if (mode == QLatin1String("once"))
        return true;
    if (!mode.isEmpty() && mode != QLatin1String("live")) {
        return fail(ErrorCode::Usage,
                    cwText("cli", "\"%1\" is no mode; there are live and once.", mode));
    }
    return false;
}

Result<QString> routeFrom(const Arguments &args, Engine engine)
{
    if (!args.isSet(QStringLiteral("route")))
        return QStringLiteral("auto");
    QString route = args.value(QStringLiteral("route"));
    if (route != QLatin1String("auto") && route != QLatin1String("relay") &&
        route != QLatin1String("native")) {
        return fail(ErrorCode::Usage,
                    cwText("cli", "\"%1\" is no route; there are auto, relay and native.", route));
    }
    if (route == QLatin1String("native") && engine != Engine::Postgres) {
        return fail(ErrorCode::Usage,
                    cwText("cli", "The native route is not built for MySQL and MariaDB: use "
                                  "--route relay."));
    }
    return route;
}

Result<TargetKind> targetKindFrom(const QString &name)
{
    static constexpr std::array<std::pair<const char *, TargetKind>, 6> kKinds{{
        {"generic", TargetKind::Generic},
        {"planetscale", TargetKind::PlanetScale},
        {"aurora-mysql", TargetKind::AuroraMySql},
        {"rds-mysql", TargetKind::RdsMySql},
        {"cloudsql-mysql", TargetKind::CloudSqlMySql},
        {"aurora-postgres", TargetKind::AuroraPostgres},
    }};
    QStringList names;
    for (const auto &[kind, value] : kKinds) {
        if (name == QLatin1String(kind))
            return value;
        names << QLatin1String(kind);
    }
    return fail(ErrorCode::Usage, cwText("cli", "\"%1\" is no kind of target; there are: %2", name,
                                         names.join(QStringLiteral(", "))));
}

void addFenceOptions(Arguments &args)
{
    args.option(QStringLiteral("fence"),
                QStringLiteral("how a server is closed: auto (default: the tables that move where "
                               "other databases live on it, else the whole server), read_only or "
                               "triggers"),
                QStringLiteral("HOW"));
    args.option(QStringLiteral("target-fence"),
                QStringLiteral("the same for the target, where it is to differ"),
                QStringLiteral("HOW"));
    args.option(QStringLiteral("lock-account"),
                QStringLiteral("USER@HOST, an account that may write on a closed server and is "
                               "locked at the switch (repeatable; those seen writing are anyway)"),
                QStringLiteral("ACCOUNT"));
}

Result<FenceWishes> fenceWishesFrom(const Arguments &args)
{
    FenceWishes out;
    for (auto [name, kind] :
         {std::pair{"fence", &out.fence}, std::pair{"target-fence", &out.targetFence}}) {
        const QString option = QString::fromLatin1(name);
        if (!args.isSet(option))
            continue;
        const auto wanted = fenceKindFromString(args.value(option));
        if (!wanted) {
            return fail(ErrorCode::Usage,
                        cwText("cli", "--%1 takes auto, read_only or triggers.", option));
        }
        *kind = *wanted;
    }
    out.lockAccounts = args.values(QStringLiteral("lock-account"));
    for (const QString &account : std::as_const(out.lockAccounts)) {
        if (!account.contains(QLatin1Char('@'))) {
            return fail(ErrorCode::Usage,
                        cwText("cli",
                               "--lock-account takes an account as the server knows it, such as "
                               "app@%: \"%1\" has no host.",
                               account));
        }
    }
    return out;
}

Result<qint64> bytesFrom(const QString &text)
{
    static const QRegularExpression form(QStringLiteral("^(\\d+)([kKmMgG]?)$"));
    const auto match = form.match(text);
    bool ok = match.hasMatch();
    qint64 n = ok ? match.captured(1).toLongLong(&ok) : 0;
    if (!ok) {
        return fail(ErrorCode::Usage,
                    cwText("cli",
                           "\"%1\" is no rate: write bytes per second, such as 500k, 20M "
                           "or 1G.",
                           text));
    }
    const QString unit = match.captured(2).toLower();
    if (unit == QLatin1String("k"))
        n *= 1'000;
    else if (unit == QLatin1String("m"))
        n *= 1'000'000;
    else if (unit == QLatin1String("g"))
        n *= 1'000'000'000;
    return n;
}

} // namespace causeway::cli
