#pragma once

#include "preflight/Check.h"

#include <functional>
#include <memory>
#include <vector>

/// How the engines register their checks: a check is one call of add() in the file of its theme,
/// with what it is and the function that looks. `Context` is what an engine knows of one server.
namespace causeway {

/// What a check's function sees and fills in.
template <class Context> struct CheckLook {
    Context &here;  ///< the side that is looked at; the source for a check of the pair
    Context *other; ///< the other side, null where there is none
    const CheckOptions &options;
    std::stop_token stop;
    Finding out;

    Status pass(Text found) { return set(FindingStatus::Pass, std::move(found)); }
    Status info(Text found) { return set(FindingStatus::Info, std::move(found)); }
    Status warn(Text found) { return set(FindingStatus::Warning, std::move(found)); }
    Status block(Text found) { return set(FindingStatus::Blocker, std::move(found)); }
    Status skip(Text found) { return set(FindingStatus::Skipped, std::move(found)); }
    /// It could not be told, and `out.fix` says what would let it be.
    Status unknown(Text found) { return set(FindingStatus::Unknown, std::move(found)); }

private:
    Status set(FindingStatus status, Text found)
    {
        out.status = status;
        out.found = std::move(found);
        return {};
    }
};

enum class On { Source, Target, Both, Pair };

template <class Context> struct CheckDefinition {
    QString id;
    On on = On::Source;
    Text title{}, needed{}, why{};
    bool blocking = true;     ///< its failure would block
    bool acceptable = false;  ///< and may be waved through
    bool needsTarget = false; ///< of the source, but says something only with a target known
    bool onlyLive = false;    ///< of no matter in mode once, which follows nothing
    bool isProbe = false;
    bool readsRows = false; ///< looks at rows, on request (CheckOptions::data)
    QStringList sql{};
    std::function<Status(CheckLook<Context> &)> look{};
};

template <class Context> struct CheckServers {
    std::shared_ptr<Context> source, target; ///< target may be null
};

template <class Context> class CheckListOf {
public:
    using Definition = CheckDefinition<Context>;

    CheckListOf(CheckServers<Context> servers, CheckOptions options)
        : m_servers(std::move(servers)), m_options(std::move(options))
    {
    }

    void add(const Definition &d)
    {
        const bool haveTarget = m_servers.target != nullptr;
        if ((d.needsTarget || d.on == On::Pair) && !haveTarget)
            return;
        if (d.on == On::Pair) {
            addFor(d, FindingSide::Pair, m_servers.source, m_servers.target);
            return;
        }
        if (d.on != On::Target)
            addFor(d, FindingSide::Source, m_servers.source, m_servers.target);
        if (d.on != On::Source && haveTarget)
            addFor(d, FindingSide::Target, m_servers.target, m_servers.source);
    }
    [[nodiscard]] std::vector<Check> take() { return std::move(m_checks); }

private:
    void addFor(const Definition &d, FindingSide side, const std::shared_ptr<Context> &here,
                const std::shared_ptr<Context> &other)
    {
        Check c;
        c.id = d.id;
        c.side = side;
        c.title = d.title;
        c.why = d.why;
        c.blocking = d.blocking;
        c.acceptable = d.acceptable;
        c.needsTarget = d.needsTarget || side == FindingSide::Pair;
        c.isProbe = d.isProbe;
        c.readsRows = d.readsRows;
        // It ends by itself, and says how far it came.
        if (d.readsRows)
            c.timeout = m_options.data.timeout + std::chrono::seconds(15);
        c.shownSql = d.sql;
        for (QString &sql : c.shownSql)
            sql.replace(QLatin1String("{db}"), here->schemaList());
        c.run = [here, other, options = m_options, look = d.look, needed = d.needed,
                 live = d.onlyLive](std::stop_token stop) -> Result<Finding> {
            CheckLook<Context> l{*here, other.get(), options, std::move(stop), {}};
            l.out.needed = needed;
            if (live && options.once) {
                CW_TRY(l.skip(cwText("core", "Of no matter when the data is copied once.")));
            } else {
                CW_TRY(look(l));
            }
            return std::move(l.out);
        };
        m_checks.push_back(std::move(c));
    }

    CheckServers<Context> m_servers;
    CheckOptions m_options;
    std::vector<Check> m_checks;
};

/// "a, b, c, ... (20)" of many names, for a sentence.
QString someOf(const QStringList &names, int most = 5);

} // namespace causeway
