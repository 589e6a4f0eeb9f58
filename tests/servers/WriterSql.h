#pragma once

#include <random>
#include <string>

namespace causeway::test {

/// The statements of one connection of an application; each connection has an object of its own.
class WriterSql {
public:
    explicit WriterSql(unsigned writer);
    virtual ~WriterSql();
    WriterSql(const WriterSql &) = delete;
    WriterSql &operator=(const WriterSql &) = delete;

    [[nodiscard]] std::string newUuid();
    /// START TRANSACTION ... COMMIT, with the uuid in the application's journal and some changes.
    [[nodiscard]] virtual std::string transaction(const std::string &uuid) = 0;
    /// START TRANSACTION and some rows, without COMMIT; touches nothing that others wait for.
    [[nodiscard]] virtual std::string longTransaction(const std::string &uuid) = 0;

protected:
    [[nodiscard]] unsigned writer() const { return m_writer; }
    [[nodiscard]] int below(int bound); ///< random, from 0

private:
    const unsigned m_writer;
    std::mt19937_64 m_random;
};

} // namespace causeway::test
