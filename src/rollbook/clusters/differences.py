"""Which elements of an array an update brought in, by identity: edits share whatever they did not change.

One rule: elements that stand at both ends of both arrays cancel out first, then any that stand anywhere in what is
left; so what came and what went differ by exactly as much as the arrays do, though neither need be the smallest.
"""

from rollbook.documents.sharing import shared_ends
from rollbook.documents.values import Maybe, Value


def new_elements(array: list[Value], before: Maybe) -> list[tuple[int, Value]]:
    """The elements, with their indexes, that the array ``before`` does not hold; all of them when it is no array."""
    if not isinstance(before, list):
        return list(enumerate(array))
    start, end = shared_ends(before, array)
    known = {id(element) for element in before[start : len(before) - end]}
    found = []
    for index, element in enumerate(array[start : len(array) - end], start):
        if id(element) in known:
            known.remove(id(element))
        else:
            found.append((index, element))
    return found
