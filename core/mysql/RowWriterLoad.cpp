#include "base/Log.h"
#include "mysql/Connect.h"
#include "mysql/Parts.h"
#include "mysql/RowWriterParts.h"

#include <mysql.h>

#include <algorithm>
#include <cstring>

namespace causeway::mysql {

namespace {

/// What the client library reads instead of a file.
struct Feed {
    const char *at = nullptr;
    std::size_t left = 0;
};

int feedInit(void **state, const char * /*fileName*/, void *feed)
{
    *state = feed;
    return 0;
}

int feedRead(void *state, char *buffer, unsigned int size)
{
    auto *const feed = static_cast<Feed *>(state);
    const std::size_t n = std::min<std::size_t>(size, feed->left);
    std::memcpy(buffer, feed->at, n);
    feed->at += n;
    feed->left -= n;
    return static_cast<int>(n);
}

void feedEnd(void * /*state*/) {}

int feedError(void * /*state*/, char *message, unsigned int size)
{
    qstrncpy(message, "not a file that was offered", size);
    return 2; // CR_UNKNOWN_ERROR's neighbourhood does not matter: the statement fails
}

/// One cell between tabs. Escaped are what the statement gives a meaning to, and NUL.
void appendField(std::string &out, std::string_view bytes)
{
    for (const char c : bytes) {
        switch (c) {
        case '\0':
            out += "\\0";
            break;
        case '\t':
            out += "\\t";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\\':
            out += "\\\\";
            break;
        default:
            out.push_back(c);
        }
    }
}

/// Empty: the bytes go into the column as they are. Else the expression that makes the column's
/// value of the variable.
std::string conversion(const WrittenColumn &c, const std::string &variable, bool mariaDb)
{
    switch (c.leader.typeClass) {
    case TypeClass::Enum:
    case TypeClass::Set:
        // As a text, "1" would first be looked for among the labels.
        return "CAST(" + variable + " AS UNSIGNED)";
    case TypeClass::Json:
        return mariaDb ? std::string{} : "CONVERT(" + variable + " USING utf8mb4)";
    case TypeClass::Other:
        // A binary string is taken for MariaDB's storage form of UUID and INET6.
        return "CONVERT(" + variable + " USING utf8mb4)";
    default:
        return c.follower.typeClass == TypeClass::Json && !mariaDb
                   ? "CONVERT(" + variable + " USING utf8mb4)"
                   : std::string{};
    }
}

std::string statementFor(const WritePlan &plan)
{
    std::string targets;
    std::string sets;
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        const WrittenColumn &c = plan.columns[i];
        const std::string column = quoteId(c.follower.name).toStdString();
        const std::string variable = "@cw" + std::to_string(i);
        const std::string converted = conversion(c, variable, plan.mariaDb);
        if (i != 0)
            targets += ',';
        targets += converted.empty() ? column : variable;
        if (!converted.empty()) {
            sets += sets.empty() ? " SET " : ", ";
            sets += column + '=' + converted;
        }
    }
    return "LOAD DATA LOCAL INFILE 'causeway' INTO TABLE " + plan.table +
           " CHARACTER SET binary FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY "
           "'\\n' (" +
           targets + ')' + sets;
}

} // namespace

Result<FastResult> loadRows(Session &session, const WritePlan &plan, const RowBatch &batch,
                            std::stop_token stop)
{
    if (plan.converts)
        return FastResult::UseInsert;
    std::string data;
    data.reserve(batch.bytes() + batch.bytes() / 16 +
                 batch.rows() * static_cast<std::size_t>(batch.columns()) * 2);
    for (std::size_t r = 0; r < batch.rows(); ++r) {
        for (int i = 0; i < batch.columns(); ++i) {
            if (i != 0)
                data.push_back('\t');
            const Column &column = plan.columns[static_cast<std::size_t>(i)].leader;
            if (batch.isNull(r, i))
                data += "\\N";
            else if (column.typeClass == TypeClass::Float)
                // The shortest text of the largest float is, as a double, out of range.
                appendLiteral(data, column, batch.value(r, i), false, plan.mariaDb);
            else if (column.dataType == QLatin1String("year") && batch.at(r, i) == "0")
                data += "0000"; // the text 0 is the year 2000
            else
                appendField(data, batch.at(r, i));
        }
        data.push_back('\n');
    }
    Feed feed{data.data(), data.size()};
    mysql_set_local_infile_handler(session.handle(), feedInit, feedRead, feedEnd, feedError, &feed);
    const Status done = session.execBytes(statementFor(plan), stop);
    refuseLocalFiles(session.handle());
    CW_TRY(done);
    if (session.warningCount() != 0 || session.affectedRows() != batch.rows()) {
        if (const auto why = session.query(QStringLiteral("SHOW WARNINGS LIMIT 1"), stop);
            why && !why->rows.empty())
            logDebug(QStringLiteral("%1: LOAD DATA: %2")
                         .arg(plan.follower->name.display(), why->text(0, "Message")));
        return FastResult::UseInsert;
    }
    return FastResult::Exact;
}

} // namespace causeway::mysql
