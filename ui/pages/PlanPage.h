#pragma once

#include "pages/Page.h"

class QButtonGroup;
class QLineEdit;
class QPushButton;
class QSpinBox;
class QToolButton;

namespace causeway::ui {

class CodeView;
class RowsView;
class StatusLine;
class StepModel;

/// 5 Plan: what will be done, where, with which SQL; how the application follows; the file.
class PlanPage : public Page {
    Q_OBJECT

public:
    PlanPage(EngineBridge &, Draft &);
    void activate() override;
    Readiness isComplete() const override;
    bool next() override;
    QString nextText() const override;
    void recheck() override;
    void load() override;
    void snapshotChanged() override;
    void setLocked(bool) override;

Q_SIGNALS:
    /// The plan is there: the shell locks nothing yet, but knows the file.
    void prepared();

private:
    void takeOptions();
    void askCapabilities();
    void showPause();
    void acceptOneWay();
    void prepare();
    void readPlan();
    void updateState();
    void chooseFile();
    [[nodiscard]] QString optionProblem() const;
    [[nodiscard]] bool isPrepared() const; ///< a migration is open, with exactly these settings
    [[nodiscard]] bool needsOneWay() const;

    StatusLine *m_lid, *m_space, *m_pause, *m_wayBack, *m_state;
    QPushButton *m_acceptOneWay, *m_prepare;
    QButtonGroup *m_follow;
    QLineEdit *m_hook, *m_file;
    QSpinBox *m_workers, *m_throttle;
    QToolButton *m_browse;
    StepModel *m_steps;
    RowsView *m_view;
    CodeView *m_sql;
    std::optional<Support> m_reverse; ///< of the target; absent = not known yet
    QString m_reverseOf;
    EngineBridge::Ticket m_job = 0, m_capabilityJob = 0;
    bool m_locked = false;
    bool m_loading = false;
};

} // namespace causeway::ui
