#pragma once

#include "database/Database.h"

#include <vector>

namespace causeway {

/// Numbers of chunks grow with the key, so that the order of recorded chunks is known without
/// comparing keys (what the order of two strings is, only the server knows). A first pass leaves
/// room between two of them for what a later one must read again.
constexpr int chunkNumberStep = 16;

/// A part of a table that no committed chunk covers.
struct CopyGap {
    ChunkRange range;
    int firstNumber = chunkNumberStep; ///< of its first chunk
    int step = chunkNumberStep;
    /// Chunks that it may become; the last of them takes all that is left. 0 = any number.
    int mostChunks = 0;
};

/// What is left to read of a table, in key order; empty = the table is complete. `chunks` in order
/// of their numbers. An error where they contradict each other.
Result<std::vector<CopyGap>> gapsOf(const TableName &, const std::vector<ChunkRecord> &chunks);

} // namespace causeway
