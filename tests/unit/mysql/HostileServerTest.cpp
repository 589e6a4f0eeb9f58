// A server that asks for files of the client, as LOAD DATA LOCAL allows it to.

#include "mysql/Session.h"

#include <QTemporaryFile>
#include <QtTest>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

using namespace causeway;
using namespace causeway::mysql;

namespace {

/// Lets anybody in, answers `quiet` statements with success and every other with the request for a
/// file, and keeps all that it is sent.
class HostileServer {
public:
    HostileServer(QByteArray file, int quiet) : m_file(std::move(file)), m_quiet(quiet)
    {
        m_thread = std::thread([this] { serve(); });
        while (m_port == 0)
            std::this_thread::yield();
    }
    ~HostileServer() { m_thread.join(); }
    HostileServer(const HostileServer &) = delete;
    HostileServer &operator=(const HostileServer &) = delete;

    [[nodiscard]] quint16 port() const { return m_port; }
    [[nodiscard]] int asked() const { return m_asked; }
    /// Once the client has gone.
    QByteArray received()
    {
        m_thread.join();
        m_thread = std::thread([] {});
        return m_received;
    }

private:
    static void send(int s, int sequence, const QByteArray &body)
    {
        QByteArray head(4, '\0');
        head[0] = static_cast<char>(body.size() & 0xff);
        head[1] = static_cast<char>(body.size() >> 8);
        head[3] = static_cast<char>(sequence);
        const QByteArray packet = head + body;
        ::send(s, packet.constData(), static_cast<std::size_t>(packet.size()), MSG_NOSIGNAL);
    }
    static bool take(int s, QByteArray &to, int n)
    {
        to.resize(n);
        return n == 0 ||
               ::recv(s, to.data(), static_cast<std::size_t>(n), MSG_WAITALL) == ssize_t(n);
    }
    bool read(int s, int &sequence, QByteArray &body)
    {
        QByteArray head;
        if (!take(s, head, 4))
            return false;
        const auto byte = [&](int i) { return static_cast<int>(static_cast<quint8>(head[i])); };
        sequence = byte(3);
        if (!take(s, body, byte(0) | byte(1) << 8 | byte(2) << 16))
            return false;
        m_received += body;
        return true;
    }
    void serve()
    {
        const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof here;
        ::bind(listening, reinterpret_cast<sockaddr *>(&here), size);
        ::listen(listening, 1);
        ::getsockname(listening, reinterpret_cast<sockaddr *>(&here), &size);
        m_port = ntohs(here.sin_port);
        const int s = ::accept(listening, nullptr, nullptr);
        ::close(listening);
        talk(s);
        ::close(s);
    }
    void talk(int s)
    {
        QByteArray hello("\x0a"
                         "8.0.36\0"
                         "\x01\0\0\0"
                         "abcdefgh\0",
                         21);
        hello += QByteArray("\x89\xa2\x2d\x02\0\x0b\0\x15", 8); // LOCAL_FILES among them
        hello += QByteArray(10, '\0') + QByteArray("abcdefghijkl\0", 13);
        hello += QByteArray("mysql_native_password\0", 22);
        send(s, 0, hello);
        const QByteArray success("\0\0\0\x02\0\0\0", 7);
        int sequence = 0;
        QByteArray body;
        if (!read(s, sequence, body))
            return;
        send(s, sequence + 1, success);
        while (read(s, sequence, body)) {
            if (body.startsWith('\x01')) // COM_QUIT
                return;
            if (m_quiet-- > 0) {
                send(s, sequence + 1, success);
                continue;
            }
            ++m_asked;
            send(s, sequence + 1, '\xfb' + m_file);
            do { // the file's bytes end with an empty packet
                if (!read(s, sequence, body))
                    return;
            } while (!body.isEmpty());
            send(s, sequence + 1, success);
        }
    }

    QByteArray m_file;
    int m_quiet;
    std::atomic<quint16> m_port{0};
    std::atomic<int> m_asked{0};
    QByteArray m_received;
    std::thread m_thread;
};

} // namespace

class HostileServerTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void getsNoFile_data()
    {
        QTest::addColumn<int>("use");
        QTest::addColumn<int>("quiet");
        for (const int quiet : {0, 1}) {
            const QByteArray when = quiet == 0 ? " at once" : " later";
            QTest::addRow("Control%s", when.constData()) << static_cast<int>(Use::Control) << quiet;
            QTest::addRow("Data%s", when.constData()) << static_cast<int>(Use::Data) << quiet;
            QTest::addRow("Load%s", when.constData()) << static_cast<int>(Use::Load) << quiet;
            QTest::addRow("Dump%s", when.constData()) << static_cast<int>(Use::Dump) << quiet;
        }
    }

    void getsNoFile()
    {
        QFETCH(const int, use);
        QFETCH(const int, quiet);
        const QByteArray secret("nobody but me may read this");
        QTemporaryFile file;
        QVERIFY(file.open());
        file.write(secret);
        file.close();
        HostileServer server(file.fileName().toUtf8(), quiet);
        Address address;
        address.host = QStringLiteral("127.0.0.1");
        address.port = server.port();
        address.user = QStringLiteral("me");
        {
            const auto session = Session::open(address, static_cast<Use>(use), {});
            for (int i = 0; session && i < 2; ++i)
                (void)(*session)->exec(QStringLiteral("DO 0"));
        }
        const QByteArray received = server.received();
        QVERIFY(server.asked() > 0);
        QVERIFY(!received.contains(secret));
    }
};

QTEST_GUILESS_MAIN(HostileServerTest)
#include "HostileServerTest.moc"
