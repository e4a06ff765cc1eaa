"""Numbers of one path in arrays: the least and the greatest of each document, for ranges over many distinct numbers.

``$gt`` and its kin ask whether *some* number of a document lies beyond a bound, and that its least or its greatest one
decides; so a pair of columns is exact even where documents have several numbers.
"""

import math
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from rollbook.view.index.postings import bitmap_of_mask, numbers_in

Floats = NDArray[np.float64]

SPARSE_SHARE = 32
"""Below this fraction of the documents, looking at each candidate is quicker than at the whole column."""


def fits_column(number: float) -> bool:
    """Whether the number is a float64 exactly; integers beyond 2^53 mostly are not."""
    return isinstance(number, float) or -(2**53) <= number <= 2**53 or int(float(number)) == number


class Column:
    """The least and greatest number of each document; NaN where it has none. One array while each has just one."""

    __slots__ = ("_greatest", "_least")

    def __init__(self, size: int) -> None:
        self._least: Floats = np.full(size, np.nan)
        self._greatest: Floats = self._least

    @property
    def size_bytes(self) -> int:
        """What it takes in memory."""
        return self._least.nbytes * (1 if self._greatest is self._least else 2)

    def get(self, number: int) -> tuple[float | None, float | None]:
        """The least and the greatest number of a document; None where it has none."""
        if number >= len(self._least) or math.isnan(least := self._least.item(number)):
            return None, None
        return least, self._greatest.item(number)

    def single_values(self, numbers: NDArray[np.uint32]) -> Floats | None:
        """The number of each of these documents, NaN where it has none; None when one of them has several."""
        lowest, highest = self._least, self._greatest
        known = numbers < len(lowest)
        everywhere = bool(known.all())
        at = numbers if everywhere else np.where(known, numbers, 0)
        least = lowest[at]
        if highest is not lowest and bool(((least < highest[at]) & known).any()):
            return None
        if not everywhere:
            least[~known] = np.nan
        return least

    def set(self, number: int, values: Collection[float]) -> None:
        """Document ``number`` has these numbers now."""
        if number >= len(self._least):
            self._grow(max(number + 1, len(self._least) * 3 // 2))
        least, greatest = (min(values), max(values)) if values else (np.nan, np.nan)
        if least != greatest and values and self._greatest is self._least:
            self._greatest = self._least.copy()
        self._least[number] = least
        self._greatest[number] = greatest

    def fill(self, keys: Sequence[float], numbers: Sequence[NDArray[np.uint32]]) -> None:
        """Take in for each of the ``keys``, which ascend, the numbers of the documents that have it. Begins anew."""
        values = np.repeat(np.array(keys, dtype=np.float64), [len(each) for each in numbers])
        places = np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.uint32)
        self._least = self._greatest = np.full_like(self._least, np.nan)
        self._least[places[::-1]] = values[::-1]  # of several values for one place the last one stays
        if np.count_nonzero(~np.isnan(self._least)) < len(places):
            self._greatest = np.full_like(self._least, np.nan)
            self._greatest[places] = values

    def holding(self, operator: str, bound: float, within: BitMap | None) -> BitMap:
        """The documents with a number that is ``operator`` (``"$gt"`` and its kin) ``bound``; of ``within`` alone."""
        column = self._greatest if operator in ("$gt", "$gte") else self._least
        holds, limit = _exactly(operator, bound)
        if within is not None and len(within) * SPARSE_SHARE < len(column):
            numbers = numbers_in(within)
            numbers = numbers[numbers < len(column)]
            return BitMap(numbers[holds(column[numbers], limit)].tolist())
        return bitmap_of_mask(holds(column, limit))

    def _grow(self, size: int) -> None:
        single = self._greatest is self._least
        self._least = _grown(self._least, size)
        self._greatest = self._least if single else _grown(self._greatest, size)


def _exactly(operator: str, bound: float) -> tuple[np.ufunc, float]:
    """The comparison of float64s that decides ``operator`` for a bound which may lie between two of them."""
    limit = float(bound)
    if operator in ("$gt", "$gte"):
        included = operator == "$gte" if limit == bound else limit > bound
        return (np.greater_equal if included else np.greater), limit
    included = operator == "$lte" if limit == bound else limit < bound
    return (np.less_equal if included else np.less), limit


def _grown(column: Floats, size: int) -> Floats:
    grown: Floats = np.full(size, np.nan)
    grown[: len(column)] = column
    return grown
