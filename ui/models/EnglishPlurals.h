#pragma once

#include <QTranslator>

namespace causeway::ui {

/// The English of the sources writes plurals as "%n table(s)": this makes "1 table", "2 tables" of
/// them. Installed first, so that a translation installed later goes before it.
class EnglishPlurals final : public QTranslator {
    Q_OBJECT

public:
    using QTranslator::QTranslator;
    [[nodiscard]] bool isEmpty() const override { return false; }
    [[nodiscard]] QString translate(const char *context, const char *source,
                                    const char *disambiguation, int n) const override;
};

} // namespace causeway::ui
