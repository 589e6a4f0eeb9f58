#pragma once

#include "pages/Page.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;

namespace causeway::ui {

class DecisionBanner;
class RowsView;
class StatusLine;
class TableFilter;
class TableListModel;

/// 6 Copy and replicate: how far, how fast, what holds it up, and every table.
class ProgressPage : public Page {
    Q_OBJECT

public:
    ProgressPage(EngineBridge &, Draft &);
    Readiness isComplete() const override;
    void snapshotChanged() override;

private:
    void pauseOrResume();
    void resume();
    void askCancel();
    void updateButtons();

    StatusLine *m_state, *m_error, *m_verified;
    QProgressBar *m_bar;
    QLabel *m_rows, *m_size, *m_rate, *m_eta, *m_lag, *m_limit, *m_retention;
    DecisionBanner *m_decision;
    TableListModel *m_tables;
    TableFilter *m_filter;
    RowsView *m_view;
    QComboBox *m_show;
    QLineEdit *m_search;
    QPushButton *m_pause, *m_verify, *m_cancel;
};

} // namespace causeway::ui
