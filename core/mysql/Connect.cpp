#include "mysql/Connect.h"

#include "base/Stop.h"
#include "mysql/Errors.h"
#include "mysql/Tls.h"

#include <errmsg.h>
#include <mysql.h>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

namespace causeway::mysql {

namespace {

void initLibrary()
{
    static std::once_flag once;
    std::call_once(once, [] {
        // A thread that was left behind may still be connecting when the program ends: it must not
        // find OpenSSL's tables gone.
        OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
        mysql_library_init(0, nullptr, nullptr);
    });
}

/// Work on a thread that may outlive its caller. `T` is what it leaves for the caller.
template <class T> struct Shared {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::optional<T> result;
    bool abandoned = false;
};

/// Runs `work` on a detached thread and waits for its result: nothing where the time is up or a
/// stop was requested; then `discard` gets the result when it comes. What `work` holds must be its
/// own.
template <class T, class Work, class Discard>
std::optional<T> runAbandonable(Work work, Discard discard, std::chrono::milliseconds timeout,
                                std::stop_token stop)
{
    auto shared = std::make_shared<Shared<T>>();
    std::thread([shared, work = std::move(work), discard]() mutable {
        mysql_thread_init();
        T result = work();
        bool unwanted = false;
        {
            const std::lock_guard lock(shared->mutex);
            unwanted = shared->abandoned;
            if (!unwanted)
                shared->result.emplace(std::move(result));
            shared->changed.notify_all();
        }
        if (unwanted)
            discard(result);
        mysql_thread_end();
    }).detach();
    std::unique_lock lock(shared->mutex);
    shared->changed.wait_for(lock, stop, timeout, [&shared] { return shared->result.has_value(); });
    if (!shared->result)
        shared->abandoned = true;
    return std::move(shared->result);
}

int refuseInit(void **state, const char * /*fileName*/, void * /*unused*/)
{
    *state = nullptr;
    return 1;
}

int refuseRead(void * /*state*/, char * /*buffer*/, unsigned int /*size*/)
{
    return -1;
}

void refuseEnd(void * /*state*/) {}

int refuseError(void * /*state*/, char *message, unsigned int size)
{
    qstrncpy(message, "not a file that was offered", size);
    return CR_UNKNOWN_ERROR;
}

void setOptions(MYSQL *m, const Address &a, bool offersLocalData)
{
    const unsigned seconds =
        static_cast<unsigned>(std::max<long long>(1, (a.connectTimeout.count() + 999) / 1000));
    mysql_options(m, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    // "localhost" would silently mean the Unix socket.
    const unsigned protocol = a.socket.isEmpty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
    mysql_options(m, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(m, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    const unsigned localInfile = offersLocalData ? 1 : 0;
    mysql_options(m, MYSQL_OPT_LOCAL_INFILE, &localInfile);
    mysql_options4(m, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "causeway");
    // A bundle brings the sign-in plugins with it (caching_sha2_password is one).
    const QByteArray plugins = qgetenv("CAUSEWAY_MYSQL_PLUGIN_DIR");
    if (!plugins.isEmpty())
        mysql_options(m, MYSQL_PLUGIN_DIR, plugins.constData());
}

struct Attempt {
    MYSQL *handle = nullptr;
    bool connected = false;
};

QString numericAddress(const addrinfo &info)
{
    char text[NI_MAXHOST] = {};
    if (::getnameinfo(info.ai_addr, info.ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) != 0)
        return {};
    return QString::fromLatin1(text);
}

struct Resolved {
    int failure = 0;
    QStringList addresses;
};

Resolved lookUp(const QByteArray &host)
{
    Resolved out;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *list = nullptr;
    out.failure = ::getaddrinfo(host.constData(), nullptr, &hints, &list);
    if (out.failure != 0)
        return out;
    for (const addrinfo *i = list; i; i = i->ai_next) {
        const QString text = numericAddress(*i);
        if (!text.isEmpty() && !out.addresses.contains(text))
            out.addresses << text;
    }
    ::freeaddrinfo(list);
    return out;
}

/// For the message of a time-out, where the time is up already: a short look.
QStringList addressesInBrief(const Address &a)
{
    const auto resolved =
        runAbandonable<Resolved>([host = a.host.toUtf8()] { return lookUp(host); },
                                 [](Resolved &) {}, std::chrono::milliseconds(200), {});
    return resolved ? resolved->addresses : QStringList();
}

/// errno of a plain connect, 0 where it works or takes longer than half a second.
int connectError(const QByteArray &host, quint16 port)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *list = nullptr;
    if (::getaddrinfo(host.constData(), QByteArray::number(port).constData(), &hints, &list) != 0)
        return 0;
    int error = 0;
    for (const addrinfo *i = list; i; i = i->ai_next) {
        const int fd = ::socket(i->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        error = ::connect(fd, i->ai_addr, i->ai_addrlen) == 0 ? 0 : errno;
        pollfd ready{fd, POLLOUT, 0};
        socklen_t size = sizeof error;
        if (error == EINPROGRESS && ::poll(&ready, 1, 500) == 1)
            ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        ::close(fd);
        if (error == EINPROGRESS)
            error = 0;
    }
    ::freeaddrinfo(list);
    return error;
}

/// libmariadb reports a refused or unreachable connection with a stale errno (115, in progress), as
/// it does a time-out. One that came early was no time-out: the true reason is asked again.
Error trueReason(const Address &a, Error e)
{
    const auto error = runAbandonable<int>(
        [host = a.host.toUtf8(), port = a.port] { return connectError(host, port); }, [](int &) {},
        std::chrono::milliseconds(900), {});
    if (!error || *error == 0)
        return e;
    const QString words =
        QStringLiteral("%1 (%2)").arg(QString::fromLocal8Bit(std::strerror(*error))).arg(*error);
    return nameError(static_cast<unsigned>(e.number), e.sqlState, words, a,
                     QStringLiteral("connect"));
}

} // namespace

Result<QStringList> resolveHost(const Address &a, std::stop_token stop)
{
    initLibrary();
    const auto resolved =
        runAbandonable<Resolved>([host = a.host.toUtf8()] { return lookUp(host); },
                                 [](Resolved &) {}, a.connectTimeout, stop);
    if (stop.stop_requested())
        return fail(cancelledError());
    if (!resolved) {
        Error e = nameError(2005, {}, {}, a, QStringLiteral("connect"));
        e.serverWords = QStringLiteral("the name server does not answer");
        return fail(e);
    }
    if (resolved->failure != 0) {
        return fail(nameError(2005, {}, QString::fromLocal8Bit(::gai_strerror(resolved->failure)),
                              a, QStringLiteral("connect")));
    }
    return resolved->addresses;
}

void refuseLocalFiles(MYSQL *m)
{
    mysql_set_local_infile_handler(m, refuseInit, refuseRead, refuseEnd, refuseError, nullptr);
}

Result<MYSQL *> connectHandle(const Address &a, bool offersLocalData, std::stop_token stop)
{
    if (stop.stop_requested())
        return fail(cancelledError());
    initLibrary();
    MYSQL *m = mysql_init(nullptr);
    if (!m)
        return fail(ErrorCode::Internal, cwText("core", "Out of memory."));
    setOptions(m, a, offersLocalData);
    refuseLocalFiles(m);
    if (Status prepared = prepareTls(m, a); !prepared) {
        mysql_close(m);
        return fail(prepared.error());
    }
    // A short grace: the library's own error, where it comes in time, says more than ours.
    const auto started = std::chrono::steady_clock::now();
    const auto patience = a.connectTimeout + std::chrono::milliseconds(250);
    const auto attempt = runAbandonable<Attempt>(
        [m, port = a.port,
         // Given a host as well, libmariadb would use TCP and leave the socket alone.
         host = a.socket.isEmpty() ? a.host.toUtf8() : QByteArray(), user = a.user.toUtf8(),
         password = a.password.reveal(), socket = a.socket.toUtf8()] {
            const auto orNull = [](const QByteArray &text) {
                return text.isEmpty() ? nullptr : text.constData();
            };
            Attempt done{m, false};
            done.connected =
                mysql_real_connect(m, orNull(host), orNull(user), password.constData(), nullptr,
                                   port, orNull(socket),
                                   CLIENT_MULTI_STATEMENTS | CLIENT_MULTI_RESULTS) != nullptr;
            return done;
        },
        [](Attempt &late) { mysql_close(late.handle); }, patience, stop);
    if (!attempt) {
        if (stop.stop_requested())
            return fail(cancelledError());
        return fail(connectTimeout(a, addressesInBrief(a)));
    }
    Status proven;
    if (!attempt->connected) {
        proven = fail(nameError(mysql_errno(m), QString::fromLatin1(mysql_sqlstate(m)),
                                redact(QString::fromUtf8(mysql_error(m))), a,
                                QStringLiteral("connect")));
        if (proven.error().id == QLatin1String("mysql-connect-timeout")) {
            const bool early =
                std::chrono::steady_clock::now() - started < a.connectTimeout * 9 / 10;
            Error e = early ? trueReason(a, proven.error()) : proven.error();
            if (e.id == QLatin1String("mysql-connect-timeout")) {
                Error explained = connectTimeout(a, addressesInBrief(a));
                explained.number = e.number;
                explained.serverWords = e.serverWords;
                e = std::move(explained);
            }
            proven = fail(std::move(e));
        }
    } else {
        proven = proveTls(m, a);
    }
    if (!proven) {
        mysql_close(m);
        return fail(proven.error());
    }
    watchSocket(socketOf(m));
    return m;
}

int socketOf(MYSQL *m)
{
#ifdef MARIADB_PACKAGE_VERSION
    return static_cast<int>(mysql_get_socket(m));
#else
    return static_cast<int>(m->net.fd);
#endif
}

void watchSocket(int socket)
{
    const auto set = [socket](int level, int name, int value) {
        // Fails on a Unix socket, where nothing needs watching.
        ::setsockopt(socket, level, name, &value, sizeof value);
    };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 20);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(IPPROTO_TCP, TCP_KEEPCNT, 4);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000);
}

} // namespace causeway::mysql
