#pragma once

#include "base/Error.h"

#include <mutex>
#include <optional>

namespace causeway {

/// Part of a server's state that many checks look at, read at most once, where the connection
/// holds. Thread-safe. A caller that waits for another one's read is let go by that one's time-out,
/// which began earlier than its own.
template <class T> class Once {
public:
    template <class Read> Result<const T *> get(Read &&read)
    {
        const std::lock_guard lock(m_mutex);
        if (!m_value)
            m_value.emplace(read());
        if (!*m_value) {
            Error e = m_value->error();
            // A connection that was lost says nothing of what was asked: the next one asks again.
            if (e.isTransient())
                m_value.reset();
            return tl::unexpected<Error>(std::move(e));
        }
        return &**m_value;
    }

private:
    std::mutex m_mutex;
    std::optional<Result<T>> m_value;
};

} // namespace causeway
