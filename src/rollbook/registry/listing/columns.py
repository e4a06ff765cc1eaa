"""Columns of a table: the values of many clusters at one path, put together from the index and from documents.

Theory: a *cell* is what one cluster has at a path: one value or nothing; or, where the path meets an array, the
distinct values of all elements that it leads to, in MongoDB's order. A column holds single values while no cell is a
list, else lists. Fields that the schema documents as arrays are always lists: the form does not change with the data.

One rule: null stands for null and for nothing, and equal numbers are one value (5 and 5.0).
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct

from rollbook.clusters.schema import CLUSTER, Fields, Kind, ListOf
from rollbook.documents.ordering import sort_key
from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.language.filters.traversal import reached
from rollbook.view.cells import Cells, Codes, Floats, all_irregular
from rollbook.view.index.columns import fits_column

Cell: TypeAlias = tuple[bool, list[Value]]
"""Whether it is a list, and its values: of a single value one, or none."""

VALUES_SHARE = 2
"""With fewer rows than this for each distinct value, the values themselves are shorter than a dictionary."""


class Column(Struct, frozen=True):
    """The cells of one path. ``codes`` are places in ``dictionary``, which is in MongoDB's order.

    Single values: a code for each row, -1 for nothing; or ``numbers``, NaN for nothing. Lists: ``lengths`` says how
    many codes each row has.
    """

    dictionary: Sequence[Value] = ()
    codes: Codes = np.zeros(0, dtype=np.int32)
    lengths: Codes | None = None
    numbers: Floats | None = None

    def as_json(self) -> dict[str, Any]:
        """The column as JSON, with arrays of numbers that ``orjson`` can write."""
        if self.lengths is not None:
            return {"dictionary": self.dictionary, "lengths": self.lengths, "codes": self.codes}
        if self.numbers is not None or len(self.codes) < VALUES_SHARE * len(self.dictionary):
            return {"values": self.values()}
        if len(self.codes) and self.codes.min() < 0:
            return {"dictionary": [None, *self.dictionary], "codes": self.codes + 1}
        return {"dictionary": self.dictionary, "codes": self.codes}

    def values(self) -> Sequence[Value]:
        """The value of each row, or its list."""
        if self.numbers is not None:
            return _plain_numbers(self.numbers)
        if self.lengths is None:
            values: list[Value] = [*self.dictionary, None]
            return [values[code] for code in self.codes.tolist()]
        ends = np.cumsum(self.lengths).tolist()
        codes = [self.dictionary[code] for code in self.codes.tolist()]
        return [codes[end - length : end] for end, length in zip(ends, self.lengths.tolist(), strict=True)]


def cell_in(document: Document, path: Path) -> Cell:
    """The cell of a document at a path."""
    found: dict[object, Value] = {}
    for value, _ in reached(document, path, whole=True):
        for one in value if isinstance(value, list) else () if value is MISSING else (value,):
            found.setdefault(sort_key(one), one)
    if not _meets_array(document, path):
        return False, list(found.values())
    return True, [found[key] for key in sorted(found)]  # type: ignore[type-var]


def column_of(cells: Cells, odd: Mapping[int, Cell], *, listed: bool) -> Column:
    """The column of what the index knows, and of ``odd``, the cells of the rows that were looked at.

    ``listed``: it is of lists, whatever the cells are.
    """
    rows, looked_at = len(cells.irregular), np.zeros(len(cells.irregular), dtype=np.bool_)
    looked_at[list(odd)] = True
    several = listed or bool((cells.lists & ~looked_at).any()) or any(cell[0] for cell in odd.values())
    if cells.numbers is not None:
        numbers = None if several else _with_numbers(cells.numbers, odd)
        if numbers is not None:
            return Column(numbers=numbers)
        cells = _paired(cells)
    kept = ~looked_at[cells.rows]
    at, codes, dictionary = cells.rows[kept], cells.codes[kept], list(cells.dictionary)
    if odd:
        at, codes = _with_odd(at, codes, dictionary, odd)
    ordered = several or rows >= VALUES_SHARE * len(dictionary)
    dictionary, codes = _compacted(dictionary, codes, in_order=ordered and bool(odd or not cells.in_order))
    if several:
        order = np.lexsort((codes, at))
        return Column(dictionary, codes[order], np.bincount(at, minlength=rows).astype(np.int32))
    by_row = np.full(rows, -1, dtype=np.int32)
    by_row[at] = codes
    return Column(dictionary, by_row)


def column_of_cells(cells: Sequence[Cell], *, listed: bool) -> Column:
    """The column of these cells, a row each."""
    return column_of(all_irregular(len(cells)), dict(enumerate(cells)), listed=listed)


def column_of_values(values: Sequence[Maybe]) -> Column:
    """The column of these single values; MISSING is nothing."""
    kinds = set(map(type, values))
    if kinds <= {int, float}:
        numbers = np.array(values, dtype=np.float64)
        if (np.abs(numbers) <= 2**53).all():
            return Column(numbers=numbers)
    if len(kinds) == 1 and kinds <= {str, bool}:
        different = set(values)
        if VALUES_SHARE * len(different) > len(values):
            return Column(values, np.arange(len(values), dtype=np.int32))  # type: ignore[arg-type]
        distinct = sorted(different)  # type: ignore[type-var]
        code_of = {value: code for code, value in enumerate(distinct)}
        return Column(distinct, np.array([code_of[value] for value in values], dtype=np.int32))  # type: ignore[arg-type]
    return column_of_cells([(False, [] if value is MISSING else [value]) for value in values], listed=False)


def is_documented_list(path: Path, *, of: Kind = CLUSTER) -> bool:
    """Whether the schema says that the path meets an array, in a cluster or what ``of`` describes."""
    kind: Kind | None = of
    for component in path:
        if isinstance(kind, ListOf):
            return True
        kind = kind.members[component].kind if isinstance(kind, Fields) and component in kind.members else None
    return isinstance(kind, ListOf)


def _meets_array(document: Document, path: Path) -> bool:
    value: Value = document
    for name in path:
        if not isinstance(value, dict):
            break
        value = value.get(name)
    return isinstance(value, list)


def _with_numbers(numbers: Floats, odd: Mapping[int, Cell]) -> Floats | None:
    """The numbers with those of the odd cells; None when one of these is no number of a column."""
    if not odd:
        return numbers
    numbers = numbers.copy()
    for row, (_, values) in odd.items():
        value = values[0] if values else None
        if value is None:
            numbers[row] = np.nan
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not fits_column(value):
            return None
        else:
            numbers[row] = value
    return numbers


def _paired(cells: Cells) -> Cells:
    """The numbers as values in a dictionary."""
    assert cells.numbers is not None
    (rows,) = np.nonzero(~np.isnan(cells.numbers))
    distinct, codes = np.unique(cells.numbers[rows], return_inverse=True)
    dictionary = list(_plain_numbers(distinct))
    return Cells(cells.irregular, cells.lists, dictionary, rows.astype(np.int32), codes.astype(np.int32))


def _with_odd(at: Codes, codes: Codes, dictionary: list[Value], odd: Mapping[int, Cell]) -> tuple[Codes, Codes]:
    """The pairs with those of the odd cells, whose values join the dictionary."""
    known = {sort_key(value): code for code, value in enumerate(dictionary)}
    more_rows, more_codes = [], []
    for row, (_, values) in odd.items():
        for value in values:
            code = known.setdefault(sort_key(value), len(dictionary))
            if code == len(dictionary):
                dictionary.append(value)
            more_rows.append(row)
            more_codes.append(code)
    return (
        np.concatenate([at, np.array(more_rows, dtype=np.int32)]),
        np.concatenate([codes, np.array(more_codes, dtype=np.int32)]),
    )


def _compacted(dictionary: Sequence[Value], codes: Codes, *, in_order: bool) -> tuple[list[Value], Codes]:
    """The values that are used, in MongoDB's order where that is asked for, and the codes of them."""
    used = np.zeros(len(dictionary), dtype=np.bool_)
    used[codes] = True
    if used.all() and not in_order:
        return list(dictionary), codes
    places = np.flatnonzero(used).tolist()
    if in_order:
        places.sort(key=lambda place: sort_key(dictionary[place]))
    codes_in_order = np.zeros(len(dictionary), dtype=np.int32)
    codes_in_order[places] = np.arange(len(places), dtype=np.int32)
    return [dictionary[place] for place in places], codes_in_order[codes]


def _plain_numbers(numbers: Floats) -> Sequence[Value]:
    """The numbers, integers where all are; null for NaN."""
    known = ~np.isnan(numbers)
    exact = numbers[known]
    integral = bool((np.abs(exact) <= 2**53).all() and (np.trunc(exact) == exact).all())
    if known.all():
        plain: list[Value] = (numbers.astype(np.int64) if integral else numbers).tolist()
        return plain
    if integral:
        return [int(number) if number == number else None for number in numbers.tolist()]
    return [number if number == number else None for number in numbers.tolist()]
