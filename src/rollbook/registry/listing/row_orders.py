"""The order of the rows of a table, by the index where it can tell.

Theory: where each document has one value at most at each path of a sort, the places of the values in their order are
keys of plain numbers, and numpy sorts a hundred thousand of them in milliseconds. The few documents that have something
else are put among the others by comparing documents.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.ordering import sort_key
from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value
from rollbook.language.sorting import Sort, compile_sort
from rollbook.registry.reading.registry_columns import OF_ENTRIES
from rollbook.registry.reading.requests import Query
from rollbook.registry.reading.scanning import SORT_RUN_ENTRIES, Scan
from rollbook.view.cells import Cells, Rows, cells_of
from rollbook.view.entries import Entry
from rollbook.view.index.trees import PathIndex
from rollbook.view.selections import Selection

Numbers = NDArray[np.uint32]
Ranks = NDArray[np.float64]

COMPARISONS = 20
"""To put one document among the others, about this number of documents are decoded."""


def in_order(numbers: Numbers, query: Query, root: PathIndex, selection: Selection, scan: Scan) -> Numbers:
    """The numbers of the documents, which ascend, in the order of the query's sort and then of creation."""
    assert query.sort is not None
    if query.sort.collation is not None or not all(_is_ranked(by.path) for by in query.sort.criteria):
        return _by_documents(numbers, query, query.sort, selection, scan)
    rows, odd, ranks = Rows(numbers), np.zeros(len(numbers), dtype=np.bool_), []
    for criterion in query.sort.criteria:
        if criterion.path[0] == REGISTRY_FIELD:
            places = _ranks_of_entries(criterion.path[1], numbers, selection)
        else:
            cells = cells_of(root, criterion.path, rows)
            odd |= cells.irregular | cells.lists
            places = _ranks(cells, len(rows))
        ranks.append(-places if criterion.descending else places)
    odd[rows.of_bitmap(selection.changed())] = True
    count = int(np.count_nonzero(odd))
    if count * COMPARISONS > len(rows):
        return _by_documents(numbers, query, query.sort, selection, scan)
    regular = np.flatnonzero(~odd)
    order = regular[np.lexsort([*(rank[regular] for rank in reversed(ranks))])]
    placed = numbers[order]
    return _merged(placed, numbers[odd], query, query.sort, selection, scan) if count else placed


def sorted_entries(matching: Iterable[tuple[Entry, Document]], sort: Sort) -> list[Entry]:
    """The entries in the order of ``sort``; equal ones keep their order.

    They are sorted in runs and merged, for one long sort in C would not let the event loop's thread in.
    """
    key_of = compile_sort(sort)
    keyed = ((key_of(document), place, entry) for place, (entry, document) in enumerate(matching))
    runs: list[list[tuple[Any, int, Entry]]] = []
    while run := list(islice(keyed, SORT_RUN_ENTRIES)):
        run.sort(key=lambda each: each[:2])
        runs.append(run)
    return [entry for _, _, entry in heapq.merge(*runs, key=lambda each: each[:2])]


def _by_documents(numbers: Numbers, query: Query, sort: Sort, selection: Selection, scan: Scan) -> Numbers:
    entries = map(selection.at, numbers.tolist())
    matching = ((entry, scan.document_of(entry, with_facts=query.reads_registry)) for entry in entries)
    return np.array([entry.number for entry in sorted_entries(matching, sort)], dtype=np.uint32)


def _is_ranked(path: Path) -> bool:
    """Whether the index, or an entry, has the places of the values at a path."""
    return path[0] != REGISTRY_FIELD or (len(path) == 2 and path[1] in OF_ENTRIES)


def _ranks_of_entries(name: str, numbers: Numbers, selection: Selection) -> Ranks:
    """A number for each row by a field of ``_registry``; its values rise with what the entries hold."""
    return np.fromiter(map(OF_ENTRIES[name][0], selection.all_at(numbers.tolist())), dtype=np.float64)


def _ranks(cells: Cells, rows: int) -> Ranks:
    """A number for each row, in the order of its values; nothing and null come first."""
    if cells.numbers is not None:
        return np.where(np.isnan(cells.numbers), -np.inf, cells.numbers)
    ranks = np.full(rows, -np.inf)
    ranks[cells.rows] = _places(cells.dictionary)[cells.codes]
    return ranks


def _places(values: Sequence[Value]) -> Ranks:
    """The place of each value in MongoDB's order; null is before all."""
    if values and all(type(value) is str and not value.endswith("\0") for value in values):
        order = np.argsort(np.array(values), kind="stable")  # by code point; it lets other threads in
    else:
        order = np.array(sorted(range(len(values)), key=lambda at: sort_key(values[at])), dtype=np.int64)
    places = np.zeros(len(values))
    places[order] = np.arange(len(values))
    for at, value in enumerate(values):
        if value is None:
            places[at] = -np.inf
    return places


def _merged(placed: Numbers, odd: Numbers, query: Query, sort: Sort, selection: Selection, scan: Scan) -> Numbers:
    """The odd documents among those that are in order."""
    key_of = compile_sort(sort)

    def position(number: int) -> tuple[Any, int]:
        document = scan.document_of(selection.at(int(number)), with_facts=query.reads_registry)
        return key_of(document), int(number)

    inserted = sorted(position(number) for number in odd.tolist())
    places = [bisect_left(placed, each, key=position) for each in inserted]
    merged: Numbers = np.insert(placed, places, [number for _, number in inserted])
    return merged
