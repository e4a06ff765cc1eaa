"""Pairs: the values at one path turned around, each with the documents that have it, as two arrays.

Theory: making them goes over every posting of a path, and questions about the whole fleet come again and again. So the
node of a path holds what was made of it last, until something changes there, or until nobody has asked for a while.

One rule: any thread may ask while the index changes. The node is given a place before its postings are read, and every
change takes that place away after it: what was read too early is never found again.
"""

from collections.abc import Sequence
from weakref import WeakSet

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rollbook.documents.values import Value

REMEMBERED_MAX = 250_000
"""Of more pairs than these none are remembered: 8 bytes each, for every path that is asked for."""


class Pairs(Struct, frozen=True):
    """Document ``documents[i]`` has the value ``dictionary[codes[i]]``. A document may have several, each once.

    ``in_order``: the dictionary is in MongoDB's order.
    """

    dictionary: Sequence[Value]
    documents: NDArray[np.uint32]
    codes: NDArray[np.int32]
    in_order: bool


class PairsKept:
    """The place for the pairs of one path, as its postings were when it was made or later."""

    __slots__ = ("__weakref__", "_pairs", "_used")

    def __init__(self) -> None:
        self._pairs: Pairs | None = None
        self._used = True
        _PLACES.add(self)

    def get(self) -> Pairs | None:
        """The pairs; None where there are none yet, or none any more."""
        self._used = True
        return self._pairs

    def keep(self, pairs: Pairs) -> None:
        """Remember the pairs, if they are not too many."""
        if len(pairs.documents) <= REMEMBERED_MAX:
            self._pairs = pairs

    def forget_unused(self) -> None:
        """Forget the pairs, if nobody asked since this was last called."""
        if not self._used:
            self._pairs = None
        self._used = False


_PLACES: WeakSet[PairsKept] = WeakSet()


def forget_unused() -> None:
    """Forget the pairs of all paths that nobody asked for since this was last called."""
    for place in list(_PLACES):
        place.forget_unused()
