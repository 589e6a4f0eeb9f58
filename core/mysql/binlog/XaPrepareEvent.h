#pragma once

#include <QString>

#include <optional>
#include <string_view>

namespace causeway::mysql {

/// XA_PREPARE_LOG_EVENT: XA PREPARE, and XA COMMIT ... ONE PHASE.
struct XaPrepareEvent {
    bool onePhase = false; ///< it is a commit
    QString xid;           ///< as the statement that ends it is logged (LoggedStatement::xid)

    /// `body` is the event without common header and checksum; nothing where it is damaged.
    static std::optional<XaPrepareEvent> parse(std::string_view body);
};

} // namespace causeway::mysql
