"""Which clusters can place some nodes or GPUs, the best first; and what the others lack.

Policy: a cluster that fits tightly comes first, so that large places stay free. Clusters are in the order of the GPUs
that would be left over, then of vCPUs, then of memory; of equal ones the one with the higher reputation comes first,
then the older one.

One rule: a fit is judged by the nodes of the document alone. Totals, and what runs on the nodes now, are not looked at.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from rollbook.documents.values import Document, Value
from rollbook.language.filters import Filter
from rollbook.registry.reading.fit_requests import FitRequest, Needs
from rollbook.registry.reading.offerings import Node, Offer, Offering, Offerings, offering_in, offers_of
from rollbook.registry.reading.scanning import Scan
from rollbook.registry.reading.why_not import tests_of
from rollbook.view.planning.explaining import words_of_clause
from rollbook.view.planning.plans import Plan

NEAREST_MAX = 5
WITHOUT: Mapping[str, Mapping[str, Value]] = {
    "nodes": {"nodes": 1},
    "gpus": {"gpus": 0},
    "gpuModel": {"gpu_model": None},
    "gpuMemory": {"gpu_memory": 0},
    "vcpus": {"vcpus": 0},
    "memory": {"memory": 0},
}
"""What the needs are without one of them."""


class Fit(Struct, frozen=True):
    """How a cluster stands to some needs: the nodes to place them on, what would be left over, and what is missing.

    It fits when nothing is missing.
    """

    nodes: Sequence[Node]
    left: Offer
    missing: Mapping[str, float]


class Offered:
    """What the nodes of one cluster offer to whom asks for some kind of GPU."""

    __slots__ = ("_by_kind", "nodes", "reputation")

    def __init__(self, offering: Offering) -> None:
        self.nodes, self.reputation = offering.nodes, offering.reputation
        self._by_kind: dict[tuple[str | None, float], list[Offer]] = {}

    def to(self, needs: Needs) -> list[Offer]:
        """What each node offers."""
        kind = needs.gpu_model, needs.gpu_memory
        offers = self._by_kind.get(kind)
        if offers is None:
            offers = self._by_kind[kind] = offers_of(self.nodes, *kind)
        return offers


def fit_of(document: Document, needs: Needs) -> Fit:
    """The fit of one cluster."""
    return _fit(Offered(offering_in(document)), needs)


def _fit(offered: Offered, needs: Needs) -> Fit:
    pairs = list(zip(offered.to(needs), offered.nodes, strict=True))
    useful = [(offer, node) for offer, node in pairs if offer[0] > 0] if needs.asks_for_gpus else pairs
    return _on_nodes(useful, needs) if needs.nodes else _across(useful, needs)


def _lacks(offered: Offered, needs: Needs) -> bool:
    """Whether the nodes do not fit: ``bool(_fit(nodes, needs).missing)``, quickly."""
    gpus, vcpus, memory = _wanted(needs)
    offers = offered.to(needs)
    if needs.nodes:
        fitting = 0
        for offer in offers:
            if offer[0] >= gpus and offer[1] >= vcpus and offer[2] >= memory:
                fitting += 1
        return fitting < needs.nodes
    if needs.asks_for_gpus:
        offers = [offer for offer in offers if offer[0] > 0]
    return any(sum([offer[at] for offer in offers]) < amount for at, amount in enumerate((gpus, vcpus, memory)))


def fits_in(
    scan: Scan, asked: FitRequest, clauses: Sequence[Filter], plans: Sequence[Plan], offerings: Offerings
) -> dict[str, Value]:
    """The answer: how many clusters fit, the best of them, what keeps out how many, and the nearest misses.

    ``clauses`` are those of the filter; ``plans`` are what the index knows of them.
    """
    fitting: list[tuple[tuple[float, ...], str, Fit]] = []
    misses: list[tuple[float, int, str, Fit]] = []
    words = [words_of_clause(clause) for clause in clauses]
    removes, alone = dict.fromkeys((*words, *asked.named), 0), dict.fromkeys((*words, *asked.named), 0)
    tests, apart = tests_of(clauses, plans, scan), list(_needs_apart(asked))
    offerings.make_room(scan.entries)
    for place, entry in enumerate(scan.entries):
        decoded: list[Document] = []
        failed = [clause for clause, test in zip(words, tests, strict=True) if not test(entry, decoded)]
        for clause in failed:
            removes[clause] += 1
        if len(failed) > 1:
            continue
        offered = Offered(offerings.of(entry, scan, decoded))
        if failed:
            alone[failed[0]] += not _lacks(offered, asked.needs)
            continue
        fit = _fit(offered, asked.needs)
        if not fit.missing:
            fitting.append(((*fit.left, -offered.reputation, place), entry.id, fit))
            continue
        for name, without, only in apart:
            alone[name] += not _lacks(offered, without)
            removes[name] += _lacks(offered, only)
        misses.append((-_distance(fit.missing, asked.needs), -place, entry.id, fit))
        misses = _nearest(misses) if len(misses) > 64 else misses
    best = heapq.nsmallest(asked.limit, fitting, key=lambda each: each[0])
    return {
        "count": len(fitting),
        "matches": [_match(id, fit) for _, id, fit in best],
        "whyNot": [{"clause": name, "removes": removes[name], "removesAlone": alone[name]} for name in removes],
        "nearest": [{"id": id, "missing": {**fit.missing}} for _, _, id, fit in _nearest(misses)],
    }


def _nearest(misses: list[tuple[float, int, str, Fit]]) -> list[tuple[float, int, str, Fit]]:
    return heapq.nlargest(NEAREST_MAX, misses, key=lambda miss: miss[:2])


def _needs_apart(asked: FitRequest) -> Iterator[tuple[str, Needs, Needs]]:
    """Each need by its name: all the others without it, and it without the others."""
    for name in asked.named:
        others = {each: value for other in asked.named if other != name for each, value in WITHOUT[other].items()}
        yield name, replace(asked.needs, **WITHOUT[name]), replace(asked.needs, **others)


def _wanted(needs: Needs) -> Offer:
    return max(needs.gpus, 1) if needs.asks_for_gpus else 0, needs.vcpus, needs.memory


def _on_nodes(nodes: Sequence[tuple[Offer, Node]], needs: Needs) -> Fit:
    """On each of some nodes as much as is named: the tightest of them are taken."""
    wanted = _wanted(needs)
    short = [(_short_of(offer, wanted), offer, node) for offer, node in nodes]
    fitting = [(offer, node) for lacking, offer, node in short if not lacking]
    if len(fitting) >= needs.nodes:
        best = heapq.nsmallest(needs.nodes, fitting, key=lambda each: each[0])
        left = [sum(amounts) for amounts in zip(*(offer for offer, _ in best), strict=True)]
        return Fit([node for _, node in best], _less(left, [amount * needs.nodes for amount in wanted]), {})
    missing: dict[str, float] = {"nodes": needs.nodes - len(fitting)}
    lacking = [each for each, _, _ in short if each]
    everything = {name: amount for name, amount in zip(AMOUNTS, wanted, strict=True) if amount}
    least = min(lacking, key=lambda each: _distance(each, needs), default=everything)
    return Fit((), (0, 0, 0), {**missing, **least})


def _across(nodes: Sequence[tuple[Offer, Node]], needs: Needs) -> Fit:
    """Across all nodes together."""
    wanted = _wanted(needs)
    offered = [sum(amounts) for amounts in zip(*(offer for offer, _ in nodes), strict=True)] or [0, 0, 0]
    missing = _short_of(offered, wanted)
    if missing:
        return Fit((), (0, 0, 0), missing)
    return Fit([node for _, node in nodes], _less(offered, wanted), missing)


AMOUNTS = ("gpus", "vcpus", "memory")


def _short_of(offered: Sequence[float], wanted: Sequence[float]) -> dict[str, float]:
    pairs = zip(AMOUNTS, offered, wanted, strict=True)
    return {name: asked - there for name, there, asked in pairs if there < asked}


def _less(offered: Sequence[float], wanted: Sequence[float]) -> Offer:
    gpus, vcpus, memory = (there - asked for there, asked in zip(offered, wanted, strict=True))
    return gpus, vcpus, memory


def _distance(missing: Mapping[str, float], needs: Needs) -> float:
    """How far a cluster is from fitting: the shares of what is asked for that are missing, added up."""
    asked = {"nodes": needs.nodes, "gpus": max(needs.gpus, 1), "vcpus": needs.vcpus, "memory": needs.memory}
    return sum(amount / asked[name] for name, amount in missing.items() if asked[name])


def _match(id: str, fit: Fit) -> Value:
    gpus, vcpus, memory = fit.left
    return {
        "id": id,
        "nodes": [node.id for node in fit.nodes],
        "left": {"gpus": gpus, "vcpus": vcpus, "memory": memory},
    }
