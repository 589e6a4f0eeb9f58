#pragma once

#include "journal/Journal.h"

#include <QDialog>

class QLineEdit;

namespace causeway::ui {

/// Passwords are never in the file: opening one asks for them.
class PasswordsDialog : public QDialog {
    Q_OBJECT

public:
    PasswordsDialog(const Settings &, QWidget *parent);
    [[nodiscard]] Secret source() const;
    [[nodiscard]] Secret target() const;

private:
    QLineEdit *m_source, *m_target;
};

} // namespace causeway::ui
