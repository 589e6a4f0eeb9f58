#include "servers/WriterSql.h"

#include <array>
#include <cstdint>
#include <cstdio>

namespace causeway::test {

WriterSql::WriterSql(unsigned writer)
    : m_writer(writer), m_random(std::random_device{}() ^ (writer * 7919ULL))
{
}

WriterSql::~WriterSql() = default;

std::string WriterSql::newUuid()
{
    const std::uint64_t high = m_random();
    const std::uint64_t low = m_random();
    std::array<char, 37> text{};
    std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%012llx",
                  static_cast<unsigned>(high >> 32U), static_cast<unsigned>(high >> 16U) & 0xffffU,
                  static_cast<unsigned>(high) & 0xffffU,
                  static_cast<unsigned>(low >> 48U) & 0xffffU,
                  static_cast<unsigned long long>(low & 0xffff'ffff'ffffULL));
    return text.data();
}

int WriterSql::below(int bound)
{
    return std::uniform_int_distribution<int>(0, bound - 1)(m_random);
}

} // namespace causeway::test
