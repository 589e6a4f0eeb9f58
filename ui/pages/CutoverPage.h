#pragma once

#include "models/CutoverFacts.h"
#include "pages/Page.h"

#include <QTimer>

class QCheckBox;
class QGroupBox;
class QPushButton;
class QVBoxLayout;

namespace causeway::ui {

class ClientModel;
class RowsView;
class StatusLine;
class StepModel;
class TroubleBanner;

/// 7 Cutover: the facts, one button that names the host, and the way back.
class CutoverPage : public Page {
    Q_OBJECT

public:
    CutoverPage(EngineBridge &, Draft &);
    void activate() override;
    Readiness isComplete() const override;
    void snapshotChanged() override;
    void recheck() override;

protected:
    void hideEvent(QHideEvent *) override;

private:
    void tick(); ///< once a second while in sight: ages, live clients
    void updateFacts();
    void updateClientState();
    void switchOver();
    void switchBack();
    void askFinish();
    void ask(Goal);
    [[nodiscard]] bool isPreparing(const Snapshot &) const; ///< asked for, and not begun yet

    CutoverFacts m_facts;
    QTimer m_timer;
    TroubleBanner *m_trouble;
    StatusLine *m_state, *m_obstacle, *m_pause;
    QGroupBox *m_factBox;
    QVBoxLayout *m_factLayout;
    std::vector<StatusLine *> m_factLines;
    QPushButton *m_primary, *m_back, *m_finish;
    QCheckBox *m_openSource;
    StepModel *m_steps;
    RowsView *m_stepView;
    ClientModel *m_clients;
    RowsView *m_clientView;
    StatusLine *m_clientState;
    EngineBridge::Ticket m_clientJob = 0;
    int m_ticks = 0;
    std::optional<Goal> m_asked; ///< until its outcome
};

} // namespace causeway::ui
