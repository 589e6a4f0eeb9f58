#include "shell/MainWindow.h"

#include "models/Folders.h"
#include "pages/CutoverPage.h"
#include "pages/EndpointPage.h"
#include "pages/FinishedPage.h"
#include "pages/PlanPage.h"
#include "pages/PreflightPage.h"
#include "pages/ProgressPage.h"
#include "pages/SelectionPage.h"
#include "pages/StartPage.h"
#include "shell/PasswordsDialog.h"
#include "widgets/Labels.h"
#include "widgets/LogDrawer.h"
#include "widgets/Placeholders.h"
#include "widgets/RolesBar.h"
#include "widgets/StatusIcon.h"

#include <QApplication>
#include <QCloseEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QListWidget>
#include <QMenuBar>
#include <QMessageBox>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>
#include <QSystemTrayIcon>
#include <QVBoxLayout>

#include <cmath>

// Resources of a static library are not registered by themselves; outside any namespace, as the
// macro declares a global function.
static void initResources()
{
    Q_INIT_RESOURCE(causeway);
}

namespace causeway::ui {

MainWindow::MainWindow(std::shared_ptr<EnginePort> engine, QWidget *parent)
    : QMainWindow(parent), m_bridge(std::move(engine))
{
    initResources();
    keepPlaceholdersReadable();
    setObjectName(QStringLiteral("mainWindow"));
    setWindowIcon(QIcon(QStringLiteral(":/icons/causeway.svg")));
    m_draft.id = Draft::newId();
    makeShell();
    makeMenus();
    connectPages();
    resize(fontMetrics().averageCharWidth() * 150, fontMetrics().height() * 46);
    goTo(Start);
}

MainWindow::~MainWindow() = default;

void MainWindow::keepPlaceholdersReadable()
{
    const QPalette now = QApplication::palette();
    const QPalette better = withReadablePlaceholders(now);
    // Setting it comes back here once, and then there is nothing to mend.
    for (const auto group : {QPalette::Active, QPalette::Inactive}) {
        if (better.color(group, QPalette::PlaceholderText) !=
            now.color(group, QPalette::PlaceholderText)) {
            QApplication::setPalette(better);
            return;
        }
    }
}

Page *MainWindow::page(PageId id) const
{
    return m_pages[static_cast<size_t>(id)];
}

void MainWindow::makeShell()
{
    auto *central = new QWidget;
    auto *column = new QVBoxLayout(central);
    m_roles = new RolesBar;
    column->addWidget(m_roles);
    auto *rule = new QFrame;
    rule->setFrameShape(QFrame::HLine);
    rule->setFrameShadow(QFrame::Sunken);
    column->addWidget(rule);

    m_steps = named(new QListWidget, QStringLiteral("stepList"), tr("Steps"));
    m_steps->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Expanding);
    m_steps->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_steps->setFixedWidth(m_steps->fontMetrics().averageCharWidth() * 28);
    m_steps->setWordWrap(true);
    m_stack = new QStackedWidget;
    m_stack->setObjectName(QStringLiteral("pageStack"));

    m_start = new StartPage(m_bridge, m_draft);
    m_plan = new PlanPage(m_bridge, m_draft);
    m_pages = {m_start,
               new EndpointPage(m_bridge, m_draft, Side::Source),
               new EndpointPage(m_bridge, m_draft, Side::Target),
               new SelectionPage(m_bridge, m_draft),
               new PreflightPage(m_bridge, m_draft),
               m_plan,
               new ProgressPage(m_bridge, m_draft),
               new CutoverPage(m_bridge, m_draft),
               new FinishedPage(m_bridge, m_draft)};
    for (Page *page : m_pages) {
        // A window as small as 800 by 600 must show every page whole, by scrolling if need be.
        auto *scroll = new QScrollArea;
        scroll->setWidgetResizable(true);
        scroll->setFrameShape(QFrame::NoFrame);
        scroll->setFocusPolicy(Qt::NoFocus);
        scroll->setWidget(page);
        m_stack->addWidget(scroll);
        m_steps->addItem(page->title());
    }

    m_log = new LogDrawer;
    m_log->hide();
    auto *middle = new QWidget;
    auto *line = new QHBoxLayout(middle);
    line->setContentsMargins(0, 0, 0, 0);
    line->addWidget(m_steps);
    line->addWidget(m_stack, 1);
    auto *splitter = new QSplitter(Qt::Vertical);
    splitter->setObjectName(QStringLiteral("logSplitter"));
    splitter->addWidget(middle);
    splitter->addWidget(m_log);
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 1);
    splitter->setChildrenCollapsible(false);
    column->addWidget(splitter, 1);

    auto *footer = new QHBoxLayout;
    m_back = named(new QPushButton(tr("&Back")), QStringLiteral("backButton"), tr("Back"));
    m_next = named(new QPushButton(tr("&Next")), QStringLiteral("nextButton"), tr("Next"));
    m_reason = makeText({}, QStringLiteral("nextReason"));
    m_reason->setAlignment(Qt::AlignTrailing | Qt::AlignVCenter);
    for (QPushButton *b : {m_back, m_next})
        b->setAutoDefault(false);
    footer->addWidget(m_back);
    footer->addWidget(m_reason, 1);
    footer->addWidget(m_next);
    column->addLayout(footer);
    setCentralWidget(central);

    connect(m_back, &QPushButton::clicked, this, &MainWindow::back);
    connect(m_next, &QPushButton::clicked, this, &MainWindow::next);
    connect(m_steps, &QListWidget::currentRowChanged, this, [this](int row) {
        if (!m_updating && row >= 0)
            goTo(static_cast<PageId>(row));
    });
}

void MainWindow::makeMenus()
{
    const auto add = [this](QMenu *menu, const QString &text, const QKeySequence &keys,
                            auto &&what) {
        QAction *action = menu->addAction(text);
        action->setShortcut(keys);
        connect(action, &QAction::triggered, this, what);
        return action;
    };
    QMenu *file = menuBar()->addMenu(tr("&File"));
    add(file, tr("&New window"), QKeySequence::New, [this] {
        auto *window = new MainWindow(m_bridge.sharedEngine());
        window->setAttribute(Qt::WA_DeleteOnClose);
        window->show();
    });
    add(file, tr("&Open a migration ..."), QKeySequence::Open, [this] {
        auto *dialog = new QFileDialog(this, tr("Open a migration"), filesFolder(),
                                       tr("Migrations (*.causeway)"));
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setFileMode(QFileDialog::ExistingFile);
        connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::openFile);
        dialog->open();
    });
    add(file, tr("&Save the report ..."), QKeySequence::Save, [this] {
        // The page in front saves its own; else there is the report of the migration.
        if (!page(m_current)->saveReport() && m_bridge.hasMigration())
            page(Finished)->saveReport();
    });
    file->addSeparator();
    add(file, tr("&Close"), QKeySequence::Close, [this] { close(); });
    QMenu *view = menuBar()->addMenu(tr("&View"));
    m_logAction = view->addAction(tr("&Log"));
    m_logAction->setShortcut(QKeySequence(tr("Ctrl+L")));
    m_logAction->setCheckable(true);
    connect(m_logAction, &QAction::toggled, this, [this](bool on) {
        m_log->setVisible(on);
        if (on)
            m_log->firstField()->setFocus();
    });
    add(view, tr("Next &region"), QKeySequence(Qt::Key_F6), [this] { nextRegion(); });
    QMenu *migration = menuBar()->addMenu(tr("Mi&gration"));
    add(migration, tr("Check &again"), QKeySequence(Qt::Key_F5),
        [this] { page(m_current)->recheck(); });
    QMenu *help = menuBar()->addMenu(tr("&Help"));
    add(help, tr("&About Causeway"), {}, [this] {
        auto *box = new QMessageBox(
            QMessageBox::Information, tr("About Causeway"),
            tr("Causeway %1 moves a live MySQL, MariaDB or PostgreSQL database to another server "
               "with next to no downtime.")
                .arg(QStringLiteral(CAUSEWAY_VERSION)),
            QMessageBox::Close, this);
        box->setAttribute(Qt::WA_DeleteOnClose);
        box->open();
    });
}

void MainWindow::connectPages()
{
    for (Page *p : m_pages) {
        connect(p, &Page::completeChanged, this, &MainWindow::update);
        connect(p, &Page::advance, this, [this, p] {
            if (p == page(m_current)) {
                if (const auto to = neighbour(+1))
                    goTo(*to);
            }
        });
    }
    connect(m_start, &StartPage::purposeChosen, this, &MainWindow::startOver);
    connect(m_start, &StartPage::openRequested, this, &MainWindow::openFile);
    for (const PageId id : {Source, Target}) {
        connect(static_cast<EndpointPage *>(page(id)), &EndpointPage::addressChanged, this,
                [this](Side side) {
                    QString &known = side == Side::Source ? m_sourceUrl : m_targetUrl;
                    const QString now =
                        (side == Side::Source ? m_draft.source : m_draft.target).toUrl();
                    const QStringList others = m_draft.otherAddresses();
                    if (std::exchange(m_otherUrls, others) != others)
                        forgetCheck();
                    if (now == known)
                        return;
                    // Another source has other tables.
                    if (side == Side::Source && !known.isEmpty())
                        m_draft.selection = {};
                    known = now;
                    forgetCheck();
                });
    }
    connect(static_cast<SelectionPage *>(page(Selection)), &SelectionPage::selectionChanged, this,
            &MainWindow::forgetCheck);
    connect(m_plan, &PlanPage::prepared, this, [this] { StartPage::remember(m_bridge.path()); });
    connect(&m_bridge, &EngineBridge::snapshotChanged, this, &MainWindow::snapshotChanged);
    connect(&m_bridge, &EngineBridge::migrationChanged, this, &MainWindow::update);
    connect(m_log, &LogDrawer::saveRequested, this, [this](const QByteArray &text) {
        auto *dialog = new QFileDialog(this, tr("Export the log"), QStringLiteral("causeway.log"),
                                       tr("Log (*.log)"));
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setAcceptMode(QFileDialog::AcceptSave);
        connect(dialog, &QFileDialog::fileSelected, this, [this, text](const QString &file) {
            m_bridge.run<bool>(
                [engine = m_bridge.sharedEngine(), file, text](std::stop_token) -> Result<bool> {
                    CW_TRY(engine->saveText(file, text, true));
                    return true;
                },
                this,
                [this](Result<bool> saved) {
                    if (!saved)
                        notify(tr("Not saved"), Words::error(saved.error()));
                });
        });
        dialog->open();
    });
}

void MainWindow::forgetCheck()
{
    m_draft.check.reset();
    m_draft.accepted.clear();
}

void MainWindow::startOver(Draft::Purpose purpose)
{
    m_draft.purpose = purpose;
    update();
}

void MainWindow::prefill(const std::optional<Address> &source, const std::optional<Address> &target)
{
    if (source) {
        m_draft.source = *source;
        page(Source)->load();
    }
    if (target) {
        m_draft.target = *target;
        page(Target)->load();
    }
    update();
}

void MainWindow::setPasswords(const Secret &source, const Secret &target)
{
    m_sourcePassword = source;
    m_targetPassword = target;
}

void MainWindow::openFile(const QString &path)
{
    if (m_bridge.hasMigration()) {
        auto *window = new MainWindow(m_bridge.sharedEngine());
        window->setAttribute(Qt::WA_DeleteOnClose);
        window->setPasswords(m_sourcePassword, m_targetPassword);
        window->show();
        window->openFile(path);
        return;
    }
    goTo(Start);
    m_start->setMessage(Mark::Running, tr("Opening %1 ...").arg(Words::ltr(path)));
    m_bridge.run<FileSummary>(
        [engine = m_bridge.sharedEngine(), path](std::stop_token) { return engine->summary(path); },
        this,
        [this, path](Result<FileSummary> summary) {
            if (!summary) {
                m_start->setMessage(Mark::Blocked,
                                    tr("%1 cannot be opened. %2")
                                        .arg(Words::ltr(path), Words::error(summary.error())));
                return;
            }
            StartPage::remember(path);
            if (!m_sourcePassword.isEmpty() && !m_targetPassword.isEmpty()) {
                openWith(path, {m_sourcePassword, m_targetPassword, m_sourcePassword});
                return;
            }
            auto *dialog = new PasswordsDialog(summary->settings, this);
            connect(dialog, &QDialog::accepted, this,
                    [this, dialog, path] { openWith(path, dialog->secrets()); });
            connect(dialog, &QDialog::rejected, this,
                    [this] { m_start->setMessage(Mark::None, {}); });
            dialog->open();
        });
}

void MainWindow::openWith(const QString &path, const Migration::Secrets &secrets)
{
    m_bridge.run<OpenedMigration>(
        [engine = m_bridge.sharedEngine(), path, secrets](std::stop_token) {
            return engine->open(path, secrets);
        },
        this,
        [this, path, secrets](Result<OpenedMigration> opened) {
            if (!opened) {
                m_start->setMessage(Mark::Blocked,
                                    tr("%1 cannot be opened. %2")
                                        .arg(Words::ltr(path), Words::error(opened.error())));
                return;
            }
            m_start->setMessage(Mark::None, {});
            m_draft = Draft::fromSettings(opened->settings);
            m_draft.source.password = secrets.source;
            m_draft.target.password = secrets.target;
            if (m_draft.sourceWriter)
                m_draft.sourceWriter->password = secrets.sourceWriter;
            m_draft.file = path;
            m_sourceUrl = m_draft.source.toUrl();
            m_targetUrl = m_draft.target.toUrl();
            m_otherUrls = m_draft.otherAddresses();
            for (Page *p : m_pages)
                p->load();
            m_bridge.adopt(std::move(*opened));
            const auto &s = m_bridge.snapshot();
            switch (s->phase) {
            case Phase::Draft:
            case Phase::Checked:
                goTo(Source);
                break;
            case Phase::Copying:
            case Phase::CatchingUp:
            case Phase::Replica:
                goTo(Progress);
                break;
            case Phase::Switching:
            case Phase::Primary:
            case Phase::SwitchingBack:
                goTo(Cutover);
                break;
            case Phase::Finished:
            case Phase::Cancelled:
                goTo(Finished);
                break;
            }
        });
}

std::optional<MainWindow::PageId> MainWindow::neighbour(int direction) const
{
    for (int i = m_current + direction; i >= 0 && i < PageCount; i += direction) {
        const auto id = static_cast<PageId>(i);
        if (page(id)->isNeeded() && (id <= Preflight || m_draft.purpose == Draft::Purpose::Migrate))
            return id;
    }
    return std::nullopt;
}

bool MainWindow::isReachable(PageId id) const
{
    if (id == Start || id == m_current)
        return true;
    if (!page(id)->isNeeded() || (id > Preflight && m_draft.purpose == Draft::Purpose::CheckOnly))
        return false;
    const auto &s = m_bridge.snapshot();
    if (s && copyStarted(s->phase))
        return id <= Cutover || s->phase == Phase::Finished || s->phase == Phase::Cancelled;
    if (id == Progress && s && isActive(*s))
        return true;
    for (int i = 0; i < id; ++i) {
        const Page *before = m_pages[static_cast<size_t>(i)];
        if (before->isNeeded() && !before->isComplete().complete)
            return false;
    }
    return true;
}

void MainWindow::goTo(PageId id)
{
    if (id != m_current && (!isReachable(id) || !page(m_current)->mayLeave())) {
        update();
        return;
    }
    m_current = id;
    m_stack->setCurrentIndex(id);
    page(id)->activate();
    update();
}

void MainWindow::back()
{
    if (const auto to = neighbour(-1))
        goTo(*to);
}

void MainWindow::next()
{
    Page *p = page(m_current);
    if (!p->isComplete().complete)
        return;
    const auto to = neighbour(+1);
    if (!to || !p->next())
        return;
    // Starting the copy makes the next page reachable a moment later, not at once.
    m_current = *to;
    m_stack->setCurrentIndex(*to);
    page(*to)->activate();
    update();
}

void MainWindow::update()
{
    if (m_updating || m_pages.size() != PageCount)
        return;
    m_updating = true;
    const Page *p = page(m_current);
    const Readiness ready = p->isComplete();
    const bool hasNext = neighbour(+1).has_value();
    m_back->setEnabled(neighbour(-1).has_value());
    m_next->setVisible(hasNext || !ready.complete);
    m_next->setEnabled(ready.complete && hasNext);
    m_next->setText(p->nextText());
    m_next->setAccessibleName(p->nextText().remove(QLatin1Char('&')));
    m_next->setAccessibleDescription(ready.reason);
    m_reason->setText(ready.complete && hasNext ? QString() : ready.reason);
    const auto &s = m_bridge.snapshot();
    if (s && !s->sourceName.isEmpty())
        m_roles->setSnapshot(*s);
    else
        m_roles->setHosts(m_draft.source.host.isEmpty() && m_draft.source.socket.isEmpty()
                              ? QString()
                              : m_draft.source.display(),
                          !m_draft.hasTarget() ||
                                  (m_draft.target.host.isEmpty() && m_draft.target.socket.isEmpty())
                              ? QString()
                              : m_draft.target.display(),
                          page(Source)->isComplete().complete);
    updateSteps();
    updateTitle();
    m_updating = false;
}

void MainWindow::updateSteps()
{
    const auto &s = m_bridge.snapshot();
    for (int i = 0; i < PageCount; ++i) {
        const auto id = static_cast<PageId>(i);
        const Page *p = page(id);
        const bool needed =
            p->isNeeded() && (id <= Preflight || m_draft.purpose == Draft::Purpose::Migrate);
        const bool reachable = isReachable(id);
        const bool complete = p->isComplete().complete;
        Mark mark = Mark::Pending;
        QString word;
        if (!needed) {
            mark = Mark::Skipped;
            word = tr("not needed");
        } else if (id == Progress && s && (copyStarted(s->phase) || isActive(*s)) && !complete) {
            mark = Words::mark(s->runState);
            word = tr("%1, %2 %", "phase, percent")
                       .arg(Words::phase(s->phase))
                       .arg(static_cast<int>(std::floor(copyProgress(*s) * 100)));
        } else if (id == Cutover && s && copyStarted(s->phase) && !complete && reachable &&
                   s->phase != Phase::Copying && s->phase != Phase::CatchingUp) {
            mark = s->phase == Phase::Primary ? Mark::Info : Words::mark(s->runState);
            word = Words::phase(s->phase);
        } else if (complete && reachable) {
            mark = Mark::Done;
            word = tr("done");
        } else if (id == m_current) {
            mark = Mark::Running;
            word = tr("to do");
        } else {
            word = reachable ? tr("to do") : tr("later");
        }
        QListWidgetItem *item = m_steps->item(i);
        item->setIcon(statusIcon(mark));
        item->setText(QStringLiteral("%1\n%2").arg(p->title(), word));
        item->setData(Qt::AccessibleTextRole,
                      tr("Step %1, %2: %3", "number, title, state").arg(i).arg(p->title(), word));
        Qt::ItemFlags flags = Qt::ItemIsSelectable;
        if (reachable)
            flags |= Qt::ItemIsEnabled;
        item->setFlags(flags);
    }
    m_steps->setCurrentRow(m_current);
}

void MainWindow::updateTitle()
{
    const auto &s = m_bridge.snapshot();
    if (!s) {
        setWindowTitle(tr("%1 - Causeway").arg(page(m_current)->title()));
        return;
    }
    QString state = Words::phase(s->phase);
    if (s->phase == Phase::Copying || s->phase == Phase::CatchingUp)
        state = tr("%1 %, %2", "percent, phase")
                    .arg(static_cast<int>(std::floor(copyProgress(*s) * 100)))
                    .arg(state);
    if (s->runState != RunState::Running && s->runState != RunState::Idle)
        state = tr("%1 (%2)", "phase (run state)").arg(state, Words::runState(s->runState));
    setWindowTitle(tr("%1 - %2 to %3 - Causeway").arg(state, s->sourceName, s->targetName));
}

void MainWindow::snapshotChanged()
{
    const auto &s = m_bridge.snapshot();
    const bool locked = s && copyStarted(s->phase);
    if (locked != m_locked) {
        m_locked = locked;
        for (Page *p : m_pages)
            p->setLocked(locked);
    }
    // Pages out of sight are brought up to date when they are shown; those with tables of tens of
    // thousands of rows would cost most.
    for (Page *p : m_pages)
        p->snapshotChanged();
    if (m_lastSnapshot && s) {
        tellIfAway(*m_lastSnapshot, *s);
        const bool ended = s->phase == Phase::Finished || s->phase == Phase::Cancelled;
        if (ended && m_lastSnapshot->phase != s->phase &&
            (m_current == Cutover || m_current == Progress))
            goTo(Finished);
    }
    m_lastSnapshot = s;
    update();
}

void MainWindow::tellIfAway(const Snapshot &before, const Snapshot &now)
{
    if (isActiveWindow())
        return;
    if (before.phase != now.phase &&
        (now.phase == Phase::Replica || now.phase == Phase::Primary ||
         now.phase == Phase::Finished || now.phase == Phase::Cancelled))
        notify(Words::phase(now.phase), tr("%1 takes writes.").arg(Words::leader(now)));
    if (before.runState != now.runState &&
        (now.runState == RunState::Failed || now.runState == RunState::Stalled ||
         now.runState == RunState::NeedsDecision))
        notify(Words::runState(now.runState),
               now.error ? now.error->message.translated() : now.activity.translated());
}

QSystemTrayIcon *MainWindow::tray()
{
    if (!m_tray && QSystemTrayIcon::isSystemTrayAvailable()) {
        m_tray = new QSystemTrayIcon(windowIcon(), this);
        connect(m_tray, &QSystemTrayIcon::activated, this, [this] {
            show();
            raise();
            activateWindow();
            QApplication::setQuitOnLastWindowClosed(true);
        });
    }
    return m_tray;
}

void MainWindow::notify(const QString &title, const QString &text)
{
    QApplication::alert(this);
    if (QSystemTrayIcon *icon = tray()) {
        icon->show();
        icon->showMessage(title, text);
    }
}

void MainWindow::nextRegion()
{
    QList<QWidget *> regions{m_steps, m_stack->currentWidget(), m_next, m_log};
    const QWidget *focus = QApplication::focusWidget();
    int at = -1;
    for (int i = 0; i < regions.size(); ++i) {
        if (focus && (regions[i] == focus || regions[i]->isAncestorOf(focus) ||
                      (regions[i] == m_next && focus == m_back)))
            at = i;
    }
    for (int n = 1; n <= regions.size(); ++n) {
        QWidget *region = regions[(at + n) % regions.size()];
        // Where there is neither back nor next, the footer has nothing to go to.
        if (!region->isVisible() ||
            (region == m_next && !m_next->isEnabled() && !m_back->isEnabled()))
            continue;
        if (region == m_next) {
            (m_next->isEnabled() ? m_next : m_back)->setFocus(Qt::ShortcutFocusReason);
            return;
        }
        if (region == m_steps) {
            region->setFocus(Qt::ShortcutFocusReason);
            return;
        }
        // Into the region: its first control that takes the keyboard.
        for (QWidget *w : region->findChildren<QWidget *>()) {
            if ((w->focusPolicy() & Qt::TabFocus) && w->isVisible() && w->isEnabled()) {
                w->setFocus(Qt::ShortcutFocusReason);
                return;
            }
        }
    }
}

void MainWindow::keyPressEvent(QKeyEvent *event)
{
    // Esc closes the drawer and nothing else: an hour of work is not a dialog.
    if (event->key() == Qt::Key_Escape && m_log->isVisible()) {
        m_logAction->setChecked(false);
        return;
    }
    QMainWindow::keyPressEvent(event);
}

void MainWindow::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::ApplicationPaletteChange)
        keepPlaceholdersReadable();
    if (event->type() == QEvent::PaletteChange)
        update();
    QMainWindow::changeEvent(event);
}

void MainWindow::keepInTray()
{
    if (QSystemTrayIcon *icon = tray()) {
        icon->setToolTip(windowTitle());
        icon->show();
        QApplication::setQuitOnLastWindowClosed(false);
        hide();
    }
}

void MainWindow::closeEvent(QCloseEvent *event)
{
    if (m_mayClose || !m_bridge.hasMigration()) {
        event->accept();
        return;
    }
    event->ignore();
    const auto leave = [this] {
        setEnabled(false); // pausing finishes the chunks in flight; the window stays until then
        m_reason->setText(tr("Pausing: finishing what is in flight ..."));
        m_bridge.release([this] {
            m_mayClose = true;
            close();
        });
    };
    const auto &s = m_bridge.snapshot();
    if (!s || !isActive(*s)) {
        leave();
        return;
    }
    auto *box = new QMessageBox(QMessageBox::Question, tr("The migration is running"),
                                tr("Nothing is lost when it pauses; it goes on from where it "
                                   "stood when you open it again."),
                                QMessageBox::NoButton, this);
    box->setObjectName(QStringLiteral("closeDialog"));
    box->setAttribute(Qt::WA_DeleteOnClose);
    if (QSystemTrayIcon::isSystemTrayAvailable()) {
        QPushButton *keep =
            box->addButton(tr("&Keep running in the tray"), QMessageBox::ActionRole);
        connect(keep, &QPushButton::clicked, this, &MainWindow::keepInTray);
    }
    QPushButton *pause = box->addButton(tr("&Pause and quit"), QMessageBox::DestructiveRole);
    pause->setObjectName(QStringLiteral("pauseAndQuitButton"));
    QPushButton *stay = box->addButton(tr("&Stay"), QMessageBox::RejectRole);
    box->setEscapeButton(stay);
    for (QAbstractButton *b : box->buttons())
        static_cast<QPushButton *>(b)->setAutoDefault(false);
    connect(pause, &QPushButton::clicked, this, leave);
    box->open();
}

} // namespace causeway::ui
