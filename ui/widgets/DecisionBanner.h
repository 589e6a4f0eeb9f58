#pragma once

#include "journal/Snapshot.h"

#include <QFrame>

class QHBoxLayout;

namespace causeway::ui {

class CodeView;
class StatusLine;

/// The engine's question, with a button for each answer. No answer is the default: a stray Enter
/// must not decide anything.
class DecisionBanner : public QFrame {
    Q_OBJECT

public:
    explicit DecisionBanner(QWidget *parent = nullptr);
    void setDecision(const std::optional<Decision> &);

Q_SIGNALS:
    void answered(const QString &decision, const QString &choice);

private:
    QString m_shown; ///< what stands on the banner, to rebuild only for another question
    StatusLine *m_question, *m_objects;
    CodeView *m_detail;
    QHBoxLayout *m_buttons;
};

} // namespace causeway::ui
