#pragma once

#include <QTreeView>

namespace causeway::ui {

/// A table or tree whose selected rows Ctrl+C copies, tab-separated, and which says in its middle
/// why it is empty.
class RowsView : public QTreeView {
    Q_OBJECT

public:
    explicit RowsView(QWidget *parent = nullptr);
    void setEmptyText(const QString &);
    /// Widths in characters of the view's font, one per column; 0 = as wide as what it holds.
    void setColumnChars(const QList<int> &);

protected:
    void keyPressEvent(QKeyEvent *) override;
    void paintEvent(QPaintEvent *) override;

private:
    void copySelection() const;
    QString m_emptyText;
};

} // namespace causeway::ui
