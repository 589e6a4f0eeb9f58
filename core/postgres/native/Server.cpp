#include "postgres/native/Server.h"

namespace causeway::postgres {

Server::Server(Side side, Address address, Names names)
    : m_side(side), m_address(std::move(address)), m_names(std::move(names))
{
}

Result<std::unique_ptr<Session>> Server::another(std::stop_token stop)
{
    CW_TRY_ASSIGN(auto session, Session::open(m_address, stop));
    // A closed database is read only by default, for everybody else. A session that holds a lock
    // must not outlive its computer by more than seconds: nobody tells the server that it is gone.
    CW_TRY(session->exec(QStringLiteral("SET default_transaction_read_only = off; "
                                        "SET synchronous_commit = on; "
                                        "SET tcp_keepalives_idle = 5; "
                                        "SET tcp_keepalives_interval = 2; "
                                        "SET tcp_keepalives_count = 3"),
                         stop));
    // Event triggers of the owner (a log of schema changes, mostly) would act on what is ours, and
    // leave rows on one side that the other never gets. Where the account may not say so, they do.
    CW_TRY(session->exec(
        QStringLiteral("SELECT pg_catalog.set_config('session_replication_role', 'replica', false) "
                       "WHERE %1")
            .arg(session->version() >= 150000
                     ? QStringLiteral("pg_catalog.has_parameter_privilege("
                                      "'session_replication_role', 'SET')")
                     : QStringLiteral("(SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = "
                                      "current_user)")),
        stop));
    return session;
}

Result<Session *> Server::session(std::stop_token stop)
{
    if (m_session && m_session->isDead())
        dropSession();
    if (!m_session) {
        CW_TRY_ASSIGN(m_session, another(stop));
        m_recorded = false;
    }
    return m_session.get();
}

Result<int> Server::version(std::stop_token stop)
{
    CW_TRY_ASSIGN(const Session *const s, session(std::move(stop)));
    return s->version();
}

Result<ResultSet> Server::query(const QString &sql, std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    return s->query(sql, stop);
}

void Server::dropSession()
{
    m_session.reset();
    m_recorded = false;
}

} // namespace causeway::postgres
