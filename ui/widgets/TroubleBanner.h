#pragma once

#include "journal/Snapshot.h"
#include "verify/Verifier.h"

#include <QFrame>

class QPushButton;
class QVBoxLayout;

namespace causeway::ui {

class CodeView;
class StatusLine;

/// What must not be overlooked once rows are on both sides: somebody else wrote on the server that
/// follows, replication itself is in trouble, rows differ. With what settles it.
class TroubleBanner : public QFrame {
    Q_OBJECT

public:
    explicit TroubleBanner(QWidget *parent = nullptr);
    /// `comparison`: the newest that was seen, for the rows that differ; may be null.
    void show(const Snapshot *, const VerifyReport *comparison);

Q_SIGNALS:
    void repairRequested();

private:
    void askRepair();

    QString m_leader, m_follower;
    QVBoxLayout *m_lines;
    std::vector<StatusLine *> m_problems;
    CodeView *m_rows;
    QPushButton *m_repair;
};

} // namespace causeway::ui
