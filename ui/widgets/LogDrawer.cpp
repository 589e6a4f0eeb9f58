#include "widgets/LogDrawer.h"

#include "base/Secret.h"

#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QLocale>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QVBoxLayout>

namespace causeway::ui {

namespace {
constexpr int shownLines = 2000; // what a text view lays out without being felt
}

LogDrawer::LogDrawer(QWidget *parent)
    : QWidget(parent), m_level(new QComboBox), m_search(new QLineEdit),
      m_follow(new QCheckBox(tr("Follow"))), m_text(new QPlainTextEdit)
{
    setObjectName(QStringLiteral("logDrawer"));
    m_level->setObjectName(QStringLiteral("logLevelCombo"));
    m_level->setAccessibleName(tr("Lowest level shown"));
    m_level->addItems({tr("Debug"), tr("Info"), tr("Warning"), tr("Error")});
    m_level->setCurrentIndex(static_cast<int>(LogLevel::Info));
    m_search->setObjectName(QStringLiteral("logSearchEdit"));
    m_search->setAccessibleName(tr("Search the log"));
    m_search->setPlaceholderText(tr("Search"));
    m_search->setClearButtonEnabled(true);
    m_follow->setObjectName(QStringLiteral("logFollowCheck"));
    m_follow->setAccessibleName(tr("Follow the newest line"));
    m_follow->setChecked(true);
    m_text->setObjectName(QStringLiteral("logText"));
    m_text->setAccessibleName(tr("Log"));
    m_text->setReadOnly(true);
    m_text->setTabChangesFocus(true);
    m_text->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_text->setPlaceholderText(tr("Nothing has been logged at this level."));
    m_text->setMinimumHeight(m_text->fontMetrics().lineSpacing() * 5);
    auto *copy = new QPushButton(tr("Copy all"));
    copy->setObjectName(QStringLiteral("logCopyButton"));
    copy->setAccessibleName(tr("Copy the lines shown"));
    auto *save = new QPushButton(tr("Export ..."));
    save->setObjectName(QStringLiteral("logExportButton"));
    save->setAccessibleName(tr("Save the redacted log to a file"));
    for (QPushButton *b : {copy, save})
        b->setAutoDefault(false);

    auto *bar = new QHBoxLayout;
    bar->addWidget(m_level);
    bar->addWidget(m_search, 1);
    bar->addWidget(m_follow);
    bar->addWidget(copy);
    bar->addWidget(save);
    auto *layout = new QVBoxLayout(this);
    layout->addLayout(bar);
    layout->addWidget(m_text, 1);

    m_timer.setInterval(500);
    connect(&m_timer, &QTimer::timeout, this, [this] { update(false); });
    connect(m_level, &QComboBox::currentIndexChanged, this, [this] { update(true); });
    connect(m_search, &QLineEdit::textChanged, this, [this] { update(true); });
    connect(copy, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(m_text->toPlainText()); });
    connect(save, &QPushButton::clicked, this,
            [this] { Q_EMIT saveRequested(rendered().toUtf8()); });
}

QWidget *LogDrawer::firstField() const
{
    return m_search;
}

void LogDrawer::showEvent(QShowEvent *event)
{
    update(true);
    m_timer.start();
    QWidget::showEvent(event);
}

void LogDrawer::hideEvent(QHideEvent *event)
{
    m_timer.stop();
    QWidget::hideEvent(event);
}

QString LogDrawer::rendered() const
{
    const auto lowest = static_cast<LogLevel>(m_level->currentIndex());
    const QString wanted = m_search->text();
    const QStringList names{tr("debug"), tr("info"), tr("WARNING"), tr("ERROR")};
    QStringList out;
    for (const LogLine &line : recentLog()) {
        if (line.level < lowest ||
            (!wanted.isEmpty() && !line.text.contains(wanted, Qt::CaseInsensitive)))
            continue;
        out << QStringLiteral("%1  %2  %3")
                   .arg(
                       QLocale().toString(line.at.toLocalTime().time(), QStringLiteral("HH:mm:ss")),
                       names[static_cast<int>(line.level)], redact(line.text));
    }
    if (out.size() > shownLines)
        out = out.mid(out.size() - shownLines);
    return out.join(QLatin1Char('\n'));
}

void LogDrawer::update(bool force)
{
    const quint64 count = logCount();
    if (!force && count == m_seen)
        return;
    m_seen = count;
    QScrollBar *bar = m_text->verticalScrollBar();
    const int place = bar->value();
    m_text->setPlainText(rendered());
    bar->setValue(m_follow->isChecked() ? bar->maximum() : place);
}

} // namespace causeway::ui
