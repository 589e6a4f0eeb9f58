#pragma once

#include "models/EngineBridge.h"

#include <QDialog>

class QLineEdit;
class QPushButton;

namespace causeway::ui {

class CodeView;
class StatusLine;

/// The least-privilege account for exactly this server and selection, as a script to copy or save.
class UserScriptDialog : public QDialog {
    Q_OBJECT

public:
    UserScriptDialog(EngineBridge &, Endpoint, Side, Selection, QWidget *parent);

private:
    void make();
    void save();

    EngineBridge &m_bridge;
    Endpoint m_endpoint;
    Side m_side;
    Selection m_selection;
    Secret m_password; ///< new for each dialog, never stored
    QLineEdit *m_account;
    QPushButton *m_make, *m_save;
    StatusLine *m_state;
    CodeView *m_script;
    EngineBridge::Ticket m_job = 0;
};

} // namespace causeway::ui
