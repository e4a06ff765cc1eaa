"""The first documents in the order of one path, from the index alone.

Theory: where every candidate has at most one scalar at the path, the keys in order are the documents in order: first
those with null or nothing, then numbers, texts, false and true; of one key, in order of creation. Arrays, objects and
strings without a key of their own have no place in that order: where a candidate has one, the index does not answer.
"""

from collections.abc import Iterable, Iterator

from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.view.index.keys import ARRAY, FALSE, LONG, NULL, OBJECT, PRESENT, TRUE, Key
from rollbook.view.index.resolved_paths import is_numeric, place_of
from rollbook.view.index.trees import PathIndex
from rollbook.view.planning.planning_budgets import UNBOUNDED, PlanningBudget

KEYS_BETWEEN_LOOKS = 1024

KEYS_A_DOCUMENT = 100
"""How many keys can be passed in the time of sorting one document."""


def first_numbers(
    root: PathIndex,
    path: Path,
    candidates: BitMap,
    count: int,
    *,
    descending: bool = False,
    effort: PlanningBudget = UNBOUNDED,
) -> list[int] | None:
    """The numbers of the first ``count`` candidates in the order of ``path``; None when the index does not know it.

    The path is one of documents, below ``root``.
    """
    place = None if any(map(is_numeric, path)) else place_of(root, path)
    if place is None:
        return None
    node = place.node
    if any(candidates.intersect(node.get(mark)) for mark in (ARRAY, OBJECT, LONG)):
        return None
    if candidates.intersect(place.crossing()):
        return None
    found: list[int] = []
    for looks, matching in enumerate(_groups(node, candidates, descending)):
        found += matching
        if len(found) >= count:
            return found[:count]
        if looks % KEYS_BETWEEN_LOOKS == 0 and effort.spent():
            return None
    return found


def is_quicker_than_sorting(root: PathIndex, path: Path, candidates: BitMap, count: int) -> bool:
    """Whether the first ``count`` candidates are likely met in the order of keys before all would be sorted."""
    place = place_of(root, path)
    if place is None or not candidates:
        return False
    keys_passed = len(place.node.postings) * count / len(candidates)
    return keys_passed < KEYS_A_DOCUMENT * len(candidates)


def _groups(node: PathIndex, candidates: BitMap, descending: bool) -> Iterator[Iterable[int]]:
    """The candidates with equal values, in order; some groups may be empty."""
    absent = (candidates - node.get(PRESENT)) | (candidates & node.get(NULL))
    if not descending:
        yield absent.to_array()
    for key in _keys(node, descending):
        posting = node.postings.get(key)
        if isinstance(posting, int):
            yield (posting,) if posting in candidates else ()
        elif posting is not None:
            yield (posting & candidates).to_array()
    if descending:
        yield absent.to_array()


def _keys(node: PathIndex, descending: bool) -> Iterator[Key]:
    if descending:
        yield from (TRUE, FALSE)
        yield from reversed(node.ordered_texts())
        yield from reversed(node.ordered_numbers())
    else:
        yield from node.ordered_numbers()
        yield from node.ordered_texts()
        yield from (FALSE, TRUE)
