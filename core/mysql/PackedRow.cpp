#include "mysql/Parts.h"

#include <cstdint>

namespace causeway::mysql {

std::string packRow(const Row &row)
{
    std::string out;
    for (const Value &v : row) {
        out.push_back(v ? '\1' : '\0');
        const auto size = static_cast<std::uint32_t>(v ? v->size() : 0);
        for (int shift = 0; shift < 32; shift += 8)
            out.push_back(static_cast<char>((size >> shift) & 0xff));
        if (v)
            out += *v;
    }
    return out;
}

Result<Row> unpackRow(std::string_view bytes)
{
    Row row;
    while (!bytes.empty()) {
        std::uint32_t size = 0;
        const bool whole = bytes.size() >= 5;
        for (std::size_t i = 0; whole && i < 4; ++i)
            size |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + 1])) << (8 * i);
        if (!whole || bytes.size() - 5 < size || (bytes[0] != '\0' && bytes[0] != '\1')) {
            return fail(ErrorCode::Internal,
                        cwText("core", "A recorded key is damaged: the state on the server was "
                                       "changed by somebody else."),
                        QStringLiteral("state-damaged"));
        }
        if (bytes[0] == '\1')
            row.emplace_back(std::string(bytes.substr(5, size)));
        else
            row.emplace_back();
        bytes.remove_prefix(5 + size);
    }
    return row;
}

} // namespace causeway::mysql
