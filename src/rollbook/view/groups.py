"""Groups of documents, or of the elements of an array, by a text, with the numbers of each added up, from the index.

One rule: only where the index has everything: one text or nothing as the key, one whole number or nothing at each path.
What else there may be (arrays, fractions, numbers beyond 2^53) is left to a scan of the documents.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.ma  # which numpy.unique would import at its first call, on the event loop
from msgspec import Struct
from numpy.typing import NDArray
from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.documents.values import Value
from rollbook.view.cells import Codes, Floats, Rows, cells_of
from rollbook.view.index.elements import ElementIndex
from rollbook.view.index.indexes import Index
from rollbook.view.index.keys import ARRAY, EMPTY_ARRAY, OBJECT, PRESENT, Key, TypeTag, size_of
from rollbook.view.index.resolved_paths import is_numeric, place_of
from rollbook.view.index.trees import PathIndex

EXACT_MAX = 2**53


GroupKey: TypeAlias = Value | tuple[Value, ...]


class KeyColumn(Struct, frozen=True):
    """What is known beside the documents: the one with a number has ``keys[codes[number]]``. The last key is None."""

    keys: Sequence[Value]
    codes: NDArray[np.int32]


NO_COLUMNS: Mapping[Path, KeyColumn] = {}


class Grouped(Struct, frozen=True):
    """What is grouped: documents or elements as ``rows``, each with the place of its group in ``keys``.

    A row that stands in several groups is there several times: ``at`` are the rows, ``codes`` their groups. ``keys``
    are texts, or None for null and for nothing; or several texts; or what is known beside the documents. ``documents``
    are the numbers of the documents of the rows.
    """

    root: PathIndex
    rows: Rows
    keys: Sequence[GroupKey]
    at: Codes
    codes: Codes
    documents: NDArray[np.uint32]
    prefix: Path = ()

    def counts(self) -> NDArray[np.int64]:
        """How many rows each group has."""
        return np.bincount(self.codes, minlength=len(self.keys))

    def first_documents(self) -> NDArray[np.int64]:
        """The number of the first document of each group."""
        first = np.full(len(self.keys), np.iinfo(np.int64).max)
        np.minimum.at(first, self.codes, self.documents[self.at].astype(np.int64))
        return first

    def numbers_at(self, path: Path) -> Floats | None:
        """The number of each entry of ``codes`` at a path, NaN for none; None where the index does not have them."""
        if path[: len(self.prefix)] != self.prefix or len(path) == len(self.prefix):
            return None
        numbers = numbers_of(self.root, path[len(self.prefix) :], self.rows)
        return None if numbers is None else numbers[self.at]


def group_documents(
    index: Index, path: Path | None, documents: BitMap, beside: Mapping[Path, KeyColumn] = NO_COLUMNS
) -> Grouped | None:
    """The documents by their text at a path (None: all in one group), or by what is known ``beside`` them at that path.

    None where the index does not know.
    """
    rows = Rows(np.frombuffer(documents.to_array(), dtype=np.uint32))
    if path is None:
        keys, codes = _one_group(len(rows))
        return Grouped(index.root, rows, keys, np.arange(len(rows), dtype=np.int32), codes, rows.numbers)
    found = _keys_of(index.root, path, rows, beside)
    return found and Grouped(index.root, rows, found[0], np.arange(len(rows), dtype=np.int32), found[1], rows.numbers)


def group_by_several(
    index: Index, paths: Sequence[Path], documents: BitMap, beside: Mapping[Path, KeyColumn] = NO_COLUMNS
) -> Grouped | None:
    """The documents by what they have at several paths, as in ``group_documents``; None where one has nothing there."""
    rows = Rows(np.frombuffer(documents.to_array(), dtype=np.uint32))
    places = np.zeros(len(rows), dtype=np.int64)
    texts: list[Sequence[Value]] = []
    for path in paths:
        found = _keys_of(index.root, path, rows, beside)
        if found is None or (found[1] == len(found[0]) - 1).any():
            return None
        texts.append(found[0])
        if math.prod(map(len, texts)) > EXACT_MAX:
            return None
        places = places * len(found[0]) + found[1]
    used, codes = np.unique(places, return_inverse=True)
    keys = []
    for place in used.tolist():
        key: list[Value] = []
        for column in reversed(texts):
            place, at = divmod(place, len(column))
            key.append(column[at])
        keys.append(tuple(reversed(key)))
    everywhere = np.arange(len(rows), dtype=np.int32)
    return Grouped(index.root, rows, keys, everywhere, codes.astype(np.int32), rows.numbers)


def group_elements(index: Index, unwound: Sequence[Path], path: Path | None, documents: BitMap) -> Grouped | None:
    """The elements of the arrays at ``unwound[0]`` of these documents by their text at a path below it.

    With a second path unwound, which is that of the key, an element stands in a group for each text of its array.
    """
    own = next((each for at, each in index.elements.items() if at.path == unwound[0]), None)
    if own is None or not _holds_all_elements(index.root, own, documents):
        return None
    prefix = unwound[0]
    elements = own.live if len(documents) == len(index.live) else own.elements_of(documents)
    rows = Rows(np.frombuffer(elements.to_array(), dtype=np.uint32))
    owners = own.owners[rows.numbers]
    everywhere = np.arange(len(rows), dtype=np.int32)
    if len(unwound) == 1 and path is None:
        keys, codes = _one_group(len(rows))
        return Grouped(own.root, rows, keys, everywhere, codes, owners, prefix)
    if path is None or path[: len(prefix)] != prefix or len(path) == len(prefix):
        return None
    if len(unwound) == 1:
        found = texts_of(own.root, path[len(prefix) :], rows)
        return None if found is None else Grouped(own.root, rows, found[0], everywhere, found[1], owners, prefix)
    if unwound[1:] != (path,):
        return None
    pairs = _unwound_texts(own.root, path[len(prefix) :], rows)
    if pairs is None:
        return None
    keys, at, codes = pairs
    return Grouped(own.root, rows, keys, at, codes, owners, prefix)


def _keys_of(
    root: PathIndex, path: Path, rows: Rows, beside: Mapping[Path, KeyColumn]
) -> tuple[Sequence[Value], Codes] | None:
    """As ``texts_of``, or what is known beside the documents."""
    column = beside.get(path)
    return texts_of(root, path, rows) if column is None else (column.keys, column.codes[rows.numbers])


def texts_of(root: PathIndex, path: Path, rows: Rows) -> tuple[Sequence[str | None], Codes] | None:
    """The texts of some rows, and for each row the place of its own; None where some row has something else."""
    cells = cells_of(root, path, rows)
    if cells.numbers is not None or cells.irregular.any() or cells.lists.any():
        return None
    if any(value is not None and type(value) is not str for value in _used(cells.dictionary, cells.codes)):
        return None
    keys: list[str | None] = [*cells.dictionary, None]  # type: ignore[list-item]
    codes = np.full(len(rows), len(keys) - 1, dtype=np.int32)
    codes[cells.rows] = cells.codes
    if None in cells.dictionary:
        codes[codes == cells.dictionary.index(None)] = len(keys) - 1
    return keys, codes


def numbers_of(root: PathIndex, path: Path, rows: Rows) -> Floats | None:
    """The whole number of each row, NaN for none; None where some row has a fraction, a huge number or an array."""
    cells = cells_of(root, path, rows)
    if cells.lists.any() or cells.irregular.any():
        return None
    if cells.numbers is None:
        used = np.flatnonzero(np.bincount(cells.codes, minlength=1)[: len(cells.dictionary)])
        held = [cells.dictionary[code] for code in used.tolist()]
        if any(isinstance(value, (str, bool)) for value in held):
            return None
        values = np.full(len(cells.dictionary), np.nan)
        values[used] = [np.nan if value is None else value for value in held]
        numbers = np.full(len(rows), np.nan)
        numbers[cells.rows] = values[cells.codes]
    else:
        numbers = cells.numbers
    known = numbers[~np.isnan(numbers)]
    whole = (np.abs(known) <= EXACT_MAX).all() and (np.trunc(known) == known).all() and np.abs(known).sum() <= EXACT_MAX
    return numbers if bool(whole) else None


def _one_group(rows: int) -> tuple[Sequence[str | None], Codes]:
    return [None], np.zeros(rows, dtype=np.int32)


def _used(dictionary: Sequence[object], codes: Codes) -> list[object]:
    return [dictionary[code] for code in np.flatnonzero(np.bincount(codes, minlength=1)).tolist()]


def _holds_all_elements(root: PathIndex, own: ElementIndex, documents: BitMap) -> bool:
    """Whether what the documents have there are arrays of objects alone, all of them in the index of elements."""
    place = place_of(root, own.at.path)
    if place is None or documents.intersect(place.crossing()) or documents.intersect(place.unknown()):
        return False
    node = place.node
    if documents.intersect(node.get(PRESENT) - node.get(ARRAY)):
        return False
    return not any(documents.intersect(node.get(key)) for key in tuple(node.postings) if not _is_of_objects(key))


def _is_of_objects(key: Key) -> bool:
    """Whether an array of objects alone may have the key."""
    return isinstance(key, TypeTag) and (key in (PRESENT, ARRAY, OBJECT, EMPTY_ARRAY) or size_of(key) is not None)


def _unwound_texts(root: PathIndex, path: Path, rows: Rows) -> tuple[Sequence[str | None], Codes, Codes] | None:
    """The texts in the arrays of some rows, and for each text of each row the row and the place of the text.

    None where some array holds a text twice, or something else: then it has more elements than texts.
    """
    place = None if any(map(is_numeric, path)) else place_of(root, path)
    if place is None or len(rows.of_bitmap(place.crossing())):
        return None
    cells = cells_of(root, path, rows)
    if cells.irregular.any() or cells.numbers is not None:
        return None
    if any(type(value) is not str for value in _used(cells.dictionary, cells.codes)):
        return None
    sizes = np.zeros(len(rows), dtype=np.int64)
    sizes[rows.of_bitmap(place.node.get(PRESENT))] = 1
    for key in tuple(place.node.postings):
        if isinstance(key, TypeTag) and (size := size_of(key)) is not None:
            sizes[rows.of_bitmap(place.node.get(key))] = size
    if (np.bincount(cells.rows, minlength=len(rows)) != sizes).any():
        return None
    return cells.dictionary, cells.rows, cells.codes  # type: ignore[return-value]
