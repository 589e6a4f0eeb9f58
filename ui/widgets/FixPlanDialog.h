#pragma once

#include "preflight/FixPlan.h"

#include <QDialog>

namespace causeway::ui {

/// What is to be done on each server, step by step, the settings of all findings in one change: to
/// be read out to, or copied for, whoever looks after the server.
class FixPlanDialog : public QDialog {
    Q_OBJECT

public:
    FixPlanDialog(const std::vector<FixPlan> &, QWidget *parent);
};

} // namespace causeway::ui
