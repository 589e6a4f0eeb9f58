#include "pages/SelectionPage.h"

#include "models/TableTreeModel.h"
#include "widgets/Labels.h"
#include "widgets/RowsView.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QVBoxLayout>

namespace causeway::ui {

SelectionPage::SelectionPage(EngineBridge &bridge, Draft &draft)
    : Page(bridge, draft, QStringLiteral("selectionPage"), tr("What moves"),
           tr("Tick the schemas and tables that move. A schema ticked whole takes its views, "
              "routines, triggers and events along.")),
      m_model(new TableTreeModel(this)), m_filter(new QSortFilterProxyModel(this)),
      m_view(new RowsView), m_search(new QLineEdit),
      m_totals(new StatusLine(QStringLiteral("selectionTotals"))),
      m_state(new StatusLine(QStringLiteral("selectionState")))
{
    named(m_search, QStringLiteral("selectionSearchEdit"), tr("Find schemas and tables"));
    m_search->setPlaceholderText(tr("Find, or a pattern such as shop.log_*"));
    m_search->setClearButtonEnabled(true);
    auto *caption = new QLabel(tr("F&ind"));
    caption->setBuddy(m_search);
    m_tick = named(new QPushButton(tr("&Tick matching")), QStringLiteral("tickMatchingButton"),
                   tr("Tick the tables that match"));
    m_untick = named(new QPushButton(tr("&Untick matching")),
                     QStringLiteral("untickMatchingButton"), tr("Untick the tables that match"));
    auto *bar = new QHBoxLayout;
    bar->addWidget(caption);
    bar->addWidget(m_search, 1);
    bar->addWidget(m_tick);
    bar->addWidget(m_untick);
    body()->addLayout(bar);
    for (QPushButton *b : {m_tick, m_untick}) {
        b->setAutoDefault(false);
        b->setEnabled(false);
    }

    m_filter->setSourceModel(m_model);
    m_filter->setRecursiveFilteringEnabled(true);
    m_filter->setAutoAcceptChildRows(true);
    m_filter->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_filter->setSortRole(TableTreeModel::SortRole);
    named(m_view, QStringLiteral("selectionTree"), tr("Schemas and tables"));
    m_view->setModel(m_filter);
    m_view->setRootIsDecorated(true);
    m_view->setSortingEnabled(true);
    m_view->sortByColumn(TableTreeModel::Name, Qt::AscendingOrder);
    m_view->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed);
    m_view->setColumnChars({34, 20, 12, 24, 30});
    m_view->setEmptyText(tr("The schemas have not been read yet."));
    m_view->setMinimumHeight(m_view->fontMetrics().height() * 8);
    body()->addWidget(m_view, 1);
    body()->addWidget(m_totals);
    body()->addWidget(m_state);
    m_state->hide();

    connect(m_search, &QLineEdit::textChanged, this, [this](const QString &text) {
        m_tick->setEnabled(!text.isEmpty() && !m_locked);
        m_untick->setEnabled(!text.isEmpty() && !m_locked);
        if (text.contains(QLatin1Char('*')) || text.contains(QLatin1Char('?'))) {
            // The last part of a pattern names tables; rows hold the bare name.
            m_filter->setFilterWildcard(text.mid(text.indexOf(QLatin1Char('.')) + 1));
        } else {
            m_filter->setFilterFixedString(text.mid(text.indexOf(QLatin1Char('.')) + 1));
        }
        if (!text.isEmpty())
            m_view->expandAll();
    });
    connect(m_tick, &QPushButton::clicked, this, [this] { tickPattern(true); });
    connect(m_untick, &QPushButton::clicked, this, [this] { tickPattern(false); });
    connect(m_model, &TableTreeModel::schemaNeeded, this, &SelectionPage::readTables);
    connect(m_model, &TableTreeModel::selectionChanged, this, &SelectionPage::takeSelection);
    takeSelection();
}

void SelectionPage::tickPattern(bool on)
{
    QString pattern = m_search->text().trimmed();
    if (!pattern.contains(QLatin1Char('*')) && !pattern.contains(QLatin1Char('?'))) {
        const qsizetype dot = pattern.indexOf(QLatin1Char('.'));
        pattern =
            pattern.left(dot + 1) + QLatin1Char('*') + pattern.mid(dot + 1) + QLatin1Char('*');
    }
    const int met = m_model->tickMatching(pattern, on);
    m_state->set(Mark::Info, on ? tr("Ticked: %n table(s).", nullptr, met)
                                : tr("Unticked: %n table(s).", nullptr, met));
    m_state->show();
}

void SelectionPage::activate()
{
    if (m_locked && m_model->rowCount() > 0)
        return;
    Address from = m_draft.source;
    if (m_readFrom != from.toUrl())
        readSchemas();
}

void SelectionPage::recheck()
{
    readSchemas();
}

void SelectionPage::setLocked(bool locked)
{
    m_locked = locked;
    m_model->setReadOnly(locked);
    m_tick->setEnabled(!locked && !m_search->text().isEmpty());
    m_untick->setEnabled(!locked && !m_search->text().isEmpty());
}

void SelectionPage::readSchemas()
{
    m_bridge.cancel(m_job);
    for (const EngineBridge::Ticket ticket : std::as_const(m_reading))
        m_bridge.cancel(ticket);
    m_reading.clear();
    m_readFrom = m_draft.source.toUrl();
    m_view->setEmptyText(
        tr("Reading the schemas of %1 ...").arg(Words::ltr(m_draft.source.display())));
    m_state->set(Mark::Running, tr("Reading the schemas ..."));
    m_state->show();
    auto engine = m_bridge.sharedEngine();
    m_job = m_bridge.run<QStringList>(
        [engine, where = m_draft.source](std::stop_token stop) {
            return engine->schemaNames(where, stop);
        },
        this,
        [this](Result<QStringList> names) {
            m_job = 0;
            if (!names) {
                m_readFrom.clear();
                m_view->setEmptyText(tr("The schemas could not be read. F5 tries again."));
                m_state->set(Mark::Blocked, Words::error(names.error()));
                Q_EMIT completeChanged();
                return;
            }
            m_state->hide();
            m_view->setEmptyText(tr("This account sees no schema on this server."));
            Selection wanted = m_draft.selection;
            // A database named for the source is what moves; one named for the target is what it
            // is called there.
            const QString from = m_draft.source.database;
            if (wanted.schemas.isEmpty() && m_draft.source.isMySqlFamily() &&
                names->contains(from)) {
                wanted.schemas << from;
                const QString to = m_draft.target.database;
                if (m_draft.hasTarget() && !to.isEmpty() && to != from)
                    wanted.renames.insert(from, to);
            }
            // PostgreSQL's URL names the database that moves: all of its schemas, to begin with.
            if (wanted.schemas.isEmpty() && (names->size() == 1 || !m_draft.source.isMySqlFamily()))
                wanted.schemas = *names;
            m_applying = true;
            m_model->setSchemas(*names);
            m_model->apply(wanted);
            m_applying = false;
            takeSelection();
            for (int row = 0; row < m_filter->rowCount(); ++row) {
                const QModelIndex i = m_filter->index(row, 0);
                if (i.data(Qt::CheckStateRole).toInt() != Qt::Unchecked)
                    m_view->expand(i);
            }
        });
    Q_EMIT completeChanged();
}

void SelectionPage::readTables(const QString &schema)
{
    auto engine = m_bridge.sharedEngine();
    Selection one;
    one.schemas << schema;
    m_reading[schema] = m_bridge.run<Catalog>(
        [engine, one, where = m_draft.source](std::stop_token stop) {
            return engine->catalog(where, one, stop);
        },
        this,
        [this, schema](Result<Catalog> catalog) {
            m_reading.remove(schema);
            if (catalog)
                m_model->setTables(schema, *catalog);
            else
                m_model->setReadFailed(schema, catalog.error().message.translated());
            Q_EMIT completeChanged();
        });
}

void SelectionPage::takeSelection()
{
    if (m_applying)
        return;
    const TableTreeModel::Totals t = m_model->totals();
    const QStringList leftOut = m_model->leftOut();
    QString text;
    if (t.schemas == 0) {
        text = tr("Nothing is ticked.");
    } else {
        text =
            tr("%1 in %2, about %3 rows, %4.")
                .arg(tr("%n table(s)", nullptr, t.tables), tr("%n schema(s)", nullptr, t.schemas),
                     Words::number(t.rows), Words::bytes(t.bytes));
        if (!leftOut.isEmpty())
            text += QLatin1Char(' ') +
                    tr("Left out: %n table(s).", nullptr, static_cast<int>(leftOut.size()));
    }
    m_totals->set(t.schemas == 0 ? Mark::Pending : Mark::Info, text);
    if (m_model->rowCount() > 0 && !m_locked && m_model->unread().isEmpty()) {
        const Selection now = m_model->selection();
        if (now.schemas != m_draft.selection.schemas ||
            now.patterns != m_draft.selection.patterns ||
            now.renames != m_draft.selection.renames) {
            m_draft.selection = now;
            m_draft.leftOut = leftOut;
            Q_EMIT selectionChanged();
        }
    }
    Q_EMIT completeChanged();
}

Readiness SelectionPage::isComplete() const
{
    if (m_locked)
        return {true, {}};
    if (m_bridge.isRunning(m_job))
        return {false, tr("The schemas are being read.")};
    if (m_model->rowCount() == 0)
        return {false, tr("The schemas have not been read.")};
    if (!m_model->unread().isEmpty())
        return {false, tr("The tables of %1 are being read.").arg(m_model->unread().first())};
    if (m_model->totals().schemas == 0)
        return {false, tr("Tick what moves.")};
    if (const QString problem = m_model->nameProblem(); !problem.isEmpty())
        return {false, problem};
    return {true, {}};
}

} // namespace causeway::ui
