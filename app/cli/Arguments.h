#pragma once

#include "base/Error.h"
#include "endpoint/Address.h"
#include "preflight/Check.h"
#include "schema/Selection.h"

#include <QCommandLineParser>
#include <QStringList>

#include <optional>

namespace causeway::cli {

/// Exit statuses of the contract.
enum Exit : int { Done = 0, NotReady = 1, Usage = 2, Failed = 3, Internal = 4 };

/// A parser with the command's own help; parse() turns its complaints into Errors of kind Usage.
class Arguments {
public:
    Arguments(const QString &command, const QString &description);
    void option(const QString &name, const QString &description, const QString &value = {});
    void positional(const QString &name, const QString &description);
    /// Ends the program with the help text where --help was asked for.
    Status parse(const QStringList &arguments);

    [[nodiscard]] bool isSet(const QString &name) const { return m_parser.isSet(name); }
    [[nodiscard]] QString value(const QString &name) const { return m_parser.value(name); }
    [[nodiscard]] QStringList values(const QString &name) const { return m_parser.values(name); }
    [[nodiscard]] QStringList positionals() const { return m_parser.positionalArguments(); }
    /// The positional at `index`, or an error that names what is missing.
    Result<QString> required(int index) const;
    Result<QString> requiredOption(const QString &name) const;

private:
    QString m_command;
    QStringList m_names;
    QCommandLineParser m_parser;
};

/// Parses the URL of a side and finds its password (Passwords.h).
Result<Address> addressFrom(const QString &url, Side side);
/// Like addressFrom, without looking for a password: for what is only stored.
Result<Address> storedAddressFrom(const QString &url, Side side);
/// Only the server can tell which schemas the pattern speaks of: it has wildcards there, or a
/// second point, which may belong to either name.
bool needsSchemaNames(const QString &pattern);

/// Selection from --tables, --rename and the databases in the URLs. Connects to the source only
/// where needsSchemaNames().
Result<Selection> selectionFrom(const QStringList &tables, const QStringList &renames,
                                const Address &source, const std::optional<Address> &target);

/// The ids given with --accept; each must be one of a check that there is.
Result<QStringList> acceptedFrom(const Arguments &, Engine);
/// "live" or "once".
Result<bool> onceFrom(const Arguments &);
/// "auto", "relay" or "native", refused where that route is not built for the engine.
Result<QString> routeFrom(const Arguments &, Engine);
Result<TargetKind> targetKindFrom(const QString &);
/// --fence, --target-fence and --lock-account, the same wherever they are taken.
void addFenceOptions(Arguments &);
struct FenceWishes {
    FenceKind fence = FenceKind::Auto, targetFence = FenceKind::Auto;
    QStringList lockAccounts; ///< user@host
};
Result<FenceWishes> fenceWishesFrom(const Arguments &);
/// "20M", "500k", "1G" or a plain number: bytes per second.
Result<qint64> bytesFrom(const QString &);

} // namespace causeway::cli
