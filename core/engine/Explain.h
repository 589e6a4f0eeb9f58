#pragma once

#include "base/Text.h"
#include "preflight/Check.h"

#include <QString>
#include <QStringList>

#include <vector>

namespace causeway {

/// What a message of a server, of a vendor's import page or of another tool comes down to.
struct Explanation {
    QString id; ///< of a check, or of an error of connecting
    bool isCheck = false;
    Text title; ///< of the check; else what happened
    Text why;   ///< of the check; else what to do
};

/// Checks and errors that `message` speaks of, most telling first; empty = not understood. Knows
/// MySQL's and MariaDB's error names and numbers, PostgreSQL's words, and the names of settings.
/// Pure; no I/O.
std::vector<Explanation> explain(const QString &message);

/// The checks that a rule of explain() leads to, for the test that they all exist.
QStringList explainedChecks();

} // namespace causeway
