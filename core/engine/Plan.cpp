#include "engine/Plan.h"

namespace causeway {

std::vector<StepRecord> planOf(const Settings &settings)
{
    std::vector<StepRecord> out;
    const auto add = [&out](const char *id, std::optional<Side> side, const Text &title,
                            const QStringList &sql = {}) {
        StepRecord r;
        r.id = QString::fromLatin1(id);
        r.side = side;
        r.title = title;
        r.shownSql = sql;
        out.push_back(std::move(r));
    };
    const bool once = settings.mode == Mode::Once;
    add("plan.check", std::nullopt, cwText("core", "Check source and target again"));
    if (once)
        add("once.close-source", Side::Source, cwText("core", "Close the source for writes"));
    add("copy.state", Side::Target, cwText("core", "Create Causeway's state"),
        {QStringLiteral("CREATE DATABASE IF NOT EXISTS `_causeway`"),
         // Their columns are the ledger's business; that they are made is not hidden.
         QStringLiteral("-- and in it, with CREATE TABLE IF NOT EXISTS: `migration`, `stream`, "
                        "`chunk`, `fact`, `restoration`")});
    if (!once) {
        add("copy.position", Side::Source,
            cwText("core", "Note the position in the log from which changes are carried over"));
    }
    add("copy.tables", Side::Target,
        cwText("core", "Create schemas and tables with their primary keys"));
    const auto closeTarget = [&] {
        add("copy.close-target", Side::Target,
            cwText("core", "Close the target for everybody but Causeway until the switch"));
    };
    if (once)
        closeTarget();
    add("copy.rows", Side::Target,
        cwText("core", "Copy the rows in chunks by key, without locks on the source"));
    add("copy.indexes", Side::Target, cwText("core", "Build the secondary indexes"));
    if (!once) {
        closeTarget();
        add("plan.catch-up", Side::Target,
            cwText("core", "Apply what changed on the source meanwhile"));
    }
    add("replica.uniques", Side::Target, cwText("core", "Build the unique keys that had to wait"));
    add("replica.foreign-keys", Side::Target, cwText("core", "Create the foreign keys"));
    add("replica.routines", Side::Target, cwText("core", "Create functions and procedures"));
    add("replica.views", Side::Target, cwText("core", "Create the views"));
    add("plan.verify", std::nullopt, cwText("core", "Compare every row of both sides"));
    if (!once) {
        add("switch.events-off", Side::Source,
            cwText("core", "At the switch: disable the events of the source"));
        add("switch.compare-before", Side::Target,
            cwText("core", "Compare, while writes go on, what changed since the last comparison"));
        add("switch.hold", Side::Source,
            cwText("core", "Hold writes; the server lets go by itself if this ends"),
            {QStringLiteral("FLUSH TABLES WITH READ LOCK")});
        add("switch.drain", Side::Target, cwText("core", "Apply everything up to the last write"));
        add("switch.compare", Side::Target,
            cwText("core", "Compare the rows changed since the last comparison"));
        add("switch.seal", Side::Source, cwText("core", "Close the source for good"));
    }
    add("switch.objects", Side::Target, cwText("core", "Counters and triggers of the target"));
    if (!settings.onSwitched.isEmpty()) {
        add("switch.hook", std::nullopt, cwText("core", "Run the hook command"),
            {settings.onSwitched});
    }
    add("switch.lead", Side::Target,
        cwText("core", "Write down that the target leads: from here on there is no undo"));
    add("complete.open", Side::Target, cwText("core", "Open the target: it takes writes"));
    if (settings.hasWayBack()) {
        add("complete.arm", Side::Source,
            cwText("core", "Start the stream back: the old source follows"));
    }
    add("plan.finish", std::nullopt,
        cwText("core", "When you say so: detach, and remove Causeway's state from both servers"),
        {QStringLiteral("DROP DATABASE `_causeway`")});
    return out;
}

} // namespace causeway
