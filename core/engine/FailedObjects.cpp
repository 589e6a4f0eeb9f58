#include "engine/FailedObjects.h"

#include "base/Json.h"
#include "engine/Context.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <algorithm>

namespace causeway {

namespace {
const QString kId = QStringLiteral("object-failed");
const QString kAnswer = QStringLiteral("answer.object-failed");
const QString kAsked = QStringLiteral("object_failed");
const QString kLeftOut = QStringLiteral("objects_left_out");

bool canBeLeftOut(const QString &object)
{
    static const QStringList kinds{QStringLiteral("view "),      QStringLiteral("function "),
                                   QStringLiteral("procedure "), QStringLiteral("package "),
                                   QStringLiteral("trigger "),   QStringLiteral("event ")};
    return std::any_of(kinds.begin(), kinds.end(),
                       [&](const QString &kind) { return object.startsWith(kind); });
}
} // namespace

bool isAboutObject(const Error &e)
{
    return e.id == kId;
}

Status askAboutObject(Context &ctx, Status done)
{
    if (done || done.error().id != QLatin1String("mysql-object-failed") ||
        !canBeLeftOut(done.error().object))
        return done;
    Error e = std::move(done).error();
    e.code = ErrorCode::NeedsDecision;
    e.id = kId;
    e.fix = cwText("core", "Leave it out with \"answer FILE object-failed skip\"; or change it on "
                           "the source so that both servers understand it, and \"retry\".");
    CW_TRY(ctx.journal->setValue(kAsked, e.object));
    ctx.schemaKnown = false; // it may be another one when we come back
    return fail(std::move(e));
}

Decision decisionAboutObject(const Error &e)
{
    Decision d;
    d.id = kId;
    d.question = e.message;
    d.detail = e.serverWords;
    d.objects << e.object;
    d.choices = {
        {QStringLiteral("retry"), cwText("core", "Try again, after it was changed on the source")},
        {QStringLiteral("skip"), cwText("core", "Leave this object out on the target")},
        {QStringLiteral("stop"), cwText("core", "Leave it stopped")},
    };
    return d;
}

Status leaveOutObjects(Context &ctx)
{
    CW_TRY_ASSIGN(const auto asked, ctx.journal->value(kAsked));
    CW_TRY_ASSIGN(const auto answer, ctx.journal->value(kAnswer));
    CW_TRY_ASSIGN(const auto known, ctx.journal->value(kLeftOut));
    QJsonArray left = QJsonDocument::fromJson(known.value_or(QString()).toUtf8()).array();
    if (asked && !asked->isEmpty() && answer && !answer->isEmpty()) {
        if (*answer == QLatin1String("skip") && !left.contains(*asked)) {
            left.append(*asked);
            ctx.event(QStringLiteral("warning"),
                      QStringLiteral("Left out on the target, as answered: %1").arg(*asked));
            CW_TRY(ctx.journal->setValue(kLeftOut, compactJson(left)));
        }
        CW_TRY(ctx.journal->setValue(kAnswer, QString()));
        CW_TRY(ctx.journal->setValue(kAsked, QString()));
    }
    for (auto *statements :
         {&ctx.script.routines, &ctx.script.views, &ctx.script.triggers, &ctx.script.events}) {
        std::erase_if(*statements,
                      [&](const SchemaStatement &s) { return left.contains(s.object); });
    }
    return {};
}

} // namespace causeway
