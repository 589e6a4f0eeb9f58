#pragma once

#include <QStringList>
#include <QWidget>

class QVBoxLayout;

namespace causeway::ui {

/// What mends a finding, to be copied block by block: SQL goes into a session, lines of a
/// configuration into a file, a command into a shell. Each has its own Copy button, so that
/// nothing is pasted where it does not belong.
class FixCode : public QWidget {
    Q_OBJECT

public:
    explicit FixCode(QWidget *parent = nullptr);
    void set(const QStringList &sql, const QStringList &config, const QStringList &command);

private:
    QVBoxLayout *m_blocks;
    QString m_shown;
};

} // namespace causeway::ui
