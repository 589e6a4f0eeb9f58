#pragma once

#include "base/Error.h"
#include "base/Secret.h"

#include <QByteArray>
#include <QString>
#include <QStringList>

#include <stop_token>

namespace causeway::postgres {

/// A client program of PostgreSQL, run to its end.
struct ChildRun {
    int exitStatus = 0;
    QByteArray output; ///< standard output
    QString words;     ///< standard error, redacted
};

/// Stopped within a second: the program is asked to end, so that it cancels its statement on the
/// server, and then killed. `password` reaches it through a file in memory that has no name on disk
/// and that no other account can open; it is in no command line and no environment, and neither are
/// the passwords that our own environment holds.
Result<ChildRun> runChild(const QString &program, const QStringList &arguments,
                          const Secret &password, std::stop_token);

} // namespace causeway::postgres
