#pragma once

#include "base/Text.h"

#include <tl/expected.hpp>

namespace causeway {

/// What kind of failure it is; decides the exit status and whether trying again can help.
enum class ErrorCode {
    Usage,          ///< the caller asked for something that makes no sense (exit 2)
    NotReady,       ///< a precondition of the migration is not met (exit 1)
    NeedsDecision,  ///< a person must choose (exit 1)
    Differences,    ///< source and target differ (exit 1)
    Connect,        ///< could not reach or sign in (exit 3)
    Server,         ///< the server refused a statement (exit 3)
    ConnectionLost, ///< the session died; the work can be resumed (exit 3)
    Cancelled,      ///< interrupted on request
    LeaseLost,      ///< another Causeway took over: nothing more may be written (exit 3)
    Io,             ///< a local file (exit 3)
    Internal,       ///< our own fault (exit 4)
};

/// Every failure in Causeway. Never holds a password: what the server says passes redact() first.
struct Error {
    ErrorCode code = ErrorCode::Internal;
    QString id;          ///< stable kebab-case id, such as "mysql-access-denied"; may be empty
    Text message;        ///< one sentence for a person
    int number = 0;      ///< the server's or client's own number, 0 if none
    QString sqlState;    ///< SQLSTATE, empty if none
    QString serverWords; ///< the server's own words, redacted
    QString object;      ///< table, account, file ... concerned
    Text fix;            ///< what to do, where it is known

    /// "message (server words) [number, SQLSTATE]: fix" in English, for logs and the command line.
    [[nodiscard]] QString describe() const;
    /// Exit status of causeway-cli for this error (1, 2, 3 or 4).
    [[nodiscard]] int exitStatus() const;
    /// The same session or a new one may succeed later without anybody changing anything.
    [[nodiscard]] bool isTransient() const;
};

template <class T> using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Error e)
{
    return tl::unexpected<Error>(std::move(e));
}
inline tl::unexpected<Error> fail(ErrorCode code, Text message, const QString &id = {})
{
    Error e;
    e.code = code;
    e.message = std::move(message);
    e.id = id;
    return tl::unexpected<Error>(std::move(e));
}

} // namespace causeway

/// Returns the error of `expr` from the enclosing function, which itself returns a Result.
#define CW_TRY(expr)                                                                               \
    do {                                                                                           \
        if (auto cwStatus_ = (expr); !cwStatus_)                                                   \
            return tl::unexpected<causeway::Error>(std::move(cwStatus_).error());                  \
    } while (false)

#define CW_CONCAT_(a, b) a##b
#define CW_CONCAT(a, b) CW_CONCAT_(a, b)
/// `CW_TRY_ASSIGN(auto x, f())`: x = the value of f(), or return its error.
#define CW_TRY_ASSIGN(decl, expr)                                                                  \
    auto CW_CONCAT(cwResult_, __LINE__) = (expr);                                                  \
    if (!CW_CONCAT(cwResult_, __LINE__))                                                           \
        return tl::unexpected<causeway::Error>(std::move(CW_CONCAT(cwResult_, __LINE__)).error()); \
    decl = std::move(*CW_CONCAT(cwResult_, __LINE__)) /* NOLINT(bugprone-macro-parentheses) */
