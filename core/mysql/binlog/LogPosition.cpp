#include "mysql/binlog/LogPosition.h"

#include <charconv>
#include <optional>

namespace causeway::mysql {

namespace {

struct FileNumber {
    std::string_view base;
    std::uint64_t number = 0;
};

/// "binlog.000012" -> "binlog", 12. After 999999 the server writes seven digits, so that names do
/// not sort as text.
std::optional<FileNumber> fileNumber(std::string_view file)
{
    const std::size_t dot = file.rfind('.');
    if (dot == std::string_view::npos)
        return std::nullopt;
    FileNumber out{file.substr(0, dot), 0};
    const std::string_view digits = file.substr(dot + 1);
    const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), out.number);
    if (r.ec != std::errc() || r.ptr != digits.data() + digits.size())
        return std::nullopt;
    return out;
}

bool parseFile(std::string_view text, LogPosition &out)
{
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return false;
    out.file = std::string(text.substr(0, colon));
    const std::string_view digits = text.substr(colon + 1);
    const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), out.offset);
    return !out.file.empty() && r.ec == std::errc() && r.ptr == digits.data() + digits.size();
}

} // namespace

Result<LogPosition> LogPosition::parse(const Position &p)
{
    const std::string text = p.text.toStdString();
    const std::string_view s = text;
    LogPosition out;
    bool ok = false;
    if (s.starts_with("gtid:")) {
        out.kind = Kind::MySqlGtid;
        CW_TRY_ASSIGN(out.executed, GtidSet::parse(s.substr(5)));
        ok = true;
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
    const std::string place = file + ':' + std::to_string(offset);
    switch (kind) {
    case Kind::MySqlGtid:
        return {QStringLiteral("gtid:") + QString::fromStdString(executed.text())};
    case Kind::MariaDb:
        return {QStringLiteral("mariadb:") + QString::fromStdString(domains.text() + ';' + place)};
    case Kind::File:
        return {QStringLiteral("file:") + QString::fromStdString(place)};
    }
    return {};
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
    const auto mine = fileNumber(file), theirs = fileNumber(wanted.file);
    if (mine && theirs && mine->base == theirs->base)
        return mine->number != theirs->number ? mine->number > theirs->number
                                              : offset >= wanted.offset;
    return kind == Kind::MariaDb && wanted.kind == Kind::MariaDb && domains.covers(wanted.domains);
}

} // namespace causeway::mysql
