"""The first documents in the order of one path, from the index alone.

Theory: where every candidate has at most one scalar at the path, the keys in order are the documents in order: first
those with null or nothing, then numbers, texts, false and true; of one key, in order of creation. Arrays, objects and
strings without a key of their own have no place in that order: where a candidate has one, the index does not answer.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.documents.values import Value
from rollbook.view.index.keys import ARRAY, FALSE, LONG, NULL, OBJECT, PRESENT, TRUE, Key, TypeTag
from rollbook.view.index.ordered import OrderedKeys
from rollbook.view.index.postings import EMPTY
from rollbook.view.index.resolved_paths import is_numeric, place_of
from rollbook.view.index.trees import PathIndex
from rollbook.view.planning.planning_budgets import UNBOUNDED, PlanningBudget

KEYS_BETWEEN_LOOKS = 1024

KEYS_A_DOCUMENT = 100
"""How many keys can be passed in the time of sorting one document."""


Ordered = TypeVar("Ordered", str, float)


class SortPosition(NamedTuple):
    """A place in the order of a path: behind the document ``number``, which has ``value`` there (None: or nothing)."""

    value: Value
    number: int


def first_numbers(
    root: PathIndex,
    path: Path,
    candidates: BitMap,
    count: int,
    *,
    descending: bool = False,
    behind: SortPosition | None = None,
    counts: Callable[[int], bool] | None = None,
    effort: PlanningBudget = UNBOUNDED,
) -> list[int] | None:
    """The numbers of the first ``count`` candidates in the order of ``path``; None when the index does not know it.

    The path is one of documents, below ``root``. With ``behind``, the first ones after that place; with ``counts``,
    only those that it holds for.
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
    for looks, matching in enumerate(_groups(node, candidates, descending, behind)):
        found += matching if counts is None else filter(counts, matching)
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


def _groups(
    node: PathIndex, candidates: BitMap, descending: bool, behind: SortPosition | None
) -> Iterator[Iterable[int]]:
    """The candidates with equal values, in order; some groups may be empty."""
    for key in _keys(node, descending, behind):
        if key is NULL:
            group = (candidates - node.get(PRESENT)) | (candidates & node.get(NULL))
        else:
            posting = node.postings.get(key, EMPTY)
            if isinstance(posting, int):
                posting = BitMap((posting,))
            group = posting & candidates
        if behind is not None and key == _key_of(behind.value):
            group.remove_range(0, behind.number + 1)
        yield group.to_array()


def _keys(node: PathIndex, descending: bool, behind: SortPosition | None) -> Iterator[Key]:
    """All keys of single values in order, from that of ``behind`` on."""
    first = None if behind is None else _key_of(behind.value)
    kinds = list(reversed(KINDS) if descending else KINDS)
    if first is not None:
        kinds = kinds[kinds.index(_kind_of(first)) :]
    for kind in kinds:
        if kind is float:
            yield from _from(node.ordered_numbers(), first if isinstance(first, (int, float)) else None, descending)
        elif kind is str:
            yield from _from(node.ordered_texts(), first if isinstance(first, str) else None, descending)
        else:
            marks: list[Key] = [NULL] if kind is None else [TRUE, FALSE] if descending else [FALSE, TRUE]
            yield from marks[marks.index(first) if first in marks else 0 :]


def _from(keys: OrderedKeys[Ordered], start: Ordered | None, descending: bool) -> Iterator[Ordered]:
    if start is None:
        return iter(reversed(keys) if descending else keys)
    return keys.descending(start, included=True) if descending else keys.after(start, included=True)


KINDS: tuple[type | None, ...] = (None, float, str, bool)
"""Null and nothing, numbers, texts and booleans, in MongoDB's order."""


def _kind_of(key: Key) -> type | None:
    if isinstance(key, TypeTag):
        return None if key is NULL else bool
    return str if isinstance(key, str) else float


def _key_of(value: Value) -> Key:
    if value is None or isinstance(value, bool):
        return NULL if value is None else TRUE if value else FALSE
    assert isinstance(value, (int, float, str))
    return value
