"""Which elements of an array an update brought in, by identity: edits share whatever they did not change.

One rule: elements that stand at both ends of both arrays cancel out first, then any that stand anywhere in what is
left; so what came and what went differ by exactly as much as the arrays do, though neither need be the smallest.
"""

from collections.abc import Iterable
from operator import is_

from rollbook.documents.values import Maybe, Value


def new_elements(array: list[Value], before: Maybe) -> list[tuple[int, Value]]:
    """The elements, with their indexes, that the array ``before`` does not hold; all of them when it is no array."""
    if not isinstance(before, list):
        return list(enumerate(array))
    start = _shared(array, before)
    shared_at_end = _shared(reversed(array[start:]), reversed(before[start:]))
    known = {id(element) for element in before[start : len(before) - shared_at_end]}
    found = []
    for index, element in enumerate(array[start : len(array) - shared_at_end], start):
        if id(element) in known:
            known.remove(id(element))
        else:
            found.append((index, element))
    return found


def _shared(some: Iterable[Value], others: Iterable[Value]) -> int:
    """How many elements from the start are the very same."""
    same = list(map(is_, some, others))
    return same.index(False) if False in same else len(same)
