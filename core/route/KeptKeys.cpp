#include "route/KeptKeys.h"

#include <QDataStream>
#include <QIODevice>

namespace causeway {

namespace {
constexpr std::size_t kMostKept = 50'000;
constexpr qsizetype kMostBytes = 4'000'000; ///< keys can be long texts
constexpr qint32 kForm = 1;
} // namespace

QString KeptKeys::encode() const
{
    if (countOf(keys) > kMostKept)
        return {};
    QByteArray bytes;
    QDataStream out(&bytes, QIODevice::WriteOnly);
    out.setVersion(QDataStream::Qt_6_0);
    out << kForm << qint32(leader == Side::Source ? 0 : 1) << epoch << from.text << applied.text
        << static_cast<qint32>(keys.size());
    for (const auto &[table, rows] : keys) {
        out << table.schema << table.name << static_cast<qint32>(rows.size());
        for (const Row &row : rows) {
            out << static_cast<qint32>(row.size());
            for (const Value &v : row)
                out << (v ? QByteArray(v->data(), static_cast<qsizetype>(v->size()))
                          : QByteArray()); // a null one is told from an empty one
        }
        if (bytes.size() > kMostBytes)
            return {};
    }
    return QString::fromLatin1(qCompress(bytes).toBase64());
}

std::optional<KeptKeys> KeptKeys::decode(const QString &text)
{
    if (text.isEmpty())
        return std::nullopt;
    const QByteArray bytes = qUncompress(QByteArray::fromBase64(text.toLatin1()));
    QDataStream in(bytes);
    in.setVersion(QDataStream::Qt_6_0);
    KeptKeys out;
    qint32 form = 0, side = 0, tables = 0;
    in >> form;
    if (form != kForm)
        return std::nullopt;
    in >> side >> out.epoch >> out.from.text >> out.applied.text >> tables;
    out.leader = side == 0 ? Side::Source : Side::Target;
    for (qint32 t = 0; t < tables && in.status() == QDataStream::Ok; ++t) {
        TableName name;
        qint32 rows = 0;
        in >> name.schema >> name.name >> rows;
        std::set<Row> &ofTable = out.keys[name];
        for (qint32 r = 0; r < rows && in.status() == QDataStream::Ok; ++r) {
            qint32 cells = 0;
            in >> cells;
            Row row;
            for (qint32 c = 0; c < cells && in.status() == QDataStream::Ok; ++c) {
                QByteArray value;
                in >> value;
                row.push_back(value.isNull() ? Value() : Value(value.toStdString()));
            }
            ofTable.insert(std::move(row));
        }
    }
    if (in.status() != QDataStream::Ok)
        return std::nullopt;
    return out;
}

} // namespace causeway
