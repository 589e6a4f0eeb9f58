#include "pages/Page.h"

#include "models/Folders.h"
#include "widgets/Labels.h"

#include <QFileDialog>
#include <QMessageBox>
#include <QVBoxLayout>

namespace causeway::ui {

Page::Page(EngineBridge &bridge, Draft &draft, const QString &name, const QString &title,
           const QString &lead)
    : m_bridge(bridge), m_draft(draft), m_title(title),
      m_heading(makeHeading(title, QStringLiteral("pageTitle"))),
      m_lead(makeText(lead, QStringLiteral("pageLead"))), m_body(new QVBoxLayout(this))
{
    setObjectName(name);
    setAccessibleName(title);
    QFont font = m_heading->font();
    font.setPointSizeF(font.pointSizeF() * 1.4);
    m_heading->setFont(font);
    m_body->addWidget(m_heading);
    m_body->addWidget(m_lead);
    m_lead->setVisible(!lead.isEmpty());
}

void Page::setTitle(const QString &title, const QString &lead)
{
    m_heading->setText(title);
    m_lead->setText(lead);
    m_lead->setVisible(!lead.isEmpty());
}

void Page::saveAs(const QString &caption, const QString &suggested, const QString &filter,
                  std::function<Result<QByteArray>()> content)
{
    const QString folder = filesFolder();
    auto *dialog = new QFileDialog(this, caption, folder, filter);
    dialog->setObjectName(QStringLiteral("saveDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->selectFile(suggested);
    connect(dialog, &QFileDialog::fileSelected, this,
            [this, content = std::move(content)](const QString &file) {
                auto engine = m_bridge.sharedEngine();
                m_bridge.run<bool>(
                    [engine, file, content](std::stop_token) -> Result<bool> {
                        CW_TRY_ASSIGN(const QByteArray bytes, content());
                        CW_TRY(engine->saveText(file, bytes, false));
                        return true;
                    },
                    this,
                    [this](Result<bool> saved) {
                        if (saved)
                            return;
                        auto *box =
                            new QMessageBox(QMessageBox::Warning, tr("Not saved"),
                                            Words::error(saved.error()), QMessageBox::Ok, this);
                        box->setAttribute(Qt::WA_DeleteOnClose);
                        box->open();
                    });
            });
    dialog->open();
}

} // namespace causeway::ui
