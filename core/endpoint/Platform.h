#pragma once

#include <QString>

namespace causeway {

/// Where a server runs, as recognised from the server itself; decides the wording of fixes.
enum class Platform {
    SelfManaged,
    Rds,
    Aurora,
    CloudSql,
    AlloyDb,
    Azure,
    DigitalOcean,
    PlanetScale,
    Vitess,
    Neon,
    Supabase,
    Heroku
};

QString toString(Platform); ///< stable id for JSON: "self-managed", "rds", "aurora", ...
Platform platformFromString(const QString &); ///< inverse; SelfManaged when unknown

/// What a server says of itself. Filled by the engines (core/mysql, core/postgres).
struct ServerFacts {
    QString product;       ///< "MySQL", "MariaDB", "Percona Server", "PostgreSQL"
    QString version;       ///< as the server prints it
    int versionNumber = 0; ///< major*10000 + minor*100 + patch (PostgreSQL: server_version_num)
    bool isMariaDb = false;
    Platform platform = Platform::SelfManaged;
    QString identity; ///< MySQL server_uuid; MariaDB: server_id@hostname:port:datadir; PG system id
    QString tlsVersion, tlsCipher; ///< of our own session; empty = not encrypted
    bool readOnly = false;
    /// Referential actions are in its binlog (MySQL 9.6+ with innodb_native_foreign_keys=OFF): an
    /// applier must not perform them itself.
    bool logsCascades = false;
};

} // namespace causeway
