#pragma once

#include <QStringList>

namespace causeway::cli {

/// The subcommands; each gets its own arguments and returns the exit status.
int checkCommand(const QStringList &);
int newCommand(const QStringList &);
int runCommand(const QStringList &);
int statusCommand(const QStringList &);
int answerCommand(const QStringList &);
int verifyCommand(const QStringList &);
int cancelCommand(const QStringList &);
int unfenceCommand(const QStringList &);
int reportCommand(const QStringList &);
int userScriptCommand(const QStringList &);
int explainCommand(const QStringList &);

} // namespace causeway::cli
