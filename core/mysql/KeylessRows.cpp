#include "mysql/KeylessRows.h"

#include "mysql/ExactWrite.h"
#include "mysql/JsonCanonical.h"
#include "mysql/Parts.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

/// The image of a row without key as the follower keeps it, where a JSON document is another
/// text there: MariaDB keeps the text that it was given, MySQL writes its own. Nothing where no
/// row is this one.
Result<std::optional<Row>> keylessAsStored(Session &s, const ApplierTable &t, const Row &image,
                                           bool mariaDb, const std::stop_token &stop)
{
    constexpr int most = 20'000; // candidates read: all that is equal but for the documents
    std::vector<int> json;
    std::string list;
    for (const int c : t.written) {
        const bool isJson = t.leaderColumn(c).typeClass == TypeClass::Json ||
                            t.followerColumn(c).typeClass == TypeClass::Json;
        if (!isJson || !image[static_cast<std::size_t>(c)])
            continue;
        json.push_back(c);
        list +=
            (list.empty() ? "" : ",") + wireExpression(t.followerColumn(c), mariaDb).toStdString();
    }
    if (json.empty())
        return std::optional<Row>();
    CW_TRY_ASSIGN(const ResultSet found,
                  s.queryBytes("SELECT " + list + " FROM " + t.name + " WHERE " +
                                   wholeRowCondition(t, image, {mariaDb, false}, json) + " LIMIT " +
                                   std::to_string(most),
                               stop));
    for (const Row &there : found.rows) {
        Row stored = image;
        bool same = true;
        for (std::size_t i = 0; i < json.size() && same; ++i) {
            Value &value = stored[static_cast<std::size_t>(json[i])];
            same = there[i] && canonicalJson(*there[i]) == canonicalJson(*value);
            value = there[i];
        }
        if (same)
            return std::optional<Row>(std::move(stored));
    }
    return std::optional<Row>();
}

} // namespace

Status applyKeyless(Session &s, const PlannedRow &row, bool mariaDb, std::stop_token stop)
{
    const ApplierTable &t = *row.table;
    const RowChange &change = *row.change;
    if (change.op == RowOp::Update && std::all_of(t.written.begin(), t.written.end(), [&](int c) {
            const auto i = static_cast<std::size_t>(c);
            return change.before[i] == change.after[i];
        }))
        return {};
    const auto write = [&](const Row &before, bool asStored) -> Result<quint64> {
        const KeylessMatch match{mariaDb, asStored};
        const std::string sql = change.op == RowOp::Insert ? keylessInsert(t, change.after, mariaDb)
                                : change.op == RowOp::Delete
                                    ? keylessDelete(t, before, match)
                                    : keylessUpdate(t, before, change.after, match);
        const int invalidEnums = change.op == RowOp::Delete ? 0 : t.invalidEnums(change.after);
        return writeExactly(s, sql, *t.follower, t.tolerated, invalidEnums, stop);
    };
    CW_TRY_ASSIGN(quint64 affected, write(change.before, false));
    if (affected == 0 && change.op != RowOp::Insert) {
        CW_TRY_ASSIGN(const auto stored, keylessAsStored(s, t, change.before, mariaDb, stop));
        if (stored) {
            CW_TRY_ASSIGN(affected, write(*stored, true));
            // Found, and the same as it shall be: as JSON, other white space is no change.
            if (affected == 0 && change.op == RowOp::Update)
                return {};
        }
    }
    if (affected == 1)
        return {};
    Error e;
    e.code = ErrorCode::Differences;
    e.id = QStringLiteral("mysql-keyless-mismatch");
    e.message = cwText("core",
                       "A changed row of %1, which has no key, was not found on the "
                       "follower.",
                       t.leader->name.display());
    e.object = t.follower->name.display();
    e.fix = cwText("core", "Copy the table again, or give it a primary key.");
    return fail(std::move(e));
}

} // namespace causeway::mysql
