#pragma once

#include "engine/Engine.h"
#include "widgets/Labels.h"

#include <QWidget>

#include <array>

namespace causeway::ui {

/// The stages of a connection test, lighting up one after another.
class StageList : public QWidget {
    Q_OBJECT

public:
    explicit StageList(QWidget *parent = nullptr);
    void reset();                     ///< nothing tried
    void begin();                     ///< the first stage runs
    void report(const StageReport &); ///< passed: the next one runs
    void end(const ConnectionReport &);
    void cancelled();

private:
    static constexpr int stageCount = 5;
    void setStage(int stage, Mark, const QString &word, const QString &detail = {});
    std::array<StatusLine *, stageCount> m_lines{};
    std::array<Mark, stageCount> m_marks{};
};

} // namespace causeway::ui
