#pragma once

#include "engine/Context.h"

#include <chrono>

/// What the switch (SwitchStage.cpp), its completion (SwitchCompletion.cpp) and the closing of mode
/// once (OnceStage.cpp) share.
namespace causeway {

namespace fact {
/// On the new leader from its number on until everything behind the point of no return is done.
inline const QString switchUnfinished = QStringLiteral("switch_unfinished");
} // namespace fact

/// The step that closes the source in mode once.
inline const QString kCloseForOnce = QStringLiteral("once.close-source");

/// For a session that writes now and then, long enough to be seen; where no account passes the
/// fence, nobody is looked for.
inline constexpr std::chrono::milliseconds kLookForWriters{500};

/// Keeps in the file since when nobody can write, so that whoever completes the switch can tell how
/// long that was, also another process. (SwitchCompletion.cpp)
Status noteHeldSince(Context &, qint64 unixMs);

/// Says of each account that it may write on a closed server. (OnceStage.cpp)
void warnOfPassing(Context &, const QStringList &refused);

} // namespace causeway
