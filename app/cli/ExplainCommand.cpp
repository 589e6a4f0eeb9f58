#include "cli/Arguments.h"
#include "cli/Commands.h"
#include "cli/Output.h"
#include "engine/Explain.h"

#include <QFile>
#include <QJsonArray>

namespace causeway::cli {

namespace {

Result<QString> messageFrom(const Arguments &args)
{
    CW_TRY(args.required(0));
    QString given = args.positionals().join(QLatin1Char(' '));
    if (given != QLatin1String("-"))
        return given;
    QFile in;
    if (!in.open(stdin, QIODevice::ReadOnly)) {
        return fail(ErrorCode::Io,
                    cwText("cli", "Standard input cannot be read: %1", in.errorString()));
    }
    return QString::fromUtf8(in.readAll());
}

Result<int> explainMessage(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("explain"),
                   QStringLiteral("Says what an error message of a server, an import page or "
                                  "another tool means, and which check tells how to mend it. "
                                  "Connects to nothing."));
    args.positional(QStringLiteral("MESSAGE"),
                    QStringLiteral("the message, or - to read it from standard input"));
    args.option(QStringLiteral("json"), QStringLiteral("the result as JSON"));
    CW_TRY(args.parse(arguments));
    CW_TRY_ASSIGN(const QString message, messageFrom(args));
    const auto found = explain(message);
    if (out.json()) {
        QJsonArray list;
        for (const Explanation &e : found) {
            list.append(QJsonObject{{QStringLiteral("id"), e.id},
                                    {QStringLiteral("check"), e.isCheck},
                                    {QStringLiteral("title"), e.title.english()},
                                    {QStringLiteral("why"), e.why.english()}});
        }
        out.emitJson({{QStringLiteral("explanations"), list}});
    }
    if (found.empty()) {
        out.say(cwText("cli", "No check knows this message. \"causeway-cli check --source URL\" "
                              "looks for everything that would be in the way.")
                    .translated());
        return Exit::NotReady;
    }
    bool anyCheck = false;
    for (const Explanation &e : found) {
        out.say(QStringLiteral("%1: %2").arg(e.id, e.title.english()));
        if (!e.why.isEmpty())
            out.say(QStringLiteral("    ") + e.why.english());
        anyCheck = anyCheck || e.isCheck;
    }
    if (anyCheck) {
        out.say(cwText("cli",
                       "How to mend it on your server: causeway-cli check --source URL, under "
                       "the same id.")
                    .translated());
    }
    return Exit::Done;
}

} // namespace

int explainCommand(const QStringList &arguments)
{
    return guarded(explainMessage, arguments);
}

} // namespace causeway::cli
