"""Cells: the values at one path of many documents at once, read from postings and columns.

Theory: each key of a path has the documents that hold it; turned around, each document has its keys. Where a document
has one scalar there, or an array of scalars, its keys are its values, each once. What the index does not hold whole
(objects, arrays in arrays, long strings, arrays with very many values) is *irregular*: it must be looked at.

One rule: any thread may read cells while the index changes. A document that changes meanwhile must be looked at too;
the caller knows which these are (``Selection.changed``).
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from pyroaring import BitMap

from rollbook.documents.ordering import sort_key
from rollbook.documents.paths import Path
from rollbook.documents.values import Value
from rollbook.view.facets import SCALAR_MARKS
from rollbook.view.index.keys import ARRAY, LONG, NESTED, NULL, OBJECT, PRESENT, Key, TypeTag
from rollbook.view.index.pairs import Pairs, PairsKept
from rollbook.view.index.postings import numbers_in
from rollbook.view.index.resolved_paths import is_numeric, place_of
from rollbook.view.index.trees import PathIndex

Codes = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NOWHERE = -1
PAIRS_FOR_ORDER = 2
"""With fewer pairs than this for each value, the values are not put in order: hardly anybody asks for it."""
NONE: Codes = np.zeros(0, dtype=np.int32)


class Rows:
    """Documents as the rows of a table, by their numbers, in the order of the table."""

    def __init__(self, numbers: Sequence[int] | NDArray[np.uint32]) -> None:
        self.numbers: NDArray[np.uint32] = np.asarray(numbers, dtype=np.uint32)
        size = int(self.numbers.max()) + 1 if len(self.numbers) else 1
        self._at: Codes | None = None
        """The row of each number; None: the numbers are those of the rows."""
        if size != len(self.numbers) or (self.numbers[1:] < self.numbers[:-1]).any():
            self._at = np.full(size, NOWHERE, dtype=np.int32)
            self._at[self.numbers] = np.arange(len(self.numbers), dtype=np.int32)

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, numbers: NDArray[np.uint32]) -> tuple[Codes, Flags | None]:
        """The rows of those of these documents that are in the table, and which they are; None: all."""
        size = len(self) if self._at is None else len(self._at)
        if len(numbers) and int(numbers.max()) >= size:
            within = numbers < size
            rows, there = self.of(numbers[within])
            if there is not None:
                within[within] = there
            return rows, within
        if self._at is None:
            return numbers.view(np.int32), None
        rows = self._at[numbers]
        there = rows >= 0
        return (rows, None) if there.all() else (rows[there], there)

    def none(self) -> Flags:
        """A flag for each row, none of them set."""
        return np.zeros(len(self), dtype=np.bool_)

    def of_bitmap(self, documents: BitMap) -> Codes:
        """The rows of those of these documents that are in the table."""
        return self.of(numbers_in(documents))[0] if documents else NONE


class Cells(Struct, frozen=True):
    """What the index knows of the values at a path.

    Value ``dictionary[codes[i]]`` is in row ``rows[i]``; a row may have several, each once. Or, where each row has one
    number or nothing (NaN), they are all in ``numbers``. ``lists`` are the rows with an array, there or on the way.
    Rows that are ``irregular`` must be looked at; what is said of them here means nothing. ``in_order``: the dictionary
    is in MongoDB's order.
    """

    irregular: Flags
    lists: Flags
    dictionary: Sequence[Value] = ()
    rows: Codes = NONE
    codes: Codes = NONE
    numbers: Floats | None = None
    in_order: bool = False


def cells_of(root: PathIndex, path: Path, rows: Rows) -> Cells:
    """The cells of some rows. Where the path is not indexed, all rows are irregular."""
    place = None if any(map(is_numeric, path)) else place_of(root, path)
    if place is None:
        return all_irregular(len(rows))
    node, irregular, lists = place.node, rows.none(), rows.none()
    for mark in (OBJECT, NESTED, LONG):
        irregular[rows.of_bitmap(node.get(mark))] = True
    irregular[rows.of_bitmap(place.unknown())] = True
    lists[rows.of_bitmap(node.get(ARRAY))] = True
    lists[rows.of_bitmap(place.crossing())] = True
    if not lists.any() and node.column is not None:
        numbers = _numbers_of(node, rows, irregular)
        if numbers is not None:
            return Cells(irregular, lists, numbers=numbers)
    pairs = pairs_of(node)
    at, there = rows.of(pairs.documents)
    codes = pairs.codes if there is None else pairs.codes[there]
    return Cells(irregular, lists, pairs.dictionary, at, codes, in_order=pairs.in_order)


def all_irregular(rows: int) -> Cells:
    """The cells of rows of which the index knows nothing."""
    return Cells(np.ones(rows, dtype=np.bool_), np.zeros(rows, dtype=np.bool_))


def _numbers_of(node: PathIndex, rows: Rows, irregular: Flags) -> Floats | None:
    """The number of each row; None where some row has another value."""
    assert node.column is not None
    numbers = node.column.single_values(rows.numbers)
    if numbers is None or not np.isnan(numbers).any():
        return numbers
    present = rows.none()
    present[rows.of_bitmap(node.get(PRESENT))] = True
    present[rows.of_bitmap(node.get(NULL))] = False
    known = ~np.isnan(numbers) | irregular
    return numbers if bool((known | ~present).all()) else None


def pairs_of(node: PathIndex) -> Pairs:
    """The values at a path, and for each value of each document the document and the place of the value."""
    place = node.pairs
    known = None if place is None else place.get()
    if known is not None:
        return known
    place = node.pairs = PairsKept()
    made = _pairs(node)
    place.keep(made)
    return made


def _pairs(node: PathIndex) -> Pairs:
    lone: list[tuple[Key, int]] = []
    shared: list[tuple[Key, BitMap]] = []
    for item in tuple(node.postings.items()):
        kind = type(item[0])
        if kind is str or kind is int or kind is float or item[0] in SCALAR_MARKS:
            (lone if type(item[1]) is int else shared).append(item)  # type: ignore[arg-type]
    keys = [key for key, _ in lone] + [key for key, _ in shared]
    dictionary: list[Value] = [SCALAR_MARKS[key] if isinstance(key, TypeTag) else key for key in keys]  # type: ignore[misc]
    sets = [numbers_in(posting) for _, posting in shared]
    documents = np.concatenate([np.array([number for _, number in lone], dtype=np.uint32), *sets])
    codes = np.repeat(np.arange(len(keys), dtype=np.int32), [1] * len(lone) + [len(each) for each in sets])
    by_document = np.argsort(documents, kind="stable")
    documents, codes = documents[by_document], codes[by_document]
    if len(documents) < PAIRS_FOR_ORDER * len(keys):
        return Pairs(dictionary, documents, codes, in_order=False)
    order = sorted(range(len(keys)), key=lambda place: sort_key(dictionary[place]))
    places = np.zeros(len(keys), dtype=np.int32)
    places[order] = np.arange(len(keys), dtype=np.int32)
    return Pairs([dictionary[place] for place in order], documents, places[codes], in_order=True)
