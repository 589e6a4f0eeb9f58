#include "pages/StartPage.h"

#include "models/Folders.h"
#include "widgets/Labels.h"
#include "widgets/RowsView.h"
#include "widgets/StatusIcon.h"

#include <QCommandLinkButton>
#include <QFileDialog>
#include <QGridLayout>
#include <QSettings>
#include <QStandardItemModel>
#include <QVBoxLayout>

namespace causeway::ui {

namespace {
constexpr int mostRecent = 20;
const QString &recentKey()
{
    static const QString key = QStringLiteral("recentMigrations");
    return key;
}
} // namespace

StartPage::StartPage(EngineBridge &bridge, Draft &draft)
    : Page(bridge, draft, QStringLiteral("startPage"), tr("Start"),
           tr("Causeway moves a live MySQL, MariaDB or PostgreSQL database to another server "
              "while applications go on using it, and lets you go back until the very end.")),
      m_message(new StatusLine(QStringLiteral("startMessage"))),
      m_recent(new QStandardItemModel(this)), m_list(new RowsView)
{
    m_new = named(new QCommandLinkButton(tr("New &migration"),
                                         tr("Move a database to another server, step by step.")),
                  QStringLiteral("newMigrationButton"), tr("New migration"));
    m_check = named(new QCommandLinkButton(tr("&Check a source only"),
                                           tr("See whether it is ready to move. Writes nothing.")),
                    QStringLiteral("checkOnlyButton"), tr("Check a source only"));
    m_open = named(
        new QCommandLinkButton(tr("&Open a migration ..."), tr("Go on with a .causeway file.")),
        QStringLiteral("openMigrationButton"), tr("Open a migration"));
    auto *buttons = new QGridLayout;
    buttons->addWidget(m_new, 0, 0);
    buttons->addWidget(m_check, 1, 0);
    buttons->addWidget(m_open, 2, 0);
    body()->addLayout(buttons);
    body()->addWidget(m_message);
    m_message->hide();

    auto *caption = new QLabel(tr("&Recent migrations"));
    caption->setObjectName(QStringLiteral("recentCaption"));
    caption->setBuddy(m_list);
    body()->addWidget(caption);
    named(m_list, QStringLiteral("recentList"), tr("Recent migrations"));
    m_recent->setHorizontalHeaderLabels(
        {tr("Migration"), tr("Phase"), tr("Last recorded"), tr("File")});
    m_list->setModel(m_recent);
    m_list->setSelectionMode(QAbstractItemView::SingleSelection);
    m_list->setColumnChars({44, 18, 18, 40});
    m_list->setMinimumHeight(m_list->fontMetrics().height() * 6);
    m_list->setEmptyText(tr("Migrations that you make or open are listed here."));
    body()->addWidget(m_list, 1);

    const auto choose = [this](Draft::Purpose purpose) {
        m_chosen = true;
        Q_EMIT purposeChosen(purpose);
        Q_EMIT completeChanged();
        Q_EMIT advance();
    };
    connect(m_new, &QAbstractButton::clicked, this, [choose] { choose(Draft::Purpose::Migrate); });
    connect(m_check, &QAbstractButton::clicked, this,
            [choose] { choose(Draft::Purpose::CheckOnly); });
    connect(m_open, &QAbstractButton::clicked, this, &StartPage::chooseFile);
    connect(m_list, &QAbstractItemView::activated, this, &StartPage::openSelected);
}

Readiness StartPage::isComplete() const
{
    if (m_chosen || m_locked)
        return {true, {}};
    return {false, tr("Choose what you want to do.")};
}

void StartPage::setLocked(bool locked)
{
    m_locked = locked;
    for (QWidget *w : QList<QWidget *>{m_new, m_check, m_open, m_list})
        w->setEnabled(!locked);
    if (locked)
        setMessage(Mark::Info, tr("This window has a migration open. For another one choose "
                                  "File, New window."));
}

void StartPage::setMessage(Mark mark, const QString &text)
{
    m_message->set(mark, text);
    m_message->setVisible(!text.isEmpty());
}

void StartPage::remember(const QString &path)
{
    QSettings settings;
    QStringList list = settings.value(recentKey()).toStringList();
    list.removeAll(path);
    list.prepend(path);
    settings.setValue(recentKey(), list.mid(0, mostRecent));
}

void StartPage::activate()
{
    readRecent();
}

void StartPage::readRecent()
{
    m_recent->removeRows(0, m_recent->rowCount());
    const QStringList paths = QSettings().value(recentKey()).toStringList();
    auto engine = m_bridge.sharedEngine();
    for (const QString &path : paths) {
        QList<QStandardItem *> row{new QStandardItem(tr("Reading ...")), new QStandardItem,
                                   new QStandardItem, new QStandardItem(path)};
        row[0]->setData(path);
        m_recent->appendRow(row);
        const QPersistentModelIndex place(row[0]->index());
        m_bridge.run<FileSummary>(
            [engine, path](std::stop_token) { return engine->summary(path); }, this,
            [this, place](Result<FileSummary> summary) {
                if (!place.isValid())
                    return;
                const int r = place.row();
                if (!summary) { // kept in the list: a disk that is not mounted may come back
                    m_recent->item(r, 0)->setText(tr("Cannot be read"));
                    m_recent->item(r, 0)->setIcon(statusIcon(Mark::Blocked));
                    m_recent->item(r, 1)->setText(summary.error().message.translated());
                    m_recent->item(r, 1)->setToolTip(Words::error(summary.error()));
                    return;
                }
                m_recent->item(r, 0)->setText(
                    tr("%1 to %2", "source host, target host")
                        .arg(Words::ltr(summary->settings.source.fromHere.display()),
                             Words::ltr(summary->settings.target.fromHere.display())));
                m_recent->item(r, 0)->setIcon(statusIcon(summary->phase == Phase::Finished
                                                             ? Mark::Done
                                                         : summary->inUse ? Mark::Running
                                                                          : Mark::Paused));
                m_recent->item(r, 1)->setText(
                    summary->inUse ? tr("%1 (open elsewhere)").arg(Words::phase(summary->phase))
                                   : Words::phase(summary->phase));
                m_recent->item(r, 2)->setText(
                    Words::ago(summary->lastCheckpoint, QDateTime::currentDateTimeUtc()));
            });
    }
}

void StartPage::chooseFile()
{
    auto *dialog =
        new QFileDialog(this, tr("Open a migration"), filesFolder(), tr("Migrations (*.causeway)"));
    dialog->setObjectName(QStringLiteral("openDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, &StartPage::openRequested);
    dialog->open();
}

void StartPage::openSelected()
{
    const QModelIndex row = m_list->currentIndex();
    if (row.isValid())
        Q_EMIT openRequested(m_recent->item(row.row(), 0)->data().toString());
}

} // namespace causeway::ui
