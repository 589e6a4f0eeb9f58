#pragma once

#include "journal/Snapshot.h"

#include <QWidget>

class QLabel;

namespace causeway::ui {

/// Which host takes writes and which follows, with an arrow from the first to the second: in words,
/// always in sight, so that nobody switches the wrong way round.
class RolesBar : public QWidget {
    Q_OBJECT

public:
    explicit RolesBar(QWidget *parent = nullptr);
    /// Before a migration is open: nothing follows yet, and that the source takes writes is said
    /// once it has been seen.
    void setHosts(const QString &source, const QString &target, bool sourceSeen);
    void setSnapshot(const Snapshot &);
    [[nodiscard]] QString sentence() const { return m_sentence; }

private:
    class Arrow;
    void show(const QString &source, const QString &target, Side leader, bool follows,
              bool finished);
    QLabel *m_sourceHost, *m_sourceRole, *m_targetHost, *m_targetRole;
    Arrow *m_arrow;
    QString m_sentence;
    bool m_stopped = false, m_sourceSeen = false;
};

} // namespace causeway::ui
