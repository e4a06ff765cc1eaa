"""Values that an accumulator keeps of a group, some of which it drops again.

One rule: what is kept is counted, and what is dropped is given back.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from rollbook.documents.values import Value
from rollbook.language.pipelines.operators import REFERENCE_BYTES, Running
from rollbook.language.projections.weighing import charging


class Ranked(Struct, frozen=True):
    """A value, its place in the accumulator's order, and how many bytes it takes."""

    place: Any
    value: Value
    size_bytes: int


def place_of(kept: Ranked) -> Any:
    """The place of the value in the accumulator's order."""
    return kept.place


class Keeping:
    """What is kept, in the order in which it came."""

    __slots__ = ("_charge", "_work", "items")

    def __init__(self, running: Running) -> None:
        self._charge = charging(running.work)
        self._work = running.work
        self.items: list[Ranked] = []

    def add(self, place: Any, value: Value) -> None:
        """Keep a value, and count it."""
        self._work.allocate(KEPT_BYTES)
        self.items.append(Ranked(place, value, KEPT_BYTES + self._charge(value)))

    def keep(self, items: Sequence[Ranked]) -> None:
        """Keep these of the items, and drop the others."""
        before, after = self._size_bytes(self.items), self._size_bytes(items)
        self._work.allocate(after - before)
        self.items = list(items)

    def values(self) -> list[Value]:
        """The values, without their places."""
        return [kept.value for kept in self.items]

    def _size_bytes(self, items: Sequence[Ranked]) -> int:
        return sum(kept.size_bytes for kept in items)


KEPT_BYTES = 3 * REFERENCE_BYTES

GATHERED_MAX = 1_000
"""How many values an accumulator gathers, beside twice those that it is to give, before it drops the others."""
