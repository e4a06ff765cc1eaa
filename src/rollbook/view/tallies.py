"""How many documents have which text at a path, counted from postings alone, as ``$group`` counts them.

One rule: only where each document has one text there, or nothing. What else there may be (a number, of which postings
do not tell ``5`` from ``5.0``, an array, an object, a long text) is left to a scan of the documents.
"""

from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.view.index.keys import ARRAY, EMPTY_ARRAY, FALSE, LONG, NESTED, NULL, OBJECT, PRESENT, TRUE
from rollbook.view.index.resolved_paths import is_numeric, place_of
from rollbook.view.index.trees import PathIndex
from rollbook.view.planning.planning_budgets import UNBOUNDED, PlanningBudget

KEYS_BETWEEN_LOOKS = 256
NO_TEXT = (ARRAY, EMPTY_ARRAY, NESTED, OBJECT, LONG, TRUE, FALSE)


def tally_of(
    root: PathIndex, path: Path, candidates: BitMap, *, effort: PlanningBudget = UNBOUNDED
) -> list[tuple[str | None, int]] | None:
    """Each text of the ``candidates`` at ``path`` and how many have it, in the order in which the first of them came.

    None stands for null and for nothing at all. None altogether: the index does not know, or there is no time.
    """
    place = None if any(map(is_numeric, path)) else place_of(root, path)
    if place is None or _other_than_text(place.node, place.crossing(), candidates):
        return None
    node = place.node
    without = (candidates - node.get(PRESENT)) | (candidates & node.get(NULL))
    found: list[tuple[int, str | None, int]] = [(without.min(), None, len(without))] if without else []
    for looks, (key, posting) in enumerate(node.postings.items()):
        shared = candidates & (BitMap([posting]) if isinstance(posting, int) else posting)
        if isinstance(key, str) and shared:
            found.append((shared.min(), key, len(shared)))
        elif isinstance(key, (int, float)) and shared:
            return None
        if looks % KEYS_BETWEEN_LOOKS == 0 and effort.spent():
            return None
    return [(text, documents) for _, text, documents in sorted(found, key=lambda each: each[0])]


def _other_than_text(node: PathIndex, crossing: BitMap, candidates: BitMap) -> bool:
    return any(candidates.intersect(odd) for odd in (crossing, *map(node.get, NO_TEXT)))
