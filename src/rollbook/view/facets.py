"""How many documents have which value at a path, counted from postings alone."""

from collections.abc import Iterator
from heapq import nsmallest

from msgspec import Struct
from pyroaring import BitMap

from rollbook.documents.ordering import sort_key
from rollbook.documents.paths import Path
from rollbook.documents.values import Value
from rollbook.view.index.keys import EMPTY_ARRAY, FALSE, LONG, NESTED, NULL, OBJECT, PRESENT, TRUE, Key
from rollbook.view.index.postings import Posting
from rollbook.view.index.resolved_paths import is_numeric, place_of
from rollbook.view.index.trees import PathIndex
from rollbook.view.planning.planning_budgets import UNBOUNDED, PlanningBudget

KEYS_BETWEEN_LOOKS = 1024

SCALAR_MARKS: dict[Key, Value] = {NULL: None, TRUE: True, FALSE: False}


class Bucket(Struct, frozen=True):
    """A value, and how many documents have it. In an array each value counts, but once a document."""

    value: Value
    documents: int


class Facet(Struct, frozen=True):
    """The values at one path, the most frequent first, of equally frequent ones the least first.

    ``distinct`` counts all values, listed or not. ``missing`` documents have nothing at the path; ``unlisted`` ones
    have something that is no plain value: an object, an array in an array, an empty array or a long string.
    """

    buckets: tuple[Bucket, ...]
    distinct: int
    missing: int
    unlisted: int


def facet_of(
    root: PathIndex, path: Path, candidates: BitMap, *, buckets_max: int, effort: PlanningBudget = UNBOUNDED
) -> Facet | None:
    """The facet of the ``candidates`` at ``path``; None when the path is not indexed or there is no time."""
    place = None if any(map(is_numeric, path)) else place_of(root, path)
    if place is None or candidates.intersect(place.unknown()):
        return None
    node, counted = place.node, []
    for looks, bucket in enumerate(_buckets(node, candidates)):
        counted.append(bucket)
        if looks % KEYS_BETWEEN_LOOKS == 0 and effort.spent():
            return None
    listed = nsmallest(buckets_max, counted, key=lambda bucket: (-bucket.documents, sort_key(bucket.value)))
    unlisted = BitMap.union(*[node.get(mark) for mark in (OBJECT, NESTED, EMPTY_ARRAY, LONG)])
    missing = candidates.difference_cardinality(node.get(PRESENT))
    return Facet(tuple(listed), len(counted), missing, candidates.intersection_cardinality(unlisted))


def _buckets(node: PathIndex, candidates: BitMap) -> Iterator[Bucket]:
    for key, posting in node.postings.items():
        if isinstance(key, (str, int, float)):
            value: Value = key
        elif key in SCALAR_MARKS:
            value = SCALAR_MARKS[key]
        else:
            continue
        if documents := _shared(posting, candidates):
            yield Bucket(value, documents)


def _shared(posting: Posting, candidates: BitMap) -> int:
    if isinstance(posting, int):
        return int(posting in candidates)
    return candidates.intersection_cardinality(posting)
