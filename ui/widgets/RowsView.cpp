#include "widgets/RowsView.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QPainter>

namespace causeway::ui {

RowsView::RowsView(QWidget *parent) : QTreeView(parent)
{
    setSelectionMode(ExtendedSelection);
    setSelectionBehavior(SelectRows);
    setUniformRowHeights(true); // what keeps 50,000 rows fluent
    setAlternatingRowColors(true);
    setRootIsDecorated(false);
    setTabKeyNavigation(false); // Tab leaves the view, as in every other control
    setEditTriggers(NoEditTriggers);
    header()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
}

void RowsView::setEmptyText(const QString &text)
{
    m_emptyText = text;
    viewport()->update();
}

void RowsView::setColumnChars(const QList<int> &chars)
{
    const int one = fontMetrics().averageCharWidth();
    for (int column = 0; column < chars.size(); ++column) {
        if (chars[column] > 0)
            header()->resizeSection(column, chars[column] * one);
    }
    header()->setStretchLastSection(true);
}

void RowsView::keyPressEvent(QKeyEvent *event)
{
    if (event->matches(QKeySequence::Copy)) {
        copySelection();
        return;
    }
    QTreeView::keyPressEvent(event);
}

void RowsView::copySelection() const
{
    if (!selectionModel())
        return;
    QModelIndexList rows = selectionModel()->selectedRows();
    std::sort(rows.begin(), rows.end());
    QStringList lines;
    for (const QModelIndex &row : rows) {
        QStringList cells;
        for (int column = 0; column < model()->columnCount(row.parent()); ++column) {
            if (!isColumnHidden(column))
                cells << row.siblingAtColumn(column).data().toString();
        }
        lines << cells.join(QLatin1Char('\t'));
    }
    if (!lines.isEmpty())
        QGuiApplication::clipboard()->setText(lines.join(QLatin1Char('\n')));
}

void RowsView::paintEvent(QPaintEvent *event)
{
    QTreeView::paintEvent(event);
    if (m_emptyText.isEmpty() || !model() || model()->rowCount(rootIndex()) > 0)
        return;
    QPainter painter(viewport());
    painter.setPen(palette().color(QPalette::PlaceholderText));
    const int margin = fontMetrics().height();
    painter.drawText(viewport()->rect().adjusted(margin, margin, -margin, -margin),
                     Qt::AlignCenter | Qt::TextWordWrap, m_emptyText);
}

} // namespace causeway::ui
