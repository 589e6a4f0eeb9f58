#pragma once

#include "models/Draft.h"
#include "models/EngineBridge.h"

#include <QMainWindow>

#include <vector>

class QAction;
class QLabel;
class QListWidget;
class QPushButton;
class QStackedWidget;
class QSystemTrayIcon;

namespace causeway::ui {

class LogDrawer;
class Page;
class PlanPage;
class RolesBar;
class StartPage;

/// One migration: the steps at the side, a page at a time, which host takes writes on top, and a
/// footer that says why one cannot go on.
class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    enum PageId {
        Start,
        Source,
        Target,
        Selection,
        Preflight,
        Plan,
        Progress,
        Cutover,
        Finished,
        PageCount
    };

    explicit MainWindow(std::shared_ptr<EnginePort>, QWidget *parent = nullptr);
    ~MainWindow() override;

    /// Fills the forms; what is not given stays as it is.
    void prefill(const std::optional<Address> &source, const std::optional<Address> &target);
    /// Passwords that need not be asked for when a file is opened.
    void setPasswords(const Secret &source, const Secret &target);
    void openFile(const QString &path);

    [[nodiscard]] EngineBridge &bridge() { return m_bridge; }
    [[nodiscard]] Draft &draft() { return m_draft; }
    [[nodiscard]] Page *page(PageId) const;
    [[nodiscard]] PageId currentPage() const { return m_current; }
    void goTo(PageId);

protected:
    void closeEvent(QCloseEvent *) override;
    void keyPressEvent(QKeyEvent *) override;
    void changeEvent(QEvent *) override;

private:
    void keepPlaceholdersReadable();
    void makeMenus();
    void makeShell();
    void connectPages();
    void startOver(Draft::Purpose);
    void openWith(const QString &path, const Migration::Secrets &);
    void forgetCheck();
    void back();
    void next();
    [[nodiscard]] std::optional<PageId> neighbour(int direction) const;
    [[nodiscard]] bool isReachable(PageId) const;
    void update();
    void updateSteps();
    void updateTitle();
    void snapshotChanged();
    void tellIfAway(const Snapshot &before, const Snapshot &now);
    void notify(const QString &title, const QString &text);
    void nextRegion();
    void keepInTray();
    [[nodiscard]] QSystemTrayIcon *tray();

    Draft m_draft;
    std::vector<Page *> m_pages;
    PageId m_current = Start;
    StartPage *m_start = nullptr;
    PlanPage *m_plan = nullptr;
    RolesBar *m_roles = nullptr;
    QListWidget *m_steps = nullptr;
    QStackedWidget *m_stack = nullptr;
    LogDrawer *m_log = nullptr;
    QLabel *m_reason = nullptr;
    QPushButton *m_back = nullptr, *m_next = nullptr;
    QAction *m_logAction = nullptr;
    QSystemTrayIcon *m_tray = nullptr;
    Secret m_sourcePassword, m_targetPassword;
    QString m_sourceUrl, m_targetUrl; ///< last ones tested, to know when they become others
    QStringList m_otherUrls;          ///< likewise, of Draft::otherAddresses()
    std::shared_ptr<const Snapshot> m_lastSnapshot;
    bool m_updating = false;
    bool m_mayClose = false;
    bool m_locked = false;
    EngineBridge m_bridge; // last: its jobs end before the pages that they report to
};

} // namespace causeway::ui
