#pragma once

#include <QDialog>
#include <QStringList>

#include <functional>

class QLineEdit;
class QPushButton;

namespace causeway::ui {

/// Asks for a name to be typed, for the few things that cannot be undone. No default button: Enter
/// does nothing until the user has gone to the button.
class TypedConfirm : public QDialog {
    Q_OBJECT

public:
    TypedConfirm(const QString &title, const QString &explanation, const QString &word,
                 const QString &action, QWidget *parent);
    [[nodiscard]] QPushButton *actionButton() const { return m_action; }

private:
    QLineEdit *m_edit;
    QPushButton *m_action;
};

} // namespace causeway::ui
