#pragma once

#include "FakeEngine.h"

#include <QDateTime>

/// Hand-made servers, findings and snapshots, as a real migration of a small shop shows them.
namespace causeway::ui::test {

inline Table makeTable(const char *schema, const char *name, qint64 rows, qint64 bytes,
                       bool key = true)
{
    Table t;
    t.name = {QString::fromLatin1(schema), QString::fromLatin1(name)};
    t.engine = QStringLiteral("InnoDB");
    t.rowsEstimate = rows;
    t.dataBytes = bytes;
    Column id;
    id.name = QStringLiteral("id");
    t.columns.push_back(id);
    if (key) {
        Key k;
        k.primary = k.unique = true;
        k.parts.push_back({0, 0, false, {}});
        t.keys.push_back(k);
        t.rowKey = 0;
    }
    return t;
}

inline Finding makeFinding(const char *id, FindingStatus status, const char *title,
                           const char *found = "", const char *needed = "")
{
    Finding f;
    f.id = QString::fromLatin1(id);
    f.status = status;
    f.title = cwText("core", title);
    f.found = cwText("core", found);
    f.needed = cwText("core", needed);
    return f;
}

inline StepRecord makeStep(const char *id, std::optional<Side> side, const char *title,
                           StepState state, const QStringList &sql = {}, qint64 started = 0,
                           qint64 tookMs = 0)
{
    StepRecord s;
    s.id = QString::fromLatin1(id);
    s.side = side;
    s.title = cwText("core", title);
    s.shownSql = sql;
    s.state = state;
    s.startedMs = started;
    s.finishedMs = started > 0 ? started + tookMs : 0;
    return s;
}

inline std::shared_ptr<FakeEngine> sampleEngine()
{
    auto e = std::make_shared<FakeEngine>();
    const char *details[] = {"10.0.3.17", "3306", "TLSv1.3, TLS_AES_256_GCM_SHA384", "causeway@%",
                             "SELECT, RELOAD, REPLICATION SLAVE"};
    for (int i = 0; i < 5; ++i)
        e->connection.stages.push_back(
            {static_cast<ConnectStage>(i), true, cwText("core", details[i])});
    e->connection.facts.product = QStringLiteral("MariaDB");
    e->connection.facts.version = QStringLiteral("10.11.6-MariaDB-log");
    e->connection.facts.tlsVersion = QStringLiteral("TLSv1.3");
    e->connection.facts.tlsCipher = QStringLiteral("TLS_AES_256_GCM_SHA384");
    e->connection.dataBytes = 48'318'382'080;
    e->connection.tables = 23;
    e->connection.foreignKeys = 9;
    e->schemas = {QStringLiteral("billing"), QStringLiteral("shop")};
    e->tables.tables = {makeTable("shop", "customers", 1'204'331, 612'000'000),
                        makeTable("shop", "orders", 18'400'120, 9'100'000'000),
                        makeTable("shop", "log_2024", 90'000'000, 22'000'000'000, false),
                        makeTable("billing", "invoices", 402'000, 310'000'000)};
    e->tables.tables[1].foreignKeys.resize(2);
    SchemaObject view;
    view.kind = ObjectKind::View;
    view.schema = QStringLiteral("shop");
    view.name = QStringLiteral("open_orders");
    e->tables.objects.push_back(view);
    e->back.yes = true;

    Finding gtid = makeFinding("mysql-gtid-mode", FindingStatus::Blocker, "Global transaction ids",
                               "OFF", "ON");
    gtid.why = cwText("core", "Without them the place in the log is a file and an offset, which a "
                              "failover of the source makes void.");
    gtid.fix.text = cwText("core", "Switch them on, one step after the other.");
    gtid.fix.sql = {QStringLiteral("SET PERSIST gtid_mode = OFF_PERMISSIVE"),
                    QStringLiteral("SET PERSIST gtid_mode = ON_PERMISSIVE"),
                    QStringLiteral("SET PERSIST gtid_mode = ON")};
    gtid.fix.privilege = QStringLiteral("SYSTEM_VARIABLES_ADMIN");
    gtid.fix.canApply = true;
    Finding keyless =
        makeFinding("mysql-unique-key", FindingStatus::Blocker, "Every table has a usable key",
                    "1 table has none", "a primary key");
    keyless.acceptable = true;
    keyless.objects = {QStringLiteral("shop.log_2024")};
    Finding unknown = makeFinding("mysql-grants", FindingStatus::Unknown, "Rights of the account",
                                  "SHOW GRANTS timed out", "");
    unknown.blocksMigration = false;
    e->check.sourceAddress = QStringLiteral("db-old.example.net:3306");
    e->check.targetAddress = QStringLiteral("db-new.example.net:3306");
    e->check.findings = {
        makeFinding("mysql-log-bin", FindingStatus::Pass, "The binary log is on", "ON", "ON"),
        gtid,
        keyless,
        makeFinding("mysql-foreign-keys", FindingStatus::Warning, "Foreign keys with cascades",
                    "9 foreign keys", "none"),
        unknown,
        makeFinding("mysql-fence", FindingStatus::Info, "Closing it for writes",
                    "48 tables are closed by triggers, in about 0.3 s", ""),
        makeFinding("mysql-definers", FindingStatus::Skipped, "Definers exist on the target")};
    return e;
}

inline Address sampleAddress(const char *host, const char *database = "")
{
    Address a;
    a.engine = Engine::MariaDb;
    a.host = QString::fromLatin1(host);
    a.port = 3306;
    a.user = QStringLiteral("causeway");
    a.database = QString::fromLatin1(database);
    a.password = Secret(QStringLiteral("correct horse"));
    return a;
}

inline Snapshot sampleSnapshot(Phase phase)
{
    Snapshot s;
    s.phase = phase;
    s.runState = RunState::Running;
    s.route = QStringLiteral("relay");
    s.sourceName = QStringLiteral("db-old.example.net:3306");
    s.targetName = QStringLiteral("db-new.example.net:3306");
    s.atMs = QDateTime::currentMSecsSinceEpoch();
    s.retentionSeconds = 7 * 86'400;
    const bool copied = phase != Phase::Copying;
    const TableState done = phase == Phase::Primary || phase == Phase::Finished
                                ? TableState::Verified
                                : TableState::Following;
    s.tables = {{QStringLiteral("shop.customers"),
                 copied ? done : TableState::Copied,
                 1'204'331,
                 1'204'331,
                 612'000'000,
                 612'000'000,
                 {}},
                {QStringLiteral("shop.orders"),
                 copied ? done : TableState::Copying,
                 copied ? 18'400'120 : 7'720'050,
                 18'400'120,
                 copied ? 9'100'000'000 : 3'822'000'000,
                 9'100'000'000,
                 {}},
                {QStringLiteral("shop.log_2024"),
                 copied ? done : TableState::Waiting,
                 copied ? 90'000'000 : 0,
                 90'000'000,
                 copied ? 22'000'000'000 : 0,
                 22'000'000'000,
                 {}}};
    const qint64 t0 = s.atMs - 3'600'000;
    s.steps = {makeStep("copy.state", Side::Target, "Create Causeway's state", StepState::Done,
                        {QStringLiteral("CREATE DATABASE IF NOT EXISTS `_causeway`")}, t0, 40),
               makeStep("copy.rows", Side::Target, "Copy the rows in chunks by key",
                        copied ? StepState::Done : StepState::Running, {}, t0 + 1'000,
                        copied ? 2'400'000 : 0)};
    switch (phase) {
    case Phase::Copying:
        s.rateRows = 48'000;
        s.rateBytes = 23'600'000;
        s.etaLow = 1'080;
        s.etaHigh = 1'440;
        s.limitedBy = QStringLiteral("target");
        s.activity = cwText("core", "Copying shop.orders");
        break;
    case Phase::Replica:
        s.lagSeconds = 0.4;
        s.lagBytes = 18'000;
        s.rateRows = 320;
        s.rateBytes = 90'000;
        break;
    case Phase::Primary:
    case Phase::Finished:
        s.roles = {Side::Target, Side::Source};
        s.lagSeconds = 0.2;
        s.writePauseSeconds = 1.38;
        for (const auto &[id, title] : {std::pair{"switch.hold", "Hold writes"},
                                        {"switch.drain", "Apply the last writes"},
                                        {"switch.seal", "Close the source for good"},
                                        {"complete.open", "Open the target"}})
            s.steps.push_back(
                makeStep(id, Side::Source, title, StepState::Done, {}, t0 + 3'000'000, 310));
        if (phase == Phase::Finished)
            s.runState = RunState::Idle;
        break;
    default:
        break;
    }
    return s;
}

} // namespace causeway::ui::test
