#pragma once

#include "endpoint/Address.h"

#include <QHash>
#include <QWidget>

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QSpinBox;
class QToolButton;

namespace causeway::ui {

/// Everything needed to reach one server. A URL pasted into the top fills the form; its password
/// goes to the password's field and is gone from the URL at once.
class EndpointForm : public QWidget {
    Q_OBJECT

public:
    explicit EndpointForm(Side side, QWidget *parent = nullptr);

    void setEndpoint(const Endpoint &);
    /// What stands in the form. Makes a Secret (known to redaction from then on): not to be called
    /// for every key typed.
    [[nodiscard]] Endpoint endpoint() const;
    /// The first thing that is missing or wrong, as a sentence; empty = complete.
    [[nodiscard]] QString problem() const;
    /// Marks every field that is missing or wrong, and goes to the first.
    void showProblems();
    /// Takes a URL, `host[:port]` or text that holds an RDS endpoint. False: not understood.
    bool takeText(const QString &text);
    void setReadOnly(bool);
    [[nodiscard]] QLineEdit *firstField() const { return m_paste; }

Q_SIGNALS:
    void edited();

protected:
    bool eventFilter(QObject *, QEvent *) override;

private:
    QLineEdit *addLine(QFormLayout *, const QString &label, const QString &name);
    void addFile(QFormLayout *, const QString &label, const QString &name, QLineEdit *&out,
                 const QString &title);
    void setFieldError(QWidget *editor, const QString &word, const QString &error);
    [[nodiscard]] QList<QLineEdit *> checkedFields() const;
    [[nodiscard]] QString problemOf(const QWidget *editor) const;
    void setAddress(const Address &);
    [[nodiscard]] Address address() const;
    [[nodiscard]] std::optional<Address> elsewhere(const QLineEdit *hostAndPort,
                                                   const std::optional<Address> &given) const;
    void validate(QWidget *editor);
    void engineChanged();
    void tlsChanged();
    void takePaste(bool complain);
    [[nodiscard]] Engine engine() const;

    Side m_side;
    QLineEdit *m_paste, *m_host, *m_user, *m_password, *m_database, *m_ca, *m_cert, *m_key,
        *m_serverName, *m_writer = nullptr, *m_fromPeer;
    QComboBox *m_engine, *m_tls;
    QSpinBox *m_port, *m_timeout;
    QToolButton *m_advancedButton;
    QWidget *m_advanced;
    QHash<const QWidget *, QLabel *> m_errors;
    QHash<const QWidget *, QString> m_names;
    QFormLayout *m_more; ///< of m_advanced
    Endpoint m_given;    ///< of setEndpoint(): what only a file can say of other addresses
    QString m_socket;    ///< from a URL; shown in place of the host
    QMap<QString, QString> m_options; ///< further parameters of a URL
    qsizetype m_pastedLength = 0;
    bool m_filling = false;
};

} // namespace causeway::ui
