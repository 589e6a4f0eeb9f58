#include "engine/KeyComparison.h"

#include <algorithm>
#include <future>

namespace causeway {

namespace {
/// Keys compared at one time: bounds the memory for their hashes.
constexpr std::size_t kKeysAtOnce = 5'000;

struct Slice {
    const AlignedTables *tables = nullptr;
    std::vector<Row> keys;
};

Result<std::vector<std::vector<QString>>> hashesOf(RangeHasher &hasher, bool leader,
                                                   const std::vector<Slice> &slices,
                                                   const std::stop_token &stop)
{
    std::vector<std::vector<QString>> out;
    for (const Slice &slice : slices) {
        CW_TRY_ASSIGN(auto hashes,
                      hasher.hashesOfBytes(leader ? slice.tables->leader : slice.tables->follower,
                                           slice.keys, stop));
        out.push_back(std::move(hashes));
    }
    return out;
}
} // namespace

Result<std::unique_ptr<KeyComparison>> KeyComparison::make(Context &ctx, Roles roles,
                                                           std::stop_token stop)
{
    std::unique_ptr<KeyComparison> out(new KeyComparison);
    CW_TRY_ASSIGN(auto found, ctx.plansFor(roles, stop));
    out->m_plans = std::move(found.plans);
    out->m_unmatched = std::move(found.unmatched);
    for (const TablePlan &plan : out->m_plans) {
        if (!plan.leader->rowKey)
            continue;
        CW_TRY_ASSIGN(AlignedTables tables, alignForHashing(plan));
        out->m_tables.emplace(plan.leader->name, std::move(tables));
    }
    CW_TRY_ASSIGN(out->m_leader, ctx.db(roles.leader).hasher(stop));
    CW_TRY_ASSIGN(out->m_follower, ctx.db(roles.follower).hasher(stop));
    return out;
}

Result<ChangedKeys> KeyComparison::different(const ChangedKeys &keys, std::stop_token stop)
{
    ChangedKeys out;
    std::vector<Slice> slices;
    std::size_t gathered = 0;
    const auto compare = [&]() -> Status {
        // Both servers at once: under the fence this is time that the application waits.
        auto there = std::async(std::launch::async,
                                [&] { return hashesOf(*m_follower, false, slices, stop); });
        auto here = hashesOf(*m_leader, true, slices, stop);
        const auto other = there.get();
        CW_TRY(here);
        CW_TRY(other);
        for (std::size_t s = 0; s < slices.size(); ++s) {
            for (std::size_t i = 0; i < slices[s].keys.size(); ++i) {
                if ((*here)[s][i] != (*other)[s][i])
                    out[slices[s].tables->leader.name].insert(std::move(slices[s].keys[i]));
            }
        }
        slices.clear();
        gathered = 0;
        return {};
    };
    for (const auto &[table, set] : keys) {
        const auto it = m_tables.find(table);
        if (it == m_tables.end())
            continue; // gone from one side: the stream says so
        for (auto key = set.begin(); key != set.end();) {
            Slice slice{&it->second, {}};
            for (; key != set.end() && gathered < kKeysAtOnce; ++key, ++gathered)
                slice.keys.push_back(*key);
            slices.push_back(std::move(slice));
            if (gathered >= kKeysAtOnce)
                CW_TRY(compare());
        }
    }
    if (!slices.empty())
        CW_TRY(compare());
    return out;
}

} // namespace causeway
