#include "postgres/native/Carry.h"

#include "postgres/native/Silence.h"

#include <algorithm>
#include <map>

namespace causeway::postgres {

namespace {
constexpr qint64 kPiece = 4'000'000; ///< of a large object, in one statement

/// Columns that are written, in order; generated ones are computed on the other side too.
Result<QString> columnsOf(Session &session, const ScopeTable &table, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto rows,
                  session.query(QStringLiteral("SELECT attname FROM pg_catalog.pg_attribute WHERE "
                                               "attrelid = %1 AND attnum > 0 AND NOT attisdropped "
                                               "AND attgenerated = '' ORDER BY attnum")
                                    .arg(table.oid),
                                std::move(stop)));
    QStringList out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        out << quoteId(rows.text(i, 0));
    return out.join(QStringLiteral(", "));
}

/// Number and digest of each, without reading pages that only a superuser may see.
Result<std::map<qint64, QString>> digests(Server &server, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto rows,
                  server.query(QStringLiteral("SELECT oid, pg_catalog.md5(pg_catalog.lo_get(oid)) "
                                              "FROM pg_catalog.pg_largeobject_metadata"),
                               std::move(stop)));
    std::map<qint64, QString> out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        out.emplace(rows.text(i, 0).toLongLong(), rows.text(i, 1));
    return out;
}

Status carryOne(Server &leader, Server &follower, Session &to, qint64 oid, std::stop_token stop)
{
    CW_TRY(to.exec(QStringLiteral("BEGIN READ WRITE"), stop));
    CW_TRY(follower.proveIn(to, stop));
    CW_TRY(to.exec(QStringLiteral("SELECT pg_catalog.lo_unlink(oid) FROM "
                                  "pg_catalog.pg_largeobject_metadata WHERE oid = %1; SELECT "
                                  "pg_catalog.lo_create(%1)")
                       .arg(oid),
                   stop));
    for (qint64 offset = 0;; offset += kPiece) {
        CW_TRY_ASSIGN(const auto piece,
                      leader.query(QStringLiteral("SELECT pg_catalog.lo_get(%1, %2, %3)")
                                       .arg(oid)
                                       .arg(offset)
                                       .arg(kPiece),
                                   stop));
        const QString hex = piece.text(0, 0); // \x...
        if (hex.size() > 2) {
            CW_TRY(to.queryWith(
                QStringLiteral("SELECT pg_catalog.lo_put(%1, %2, $1)").arg(oid).arg(offset), {hex},
                stop));
        }
        if ((hex.size() - 2) / 2 < kPiece)
            break;
    }
    // Whose it is and who may read it, as far as those roles exist here.
    CW_TRY_ASSIGN(
        const auto rights,
        leader.query(
            QStringLiteral(
                "SELECT pg_catalog.pg_get_userbyid(m.lomowner), CASE WHEN a.grantee = 0 THEN '' "
                "ELSE pg_catalog.pg_get_userbyid(a.grantee) END, a.privilege_type FROM "
                "pg_catalog.pg_largeobject_metadata m LEFT JOIN LATERAL "
                "pg_catalog.aclexplode(m.lomacl) a ON a.grantee <> m.lomowner WHERE m.oid = %1")
                .arg(oid),
            stop));
    for (std::size_t i = 0; i < rights.rows.size(); ++i) {
        QStringList sql;
        if (!rights.isNull(i, 2)) {
            sql << QStringLiteral("GRANT %1 ON LARGE OBJECT %2 TO %3")
                       .arg(rights.text(i, 2))
                       .arg(oid)
                       .arg(rights.text(i, 1).isEmpty() ? QStringLiteral("PUBLIC")
                                                        : quoteId(rights.text(i, 1)));
        }
        if (i + 1 == rights.rows.size()) {
            sql << QStringLiteral("ALTER LARGE OBJECT %1 OWNER TO %2")
                       .arg(oid)
                       .arg(quoteId(rights.text(0, 0)));
        }
        for (const QString &one : sql) {
            CW_TRY(to.exec(QStringLiteral("DO $do$ BEGIN %1; EXCEPTION WHEN undefined_object OR "
                                          "insufficient_privilege THEN NULL; END $do$")
                               .arg(one),
                           stop));
        }
    }
    return to.exec(QStringLiteral("COMMIT"), stop);
}
} // namespace

bool takesLargeObjects(const Selection &selection)
{
    return selection.schemas.isEmpty() && selection.wholeSchemas();
}

Status refuseForeignLargeObjects(Server &source, Server &target, std::stop_token stop)
{
    const QString count = QStringLiteral("SELECT count(*) FROM pg_catalog.pg_largeobject_metadata");
    CW_TRY_ASSIGN(const auto there, source.query(count, stop));
    CW_TRY_ASSIGN(const auto here, target.query(count, stop));
    if (there.text(0, 0) == QLatin1String("0") || here.text(0, 0) == QLatin1String("0"))
        return {};
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("pg-target-large-objects");
    e.message = cwText("core",
                       "%1 has large objects of its own, whose numbers may be those of the "
                       "source's.",
                       target.display());
    e.fix = cwText("core", "Remove them, or choose what moves with --tables: then no large objects "
                           "are carried.");
    return fail(std::move(e));
}

Result<CarryCount> countCarried(Server &leader, const Scope &scope, bool largeObjects,
                                std::stop_token stop)
{
    CarryCount out;
    for (const ScopeTable &t : scope.tables) {
        if (t.logged || t.partitioned)
            continue;
        ++out.tables;
        out.bytes += t.bytes;
    }
    if (!largeObjects)
        return out;
    CW_TRY_ASSIGN(const auto rows,
                  leader.query(QStringLiteral("SELECT (SELECT count(*) FROM "
                                              "pg_catalog.pg_largeobject_metadata), "
                                              "pg_catalog.pg_table_size('pg_catalog."
                                              "pg_largeobject')"),
                               std::move(stop)));
    out.largeObjects = rows.text(0, 0).toLongLong();
    if (out.largeObjects > 0)
        out.bytes += rows.text(0, 1).toLongLong();
    return out;
}

Status carryUnlogged(Session &holder, Server &follower, const Scope &scope, std::stop_token stop)
{
    const bool any = std::any_of(scope.tables.begin(), scope.tables.end(),
                                 [](const ScopeTable &t) { return !t.logged && !t.partitioned; });
    if (!any)
        return {};
    CW_TRY_ASSIGN(const auto to, follower.another(stop));
    CW_TRY(follower.enlist(*to, stop));
    for (const ScopeTable &t : scope.tables) {
        if (t.logged || t.partitioned)
            continue;
        CW_TRY_ASSIGN(const QString columns, columnsOf(holder, t, stop));
        CW_TRY(to->exec(QStringLiteral("BEGIN READ WRITE"), stop));
        CW_TRY(follower.proveIn(*to, stop));
        CW_TRY(beSilent(*to, t.name, stop));
        CW_TRY(to->exec(QStringLiteral("DELETE FROM ONLY %1").arg(t.quoted()), stop));
        CW_TRY(holder.copyTo(
            QStringLiteral("COPY (SELECT %1 FROM ONLY %2) TO STDOUT").arg(columns, t.quoted()), *to,
            QStringLiteral("COPY %1 (%2) FROM STDIN").arg(t.quoted(), columns), stop));
        CW_TRY(to->exec(QStringLiteral("COMMIT"), stop));
    }
    return {};
}

Status carryLargeObjects(Server &leader, Server &follower, bool mayRemove, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto there, digests(leader, stop));
    CW_TRY_ASSIGN(const auto here, digests(follower, stop));
    if (there.empty() && (here.empty() || !mayRemove))
        return {};
    CW_TRY_ASSIGN(const auto to, follower.another(stop));
    CW_TRY(follower.enlist(*to, stop));
    for (const auto &[oid, digest] : there) {
        const auto it = here.find(oid);
        if (it == here.end() || it->second != digest)
            CW_TRY(carryOne(leader, follower, *to, oid, stop));
    }
    if (!mayRemove)
        return {};
    for (const auto &[oid, digest] : here) {
        if (!there.contains(oid))
            CW_TRY(
                follower.act({QStringLiteral("SELECT pg_catalog.lo_unlink(%1)").arg(oid)}, stop));
    }
    return {};
}

} // namespace causeway::postgres
