#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway {

/// One value in wire form: the bytes that schema::TypeClass describes, or nothing for NULL. Reading
/// rows and decoding the change stream give the *same bytes* for the same stored value; that
/// is what lets copy, apply and comparison share one writer.
using Value = std::optional<std::string>;
using Row = std::vector<Value>;

/// Rows of one table packed into one buffer: many small strings would cost an allocation each.
/// Columns are Table::writableColumns() of the table read, in that order. Not thread-safe.
class RowBatch {
public:
    explicit RowBatch(int columns = 0) : m_columns(columns) {}

    void append(std::string_view bytes)
    {
        m_cells.push_back({m_bytes.size(), static_cast<std::int64_t>(bytes.size())});
        m_bytes.append(bytes);
    }
    void appendNull() { m_cells.push_back({m_bytes.size(), -1}); }
    void clear()
    {
        m_bytes.clear();
        m_cells.clear();
    }

    [[nodiscard]] int columns() const { return m_columns; }
    [[nodiscard]] std::size_t rows() const
    {
        return m_columns == 0 ? 0 : m_cells.size() / static_cast<std::size_t>(m_columns);
    }
    [[nodiscard]] std::size_t bytes() const { return m_bytes.size(); }
    [[nodiscard]] bool isNull(std::size_t row, int column) const
    {
        return cell(row, column).length < 0;
    }
    /// Empty for NULL. Valid until the batch changes.
    [[nodiscard]] std::string_view at(std::size_t row, int column) const
    {
        const Cell &c = cell(row, column);
        return c.length < 0
                   ? std::string_view{}
                   : std::string_view(m_bytes).substr(c.offset, static_cast<std::size_t>(c.length));
    }
    [[nodiscard]] Value value(std::size_t row, int column) const
    {
        return isNull(row, column) ? Value{} : Value{std::string(at(row, column))};
    }

private:
    struct Cell {
        std::size_t offset;
        std::int64_t length;
    };
    [[nodiscard]] const Cell &cell(std::size_t row, int column) const
    {
        return m_cells[row * static_cast<std::size_t>(m_columns) +
                       static_cast<std::size_t>(column)];
    }
    int m_columns;
    std::string m_bytes;
    std::vector<Cell> m_cells;
};

} // namespace causeway
