#include "mysql/ConnectionTest.h"

#include "base/Stop.h"
#include "mysql/Connect.h"
#include "mysql/Errors.h"
#include "mysql/Parts.h"

#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace causeway::mysql {

namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
public:
    explicit Descriptor(int fd) : m_fd(fd) {}
    Descriptor(Descriptor &&o) noexcept : m_fd(std::exchange(o.m_fd, -1)) {}
    Descriptor &operator=(Descriptor &&) = delete;
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    ~Descriptor()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }
    [[nodiscard]] int get() const { return m_fd; }

private:
    int m_fd;
};

/// Waits on a socket until it is ready, the time is up, or a stop is requested.
class Waiter {
public:
    explicit Waiter(std::stop_token stop)
        : m_wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), m_stop(stop),
          m_onStop(std::move(stop), Wake{m_wake.get()})
    {
    }
    /// False when the time is up; Error{Cancelled} when stopped.
    Result<bool> wait(int fd, short events, Clock::time_point until)
    {
        pollfd fds[2] = {{fd, events, 0}, {m_wake.get(), POLLIN, 0}};
        for (;;) {
            if (m_stop.stop_requested())
                return fail(cancelledError());
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
            if (left.count() <= 0)
                return false;
            const int n = ::poll(fds, 2, static_cast<int>(left.count()));
            if (n > 0 && fds[0].revents != 0)
                return true;
        }
    }

private:
    struct Wake {
        int fd;
        void operator()() const
        {
            const std::uint64_t one = 1;
            [[maybe_unused]] const ssize_t n = ::write(fd, &one, sizeof one);
        }
    };
    Descriptor m_wake;
    std::stop_token m_stop;
    std::stop_callback<Wake> m_onStop;
};

Error reachError(const Address &a, int systemError)
{
    return nameError(2003, {},
                     QStringLiteral("%1 (%2)")
                         .arg(QString::fromLocal8Bit(std::strerror(systemError)))
                         .arg(systemError),
                     a, QStringLiteral("connect"));
}

Result<Descriptor> connectTo(const Address &a, const QString &address, Waiter &waiter,
                             Clock::time_point until)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo *info = nullptr;
    if (::getaddrinfo(address.toLatin1().constData(), QByteArray::number(a.port).constData(),
                      &hints, &info) != 0)
        return fail(reachError(a, EADDRNOTAVAIL));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(info, &::freeaddrinfo);
    Descriptor fd(::socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (fd.get() < 0)
        return fail(reachError(a, errno));
    if (::connect(fd.get(), info->ai_addr, info->ai_addrlen) != 0 && errno != EINPROGRESS)
        return fail(reachError(a, errno));
    CW_TRY_ASSIGN(const bool ready, waiter.wait(fd.get(), POLLOUT, until));
    if (!ready)
        return fail(connectTimeout(a, {address}));
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0)
        return fail(reachError(a, error));
    return fd;
}

Error notMySql(const Address &a)
{
    Error e;
    e.code = ErrorCode::Connect;
    e.id = QStringLiteral("mysql-not-a-mysql-server");
    e.object = a.display();
    e.message =
        cwText("core", "What listens at %1 does not speak as MySQL or MariaDB does.", a.display());
    e.fix = cwText("core", "Check the port: MySQL has 3306 by default, its X protocol 33060, "
                           "PostgreSQL 5432.");
    return e;
}

/// The server speaks first: a packet with protocol version 10 and its version, or an error.
Result<QString> readGreeting(const Address &a, int fd, Waiter &waiter, Clock::time_point until)
{
    QByteArray bytes;
    for (;;) {
        CW_TRY_ASSIGN(const bool ready, waiter.wait(fd, POLLIN, until));
        if (!ready)
            return fail(notMySql(a)); // silent: waits for us to speak, as others do
        char part[512];
        const ssize_t n = ::read(fd, part, sizeof part);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n <= 0)
            return fail(nameError(2013, {}, {}, a, QStringLiteral("connect")));
        bytes.append(part, static_cast<int>(n));
        if (bytes.size() < 5)
            continue;
        const auto kind = static_cast<unsigned char>(bytes[4]);
        if (kind == 0xff)
            return QString(); // refused: signing in says by what
        if (kind != 10 || bytes[3] != 0)
            return fail(notMySql(a));
        const qsizetype end = bytes.indexOf('\0', 5);
        if (end >= 0)
            return QString::fromLatin1(bytes.mid(5, end - 5));
        if (bytes.size() > 4096)
            return fail(notMySql(a));
    }
}

/// Reaches a TCP port of the host and hears a server there; its version text.
Result<QString> reach(const Address &a, const QStringList &addresses, std::stop_token stop)
{
    Waiter waiter(std::move(stop));
    const auto until = Clock::now() + a.connectTimeout;
    Error last = connectTimeout(a, addresses);
    for (qsizetype i = 0; i < addresses.size(); ++i) {
        // One silent address leaves time for the others.
        const auto share = (until - Clock::now()) / (addresses.size() - i);
        auto fd = connectTo(a, addresses[i], waiter, Clock::now() + share);
        if (fd)
            return readGreeting(a, fd->get(), waiter, until);
        if (fd.error().code == ErrorCode::Cancelled)
            return fail(fd.error());
        last = fd.error();
    }
    return fail(last);
}

bool isTlsError(const Error &e)
{
    return e.id.startsWith(QLatin1String("mysql-tls")) || e.id.startsWith(QLatin1String("tls-"));
}

/// What the account sees: sizes for the plan, and whether the database named is there.
Status look(Session &s, ConnectionProbe &out, std::stop_token stop)
{
    CW_TRY_ASSIGN(out.facts, readFacts(s, stop));
    CW_TRY_ASSIGN(out.schemas, readSchemaNames(s, stop));
    const QString scope =
        s.address().database.isEmpty()
            ? QStringLiteral("NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema', "
                             "'_causeway')")
            : QStringLiteral("= ") + quoteText(s.address().database);
    CW_TRY_ASSIGN(const ResultSet size,
                  s.query(QStringLiteral("SELECT COUNT(*), COALESCE(SUM(data_length + "
                                         "index_length), 0) FROM information_schema.tables WHERE "
                                         "table_type = 'BASE TABLE' AND table_schema ") +
                              scope,
                          stop));
    out.tables = size.text(0, std::size_t(0)).toInt();
    out.dataBytes = size.text(0, 1).toLongLong();
    CW_TRY_ASSIGN(
        const ResultSet keys,
        s.query(QStringLiteral("SELECT COUNT(*) FROM information_schema.referential_constraints "
                               "WHERE constraint_schema ") +
                    scope,
                stop));
    out.foreignKeys = keys.text(0, std::size_t(0)).toInt();
    return {};
}

} // namespace

ConnectionProbe probe(const Address &a, const std::function<void(const ProbeStep &)> &onStep,
                      std::stop_token stop)
{
    ConnectionProbe out;
    const auto step = [&](ProbeStage stage, Text detail) {
        out.steps.push_back({stage, true, std::move(detail)});
        onStep(out.steps.back());
    };
    const auto failed = [&](ProbeStage stage, const Error &e) {
        out.steps.push_back({stage, false, e.message});
        out.error = e;
        onStep(out.steps.back());
        return out;
    };

    if (a.socket.isEmpty()) {
        const auto addresses = resolveHost(a, stop);
        if (!addresses)
            return failed(ProbeStage::Resolve, addresses.error());
        step(ProbeStage::Resolve,
             cwText("core", "%1 is %2.", a.host, addresses->join(QStringLiteral(", "))));
        const auto version = reach(a, *addresses, stop);
        if (!version)
            return failed(ProbeStage::Tcp, version.error());
        step(ProbeStage::Tcp, version->isEmpty()
                                  ? cwText("core", "Port %1 answers.", a.port)
                                  : cwText("core", "Port %1 answers: %2.", a.port, *version));
    } else {
        step(ProbeStage::Resolve, cwText("core", "Unix socket %1.", a.socket));
    }

    const auto session = Session::open(a, Use::Control, stop);
    if (!session) {
        const Error &e = session.error();
        if (isTlsError(e))
            return failed(ProbeStage::Tls, e);
        if (!a.socket.isEmpty() && e.id == QLatin1String("mysql-socket"))
            return failed(ProbeStage::Tcp, e);
        return failed(ProbeStage::SignIn, e);
    }
    if (!a.socket.isEmpty())
        step(ProbeStage::Tcp, cwText("core", "The socket answers."));
    const Status looked = look(**session, out, stop);
    const QString cipher = out.facts.tlsCipher;
    step(ProbeStage::Tls, cipher.isEmpty()
                              ? cwText("core", "The connection is not encrypted.")
                              : cwText("core", "%1, %2.", out.facts.tlsVersion, cipher));
    step(ProbeStage::SignIn,
         cwText("core", "Signed in as %1 to %2 %3.", a.user, out.facts.product, out.facts.version));
    if (!looked)
        return failed(ProbeStage::Grants, looked.error());
    if (!a.database.isEmpty() && !out.schemas.contains(a.database)) {
        step(ProbeStage::Grants,
             cwText("core", "The database `%1` does not exist, or this account may not see it.",
                    a.database));
    } else {
        step(ProbeStage::Grants,
             cwText("core", "Databases: %1, tables: %2.", out.schemas.size(), out.tables));
    }
    return out;
}

} // namespace causeway::mysql
