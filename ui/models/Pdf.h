#pragma once

#include <QByteArray>

namespace causeway::ui {

/// A report's HTML on A4 pages, with page numbers. Any thread.
QByteArray pdfFromHtml(const QByteArray &html);

} // namespace causeway::ui
