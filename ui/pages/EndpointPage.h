#pragma once

#include "pages/Page.h"

class QPushButton;

namespace causeway::ui {

class EndpointForm;
class StageList;
class StatusLine;

/// 1 Source and 2 Target: how the server is reached, and a test that says where it fails.
class EndpointPage : public Page {
    Q_OBJECT

public:
    EndpointPage(EngineBridge &, Draft &, Side);
    void activate() override;
    Readiness isComplete() const override;
    bool isNeeded() const override;
    void recheck() override;
    void load() override;
    void setLocked(bool) override;

Q_SIGNALS:
    void addressChanged(causeway::Side side);

private:
    void edited();
    void startTest();
    void endTest(const ConnectionReport &);
    void cancelTest();
    void showUserScript();
    [[nodiscard]] Address &address() const;
    void takeForm();
    [[nodiscard]] std::optional<ConnectionReport> &report() const;

    Side m_side;
    EndpointForm *m_form;
    QPushButton *m_test, *m_script;
    StageList *m_stages;
    StatusLine *m_result;
    EngineBridge::Ticket m_job = 0;
    bool m_loading = false;
    bool m_locked = false;
};

} // namespace causeway::ui
