"""Long lists of nodes: where each node stands, and what they come to, kept up by what came and went.

Theory: looking at 10,000 nodes takes milliseconds, and a join changes one of them. What is known of a list is
remembered by the list itself, which never changes; the list that an edit makes of it is known by what differs.

One rule: what is remembered is what a look at every node would find. A place is a hint, and is looked at before it is
believed.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from rollbook.clusters.differences import new_elements
from rollbook.clusters.exact_sums import Sum, sum_of
from rollbook.clusters.nodes import node_id, repeated_ids
from rollbook.documents.editing import value_at
from rollbook.documents.identity_caches import IdentityCache
from rollbook.documents.paths import Path
from rollbook.documents.values import Value, is_number

LONG = 256
"""In shorter lists every node is looked at."""

REMEMBERED_BYTES_MAX = 256 * 1024 * 1024
NODE_BYTES = 2048
"""What a decoded node may take, for the first list that has it; a later list takes a pointer."""
POINTER_BYTES = 8

SHIFTS_MAX = 1024
"""After as many comings and goings the places are looked up afresh."""

NumbersAt = Callable[[Sequence[Value], Path], list[int | float]]


class _Facts(Struct):
    """``places`` is shared by the lists that were made of one another: it has all their ids, and where they stood."""

    places: dict[str, int]
    is_unique: bool
    shifts: int
    sums: dict[Path, Sum]


_REMEMBERED: IdentityCache[_Facts] = IdentityCache(weight_max=REMEMBERED_BYTES_MAX)

forget_unused = _REMEMBERED.forget_unused


def place_of(nodes: list[Value], id: str) -> int | None:
    """Where the first node with this id stands; None when there is none."""
    if len(nodes) < LONG:
        return _found(nodes, id, 0, len(nodes))
    facts = _facts_of(nodes)
    hint = facts.places.get(id)
    if hint is None:
        return None
    if not facts.is_unique:
        return _found(nodes, id, 0, len(nodes))
    if hint < len(nodes) and node_id(nodes[hint]) == id:
        return hint
    near = _found(nodes, id, max(0, hint - SHIFTS_MAX), min(len(nodes), hint + SHIFTS_MAX + 1))
    place = _found(nodes, id, 0, len(nodes)) if near is None else near
    if place is not None:
        facts.places[id] = place
    return place


def is_unique(nodes: list[Value]) -> bool:
    """Whether no two nodes have the same id."""
    return not repeated_ids(nodes) if len(nodes) < LONG else _facts_of(nodes).is_unique


def sum_over(nodes: list[Value], total: Path, numbers: NumbersAt) -> Sum:
    """What the ``numbers`` of the nodes at a path come to."""
    if len(nodes) < LONG:
        return sum_of(numbers(nodes, total))
    sums = _facts_of(nodes).sums
    if total not in sums:
        sums[total] = sum_of(numbers(nodes, total))
    return sums[total]


def follow(before: list[Value], after: list[Value]) -> None:
    """Know of ``after`` what is known of ``before``, where most nodes are the same."""
    if before is after or len(after) < LONG or _REMEMBERED.get(after) is not None:
        return
    known = _REMEMBERED.get(before)
    if known is None:
        return
    came, went = new_elements(after, before), new_elements(before, after)
    shifts = known.shifts + abs(len(came) - len(went))
    if shifts > SHIFTS_MAX or (len(came) + len(went)) * 2 > len(after) or len(known.places) > 2 * len(after) + LONG:
        return
    is_unique = known.is_unique and _stay_unique(before, [n for _, n in came], [n for _, n in went])
    for place, node in came:
        if (id := node_id(node)) is not None:
            known.places[id] = place
    facts = _Facts(known.places, is_unique, shifts, _changed(known.sums, came, went))
    weight, former_weight = NODE_BYTES * len(after), POINTER_BYTES * len(before)
    _REMEMBERED.put_after(after, facts, weight=weight, former=before, former_weight=former_weight)


def _facts_of(nodes: list[Value]) -> _Facts:
    known = _REMEMBERED.get(nodes)
    if known is None:
        ids = [id for id in map(node_id, nodes) if id is not None]
        places = {id: place for place, node in enumerate(nodes) if (id := node_id(node)) is not None}
        known = _Facts(places, len(places) == len(ids), 0, {})
        _REMEMBERED.put(nodes, known, weight=NODE_BYTES * len(nodes))
    return known


def _stay_unique(before: list[Value], came: Iterable[Value], went: Iterable[Value]) -> bool:
    """Whether no id is there twice after nodes came and went, where none was before."""
    gone = set(map(node_id, went))
    ids = [id for id in map(node_id, came) if id is not None]
    return len(set(ids)) == len(ids) and all(id in gone or place_of(before, id) is None for id in ids)


def _changed(
    sums: dict[Path, Sum], came: Iterable[tuple[int, Value]], went: Iterable[tuple[int, Value]]
) -> dict[Path, Sum]:
    changed = dict(sums)
    for nodes, times in ((came, 1), (went, -1)):
        for _, node in nodes:
            for total, sum in changed.items():
                value = value_at(node, total)
                if is_number(value):
                    changed[total] = sum.plus(value, times)
    return changed


def _found(nodes: list[Value], id: str, start: int, end: int) -> int | None:
    return next((place for place in range(start, end) if node_id(nodes[place]) == id), None)
