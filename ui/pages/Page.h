#pragma once

#include "models/Draft.h"
#include "models/EngineBridge.h"
#include "models/Words.h"

#include <QWidget>

class QLabel;
class QVBoxLayout;

namespace causeway::ui {

/// Whether one may go on from a page, and if not, why: a sentence that stands beside Next.
struct Readiness {
    bool complete = false;
    QString reason;
};

/// One step of the wizard. The shell shows it, asks it, and owns the draft it writes to.
class Page : public QWidget {
    Q_OBJECT

public:
    Page(EngineBridge &bridge, Draft &draft, const QString &objectName, const QString &title,
         const QString &lead);

    [[nodiscard]] QString title() const { return m_title; }
    /// The page comes to the front.
    virtual void activate() {}
    /// Another page is asked for. False: the page asks something first and emits advance() itself.
    virtual bool mayLeave() { return true; }
    [[nodiscard]] virtual Readiness isComplete() const = 0;
    /// Next was pressed on a complete page. False: the page works first and emits advance().
    virtual bool next() { return true; }
    [[nodiscard]] virtual QString nextText() const { return tr("&Next"); }
    /// The page has a place in this kind of run (a check of a source has no target).
    [[nodiscard]] virtual bool isNeeded() const { return true; }
    /// F5.
    virtual void recheck() {}
    /// Ctrl+S. True: the page saves a report of its own.
    virtual bool saveReport() { return false; }
    /// The draft was replaced from outside (a file was opened, options were given).
    virtual void load() {}
    virtual void snapshotChanged() {}
    /// The copy has begun: what was set here can be read, not changed.
    virtual void setLocked(bool) {}

Q_SIGNALS:
    void completeChanged();
    void advance();

protected:
    [[nodiscard]] QVBoxLayout *body() const { return m_body; }
    void setTitle(const QString &title, const QString &lead);
    /// Asks for a file name; makes the content and saves it there on a job's thread. An error is
    /// shown in a message.
    void saveAs(const QString &caption, const QString &suggested, const QString &filter,
                std::function<Result<QByteArray>()> content);

    EngineBridge &m_bridge;
    Draft &m_draft;

private:
    QString m_title;
    QLabel *m_heading, *m_lead;
    QVBoxLayout *m_body;
};

} // namespace causeway::ui
