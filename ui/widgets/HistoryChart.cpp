#include "widgets/HistoryChart.h"

#include "widgets/Labels.h"
#include "widgets/RowsView.h"

#include <QChart>
#include <QChartView>
#include <QDateTime>
#include <QDateTimeAxis>
#include <QEvent>
#include <QGraphicsLayout>
#include <QHBoxLayout>
#include <QLegend>
#include <QLineSeries>
#include <QLocale>
#include <QPushButton>
#include <QStackedWidget>
#include <QStandardItemModel>
#include <QVBoxLayout>
#include <QValueAxis>

#include <algorithm>

namespace causeway::ui {

namespace {
/// Okabe and Ito's blue and vermillion, which are told apart without seeing colours as most do;
/// the threshold is dashed besides.
const QColor kLine(0x00, 0x72, 0xb2), kLineOnDark(0x56, 0xb4, 0xe9), kThreshold(0xd5, 0x5e, 0x00);
constexpr int kMostRows = 600; ///< of the table, the newest
} // namespace

HistoryChart::HistoryChart(Look look, QWidget *parent)
    : QWidget(parent), m_look(std::move(look)), m_chart(new QChart),
      m_view(new QChartView(m_chart)), m_line(new QLineSeries), m_time(new QDateTimeAxis),
      m_value(new QValueAxis), m_stack(new QStackedWidget), m_rows(new QStandardItemModel(this)),
      m_switch(new QPushButton(tr("Show as table")))
{
    named(this, m_look.objectName, m_look.title);
    m_chart->legend()->hide();
    m_chart->setMargins({});
    m_chart->layout()->setContentsMargins(0, 0, 0, 0);
    m_chart->addSeries(m_line);
    m_chart->addAxis(m_time, Qt::AlignBottom);
    m_chart->addAxis(m_value, Qt::AlignLeft);
    m_line->attachAxis(m_time);
    m_line->attachAxis(m_value);
    if (m_look.threshold > 0) {
        m_threshold = new QLineSeries;
        m_chart->addSeries(m_threshold);
        m_threshold->attachAxis(m_time);
        m_threshold->attachAxis(m_value);
    }
    m_time->setTickCount(3);
    m_value->setTickCount(3);
    m_value->setMin(0);
    named(m_view, m_look.objectName + QStringLiteral("View"), m_look.title);
    m_view->setRenderHint(QPainter::Antialiasing);
    m_view->setFrameShape(QFrame::NoFrame);
    m_view->setFocusPolicy(Qt::StrongFocus);
    // A graphics view wants to be as large as its scene; this one takes what is there.
    m_view->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Ignored);
    m_view->setMinimumHeight(fontMetrics().height() * 8);

    auto *table = named(new RowsView, m_look.objectName + QStringLiteral("Table"), m_look.title);
    m_rows->setHorizontalHeaderLabels({tr("Time"), m_look.title});
    table->setModel(m_rows);
    table->setEmptyText(tr("Nothing measured yet."));
    table->setColumnChars({22, 12});

    m_stack->addWidget(m_view);
    m_stack->addWidget(table);
    auto *head = new QHBoxLayout;
    head->addWidget(makeHeading(m_look.title, m_look.objectName + QStringLiteral("Heading")), 1);
    m_switch->setObjectName(m_look.objectName + QStringLiteral("Switch"));
    m_switch->setCheckable(true);
    m_switch->setAutoDefault(false);
    m_switch->setAccessibleName(tr("%1: show as table").arg(m_look.title));
    head->addWidget(m_switch);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins({});
    layout->addLayout(head);
    layout->addWidget(m_stack, 1);
    connect(m_switch, &QPushButton::toggled, this, &HistoryChart::showTable);
    takeColours();
}

bool HistoryChart::isTable() const
{
    return m_stack->currentIndex() == 1;
}

void HistoryChart::showTable(bool on)
{
    m_stack->setCurrentIndex(on ? 1 : 0);
    m_stale = true;
    draw();
}

void HistoryChart::setPoints(std::vector<Point> points)
{
    m_points = std::move(points);
    m_stale = true;
    if (isVisible())
        draw();
}

void HistoryChart::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    draw();
}

void HistoryChart::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange)
        takeColours();
    QWidget::changeEvent(event);
}

void HistoryChart::takeColours()
{
    const QColor text = palette().color(QPalette::WindowText);
    const QColor back = palette().color(QPalette::Base);
    const bool dark = back.lightness() < 128;
    m_chart->setBackgroundBrush(back);
    m_chart->setBackgroundRoundness(0);
    m_view->setBackgroundBrush(back);
    for (QAbstractAxis *axis :
         {static_cast<QAbstractAxis *>(m_time), static_cast<QAbstractAxis *>(m_value)}) {
        axis->setLabelsBrush(text);
        axis->setTitleBrush(text);
        axis->setLinePen(QPen(text));
        axis->setGridLinePen(QPen(palette().color(QPalette::Mid), 1, Qt::DotLine));
        axis->setLabelsFont(font());
        axis->setTitleFont(font());
    }
    m_line->setPen(QPen(dark ? kLineOnDark : kLine, 2));
    if (m_threshold)
        m_threshold->setPen(QPen(kThreshold, 2, Qt::DashLine));
}

void HistoryChart::draw()
{
    if (!m_stale)
        return;
    m_stale = false;
    QString description = tr("Nothing measured yet.");
    if (!m_points.empty())
        description = tr("Now %1.").arg(m_look.inWords(m_points.back().value));
    if (m_threshold)
        description += QLatin1Char(' ') + m_look.thresholdTitle;
    m_view->setAccessibleDescription(description);
    m_view->setToolTip(description);
    if (isTable()) {
        drawTable();
        return;
    }
    double highest = m_look.threshold;
    for (const Point &p : m_points)
        highest = std::max(highest, p.value);
    const auto [divisor, unit] = m_look.scale(highest);
    QList<QPointF> line;
    line.reserve(static_cast<qsizetype>(m_points.size()));
    for (const Point &p : m_points)
        line.append({static_cast<double>(p.atMs), p.value / divisor});
    m_line->replace(line);
    const qint64 now =
        m_points.empty() ? QDateTime::currentMSecsSinceEpoch() : m_points.back().atMs;
    // A first point alone would make an axis without length.
    const qint64 from =
        m_points.empty() ? now - 60'000 : std::min(m_points.front().atMs, now - 60'000);
    m_time->setRange(QDateTime::fromMSecsSinceEpoch(from), QDateTime::fromMSecsSinceEpoch(now));
    m_time->setFormat(now - from > 86'400'000 / 2 ? QStringLiteral("d MMM hh:mm")
                      : now - from > 600'000      ? QStringLiteral("hh:mm")
                                                  : QStringLiteral("hh:mm:ss"));
    const double top = highest > 0 ? highest / divisor * 1.1 : 1;
    m_value->setTickCount(4);
    m_value->setRange(0, top);
    m_value->applyNiceNumbers();
    m_value->setLabelFormat(m_value->max() < 10 ? QStringLiteral("%.1f") : QStringLiteral("%.0f"));
    m_value->setTitleText(unit);
    if (m_threshold) {
        const double at = m_look.threshold / divisor;
        m_threshold->replace(
            QList<QPointF>{{static_cast<double>(from), at}, {static_cast<double>(now), at}});
    }
}

void HistoryChart::drawTable()
{
    m_rows->removeRows(0, m_rows->rowCount());
    const QLocale locale;
    const std::size_t count = std::min<std::size_t>(m_points.size(), kMostRows);
    for (std::size_t i = 0; i < count; ++i) { // the newest on top
        const Point &p = m_points[m_points.size() - 1 - i];
        auto *time = new QStandardItem(locale.toString(QDateTime::fromMSecsSinceEpoch(p.atMs),
                                                       QStringLiteral("yyyy-MM-dd hh:mm:ss")));
        auto *value = new QStandardItem(m_look.inWords(p.value));
        for (QStandardItem *item : {time, value})
            item->setEditable(false);
        m_rows->appendRow({time, value});
    }
}

} // namespace causeway::ui
