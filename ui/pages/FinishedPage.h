#pragma once

#include "pages/Page.h"

#include <optional>

class QPushButton;

namespace causeway::ui {

class CodeView;
class RowsView;
class StatusLine;
class StepModel;
class TableListModel;

/// 8 Finished: what came of it, table by table and step by step, and the report to sign.
class FinishedPage : public Page {
    Q_OBJECT

public:
    FinishedPage(EngineBridge &, Draft &);
    Readiness isComplete() const override;
    void snapshotChanged() override;
    bool saveReport() override;

private:
    void askOldSource();
    void saveAsFormat(const QString &format);

    StatusLine *m_result, *m_pause, *m_old, *m_accepted, *m_leftOut;
    QString m_lookedAt; ///< the file of which m_openSql was read
    std::optional<QString> m_openSql;
    QWidget *m_openBox;
    CodeView *m_open;
    CodeView *m_connection;
    TableListModel *m_tables;
    RowsView *m_tableView;
    StepModel *m_steps;
    RowsView *m_stepView;
    QPushButton *m_html, *m_pdf, *m_json, *m_csv;
};

} // namespace causeway::ui
