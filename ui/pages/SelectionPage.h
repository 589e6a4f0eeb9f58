#pragma once

#include "pages/Page.h"

#include <QHash>

class QLineEdit;
class QPushButton;
class QSortFilterProxyModel;

namespace causeway::ui {

class RowsView;
class StatusLine;
class TableTreeModel;

/// 3 What moves: schemas and tables, and the names of schemas on the target.
class SelectionPage : public Page {
    Q_OBJECT

public:
    SelectionPage(EngineBridge &, Draft &);
    void activate() override;
    Readiness isComplete() const override;
    void recheck() override;
    void setLocked(bool) override;
    [[nodiscard]] TableTreeModel *model() const { return m_model; }

Q_SIGNALS:
    void selectionChanged();

private:
    void readSchemas();
    void readTables(const QString &schema);
    void takeSelection();
    void tickPattern(bool on);

    TableTreeModel *m_model;
    QSortFilterProxyModel *m_filter;
    RowsView *m_view;
    QLineEdit *m_search;
    QPushButton *m_tick, *m_untick;
    StatusLine *m_totals, *m_state;
    QString m_readFrom; ///< the source whose schemas stand in the tree
    EngineBridge::Ticket m_job = 0;
    QHash<QString, EngineBridge::Ticket> m_reading;
    bool m_locked = false;
    bool m_applying = false;
};

} // namespace causeway::ui
