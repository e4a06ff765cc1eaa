"""Windows: the part of an order that a page shows."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeAlias

from msgspec import Struct

from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value
from rollbook.language.sorting import Sort, compile_sort
from rollbook.view.entries import Entry

Position: TypeAlias = tuple[Any, int]
"""Where a cluster stands in an order: by the sort's key, then by the revision of its creation."""

Placed: TypeAlias = tuple[Position, Entry]

ID = ("id",)


class Window(Struct, frozen=True):
    """The first ``size`` clusters in the order of ``sort`` (None: of creation) behind ``last`` (None: of all)."""

    sort: Sort | None
    last: tuple[Entry, Document] | None
    size: int

    def placed(self, matching: Iterable[tuple[Entry, Document]]) -> Iterator[Placed]:
        """Each cluster with its position."""
        key_of = None if self.sort is None else compile_sort(self.sort)
        for entry, document in matching:
            yield (None if key_of is None else key_of(document), entry.created_revision), entry

    def first_of(self, matching: Iterable[tuple[Entry, Document]], *, counts: bool) -> tuple[list[Placed], int]:
        """What the window shows of these, which come in order of creation, and how many they are.

        Without ``counts`` the number means nothing, and not all of them need be looked at.
        """
        count = 0

        def counted() -> Iterator[tuple[Entry, Document]]:
            nonlocal count
            for each in matching:
                count += 1
                yield each

        placed = self.placed(counted())
        following = placed if self.last is None else self._following(next(self.placed([self.last]))[0], placed)
        if self.sort is not None:
            return heapq.nsmallest(self.size, following, key=_position_in), count
        found = list(islice(following, self.size))
        if counts:
            for _ in placed:
                pass
        return found, count

    def together(self, *parts: list[Placed]) -> list[Entry]:
        """What the window shows of several parts."""
        return [
            entry for _, entry in heapq.nsmallest(self.size, (each for part in parts for each in part), _position_in)
        ]

    def _following(self, last: Position, placed: Iterator[Placed]) -> Iterator[Placed]:
        if self.sort is None:
            return (each for each in placed if each[0][1] > last[1])
        return (each for each in placed if last < each[0])


def window_behind(sort: Sort | None, last: tuple[Entry, Document] | None, size: int) -> Window:
    """The window behind a cluster that was shown (None: the first one). What would be sorted by after the id is not.

    By a collation two ids may be one.
    """
    if sort is not None and sort.collation is None:
        paths = [criterion.path for criterion in sort.criteria]
        sort = Sort(sort.criteria[: paths.index(ID) + 1]) if ID in paths else sort
    return Window(sort, last, size)


def plain_value_at(document: Document, path: Path) -> Value:
    """What a path leads to through objects alone; null where there is nothing."""
    value: Value = document
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _position_in(placed: Placed) -> Position:
    return placed[0]
