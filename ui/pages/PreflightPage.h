#pragma once

#include "pages/Page.h"

class QCheckBox;
class QLabel;
class QPushButton;

namespace causeway::ui {

class FixCode;
class FindingModel;
class RowsView;
class StatusLine;

/// 4 Preflight: what stands in the way, why, and how to mend it.
class PreflightPage : public Page {
    Q_OBJECT

public:
    PreflightPage(EngineBridge &, Draft &);
    void activate() override;
    Readiness isComplete() const override;
    void recheck() override;
    bool saveReport() override;
    void setLocked(bool) override;
    [[nodiscard]] FindingModel *model() const { return m_model; }
    /// Shows a report that is there already (tests, an opened draft).
    void showReport(const CheckReport &);

private:
    void run();
    void showDetail();
    void accept(bool on);
    void applyFix();
    void exportAs(const QString &format);
    void updateVerdict();
    [[nodiscard]] CheckOptions options() const;
    [[nodiscard]] Endpoint source() const;
    [[nodiscard]] std::optional<Endpoint> target() const;

    FindingModel *m_model;
    RowsView *m_view;
    StatusLine *m_verdict;
    QLabel *m_title, *m_text;
    FixCode *m_fix;
    QCheckBox *m_accept;
    QPushButton *m_again, *m_plan, *m_apply, *m_export;
    EngineBridge::Ticket m_job = 0;
    bool m_locked = false;
    bool m_showing = false;
};

} // namespace causeway::ui
