#pragma once

#include "models/History.h"
#include "pages/Page.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QTabWidget;

namespace causeway::ui {

class DecisionBanner;
class HistoryChart;
class RowsView;
class StatusLine;
class TableFilter;
class TableListModel;
class TroubleBanner;

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
    [[nodiscard]] QWidget *makeTables();
    [[nodiscard]] QWidget *makeCharts();
    void drawCharts();

    StatusLine *m_state, *m_error, *m_verified;
    QProgressBar *m_bar;
    QLabel *m_rows, *m_size, *m_rate, *m_eta, *m_lag, *m_limit, *m_retention;
    DecisionBanner *m_decision;
    TroubleBanner *m_trouble;
    qint64 m_heardMs = 0; ///< when replication last ran, as far as this window saw
    TableListModel *m_tables;
    TableFilter *m_filter;
    RowsView *m_view;
    QComboBox *m_show;
    QLineEdit *m_search;
    QPushButton *m_pause, *m_verify, *m_cancel;
    History m_history;
    QString m_historyOf; ///< the file that it belongs to
    QTabWidget *m_tabs;
    QComboBox *m_span;
    HistoryChart *m_throughput, *m_lagChart;
};

} // namespace causeway::ui
