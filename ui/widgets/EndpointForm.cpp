#include "widgets/EndpointForm.h"

#include "models/Words.h"
#include "widgets/Labels.h"

#include <QComboBox>
#include <QFileDialog>
#include <QFocusEvent>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QRegularExpression>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

namespace causeway::ui {

namespace {
quint16 defaultPort(Engine e)
{
    return e == Engine::Postgres ? 5432 : 3306;
}

const QRegularExpression
    hostAndPort(QStringLiteral(R"(^([A-Za-z0-9_.-]+|\[[0-9a-fA-F:]+\])(?::(\d{1,5}))?$)"));

/// An editor with its error beneath.
QWidget *withError(QWidget *editor, QLabel *error)
{
    auto *box = new QWidget;
    auto *layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(editor);
    layout->addWidget(error);
    error->hide();
    return box;
}
} // namespace

EndpointForm::EndpointForm(Side side, QWidget *parent) : QWidget(parent), m_side(side)
{
    setObjectName(toString(side) + QStringLiteral("EndpointForm"));
    auto *form = new QFormLayout(this);
    form->setContentsMargins(0, 0, 0, 0);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->setRowWrapPolicy(QFormLayout::WrapLongRows);

    m_paste = addLine(form, tr("Paste a &URL"), QStringLiteral("Paste"));
    m_paste->setPlaceholderText(tr("mysql://user@host:3306/database, or an RDS endpoint"));
    m_engine = new QComboBox;
    m_engine->setObjectName(toString(side) + QStringLiteral("EngineCombo"));
    m_engine->setAccessibleName(tr("Database engine"));
    for (const Engine e : {Engine::MySql, Engine::MariaDb, Engine::Postgres})
        m_engine->addItem(Words::engine(e), static_cast<int>(e));
    form->addRow(tr("&Engine"), m_engine);

    m_host = addLine(form, tr("Host na&me"), QStringLiteral("Host"));
    m_port = new QSpinBox;
    m_port->setObjectName(toString(side) + QStringLiteral("PortSpin"));
    m_port->setAccessibleName(tr("Port"));
    m_port->setRange(1, 65535);
    m_port->setGroupSeparatorShown(false);
    m_port->setValue(defaultPort(Engine::MySql));
    m_port->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    form->addRow(tr("&Port"), m_port);
    m_database = addLine(form, tr("&Database"), QStringLiteral("Database"));
    m_user = addLine(form, tr("Use&r name"), QStringLiteral("User"));
    m_password = addLine(form, tr("Pass&word"), QStringLiteral("Password"));
    m_password->setEchoMode(QLineEdit::Password);
    m_password->setPlaceholderText(tr("kept for this session only"));

    m_tls = new QComboBox;
    m_tls->setObjectName(toString(side) + QStringLiteral("TlsCombo"));
    m_tls->setAccessibleName(tr("TLS mode"));
    form->addRow(tr("&TLS"), m_tls);
    addFile(form, tr("C&A certificate"), QStringLiteral("Ca"), m_ca,
            tr("CA certificate chain (PEM)"));
    m_ca->setPlaceholderText(tr("system CA"));

    m_advancedButton = new QToolButton;
    m_advancedButton->setObjectName(toString(side) + QStringLiteral("AdvancedButton"));
    m_advancedButton->setText(tr("Advanced &settings"));
    m_advancedButton->setAccessibleName(tr("Advanced connection settings"));
    m_advancedButton->setCheckable(true);
    m_advancedButton->setAutoRaise(true);
    m_advancedButton->setArrowType(Qt::RightArrow);
    m_advancedButton->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    form->addRow(m_advancedButton);
    m_advanced = new QWidget;
    m_more = new QFormLayout(m_advanced);
    auto *more = m_more;
    more->setContentsMargins(0, 0, 0, 0);
    more->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    addFile(more, tr("C&lient certificate"), QStringLiteral("Cert"), m_cert,
            tr("Client certificate (PEM)"));
    addFile(more, tr("Client &key"), QStringLiteral("Key"), m_key, tr("Client key (PEM)"));
    m_serverName = addLine(more, tr("Server name to verif&y"), QStringLiteral("ServerName"));
    m_serverName->setPlaceholderText(tr("the host name"));
    m_timeout = new QSpinBox;
    m_timeout->setObjectName(toString(side) + QStringLiteral("TimeoutSpin"));
    m_timeout->setAccessibleName(tr("Connect time-out in seconds"));
    m_timeout->setRange(1, 300);
    m_timeout->setValue(10);
    m_timeout->setSuffix(tr(" s"));
    m_timeout->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    more->addRow(tr("Connect time-&out"), m_timeout);
    if (m_side == Side::Source) {
        m_writer = addLine(more, tr("Primary of this replica"), QStringLiteral("Writer"));
        m_writer->setPlaceholderText(tr("none: this server takes the writes itself"));
        m_writer->setToolTip(tr("If the source is a replica: host or host:port of the primary that "
                                "takes the writes and is closed at the switch. The same account is "
                                "used there."));
    }
    m_fromPeer = addLine(more, tr("Address for the other server"), QStringLiteral("FromPeer"));
    m_fromPeer->setPlaceholderText(tr("the same as from here"));
    m_fromPeer->setToolTip(tr("The two servers replicate directly. Host or host:port by which the "
                              "other one reaches this one, where that differs from here: private "
                              "networks, tunnels."));
    form->addRow(m_advanced);
    m_advanced->hide();

    connect(m_advancedButton, &QToolButton::toggled, this, [this](bool on) {
        m_advancedButton->setArrowType(on ? Qt::DownArrow : Qt::RightArrow);
        m_advanced->setVisible(on);
    });
    connect(m_engine, &QComboBox::currentIndexChanged, this, &EndpointForm::engineChanged);
    connect(m_tls, &QComboBox::currentIndexChanged, this, &EndpointForm::tlsChanged);
    for (QSpinBox *spin : {m_port, m_timeout})
        connect(spin, &QSpinBox::valueChanged, this, [this] {
            if (!m_filling)
                Q_EMIT edited();
        });
    connect(m_host, &QLineEdit::textEdited, this, [this] { m_socket.clear(); });
    connect(m_paste, &QLineEdit::textChanged, this, [this](const QString &text) {
        // Text that comes in one piece was pasted: take it at once, before a password in it is
        // looked at for longer than needed.
        const bool pasted = text.size() > m_pastedLength + 3;
        m_pastedLength = text.size();
        if (pasted && !m_filling)
            takePaste(false);
    });
    connect(m_paste, &QLineEdit::editingFinished, this, [this] { takePaste(true); });
    engineChanged();
}

QLineEdit *EndpointForm::addLine(QFormLayout *form, const QString &label, const QString &name)
{
    auto *line = new QLineEdit;
    line->setObjectName(toString(m_side) + name + QStringLiteral("Edit"));
    QString plain = label;
    plain.remove(QLatin1Char('&'));
    m_names.insert(line, plain);
    line->setAccessibleName(plain);
    auto *error = makeText({}, toString(m_side) + name + QStringLiteral("Error"));
    m_errors.insert(line, error);
    auto *box = withError(line, error);
    auto *caption = new QLabel(label);
    caption->setBuddy(line);
    form->addRow(caption, box);
    if (name != QLatin1String("Paste")) {
        line->installEventFilter(this);
        connect(line, &QLineEdit::textChanged, this, [this, line] {
            if (m_errors.value(line)->isVisibleTo(this))
                validate(line);
            if (!m_filling)
                Q_EMIT edited();
        });
    }
    return line;
}

bool EndpointForm::eventFilter(QObject *object, QEvent *event)
{
    // Not editingFinished: from Qt 6.3 on it is silent when a field is left as empty as it was.
    if (event->type() == QEvent::FocusOut) {
        const auto reason = static_cast<QFocusEvent *>(event)->reason();
        auto *line = qobject_cast<QLineEdit *>(object);
        if (line && reason != Qt::ActiveWindowFocusReason && reason != Qt::PopupFocusReason)
            validate(line);
    }
    return QWidget::eventFilter(object, event);
}

void EndpointForm::addFile(QFormLayout *form, const QString &label, const QString &name,
                           QLineEdit *&out, const QString &title)
{
    out = addLine(form, label, name);
    auto *browse = new QToolButton;
    browse->setObjectName(toString(m_side) + name + QStringLiteral("BrowseButton"));
    browse->setText(tr("..."));
    browse->setAccessibleName(tr("Choose file: %1").arg(title));
    browse->setToolTip(title);
    QWidget *box = out->parentWidget();
    auto *column = static_cast<QVBoxLayout *>(box->layout());
    column->removeWidget(out);
    auto *line = new QHBoxLayout;
    line->addWidget(out, 1);
    line->addWidget(browse);
    column->insertLayout(0, line);
    QLineEdit *edit = out;
    connect(browse, &QToolButton::clicked, this, [this, edit, title] {
        auto *dialog = new QFileDialog(this, title, edit->text());
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setFileMode(QFileDialog::ExistingFile);
        connect(dialog, &QFileDialog::fileSelected, edit, &QLineEdit::setText);
        dialog->open();
    });
}

Engine EndpointForm::engine() const
{
    return static_cast<Engine>(m_engine->currentData().toInt());
}

void EndpointForm::engineChanged()
{
    const Engine e = engine();
    const int mode = m_tls->count() > 0 ? m_tls->currentIndex() : 1;
    const bool wasFilling = std::exchange(m_filling, true);
    m_tls->clear();
    for (const TlsMode m : {TlsMode::Disabled, TlsMode::Preferred, TlsMode::Required,
                            TlsMode::VerifyCa, TlsMode::VerifyIdentity})
        m_tls->addItem(Words::tlsMode(e, m), static_cast<int>(m));
    m_tls->setCurrentIndex(mode);
    if (m_port->value() == 3306 || m_port->value() == 5432)
        m_port->setValue(defaultPort(e));
    m_database->setPlaceholderText(e == Engine::Postgres || m_side == Side::Target
                                       ? QString()
                                       : tr("all the account may see"));
    if (m_side == Side::Target && e != Engine::Postgres)
        m_database->setPlaceholderText(tr("the source's names"));
    // MySQL's data passes through here; PostgreSQL's servers talk to each other.
    m_more->setRowVisible(m_fromPeer->parentWidget(), e == Engine::Postgres);
    if (m_writer)
        m_more->setRowVisible(m_writer->parentWidget(), e != Engine::Postgres);
    m_filling = wasFilling;
    if (!m_filling)
        Q_EMIT edited();
}

void EndpointForm::tlsChanged()
{
    const bool on = static_cast<TlsMode>(m_tls->currentData().toInt()) != TlsMode::Disabled;
    for (QLineEdit *edit : {m_ca, m_cert, m_key, m_serverName})
        edit->setEnabled(on);
    if (!m_filling)
        Q_EMIT edited();
}

void EndpointForm::setEndpoint(const Endpoint &e)
{
    m_filling = true;
    m_given = e;
    const auto show = [](QLineEdit *line, const std::optional<Address> &a) {
        if (line)
            line->setText(a ? a->display() : QString());
    };
    show(m_writer, e.writer);
    show(m_fromPeer, e.fromPeer);
    m_filling = false;
    setAddress(e.fromHere);
}

Endpoint EndpointForm::endpoint() const
{
    Endpoint e;
    e.fromHere = address();
    if (e.fromHere.isMySqlFamily())
        e.writer = elsewhere(m_writer, m_given.writer);
    else
        e.fromPeer = elsewhere(m_fromPeer, m_given.fromPeer);
    return e;
}

/// The same account at another host and port; or, unchanged, what a file said.
std::optional<Address> EndpointForm::elsewhere(const QLineEdit *line,
                                               const std::optional<Address> &given) const
{
    const QString text = line ? line->text().trimmed() : QString();
    if (text.isEmpty())
        return std::nullopt;
    if (given && given->display() == text)
        return given;
    Address a = address();
    const auto m = hostAndPort.match(text);
    a.socket.clear();
    a.host = m.captured(1);
    a.port = m.captured(2).isEmpty() ? defaultPort(a.engine) : m.captured(2).toUShort();
    return a;
}

void EndpointForm::setAddress(const Address &a)
{
    const bool wasFilling = std::exchange(m_filling, true);
    m_engine->setCurrentIndex(m_engine->findData(static_cast<int>(a.engine)));
    m_socket = a.socket;
    m_host->setText(a.socket.isEmpty() ? a.host : a.socket);
    m_port->setValue(a.port == 0 ? defaultPort(a.engine) : a.port);
    m_database->setText(a.database);
    m_user->setText(a.user);
    if (!a.password.isEmpty())
        m_password->setText(QString::fromUtf8(a.password.reveal()));
    m_tls->setCurrentIndex(m_tls->findData(static_cast<int>(a.tls.mode)));
    m_ca->setText(a.tls.ca);
    m_cert->setText(a.tls.cert);
    m_key->setText(a.tls.key);
    m_serverName->setText(a.tls.serverName);
    m_timeout->setValue(static_cast<int>(a.connectTimeout.count() / 1000));
    m_options = a.options;
    m_advancedButton->setChecked(
        !a.tls.cert.isEmpty() || !a.tls.key.isEmpty() || !a.tls.serverName.isEmpty() ||
        (m_writer && !m_writer->text().isEmpty()) || !m_fromPeer->text().isEmpty());
    m_filling = wasFilling;
    Q_EMIT edited();
}

Address EndpointForm::address() const
{
    Address a;
    a.engine = engine();
    if (!m_socket.isEmpty())
        a.socket = m_socket;
    else
        a.host = m_host->text().trimmed();
    a.port = static_cast<quint16>(m_port->value());
    a.user = m_user->text();
    a.database = m_database->text().trimmed();
    a.password = Secret(m_password->text());
    a.tls.mode = static_cast<TlsMode>(m_tls->currentData().toInt());
    a.tls.ca = m_ca->text().trimmed();
    a.tls.cert = m_cert->text().trimmed();
    a.tls.key = m_key->text().trimmed();
    a.tls.serverName = m_serverName->text().trimmed();
    a.connectTimeout = std::chrono::seconds(m_timeout->value());
    a.options = m_options;
    return a;
}

bool EndpointForm::takeText(const QString &given)
{
    const QString text = given.trimmed();
    if (text.contains(QLatin1String("://"))) {
        const auto parsed = Address::fromUrl(text);
        if (!parsed)
            return false;
        setAddress(*parsed);
        return true;
    }
    // What the RDS console offers for copying: the endpoint, perhaps with words and the port.
    static const QRegularExpression rds(
        QStringLiteral(R"(([a-z0-9-]+(?:\.[a-z0-9-]+)*\.rds\.amazonaws\.com(?:\.cn)?))"),
        QRegularExpression::CaseInsensitiveOption);
    static const QRegularExpression port(QStringLiteral(R"((?:port|:)\D{0,3}(\d{2,5})\b)"),
                                         QRegularExpression::CaseInsensitiveOption);
    QString host, number;
    if (const auto m = rds.match(text); m.hasMatch()) {
        host = m.captured(1);
        number = port.match(text.mid(m.capturedEnd(1))).captured(1);
    } else if (const auto p = hostAndPort.match(text); p.hasMatch()) {
        host = p.captured(1);
        number = p.captured(2);
    } else {
        return false;
    }
    m_socket.clear();
    m_host->setText(host);
    if (const int n = number.toInt(); n > 0 && n <= 65535)
        m_port->setValue(n);
    return true;
}

void EndpointForm::takePaste(bool complain)
{
    const QString text = m_paste->text().trimmed();
    if (text.isEmpty() || m_paste->isReadOnly()) {
        setFieldError(m_paste, {}, {});
        return;
    }
    if (!text.contains(QLatin1String("://")) && !complain)
        return; // still being typed, or a host name: taken when the field is left
    if (takeText(text)) {
        m_filling = true;
        m_paste->clear(); // a password must not stay in sight
        m_filling = false;
        m_pastedLength = 0;
        setFieldError(m_paste, {}, {});
        return;
    }
    const auto parsed = Address::fromUrl(text);
    setFieldError(m_paste, tr("invalid entry"),
                  text.contains(QLatin1String("://")) && !parsed
                      ? redact(parsed.error().message.translated())
                      : tr("This is no database URL and no host name."));
}

void EndpointForm::setFieldError(QWidget *editor, const QString &word, const QString &error)
{
    QLabel *label = m_errors.value(editor);
    if (!label)
        return;
    const QString name = m_names.value(editor);
    editor->setAccessibleName(
        word.isEmpty() ? name : tr("%1, %2", "field name, error word").arg(name, word));
    editor->setAccessibleDescription(error);
    label->setText(error.isEmpty() ? QString()
                                   : QStringLiteral("\u26A0 ") +
                                         tr("%1: %2", "error word: error").arg(word, error));
    label->setVisible(!error.isEmpty());
}

QString EndpointForm::problemOf(const QWidget *editor) const
{
    const auto missing = [](const QLineEdit *e) { return e->text().trimmed().isEmpty(); };
    if (editor == m_host && missing(m_host))
        return tr("Enter the host name.");
    if (editor == m_host && m_socket.isEmpty() &&
        m_host->text().trimmed().contains(QRegularExpression(QStringLiteral("[\\s/@]"))))
        return tr("A host name has no spaces, slashes or @.");
    if (editor == m_user && missing(m_user))
        return tr("Enter the user name.");
    if (editor == m_database && missing(m_database) && engine() == Engine::Postgres)
        return tr("PostgreSQL needs the name of a database.");
    for (const QLineEdit *other : {m_writer, m_fromPeer}) {
        if (other && editor == other && !missing(other)) {
            const auto m = hostAndPort.match(other->text().trimmed());
            const int port = m.captured(2).isEmpty() ? 1 : m.captured(2).toInt();
            if (!m.hasMatch() || port < 1 || port > 65535)
                return tr("Enter a host name, or host:port.");
        }
    }
    if (editor == m_cert && missing(m_cert) && !missing(m_key))
        return tr("A client key needs its certificate.");
    if (editor == m_key && missing(m_key) && !missing(m_cert))
        return tr("A client certificate needs its key.");
    return {};
}

QString EndpointForm::problem() const
{
    for (const QLineEdit *editor : checkedFields()) {
        if (const QString p = problemOf(editor); !p.isEmpty())
            return p;
    }
    return {};
}

QList<QLineEdit *> EndpointForm::checkedFields() const
{
    QList<QLineEdit *> out{m_host, m_database, m_user, m_cert, m_key};
    if (engine() == Engine::Postgres)
        out << m_fromPeer;
    else if (m_writer)
        out << m_writer;
    return out;
}

void EndpointForm::validate(QWidget *editor)
{
    const QString p = problemOf(editor);
    const auto *line = qobject_cast<QLineEdit *>(editor);
    setFieldError(editor,
                  p.isEmpty()                      ? QString()
                  : line && line->text().isEmpty() ? tr("required")
                                                   : tr("invalid entry"),
                  p);
}

void EndpointForm::showProblems()
{
    QWidget *first = nullptr;
    for (QLineEdit *editor : checkedFields()) {
        validate(editor);
        if (!first && !problemOf(editor).isEmpty())
            first = editor;
    }
    if (first && m_advanced->isAncestorOf(first))
        m_advancedButton->setChecked(true);
    if (first)
        first->setFocus();
}

void EndpointForm::setReadOnly(bool on)
{
    for (QLineEdit *edit : findChildren<QLineEdit *>(QRegularExpression(QStringLiteral("Edit$"))))
        edit->setReadOnly(on);
    for (QWidget *w : QList<QWidget *>{m_engine, m_tls, m_port, m_timeout})
        w->setEnabled(!on);
}

} // namespace causeway::ui
