#pragma once

#include <QString>

namespace causeway {

/// A password or key phrase. Cannot be printed or compared by accident, overwrites its memory when
/// it goes, and is known to redact() as long as the process lives.
class Secret {
public:
    Secret() = default;
    explicit Secret(const QString &plain);
    Secret(const Secret &) = default;
    Secret(Secret &&) noexcept = default;
    Secret &operator=(const Secret &) = default;
    Secret &operator=(Secret &&) noexcept = default;
    ~Secret();

    [[nodiscard]] bool isEmpty() const { return m_utf8.isEmpty(); }
    /// The only way out; for handing to a client library, never for showing or storing.
    [[nodiscard]] QByteArray reveal() const { return m_utf8; }

private:
    QByteArray m_utf8;
};

/// Replaces every secret that was ever made in this process, and whatever looks like a password in
/// a connection string or in SQL (IDENTIFIED BY '...', PASSWORD '...'), by "***". Any thread.
QString redact(const QString &text);

} // namespace causeway
