"""Totals: what a cluster says of all its nodes, at the path where each node says it of itself.

One rule: a total that equalled the sum over the nodes before an update equals it after, unless the update sets it
itself. Given totals are never corrected; one that contradicts the nodes is reported.

Theory: a sum counts a node without the number as 0, so a list of sparse nodes has sums too. Such a list is not
*complete*, though: nothing is filled from it, and it contradicts nothing. Neither does an empty list beside a
``nodes.count`` above 0, for the nodes are not listed then. Sums of fractions are compared with a tolerance.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct

from rollbook.clusters.differences import new_elements
from rollbook.clusters.filling import with_value
from rollbook.clusters.node_lists import LONG, follow, sum_over
from rollbook.clusters.nodes import gpu_models, nodes_in
from rollbook.documents.editing import value_at
from rollbook.documents.paths import Path, dotted
from rollbook.documents.values import INT64_MAX, MISSING, Document, Maybe, Value, is_number

NODE_COUNT: Path = ("nodes", "count")
MODEL_NAMES: Path = ("gpus", "modelNames")

TOTALS: tuple[Path, ...] = (
    NODE_COUNT,
    ("gpus", "count"),
    ("gpus", "memory"),
    ("vcpus", "count"),
    ("memory",),
    ("swap",),
    ("storage", "disks"),
    ("storage", "size"),
    ("network", "interfaces"),
    ("network", "txBandwidth"),
    ("network", "rxBandwidth"),
)
DERIVABLE = (*TOTALS, MODEL_NAMES)
HEADS = frozenset(total[:1] for total in DERIVABLE) | {()}
"""What the path of an update to one of them begins with; the empty path is an update to them all."""

_TOTALS_OF_CLUSTER = attrgetter(*map(dotted, TOTALS))
_TOTALS_OF_NODE = attrgetter(*(dotted(total) for total in TOTALS if total != NODE_COUNT))


class Contradiction(Struct, frozen=True):
    """A total that is not the sum over the nodes."""

    total: Path
    given: Value
    derived: int | float

    def __str__(self) -> str:
        return f"{dotted(self.total)} is {self.given}, but nodes.nodeData gives {self.derived}"


def with_totals(document: Document) -> Document:
    """The document with its absent totals filled from a complete list of nodes."""
    filled = document
    for total in TOTALS:
        holder = value_at(document, total[:-1])
        if holder is MISSING or (isinstance(holder, dict) and total[-1] not in holder):
            derived = derived_total(document, total)
            if derived is not None:
                filled = with_value(filled, total, derived)
    return filled


def contradictions_in(document: Document, totals: Iterable[Path] = TOTALS) -> list[Contradiction]:
    """Those of ``totals`` that differ from the sum over a complete list of nodes."""
    found = []
    for total in totals:
        given, derived = value_at(document, total), derived_total(document, total)
        if derived is not None and is_number(given) and not _matches(given, derived):
            found.append(Contradiction(total, given, derived))
    return found


def certainly_agree(cluster: Any) -> bool:
    """Whether every total of a recognized cluster is exactly the sum over its nodes. False only means "look closer"."""
    try:
        count, *given = _TOTALS_OF_CLUSTER(cluster)
        nodes = cluster.nodes.nodeData
        return count == len(nodes) and given == list(map(sum, zip(*map(_TOTALS_OF_NODE, nodes), strict=True)))
    except (AttributeError, TypeError):  # some of them are not there
        return False


def totals_set(touched: frozenset[Path] | None, before: Document, after: Document) -> frozenset[Path]:
    """The totals, ``gpus.modelNames`` among them, that an update sets itself: they are its own affair.

    ``touched`` are the paths that the update names. None: the totals whose value changed.
    """
    if touched is None:
        return frozenset(total for total in DERIVABLE if value_at(before, total) != value_at(after, total))
    near = [path for path in touched if path[:1] in HEADS]
    return frozenset(total for path in near for total in DERIVABLE if path[: len(total)] == total[: len(path)])


def following(before: Document, after: Document, own: frozenset[Path]) -> Document:
    """``after`` with the totals that matched the nodes of ``before`` matching its own nodes, but for ``own``.

    The cluster's ``gpus.modelNames``, where there are any, follow as the distinct models of the nodes do.
    """
    old, new = nodes_in(before), nodes_in(after)
    if old is new:
        return after
    come, gone = [node for _, node in new_elements(new, old)], [node for _, node in new_elements(old, new)]
    follow(old, new)
    followed = after
    for total in _totals_that_may_differ(come, gone):
        if total not in own and _matches(value_at(before, total), _sum(old, total)):
            followed = with_value(followed, total, _sum(new, total))
    if MODEL_NAMES not in own and gpu_models(come) != gpu_models(gone):
        return _with_model_names(followed, old, new)
    return followed


def derived_total(document: Document, total: Path) -> int | float | None:
    """The sum over a complete list of nodes; None when the list is not complete."""
    nodes = nodes_in(document)
    if not nodes and value_at(document, NODE_COUNT) not in (MISSING, 0):
        return None
    if total == NODE_COUNT:
        return len(nodes)
    if nodes and value_at(nodes[0], total) is MISSING:
        return None
    if len(nodes) >= LONG:
        return _sum(nodes, total) if sum_over(nodes, total, _numbers).numbers == len(nodes) else None
    numbers = _numbers(nodes, total)
    return _sum_of(numbers) if len(numbers) == len(nodes) else None


def _sum(nodes: list[Value], total: Path) -> int | float:
    if total == NODE_COUNT:
        return len(nodes)
    known = sum_over(nodes, total, _numbers).value() if len(nodes) >= LONG else None
    return _sum_of(_numbers(nodes, total)) if known is None else known


def _totals_that_may_differ(some: list[Value], others: list[Value]) -> Iterator[Path]:
    """The totals to which the two lists of nodes do not contribute the same numbers."""
    if len(some) != len(others):
        yield from TOTALS
        return
    differing = {name for node, other in zip(some, others, strict=True) for name in _differing(node, other)}
    for total in TOTALS:
        if total[0] in differing and _numbers(some, total) != _numbers(others, total):
            yield total


def _differing(node: Value, other: Value) -> Iterable[str]:
    """The members that the two nodes do not share."""
    if not isinstance(node, dict) or not isinstance(other, dict):
        return [total[0] for total in TOTALS]
    return [name for name in node.keys() | other.keys() if node.get(name, MISSING) is not other.get(name, MISSING)]


def _numbers(nodes: Sequence[Value], path: Path) -> list[int | float]:
    """The numbers that nodes have at ``path``: fast where all have one, as they do in a sound document."""
    try:
        numbers: Any = nodes
        for name in path:
            numbers = [value[name] for value in numbers]
        if set(map(type, numbers)) <= {int, float}:
            return list(numbers)
    except (KeyError, TypeError, IndexError):
        pass
    values = (value_at(node, path) for node in nodes)
    return [value for value in values if is_number(value)]


def _sum_of(numbers: Sequence[int | float]) -> int | float:
    if set(map(type, numbers)) <= {int}:
        whole = sum(numbers)
        return whole if -INT64_MAX <= whole <= INT64_MAX else float(whole)
    try:
        return math.fsum(numbers)
    except OverflowError:
        return math.inf


def _matches(given: Maybe, derived: int | float) -> bool:
    if isinstance(given, float) or isinstance(derived, float):
        return is_number(given) and math.isclose(given, derived, rel_tol=1e-9)
    return is_number(given) and given == derived


def _with_model_names(document: Document, old: list[Value], new: list[Value]) -> Document:
    names = value_at(document, MODEL_NAMES)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return document
    models: list[Value] = [*gpu_models(new)]
    if set(names) != set(gpu_models(old)) or set(names) == set(models):
        return document
    return with_value(document, MODEL_NAMES, models)
