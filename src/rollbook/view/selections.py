"""Selections: many documents of one moment, taken without a copy of them.

Theory: a copy of a million references touches a million objects, and everybody waits for it. A selection only has the
numbers, and looks each document up when it comes to it. The view puts aside for it what would change meanwhile: the
version that it has not come to yet. So it costs what is written while it is held, and nothing when nobody holds one.

One rule: a version is put aside before it gives way, and looked for there after the look at what stands now. So a
selection may be walked on any thread.
"""

from collections.abc import Iterator, Sequence
from typing import cast, overload

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from rollbook.view.entries import Entry
from rollbook.view.index.postings import numbers_in


class Selection(Sequence[Entry]):
    """The documents with these numbers, in order of creation, as they stood when it was made."""

    __slots__ = ("__weakref__", "_aside", "_by_number", "_numbers")

    def __init__(self, numbers: BitMap, by_number: Sequence[Entry | None]) -> None:
        self._numbers = numbers
        self._by_number = by_number
        self._aside: dict[int, Entry] = {}

    def put_aside(self, entry: Entry) -> None:
        """``entry`` is about to give way to another version, or to nothing."""
        if entry.number in self._numbers:
            self._aside.setdefault(entry.number, entry)

    @property
    def candidates(self) -> BitMap:
        """The numbers of all of them, to read only."""
        return self._numbers

    def numbers(self) -> NDArray[np.uint32]:
        """The numbers of all of them, ascending."""
        return numbers_in(self._numbers)

    def changed(self) -> BitMap:
        """The numbers of those that have changed since, or are gone. What the index says of others is true of them."""
        return BitMap(list(self._aside))

    def at(self, number: int) -> Entry:
        """The document with this number, which is one of them."""
        return self._entry(number)

    def all_at(self, numbers: Sequence[int]) -> list[Entry]:
        """The documents with these numbers, which are some of them, in this order."""
        entries = list(map(self._by_number.__getitem__, numbers))
        if aside := self._aside.copy():
            entries = [aside.get(number, entry) for number, entry in zip(numbers, entries, strict=True)]
        return cast(list[Entry], entries)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Entry]:
        return map(self._entry, self._numbers)

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(place, slice):
            return [self._entry(number) for number in self._numbers[place]]
        return self._entry(self._numbers[place])

    def _entry(self, number: int) -> Entry:
        entry = self._by_number[number]
        entry = self._aside.get(number, entry)
        assert entry is not None, "what is gone was put aside"
        return entry
