#pragma once

#include "base/Log.h"

#include <QTimer>
#include <QWidget>

class QCheckBox;
class QComboBox;
class QLineEdit;
class QPlainTextEdit;

namespace causeway::ui {

/// The newest log lines, bounded, with level and text filters. Costs nothing while it is hidden.
class LogDrawer : public QWidget {
    Q_OBJECT

public:
    explicit LogDrawer(QWidget *parent = nullptr);
    [[nodiscard]] QWidget *firstField() const;

Q_SIGNALS:
    void saveRequested(const QByteArray &utf8);

protected:
    void showEvent(QShowEvent *) override;
    void hideEvent(QHideEvent *) override;

private:
    void update(bool force);
    [[nodiscard]] QString rendered() const;

    QTimer m_timer;
    quint64 m_seen = 0;
    QComboBox *m_level;
    QLineEdit *m_search;
    QCheckBox *m_follow;
    QPlainTextEdit *m_text;
};

} // namespace causeway::ui
