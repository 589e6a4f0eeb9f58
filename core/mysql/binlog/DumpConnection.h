#pragma once

#include "mysql/Session.h"
#include "mysql/binlog/LogPosition.h"

#include <memory>
#include <string>
#include <string_view>

namespace causeway::mysql {

/// A piece of an event: a large one comes in several, so that nobody needs to hold it whole.
struct EventPiece {
    std::string_view bytes;
    bool begins = true, ends = true;
};

/// A session that the server streams its log to. One thread reads; interrupt() from any.
class DumpConnection {
public:
    /// Signs in, negotiates checksums, heartbeats and identity, and asks for the log after `from`.
    static Result<std::unique_ptr<DumpConnection>> open(const Address &, const LogPosition &from,
                                                        std::stop_token);
    ~DumpConnection();
    DumpConnection(const DumpConnection &) = delete;
    DumpConnection &operator=(const DumpConnection &) = delete;

    /// The next event or a piece of it, without the protocol's leading byte. Blocks. Valid until
    /// the next call. A piece that begins an event and does not end it has its header.
    Result<EventPiece> read();
    void interrupt() noexcept { m_session->interrupt(); }
    [[nodiscard]] bool isMariaDb() const { return m_session->isMariaDb(); }

private:
    explicit DumpConnection(std::unique_ptr<Session> session);
    Status negotiate(const LogPosition &from, std::stop_token);
    Result<std::uint32_t> chooseServerId(std::stop_token);
    Status request(const LogPosition &from, std::uint32_t serverId);
    Error readError();
    [[nodiscard]] Error packetError(std::string_view packet) const; ///< not in every build

    std::unique_ptr<Session> m_session;
    struct Replication; ///< what the client library's kind of dump needs
    std::unique_ptr<Replication> m_replication;
};

/// When the server began a file of its log, by its own clock, as the file's first event says; 0
/// where it does not. Takes no lock and reads no more than that.
Result<std::uint32_t> readFileBegin(const Address &, const std::string &file, std::stop_token);

/// What the server's refusal to send the log means: purged, or something else. Used by tests.
Error nameDumpError(Error e);

} // namespace causeway::mysql
