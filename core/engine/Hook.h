#pragma once

#include "base/Error.h"

#include <QMap>
#include <QString>

#include <stop_token>

namespace causeway {

/// Runs the user's command through the shell with these environment variables added; its output
/// goes to the log. A status other than 0, or 5 minutes without an end, is an error. No password is
/// in its environment.
Status runHook(const QString &command, const QMap<QString, QString> &environment, std::stop_token);

} // namespace causeway
