#include "postgres/native/OutputPlugin.h"

#include <QtEndian>

namespace causeway::postgres {

namespace {

/// Reads what is there; past the end everything is 0, and `cut` says so.
class Reader {
public:
    explicit Reader(const QByteArray &bytes) : m_bytes(bytes) {}

    template <class T> T number()
    {
        if (m_at + static_cast<qsizetype>(sizeof(T)) > m_bytes.size()) {
            m_cut = true;
            return 0;
        }
        const T value = qFromBigEndian<T>(m_bytes.constData() + m_at);
        m_at += static_cast<qsizetype>(sizeof(T));
        return value;
    }
    QString text()
    {
        const qsizetype end = m_bytes.indexOf('\0', m_at);
        if (end < 0) {
            m_cut = true;
            return {};
        }
        const QString out = QString::fromUtf8(m_bytes.mid(m_at, end - m_at));
        m_at = end + 1;
        return out;
    }
    QByteArray bytes(qsizetype size)
    {
        if (size < 0 || m_at + size > m_bytes.size()) {
            m_cut = true;
            return {};
        }
        const QByteArray out = m_bytes.mid(m_at, size);
        m_at += size;
        return out;
    }
    StreamTuple tuple()
    {
        StreamTuple out;
        const auto count = number<quint16>();
        for (quint16 i = 0; i < count && !m_cut; ++i) {
            StreamValue v;
            const auto kind = static_cast<char>(number<quint8>());
            if (kind == 'u') {
                v.kind = StreamValue::Kind::Unchanged;
            } else if (kind == 't') {
                v.kind = StreamValue::Kind::Text;
                v.text = bytes(number<qint32>());
            }
            out.push_back(std::move(v));
        }
        return out;
    }
    [[nodiscard]] bool cut() const { return m_cut; }

private:
    const QByteArray &m_bytes;
    qsizetype m_at = 0;
    bool m_cut = false;
};

} // namespace

Result<StreamChange> decodeMessage(const QByteArray &message,
                                   std::map<quint32, StreamRelation> &relations)
{
    using Kind = StreamChange::Kind;
    Reader r(message);
    StreamChange out;
    switch (static_cast<char>(r.number<quint8>())) {
    case 'B':
        out.kind = Kind::Begin;
        out.commitLsn = r.number<quint64>();
        break;
    case 'C':
        out.kind = Kind::Commit;
        break;
    case 'R': {
        const auto id = r.number<quint32>();
        StreamRelation relation;
        relation.name.schema = r.text();
        relation.name.name = r.text();
        (void)r.number<quint8>(); // kind of replica identity
        const auto count = r.number<quint16>();
        for (quint16 i = 0; i < count && !r.cut(); ++i) {
            StreamColumn c;
            c.key = (r.number<quint8>() & 1U) != 0;
            c.name = r.text();
            (void)r.number<quint32>(); // type; its number differs between servers
            (void)r.number<quint32>();
            relation.columns.push_back(std::move(c));
        }
        relations[id] = std::move(relation);
        break;
    }
    case 'I':
        out.kind = Kind::Insert;
        out.relation = r.number<quint32>();
        (void)r.number<quint8>(); // 'N'
        out.after = r.tuple();
        break;
    case 'U': {
        out.kind = Kind::Update;
        out.relation = r.number<quint32>();
        if (const auto what = static_cast<char>(r.number<quint8>()); what != 'N') {
            out.before = r.tuple();
            (void)r.number<quint8>(); // 'N'
        }
        out.after = r.tuple();
        break;
    }
    case 'D':
        out.kind = Kind::Delete;
        out.relation = r.number<quint32>();
        (void)r.number<quint8>(); // 'K' or 'O'
        out.before = r.tuple();
        break;
    case 'T': {
        out.kind = Kind::Truncate;
        const auto count = r.number<quint32>();
        (void)r.number<quint8>(); // CASCADE, RESTART IDENTITY
        for (quint32 i = 0; i < count && !r.cut(); ++i)
            out.truncated.push_back(r.number<quint32>());
        break;
    }
    default:
        break; // types, origins, messages
    }
    if (r.cut()) {
        return fail(ErrorCode::Internal,
                    cwText("core", "A message of the stream is shorter than it says."),
                    QStringLiteral("pg-stream-message"));
    }
    return out;
}

} // namespace causeway::postgres
