#pragma once

#include "servers/TestServer.h"

#include <QStringList>

namespace causeway::test {

/// What a server of the MySQL family is like apart from its rows: schemas and all that is in them,
/// accounts with their rights, settings (the persisted ones too). A line for each thing, so that
/// two of them can be subtracted; counters that move by themselves are left out.
QStringList asFound(TestServer &server, const QStringList &withoutSchemas = {});
/// "- what was" and "+ what is", nothing where both are alike.
QStringList changedSince(const QStringList &before, const QStringList &after);

} // namespace causeway::test
