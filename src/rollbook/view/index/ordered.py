"""Keys in order: what ranges, prefixes and sorting ask for.

Theory: sorted blocks of bounded length. Finding a place is two binary searches; adding or removing a key moves at most
one block.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

BLOCK_KEYS_MAX = 2048

SortableKey = TypeVar("SortableKey", str, float)
Derived = TypeVar("Derived")


class OrderedKeys(Generic[SortableKey]):
    """A set of texts, or of numbers, in ascending order."""

    __slots__ = ("_block_keys_max", "_blocks", "_derived", "_last")

    def __init__(self, keys: Iterable[SortableKey], *, block_keys_max: int = BLOCK_KEYS_MAX) -> None:
        ordered = sorted(keys)
        half = block_keys_max // 2
        self._block_keys_max = block_keys_max
        self._blocks: list[list[SortableKey]] = [
            ordered[start : start + half] for start in range(0, len(ordered), half)
        ]
        self._last: list[SortableKey] = [block[-1] for block in self._blocks]
        self._derived: list[Any] = [None] * len(self._blocks)

    def __iter__(self) -> Iterator[SortableKey]:
        for block in self._blocks:
            yield from block

    def __reversed__(self) -> Iterator[SortableKey]:
        for block in reversed(self._blocks):
            yield from reversed(block)

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    def add(self, key: SortableKey) -> None:
        """Take in a key that is not there."""
        place = min(bisect_left(self._last, key), len(self._blocks) - 1)
        if place < 0:
            self._blocks, self._last, self._derived = [[key]], [key], [None]
            return
        block = self._blocks[place]
        insort(block, key)
        self._derived[place] = None
        if len(block) > self._block_keys_max:
            half = len(block) // 2
            self._blocks[place : place + 1] = block[:half], block[half:]
            self._last[place : place + 1] = block[half - 1], block[-1]
            self._derived[place : place + 1] = None, None
        else:
            self._last[place] = block[-1]

    def remove(self, key: SortableKey) -> None:
        """Give up a key that is there."""
        place = bisect_left(self._last, key)
        block = self._blocks[place]
        del block[bisect_left(block, key)]
        self._derived[place] = None
        if block:
            self._last[place] = block[-1]
        else:
            del self._blocks[place], self._last[place], self._derived[place]

    def after(self, low: SortableKey, *, included: bool) -> Iterator[SortableKey]:
        """The keys greater than ``low``, and it when ``included``, ascending."""
        find = bisect_left if included else bisect_right
        place = find(self._last, low)
        if place < len(self._blocks):
            block = self._blocks[place]
            yield from block[find(block, low) :]
            for block in self._blocks[place + 1 :]:
                yield from block

    def before(self, high: SortableKey, *, included: bool) -> Iterator[SortableKey]:
        """The keys less than ``high``, and it when ``included``, ascending."""
        find = bisect_right if included else bisect_left
        for block, last in zip(self._blocks, self._last, strict=True):
            if last < high:
                yield from block
            else:
                yield from block[: find(block, high)]
                return

    def descending(self, high: SortableKey, *, included: bool) -> Iterator[SortableKey]:
        """The keys less than ``high``, and it when ``included``, descending."""
        find = bisect_right if included else bisect_left
        place = min(bisect_left(self._last, high), len(self._blocks) - 1)
        if place >= 0:
            block = self._blocks[place]
            yield from reversed(block[: find(block, high)])
            for block in reversed(self._blocks[:place]):
                yield from reversed(block)

    def derived(self, make: Callable[[list[SortableKey]], Derived]) -> Iterator[Derived]:
        """What ``make``, always the same function, makes of some thousand keys at a time; kept while they stay."""
        for place, block in enumerate(self._blocks):
            if self._derived[place] is None:
                self._derived[place] = make(block)
            yield self._derived[place]
