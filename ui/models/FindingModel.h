#pragma once

#include "preflight/Check.h"

#include <QAbstractItemModel>
#include <QStringList>

#include <array>
#include <vector>

namespace causeway::ui {

/// Findings in groups: what blocks, what warns, what one should know, what passed, what was
/// skipped. "Unknown" goes
/// where a failure of that check would go: it never counts as passed.
class FindingModel : public QAbstractItemModel {
    Q_OBJECT

public:
    enum Group { Blockers, Warnings, Notes, Passed, Skipped, GroupCount };
    enum Column { Check, Side, Found, Needed, Objects, ColumnCount };

    using QAbstractItemModel::QAbstractItemModel;

    void clear();
    void add(const Finding &); ///< or replaces the one with the same id and side
    void setFindings(const std::vector<Finding> &);
    void setAccepted(const QStringList &ids);

    [[nodiscard]] const Finding *finding(const QModelIndex &) const; ///< null on a group
    [[nodiscard]] int count(Group) const;
    [[nodiscard]] QStringList openWarnings() const; ///< not acknowledged
    [[nodiscard]] QStringList openBlockers() const; ///< not accepted
    [[nodiscard]] static Group groupOf(const Finding &);
    [[nodiscard]] QModelIndex indexOf(const QString &id) const;

    QModelIndex index(int row, int column, const QModelIndex &parent = {}) const override;
    QModelIndex parent(const QModelIndex &child) const override;
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation, int role = Qt::DisplayRole) const override;

private:
    [[nodiscard]] QString groupTitle(Group) const;

    std::array<std::vector<Finding>, GroupCount> m_groups;
    QStringList m_accepted;
};

} // namespace causeway::ui
