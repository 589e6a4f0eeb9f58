#include "postgres/SchemaParts.h"

#include <QHash>

#include <algorithm>

namespace causeway::postgres {

namespace {

/// What exists only with the object that it belongs to, and is of no use without it.
bool isAttached(const QString &type)
{
    static const QStringList types{
        QStringLiteral("CONSTRAINT"),    QStringLiteral("CHECK CONSTRAINT"),
        QStringLiteral("FK CONSTRAINT"), QStringLiteral("INDEX"),
        QStringLiteral("INDEX ATTACH"),  QStringLiteral("TABLE ATTACH"),
        QStringLiteral("DEFAULT"),       QStringLiteral("TRIGGER"),
        QStringLiteral("RULE"),          QStringLiteral("POLICY"),
        QStringLiteral("ROW SECURITY"),  QStringLiteral("SEQUENCE OWNED BY"),
        QStringLiteral("STATISTICS"),    QStringLiteral("COMMENT"),
        QStringLiteral("ACL"),           QStringLiteral("SECURITY LABEL"),
        QStringLiteral("CAST"),          QStringLiteral("TRANSFORM")};
    return types.contains(type);
}

SchemaPhase phaseOfType(const SchemaEntry &e)
{
    const QString &t = e.type;
    const bool identifies = e.sql.contains(QLatin1String(" REPLICA IDENTITY USING INDEX "));
    if (t == QLatin1String("CONSTRAINT"))
        return identifies || e.sql.contains(QLatin1String(" PRIMARY KEY (")) ? SchemaPhase::Before
                                                                             : SchemaPhase::Indexes;
    if (t == QLatin1String("INDEX"))
        return identifies ? SchemaPhase::Before : SchemaPhase::Indexes;
    if (t == QLatin1String("CHECK CONSTRAINT") || t == QLatin1String("STATISTICS"))
        return SchemaPhase::Constraints;
    if (t == QLatin1String("FK CONSTRAINT"))
        return SchemaPhase::ForeignKeys;
    if (t == QLatin1String("TRIGGER") || t == QLatin1String("RULE") ||
        t == QLatin1String("POLICY") || t == QLatin1String("ROW SECURITY"))
        return SchemaPhase::Triggers;
    if (t == QLatin1String("ACL") || t == QLatin1String("DEFAULT ACL") ||
        t == QLatin1String("EVENT TRIGGER") || t == QLatin1String("SECURITY LABEL"))
        return SchemaPhase::Last;
    return SchemaPhase::Before;
}

/// The same of an entry: also the sequence of a column.
bool isPart(const SchemaEntry &e)
{
    return e.ownedSequence || isAttached(e.type);
}

class ById {
public:
    explicit ById(std::vector<SchemaEntry> &entries)
    {
        for (std::size_t i = 0; i < entries.size(); ++i)
            m_index.insert(entries[i].id, i);
        m_entries = &entries;
    }
    [[nodiscard]] SchemaEntry *find(int id) const
    {
        const auto it = m_index.constFind(id);
        return it == m_index.cend() ? nullptr : &(*m_entries)[*it];
    }
    [[nodiscard]] std::size_t indexOf(int id) const { return m_index.value(id, SIZE_MAX); }

private:
    QHash<int, std::size_t> m_index;
    std::vector<SchemaEntry> *m_entries;
};

} // namespace

bool isRelation(const SchemaEntry &e)
{
    static const QStringList types{QStringLiteral("TABLE"), QStringLiteral("FOREIGN TABLE"),
                                   QStringLiteral("VIEW"), QStringLiteral("MATERIALIZED VIEW"),
                                   QStringLiteral("SEQUENCE")};
    return types.contains(e.type);
}

void assignTables(std::vector<SchemaEntry> &entries)
{
    const ById byId(entries);
    for (SchemaEntry &e : entries) {
        if (isRelation(e)) {
            e.table = {e.schema, e.name};
            e.ownedSequence =
                e.type == QLatin1String("SEQUENCE") &&
                std::any_of(e.dependencies.begin(), e.dependencies.end(), [&](int id) {
                    const SchemaEntry *on = byId.find(id);
                    return on && on->type == QLatin1String("TABLE");
                });
            continue;
        }
        if (!isAttached(e.type))
            continue;
        // What belongs to a table is named "TABLE NAME", which says nothing where names hold
        // blanks: of the tables that it depends on, the one that its name begins with.
        for (const int id : e.dependencies) {
            const SchemaEntry *on = byId.find(id);
            if (!on || !isRelation(*on) || on->schema != e.schema)
                continue;
            const bool named = e.name == on->name || e.name.startsWith(on->name + QLatin1Char(' '));
            if (named || e.table.name.isEmpty())
                e.table = {on->schema, on->name};
            if (named)
                break;
        }
    }
    // Indexes' and constraints' own dependents: comments, INDEX ATTACH.
    for (SchemaEntry &e : entries) {
        if (!e.table.name.isEmpty() || !isAttached(e.type))
            continue;
        for (const int id : e.dependencies) {
            const SchemaEntry *on = byId.find(id);
            if (on && !on->table.name.isEmpty()) {
                e.table = on->table;
                break;
            }
        }
    }
}

/// Nothing can be made before what it depends on: a view grouped by a primary key, the comment of
/// an index, a partition's index that is attached.
void assignPhases(std::vector<SchemaEntry> &entries)
{
    const ById byId(entries);
    for (SchemaEntry &e : entries)
        e.phase = phaseOfType(e);
    for (bool changed = true; changed;) {
        changed = false;
        for (SchemaEntry &e : entries) {
            for (const int id : e.dependencies) {
                const SchemaEntry *on = byId.find(id);
                if (!on || on->phase <= e.phase)
                    continue;
                e.phase = on->phase;
                changed = true;
            }
        }
    }
    // Not beside the indexes that they tie together, which are built side by side.
    for (SchemaEntry &e : entries) {
        if (e.type == QLatin1String("INDEX ATTACH") && e.phase == SchemaPhase::Indexes)
            e.phase = SchemaPhase::Constraints;
    }
}

std::vector<std::pair<QString, Text>> applySelection(std::vector<SchemaEntry> &entries,
                                                     const Selection &selection)
{
    std::vector<std::pair<QString, Text>> leftOut;
    if (selection.schemas.isEmpty() && selection.patterns.isEmpty())
        return leftOut;
    const ById byId(entries);
    const bool whole = selection.wholeSchemas();
    enum class Take { No, Yes, Needed };
    std::vector<Take> take(entries.size(), Take::No);

    QHash<TableName, std::size_t> relations;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (isRelation(entries[i]))
            relations.insert({entries[i].schema, entries[i].name}, i);
    }

    // Tables that are partitions go with the table that they are part of.
    QHash<int, int> parent;
    for (const SchemaEntry &e : entries) {
        if (e.type != QLatin1String("TABLE ATTACH"))
            continue;
        int part = 0, root = 0;
        for (const int id : e.dependencies) {
            const SchemaEntry *on = byId.find(id);
            if (!on || on->type != QLatin1String("TABLE"))
                continue;
            (on->name == e.name && on->schema == e.schema ? part : root) = id;
        }
        if (part != 0 && root != 0)
            parent.insert(part, root);
    }
    const auto tableMatches = [&](const SchemaEntry &e) {
        const SchemaEntry *root = &e;
        for (int guard = 0; guard < 100 && parent.contains(root->id); ++guard)
            root = byId.find(parent.value(root->id));
        return selection.matches({root->schema, root->name});
    };
    const auto inSchemas = [&](const QString &schema) {
        return selection.schemas.isEmpty() || selection.schemas.contains(schema);
    };
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const SchemaEntry &e = entries[i];
        bool in = false;
        if (e.type == QLatin1String("TABLE") || e.type == QLatin1String("FOREIGN TABLE"))
            in = tableMatches(e);
        else if (isRelation(e))
            in = !isPart(e) && selection.matches({e.schema, e.name});
        else if (e.type == QLatin1String("SCHEMA"))
            in = whole && inSchemas(e.name);
        else if (!isPart(e))
            in = whole && (e.schema.isEmpty() ? selection.schemas.isEmpty() : inSchemas(e.schema));
        if (in)
            take[i] = Take::Yes;
    }

    // What a taken object needs comes along, but never a table that was not chosen: its rows would
    // not come with it.
    const auto forbidden = [&](const SchemaEntry &e) {
        return (e.type == QLatin1String("TABLE") || e.type == QLatin1String("FOREIGN TABLE")) &&
               !tableMatches(e);
    };
    for (bool changed = true; changed;) {
        changed = false;
        // Attached objects of taken ones, where everything they need may come.
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const SchemaEntry &e = entries[i];
            if (take[i] != Take::No || !isPart(e))
                continue;
            const bool ofTaken =
                std::any_of(e.dependencies.begin(), e.dependencies.end(), [&](int id) {
                    const std::size_t on = byId.indexOf(id);
                    return on != SIZE_MAX && take[on] != Take::No;
                });
            bool ownTaken = true;
            if (!isRelation(e) && !e.table.name.isEmpty()) {
                const std::size_t own = relations.value(e.table, SIZE_MAX);
                ownTaken = own != SIZE_MAX && take[own] != Take::No;
            }
            if (ofTaken && ownTaken) {
                take[i] = Take::Yes;
                changed = true;
            }
        }
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (take[i] == Take::No)
                continue;
            for (const int id : entries[i].dependencies) {
                const std::size_t on = byId.indexOf(id);
                if (on == SIZE_MAX || take[on] != Take::No || forbidden(entries[on]))
                    continue;
                take[on] = Take::Needed;
                changed = true;
            }
        }
    }
    // Without what may not come, neither what needs it.
    std::vector<bool> keep(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i)
        keep[i] = take[i] != Take::No;
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (!keep[i])
                continue;
            for (const int id : entries[i].dependencies) {
                const std::size_t on = byId.indexOf(id);
                if (on == SIZE_MAX || keep[on])
                    continue;
                keep[i] = false;
                changed = true;
                leftOut.emplace_back(
                    entries[i].key(),
                    cwText("core", "It needs %1, which is not selected.", entries[on].key()));
                break;
            }
        }
    }
    std::vector<SchemaEntry> kept;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (keep[i])
            kept.push_back(std::move(entries[i]));
    }
    entries = std::move(kept);
    return leftOut;
}

void makeKeysUnique(std::vector<SchemaEntry> &entries)
{
    QHash<QString, int> seen;
    for (SchemaEntry &e : entries) {
        const int n = ++seen[e.key()];
        if (n > 1)
            e.name += QStringLiteral(" (%1)").arg(n);
    }
}

} // namespace causeway::postgres
