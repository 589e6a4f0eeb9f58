#pragma once

#include "pages/Page.h"

class QCommandLinkButton;
class QStandardItemModel;

namespace causeway::ui {

class RowsView;
class StatusLine;

/// 0: a new migration, a check of a source, or one of the migrations made before.
class StartPage : public Page {
    Q_OBJECT

public:
    StartPage(EngineBridge &, Draft &);
    void activate() override;
    Readiness isComplete() const override;
    void setLocked(bool) override;
    /// Puts a file on top of the list of recent migrations.
    static void remember(const QString &path);
    void setMessage(Mark, const QString &);

Q_SIGNALS:
    void purposeChosen(causeway::ui::Draft::Purpose);
    void openRequested(const QString &path);

private:
    void readRecent();
    void chooseFile();
    void openSelected();

    QCommandLinkButton *m_new, *m_check, *m_open;
    StatusLine *m_message;
    QStandardItemModel *m_recent;
    RowsView *m_list;
    bool m_chosen = false;
    bool m_locked = false;
};

} // namespace causeway::ui
