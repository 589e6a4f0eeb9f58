#include "mysql/binlog/LogPosition.h"

#include <charconv>
#include <optional>

namespace causeway::mysql {

namespace {

template <class Number> bool parseNumber(std::string_view digits, Number &out)
{
    const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return r.ec == std::errc() && r.ptr == digits.data() + digits.size();
}

/// FILE:OFFSET or FILE:OFFSET#CREATED
bool parseFile(std::string_view text, LogPosition &out)
{
    const std::size_t hash = text.rfind('#');
    if (hash != std::string_view::npos && parseNumber(text.substr(hash + 1), out.created))
        text = text.substr(0, hash);
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return false;
    out.file = std::string(text.substr(0, colon));
    return parseNumber(text.substr(colon + 1), out.offset) && !out.file.empty();
}

} // namespace

std::optional<LogFileNumber> LogFileNumber::of(std::string_view file)
{
    const std::size_t dot = file.rfind('.');
    if (dot == std::string_view::npos)
        return std::nullopt;
    LogFileNumber out{file.substr(0, dot), 0};
    if (!parseNumber(file.substr(dot + 1), out.number))
        return std::nullopt;
    return out;
}

Result<LogPosition> LogPosition::parse(const Position &p)
{
    const std::string text = p.text.toStdString();
    const std::string_view s = text;
    LogPosition out;
    bool ok = false;
    if (s.starts_with("gtid:")) {
        out.kind = Kind::MySqlGtid;
        const std::size_t semicolon = s.find(';');
        const std::string_view set = s.substr(0, semicolon).substr(5);
        CW_TRY_ASSIGN(out.executed, GtidSet::parse(set));
        ok = semicolon == std::string_view::npos || parseFile(s.substr(semicolon + 1), out);
    } else if (s.starts_with("mariadb:")) {
        out.kind = Kind::MariaDb;
        const std::size_t semicolon = s.find(';');
        if (semicolon != std::string_view::npos) {
            CW_TRY_ASSIGN(out.domains, MariaDbGtidList::parse(s.substr(8, semicolon - 8)));
            ok = parseFile(s.substr(semicolon + 1), out);
        }
    } else if (s.starts_with("file:")) {
        ok = parseFile(s.substr(5), out);
    }
    if (!ok)
        return fail(
            ErrorCode::Internal,
            cwText("core", "\"%1\" is not a position in a MySQL or MariaDB log.", p.text.left(200)),
            QStringLiteral("mysql-position"));
    return out;
}

Position LogPosition::position() const
{
    std::string place = file + ':' + std::to_string(offset);
    if (created != 0)
        place += '#' + std::to_string(created);
    switch (kind) {
    case Kind::MySqlGtid:
        return {QStringLiteral("gtid:") +
                QString::fromStdString(executed.text() + (file.empty() ? "" : ';' + place))};
    case Kind::MariaDb:
        return {QStringLiteral("mariadb:") + QString::fromStdString(domains.text() + ';' + place)};
    case Kind::File:
        return {QStringLiteral("file:") + QString::fromStdString(place)};
    }
    return {};
}

Error logReplacedError(const Text &how)
{
    Error e;
    e.code = ErrorCode::NeedsDecision;
    e.id = QStringLiteral("mysql-log-replaced");
    e.message = cwText("core", "The leader's log is not the one that was read until now: %1.",
                       how.english());
    e.fix = cwText("core",
                   "Somebody reset it (RESET BINARY LOGS AND GTIDS, RESET MASTER), restored the "
                   "server, or put another in its place. What changed in between cannot be known: "
                   "answer \"recopy\", and all tables are copied again from the server as it is "
                   "now, or cancel the migration.");
    return e;
}

bool LogPosition::reached(const LogPosition &wanted) const
{
    if ((kind == Kind::MySqlGtid) != (wanted.kind == Kind::MySqlGtid))
        return false;
    if (kind == Kind::MySqlGtid)
        return executed.contains(wanted.executed);
    if (kind == Kind::MariaDb && wanted.kind == Kind::MariaDb && domains == wanted.domains &&
        !domains.isEmpty())
        return true;
    // The place in one server's log is exact, also where sequence numbers of a domain go back.
    const auto mine = LogFileNumber::of(file), theirs = LogFileNumber::of(wanted.file);
    if (mine && theirs && mine->base == theirs->base)
        return mine->number != theirs->number ? mine->number > theirs->number
                                              : offset >= wanted.offset;
    return kind == Kind::MariaDb && wanted.kind == Kind::MariaDb && domains.covers(wanted.domains);
}

} // namespace causeway::mysql
