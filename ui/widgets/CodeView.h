#pragma once

#include <QWidget>

class QPlainTextEdit;
class QToolButton;

namespace causeway::ui {

/// SQL or a command line to read and copy: fixed width, always left-to-right, with a Copy button.
class CodeView : public QWidget {
    Q_OBJECT

public:
    explicit CodeView(const QString &name, QWidget *parent = nullptr);
    void setText(const QString &);
    [[nodiscard]] QString text() const;
    void setEmptyText(const QString &);
    void setVisibleLines(int);

private:
    QPlainTextEdit *m_text;
    QToolButton *m_copy;
};

} // namespace causeway::ui
