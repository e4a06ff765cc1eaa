"""What two versions of an array share: edits copy only the way to a change, so the rest are the very same objects.

The answer for long arrays is remembered: accepting, encoding and indexing a change all ask for it.
"""

from collections.abc import Iterable
from itertools import compress, count
from operator import is_not

from rollbook.documents.identity_caches import IdentityCache
from rollbook.documents.values import Value

LONG = 256
PAIRS_REMEMBERED_MAX = 4

_REMEMBERED: IdentityCache[tuple[list[Value], tuple[int, int]]] = IdentityCache(weight_max=PAIRS_REMEMBERED_MAX)

forget_unused = _REMEMBERED.forget_unused


def shared_ends(before: list[Value], after: list[Value]) -> tuple[int, int]:
    """How many elements from the start are the very same, and how many of the others up to the end."""
    if min(len(before), len(after)) < LONG:
        return _shared_ends(before, after)
    for one, other in ((after, before), (before, after)):
        known = _REMEMBERED.get(one)
        if known is not None and known[0] is other:
            return known[1]
    found = _shared_ends(before, after)
    _REMEMBERED.put(after, (before, found), weight=1)
    return found


def _shared_ends(before: list[Value], after: list[Value]) -> tuple[int, int]:
    shorter = min(len(before), len(after))
    start = _shared(before, after, shorter)
    return start, _shared(reversed(before), reversed(after), shorter - start)


def _shared(some: Iterable[Value], others: Iterable[Value], most: int) -> int:
    """How many elements from the start are the very same; ``most`` at most. Stops at the first that is not."""
    return min(next(compress(count(), map(is_not, some, others)), most), most)
