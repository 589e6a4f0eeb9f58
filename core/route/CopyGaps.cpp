#include "route/CopyGaps.h"

#include <algorithm>

namespace causeway {

Result<std::vector<CopyGap>> gapsOf(const TableName &table, const std::vector<ChunkRecord> &chunks)
{
    const auto contradiction = [&table] {
        Error e;
        e.code = ErrorCode::Internal;
        e.id = QStringLiteral("chunks-damaged");
        e.object = table.display();
        e.message =
            cwText("core", "What is recorded of the copy of %1 is contradictory: copy it again.",
                   table.display());
        return fail(e);
    };
    std::vector<ChunkRecord> ordered = chunks;
    std::sort(ordered.begin(), ordered.end(), [](const ChunkRecord &a, const ChunkRecord &b) {
        return a.mark.number < b.mark.number;
    });
    std::vector<CopyGap> out;
    std::optional<Row> covered; // everything up to here; nothing = the beginning
    int last = 0;
    bool atEnd = false;
    for (const ChunkRecord &chunk : ordered) {
        if (atEnd)
            return contradiction();
        const ChunkRange &range = chunk.mark.range;
        if (range.after != covered) {
            // A chunk that begins at the very beginning but is not the first one.
            if (!range.after)
                return contradiction();
            CopyGap gap;
            gap.range = {covered, range.after};
            const int room = chunk.mark.number - last - 1;
            if (room < 1)
                return contradiction();
            gap.mostChunks = std::min(room, chunkNumberStep);
            gap.step = std::max(1, room / gap.mostChunks);
            gap.firstNumber = last + 1;
            out.push_back(std::move(gap));
        }
        covered = range.upTo;
        atEnd = !range.upTo;
        last = chunk.mark.number;
    }
    if (!atEnd)
        out.push_back({{covered, std::nullopt}, last + chunkNumberStep, chunkNumberStep, 0});
    return out;
}

} // namespace causeway
