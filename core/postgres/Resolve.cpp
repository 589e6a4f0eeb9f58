#include "postgres/Resolve.h"

#include "base/Stop.h"

#include <netdb.h>
#include <sys/socket.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace causeway::postgres {

namespace {

struct Lookup {
    std::mutex mutex;
    std::condition_variable_any done;
    bool finished = false;
    QStringList addresses;
    QString words;
};

void run(const QByteArray &host, Lookup &lookup)
{
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *list = nullptr;
    const int code = ::getaddrinfo(host.constData(), nullptr, &hints, &list);
    QStringList found;
    for (const addrinfo *a = list; a; a = a->ai_next) {
        char text[NI_MAXHOST];
        if (::getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0,
                          NI_NUMERICHOST) == 0)
            found << QString::fromLatin1(text);
    }
    if (list)
        ::freeaddrinfo(list);
    found.removeDuplicates();
    const std::lock_guard lock(lookup.mutex);
    lookup.addresses = found;
    if (code != 0)
        lookup.words = QString::fromLocal8Bit(::gai_strerror(code));
    lookup.finished = true;
    lookup.done.notify_all();
}

} // namespace

Result<QStringList> resolve(const QString &host, std::chrono::steady_clock::time_point deadline,
                            std::stop_token stop)
{
    const auto lookup = std::make_shared<Lookup>();
    std::thread([lookup, name = host.toUtf8()] { run(name, *lookup); }).detach();
    std::unique_lock lock(lookup->mutex);
    const bool finished =
        lookup->done.wait_until(lock, stop, deadline, [&] { return lookup->finished; });
    if (stop.stop_requested())
        return fail(cancelledError());
    if (finished && !lookup->addresses.isEmpty())
        return lookup->addresses;
    Error e;
    e.code = ErrorCode::Connect;
    e.id = QStringLiteral("resolve");
    e.object = host;
    e.serverWords = lookup->words;
    e.message = cwText("core", "The name \"%1\" could not be resolved.", host);
    return fail(std::move(e));
}

} // namespace causeway::postgres
