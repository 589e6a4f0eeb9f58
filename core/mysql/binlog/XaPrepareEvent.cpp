#include "mysql/binlog/XaPrepareEvent.h"

#include "mysql/binlog/ByteReader.h"

namespace causeway::mysql {

namespace {
QString hex(std::string_view bytes)
{
    return QString::fromLatin1(
        QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size())).toHex().toUpper());
}
} // namespace

std::optional<XaPrepareEvent> XaPrepareEvent::parse(std::string_view body)
{
    ByteReader r(body);
    XaPrepareEvent out;
    out.onePhase = r.le(1) != 0;
    const std::uint64_t format = r.le(4), globalLength = r.le(4), branchLength = r.le(4);
    const std::string_view names = r.rest();
    if (!r.ok() || names.size() < globalLength + branchLength)
        return std::nullopt;
    out.xid =
        QStringLiteral("X'%1',X'%2',%3")
            .arg(hex(names.substr(0, globalLength)), hex(names.substr(globalLength, branchLength)))
            .arg(format);
    return out;
}

} // namespace causeway::mysql
