#pragma once

#include "models/Words.h"

#include <QLabel>
#include <QWidget>

namespace causeway::ui {

/// Gives a control the two names it needs: for tests, and for a screen reader.
template <class W> W *named(W *widget, const QString &objectName, const QString &accessibleName)
{
    widget->setObjectName(objectName);
    widget->setAccessibleName(accessibleName);
    return widget;
}

/// Wrapped text that can be selected.
QLabel *makeText(const QString &text, const QString &objectName);
/// A heading inside a page.
QLabel *makeHeading(const QString &text, const QString &objectName);

/// Icon and sentence in a line: how a page says where something stands.
class StatusLine : public QWidget {
    Q_OBJECT

public:
    explicit StatusLine(const QString &objectName, QWidget *parent = nullptr);
    void set(Mark, const QString &text);
    [[nodiscard]] QString text() const { return m_text->text(); }
    [[nodiscard]] Mark mark() const { return m_mark; }

protected:
    void changeEvent(QEvent *) override;

private:
    Mark m_mark = Mark::None;
    QLabel *m_icon, *m_text;
};

} // namespace causeway::ui
