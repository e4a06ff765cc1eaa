"""Tables of clusters: columns of values instead of documents.

Theory: the plan says which clusters, postings and columns which values; documents are looked at only where the index
does not hold a value whole, and where a cluster changes while its table is made. A page, a moment of the past, and a
caller of limited sight are answered from documents.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.codec import decode_stored
from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Value
from rollbook.limits import Limits, budget_from_now
from rollbook.registry.history.history import History
from rollbook.registry.history.moments import AtRevision, Moment
from rollbook.registry.history.past_fleets import check_past
from rollbook.registry.listing.columns import (
    Cell,
    Column,
    cell_in,
    column_of,
    column_of_cells,
    column_of_values,
    is_documented_list,
)
from rollbook.registry.listing.pages import Pages
from rollbook.registry.listing.row_orders import in_order, sorted_entries
from rollbook.registry.listing.seeing import sees_everything
from rollbook.registry.listing.table_requests import TableRequest
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.plan_steps import plan_with
from rollbook.registry.reading.reading_threads import ReadingThreads
from rollbook.registry.reading.registry_columns import FieldColumn
from rollbook.registry.reading.scanning import WORK_UNITS_PER_DOCUMENT, Scan
from rollbook.security.callers import Caller
from rollbook.view.cells import Cells, Rows, cells_of
from rollbook.view.entries import Entry
from rollbook.view.index.trees import PathIndex
from rollbook.view.selections import Selection
from rollbook.view.views import View


class Table(Struct, frozen=True):
    """The columns by name, how many clusters match in all, of which revision, and the cursor of the next page."""

    columns: dict[str, Column]
    count: int
    revision: int
    cursor: str | None = None


class Tables:
    """Makes tables for callers."""

    def __init__(
        self, view: View, threads: ReadingThreads, history: History, pages: Pages, *, facts: Facts, limits: Limits
    ) -> None:
        self._view = view
        self._threads = threads
        self._history = history
        self._pages = pages
        self._facts = facts
        self._limits = limits

    async def table(self, caller: Caller, asked: TableRequest, moment: Moment | None = None) -> Table:
        """The table, or a page of it. Refuses what ``Pages.page`` refuses."""
        query = asked.query
        if asked.page is not None:
            page = await self._pages.page(caller, asked.page, moment)
            columns = await self._threads.run(
                lambda: columns_in(asked.columns, page.entries, page.scan), page.scan.work
            )
            return Table(columns, page.total, page.revision, page.cursor)
        if moment is not None:
            check_past(query)
        facts = self._facts if sees_everything(caller) else self._facts.of_what_is_seen()
        facts = facts.as_of_now() if moment is None else self._history.facts
        scan = Scan((), facts, budget_from_now(self._limits, max_time_ms=query.max_time_ms))
        if moment is not None or not sees_everything(caller):
            revision = self._view.revision if moment is None else await self._history.revision_of(caller, moment)
            fleet = await self._history.fleet(caller, AtRevision(revision))
            scan = replace(scan, entries=fleet.entries)
            return await self._threads.run(lambda: _from_documents(asked, scan, revision), scan.work)
        plan = plan_with(facts, self._view, query)
        selection, revision = self._view.selection(plan.candidates), self._view.revision
        scan = replace(scan, entries=selection, certain=None if plan.exact else plan.certain)
        known, fields = facts.columns(), {name: path[1] for name, path in asked.columns.items() if is_field(path)}
        beside = {} if known is None else known.copies(fields)
        job = _Making(asked, self._view.index.root, selection, scan, beside)
        return await self._threads.run(lambda: job.run(revision), scan.work)


class _Making(Struct, frozen=True):
    """A table that is made from the index, while that changes. ``beside`` are columns of what the registry knows."""

    asked: TableRequest
    root: PathIndex
    selection: Selection
    scan: Scan
    beside: Mapping[str, FieldColumn]

    def run(self, revision: int) -> Table:
        query, scan = self.asked.query, self.scan
        if scan.certain is None:
            numbers = self.selection.numbers()
        else:
            numbers = np.array([entry.number for entry, _ in scan.matching(query)], dtype=np.uint32)
        count = len(numbers)
        if query.sort is not None:
            numbers = in_order(numbers, query, self.root, self.selection, scan)
        rows = Rows(numbers[: query.limit] if query.limit else numbers)
        known = {name: self._cells(path, rows) for name, path in self._in_documents().items()}
        changed = rows.of_bitmap(self.selection.changed())
        for cells in known.values():
            cells.irregular[changed] = True
        odd = self._looked_at(known, rows)
        entries = self._entries(rows)
        columns = {
            name: column_of(known[name], odd[name], listed=is_documented_list(path))
            if name in known
            else column_of_field(self.beside[name], rows.numbers)
            if name in self.beside
            else column_beside(path, entries, self.scan.facts)
            for name, path in self.asked.columns.items()
        }
        return Table(columns, count, revision)

    def _in_documents(self) -> dict[str, Path]:
        return {name: path for name, path in self.asked.columns.items() if not is_beside(path)}

    def _entries(self, rows: Rows) -> list[Entry]:
        """The entries of the rows, where a column is about them."""
        asked = any(is_beside(path) and name not in self.beside for name, path in self.asked.columns.items())
        return self.selection.all_at(rows.numbers.tolist()) if asked else []

    def _cells(self, path: Path, rows: Rows) -> Cells:
        self.scan.work.check()
        return cells_of(self.root, path, rows)

    def _looked_at(self, known: dict[str, Cells], rows: Rows) -> dict[str, dict[int, Cell]]:
        """The cells of the irregular rows: each document is decoded once."""
        odd: dict[str, dict[int, Cell]] = {name: {} for name in known}
        some = np.zeros(len(rows), dtype=np.bool_)
        for cells in known.values():
            some |= cells.irregular
        irregular = {name: cells.irregular for name, cells in known.items()}
        for row in np.flatnonzero(some).tolist():
            self.scan.work.spend(WORK_UNITS_PER_DOCUMENT)
            document = decode_stored(self.selection.at(int(rows.numbers[row])).body)
            for name in known:
                if irregular[name][row]:
                    odd[name][row] = cell_in(document, self.asked.columns[name])
        return odd


def columns_in(columns: dict[str, Path], entries: Iterable[Entry], scan: Scan) -> dict[str, Column]:
    """The columns of these clusters, read from their documents."""
    cells: dict[str, list[Cell]] = {name: [] for name in columns}
    with_facts = any(path[0] == REGISTRY_FIELD for path in columns.values())
    for entry in entries:
        document = scan.document_of(entry, with_facts=with_facts)
        for name, path in columns.items():
            cells[name].append(cell_in(document, path))
    return {name: column_of_cells(cells[name], listed=is_documented_list(path)) for name, path in columns.items()}


def is_beside(path: Path) -> bool:
    """Whether an entry knows what is at the path: the id, and what the registry knows."""
    return path == ("id",) or path[0] == REGISTRY_FIELD


def is_field(path: Path) -> bool:
    """Whether a path is that of a field of ``_registry``."""
    return len(path) == 2 and path[0] == REGISTRY_FIELD


def column_of_field(field: FieldColumn, numbers: NDArray[np.uint32]) -> Column:
    """The column of what the registry knows of the clusters with these numbers."""
    integers = field.integers[numbers]
    if field.show is int:
        return column_of_values(integers.tolist())
    different, codes = np.unique(integers, return_inverse=True)
    dictionary: list[Value] = [value for each in different.tolist() if (value := field.show(each)) is not MISSING]
    return Column(dictionary, (codes - (len(different) - len(dictionary))).astype(np.int32))


def column_beside(path: Path, entries: Sequence[Entry], facts: Facts) -> Column:
    """The column of what entries tell without their documents."""
    if path == ("id",):
        return column_of_values([entry.id for entry in entries])
    if len(path) == 2 and path[1] != "nodes":
        return column_of_values([facts.of(entry).get(path[1], MISSING) for entry in entries])
    return column_of_cells([cell_in({REGISTRY_FIELD: facts.of(entry)}, path) for entry in entries], listed=False)


def _from_documents(asked: TableRequest, scan: Scan, revision: int) -> Table:
    query = asked.query
    matching = scan.matching(query)
    ordered = [entry for entry, _ in matching] if query.sort is None else sorted_entries(matching, query.sort)
    shown = ordered[: query.limit] if query.limit else ordered
    return Table(columns_in(asked.columns, shown, scan), len(ordered), revision)
