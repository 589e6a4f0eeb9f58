#pragma once

#include "engine/Migration.h"
#include "journal/Journal.h"

#include <QDialog>

class QLineEdit;

namespace causeway::ui {

/// Passwords are never in the file: opening one asks for them.
class PasswordsDialog : public QDialog {
    Q_OBJECT

public:
    PasswordsDialog(const Settings &, QWidget *parent);
    [[nodiscard]] Migration::Secrets secrets() const;

private:
    QLineEdit *m_source, *m_target;
    QLineEdit *m_writer = nullptr; ///< where the source is a replica
};

} // namespace causeway::ui
