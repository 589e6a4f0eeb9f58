#pragma once

#include <QWidget>

#include <functional>
#include <vector>

class QChart;
class QChartView;
class QDateTimeAxis;
class QLineSeries;
class QPushButton;
class QStackedWidget;
class QStandardItemModel;
class QValueAxis;

namespace causeway::ui {

/// One measure over time, as a line or as a table. The only place that knows Qt Charts.
class HistoryChart : public QWidget {
    Q_OBJECT

public:
    struct Point {
        qint64 atMs = 0; ///< Unix time
        double value = 0;
    };
    struct Look {
        QString title;                          ///< "Throughput"
        QString objectName;                     ///< of this widget; its parts are named after it
        std::function<QString(double)> inWords; ///< "23.6 MB/s"
        /// By what values are divided for the axis, and the unit then: {1e6, "MB/s"}.
        std::function<std::pair<double, QString>(double highest)> scale;
        double threshold = 0; ///< drawn as a dashed line; 0 = none
        QString thresholdTitle;
    };

    explicit HistoryChart(Look, QWidget *parent = nullptr);
    /// Oldest first. Drawn when the widget is seen.
    void setPoints(std::vector<Point>);
    [[nodiscard]] bool isTable() const;

protected:
    void showEvent(QShowEvent *) override;
    void changeEvent(QEvent *) override;

private:
    void draw();
    void drawTable();
    void takeColours();
    void showTable(bool);

    Look m_look;
    std::vector<Point> m_points;
    bool m_stale = true;
    QChart *m_chart;
    QChartView *m_view;
    QLineSeries *m_line, *m_threshold = nullptr;
    QDateTimeAxis *m_time;
    QValueAxis *m_value;
    QStackedWidget *m_stack;
    QStandardItemModel *m_rows;
    QPushButton *m_switch;
};

} // namespace causeway::ui
