#pragma once

#include "endpoint/Address.h"

#include <QString>

namespace causeway::mysql {

class Session;

/// Sessions of this process that wait for an answer, and whether the server still knows them.
///
/// A link can be dead without either end being told: a proxy or a firewall in between lost the
/// server's side, and goes on acknowledging what we send. No socket option sees that, and a
/// statement may legitimately take hours (an index), so that no time-out would be right. So the
/// server is asked, through another connection, whether a session that has waited for long is
/// still there; one that it does not know any more is given up, and whoever waits on it gets
/// ConnectionLost. Thread-safe.
namespace watch {
void add(Session *);
void remove(Session *); ///< returns when the watch no longer touches it
} // namespace watch

/// Live connections of this process, by server (Address::display()), and those that ever ran DDL:
/// an application may use the same account, and logs tell sessions by these numbers only.
namespace own {
void opened(const QString &server, quint64 connectionId);
void closed(const QString &server, quint64 connectionId);
bool isLive(const QString &server, quint64 connectionId);
void changesSchema(const QString &server, quint64 connectionId);
bool hasChangedSchema(const QString &server, quint64 connectionId);
} // namespace own

} // namespace causeway::mysql
