#include "widgets/FixCode.h"

#include "widgets/CodeView.h"
#include "widgets/Labels.h"

#include <QVBoxLayout>

#include <algorithm>

namespace causeway::ui {

FixCode::FixCode(QWidget *parent) : QWidget(parent), m_blocks(new QVBoxLayout(this))
{
    setObjectName(QStringLiteral("fixCode"));
    m_blocks->setContentsMargins(0, 0, 0, 0);
    hide();
}

void FixCode::set(const QStringList &sql, const QStringList &config, const QStringList &command)
{
    QStringList statements;
    for (const QString &s : sql)
        statements << (s.endsWith(QLatin1Char(';')) ? s : s + QLatin1Char(';'));
    const QString all = QStringList{statements.join(QLatin1Char('\n')),
                                    config.join(QLatin1Char('\n')), command.join(QLatin1Char('\n'))}
                            .join(QChar(0x1f));
    if (all == m_shown)
        return;
    m_shown = all;
    while (QLayoutItem *item = m_blocks->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    const auto add = [this](const QString &caption, const char *name, const QStringList &lines) {
        if (lines.isEmpty())
            return;
        m_blocks->addWidget(
            makeText(caption, QString::fromLatin1(name) + QStringLiteral("Caption")));
        auto *view = new CodeView(caption);
        view->setObjectName(QString::fromLatin1(name));
        const QString text = lines.join(QLatin1Char('\n'));
        view->setVisibleLines(
            static_cast<int>(std::clamp<qsizetype>(text.count(QLatin1Char('\n')) + 1, 1, 8)));
        view->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
        view->setText(text);
        m_blocks->addWidget(view);
    };
    add(tr("Statements for the server:"), "fixSql", statements);
    add(tr("Lines for the server's configuration file:"), "fixConfig", config);
    add(tr("Commands for a shell:"), "fixCommand", command);
    setVisible(m_blocks->count() > 0);
}

} // namespace causeway::ui
