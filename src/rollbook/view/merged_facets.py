"""A facet over several paths that name the same thing, whose texts may be several names of one.

One rule: a document counts once for a name, however often and under whatever names it has it.
"""

from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest

from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.view.facets import Bucket, Facet
from rollbook.view.index.keys import PRESENT
from rollbook.view.index.postings import Posting, union_of
from rollbook.view.index.resolved_paths import is_numeric, place_of
from rollbook.view.index.trees import PathIndex
from rollbook.view.planning.planning_budgets import UNBOUNDED, PlanningBudget


def merged_facet_of(
    root: PathIndex,
    paths: Iterable[Path],
    candidates: BitMap,
    *,
    name_of: Callable[[str], str],
    buckets_max: int,
    effort: PlanningBudget = UNBOUNDED,
) -> Facet | None:
    """The facet of the names of the texts at ``paths``; None when a path is not indexed or there is no time.

    ``unlisted`` documents have something at a path, but no text.
    """
    nodes = []
    for path in paths:
        place = None if any(map(is_numeric, path)) else place_of(root, path)
        if place is None or candidates.intersect(place.unknown()):
            return None
        nodes.append(place.node)
    by_name: dict[str, list[Posting]] = {}
    for node in nodes:
        for key, posting in node.postings.items():
            if isinstance(key, str):
                if effort.spent():
                    return None
                by_name.setdefault(name_of(key), []).append(posting)
    found = {name: union_of(postings) & candidates for name, postings in by_name.items()}
    return _facet(found, union_of(node.get(PRESENT) for node in nodes) & candidates, candidates, buckets_max)


def _facet(found: dict[str, BitMap], present: BitMap, candidates: BitMap, buckets_max: int) -> Facet:
    counted = [Bucket(name, len(documents)) for name, documents in found.items() if documents]
    named = union_of(found.values())
    return Facet(most_frequent(counted, buckets_max), len(counted), len(candidates - present), len(present - named))


def most_frequent(buckets: Sequence[Bucket], count: int) -> tuple[Bucket, ...]:
    """The most frequent ones first; of equally frequent ones the first by name."""
    return tuple(nsmallest(count, buckets, key=lambda bucket: (-bucket.documents, str(bucket.value))))
