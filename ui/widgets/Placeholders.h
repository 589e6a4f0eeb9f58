#pragma once

#include <QPalette>

namespace causeway::ui {

/// The same palette with placeholders that can be read on its Base colour: a plain dark palette
/// leaves them at the light theme's black.
QPalette withReadablePlaceholders(QPalette);
double contrast(const QColor &a, const QColor &b); ///< 1 to 21, as WCAG has it

} // namespace causeway::ui
