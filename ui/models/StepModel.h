#pragma once

#include "journal/Step.h"

#include <QAbstractTableModel>

#include <vector>

namespace causeway::ui {

/// Steps, numbered, with their state and how long each took. The SQL of a step is its SqlRole.
class StepModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Number, Title, Where, State, Started, Took, ColumnCount };
    static constexpr int SqlRole = Qt::UserRole;

    using QAbstractTableModel::QAbstractTableModel;
    void setSteps(const std::vector<StepRecord> &);
    [[nodiscard]] const StepRecord *step(const QModelIndex &) const;

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation, int role = Qt::DisplayRole) const override;

private:
    std::vector<StepRecord> m_steps;
};

} // namespace causeway::ui
