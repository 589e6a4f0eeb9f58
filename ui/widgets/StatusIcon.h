#pragma once

#include "models/Words.h"

#include <QIcon>

class QLabel;

namespace causeway::ui {

/// Status as a shape: the colour only repeats what the shape and the word beside it say, so that
/// nobody needs to tell colours apart. Drawn for the palette it is painted on, in any size.
QIcon statusIcon(Mark);

/// Shows the icon in a label, as large as its text.
void setStatus(QLabel *iconLabel, Mark, const QString &word);

} // namespace causeway::ui
