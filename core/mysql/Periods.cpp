#include "mysql/Periods.h"

#include "mysql/TableDdl.h"

#include <QMap>

#include <algorithm>

namespace causeway::mysql {

std::vector<PeriodKey> periodKeys(const Table &table)
{
    std::vector<PeriodKey> out;
    if (!table.createSql.contains(QLatin1String("WITHOUT OVERLAPS"), Qt::CaseInsensitive))
        return out;
    const auto ddl = TableDdl::parse(table.createSql);
    if (!ddl)
        return out;
    // PERIOD FOR `name` (`from`, `to`)
    QMap<QString, PeriodKey> periods;
    for (const TableItem &item : ddl->items) {
        if (item.kind != ItemKind::Period)
            continue;
        const Tokens t(item.text);
        int i = t.next(0);
        while (i < t.size() && !t.isWord(i, QLatin1String("FOR")))
            i = t.next(i + 1);
        const int name = t.next(i + 1);
        const int from = t.next(t.next(name + 1) + 1);
        const int to = t.next(t.next(from + 1) + 1);
        if (t.isName(name) && t.isName(from) && t.isName(to))
            periods.insert(t.name(name).toLower(), {{}, t.name(from), t.name(to)});
    }
    for (const TableItem &item : ddl->items) {
        if (item.kind != ItemKind::Key)
            continue;
        const Tokens t(item.text);
        for (int i = t.next(0); i < t.size(); i = t.next(i + 1)) {
            const int without = t.next(i + 1);
            const int overlaps = t.next(without + 1);
            if (!t.isName(i) || !t.isWord(without, QLatin1String("WITHOUT")) ||
                !t.isWord(overlaps, QLatin1String("OVERLAPS")))
                continue;
            PeriodKey key = periods.value(t.name(i).toLower());
            key.name = item.name;
            out.push_back(std::move(key));
            break;
        }
    }
    return out;
}

std::vector<PeriodKey> periodKeys(const Table &leader, const Table &follower)
{
    std::vector<PeriodKey> out = periodKeys(follower);
    for (PeriodKey &key : periodKeys(leader)) {
        if (std::none_of(out.begin(), out.end(),
                         [&](const PeriodKey &k) { return k.name == key.name; }))
            out.push_back(std::move(key));
    }
    return out;
}

} // namespace causeway::mysql
