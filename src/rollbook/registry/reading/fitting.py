"""Which clusters can place some nodes or GPUs, the best first; and what the others lack.

Policy: a cluster that fits tightly comes first, so that large places stay free. Clusters are in the order of the GPUs
that would be left over, then of vCPUs, then of memory; of equal ones the one with the higher reputation comes first,
then the older one.

One rule: a fit is judged by the nodes of the document alone. Totals, and what runs on the nodes now, are not looked at.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from rollbook.clusters.gpu_models import model_of
from rollbook.documents.values import Document, Value, is_number
from rollbook.language.filters import Filter
from rollbook.registry.reading.fit_requests import FitRequest, Needs
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


class Node(Struct, frozen=True):
    """What a node offers: the GPUs that are asked for, all its vCPUs and its memory (MB)."""

    id: Value
    gpus: float
    vcpus: float
    memory: float


class Fit(Struct, frozen=True):
    """How a cluster stands to some needs: the nodes to place them on, what would be left over, and what is missing.

    It fits when nothing is missing.
    """

    nodes: Sequence[Node]
    left: tuple[float, float, float]
    missing: Mapping[str, float]


def fit_of(document: Document, needs: Needs) -> Fit:
    """The fit of one cluster."""
    offered = list(_nodes_in(document, needs))
    useful = [node for node in offered if node.gpus > 0] if needs.asks_for_gpus else offered
    return _on_nodes(useful, needs) if needs.nodes else _across(useful, needs)


def fits_in(scan: Scan, asked: FitRequest, clauses: Sequence[Filter], plans: Sequence[Plan]) -> dict[str, Value]:
    """The answer: how many clusters fit, the best of them, what keeps out how many, and the nearest misses.

    ``clauses`` are those of the filter; ``plans`` are what the index knows of them.
    """
    fitting: list[tuple[tuple[float, ...], str, Fit]] = []
    misses: list[tuple[float, int, str, Fit]] = []
    words = [words_of_clause(clause) for clause in clauses]
    removes, alone = dict.fromkeys((*words, *asked.named), 0), dict.fromkeys((*words, *asked.named), 0)
    tests, count = tests_of(clauses, plans, scan), 0
    for place, entry in enumerate(scan.entries):
        decoded: list[Document] = []
        failed = [clause for clause, test in zip(words, tests, strict=True) if not test(entry, decoded)]
        for clause in failed:
            removes[clause] += 1
        if len(failed) > 1:
            continue
        document = decoded[0] if decoded else scan.document_of(entry, with_facts=False)
        fit = fit_of(document, asked.needs)
        if failed:
            alone[failed[0]] += not fit.missing
            continue
        if not fit.missing:
            count += 1
            fitting.append(((*fit.left, -_number(document.get("reputation")), place), entry.id, fit))
            continue
        _blame(document, asked, removes, alone)
        misses.append((-_distance(fit.missing, asked.needs), -place, entry.id, fit))
        misses = heapq.nlargest(NEAREST_MAX, misses, key=lambda miss: miss[:2]) if len(misses) > 64 else misses
    best = heapq.nsmallest(asked.limit, fitting, key=lambda each: each[0])
    nearest = heapq.nlargest(NEAREST_MAX, misses, key=lambda miss: miss[:2])
    return {
        "count": count,
        "matches": [_match(id, fit) for _, id, fit in best],
        "whyNot": [{"clause": name, "removes": removes[name], "removesAlone": alone[name]} for name in removes],
        "nearest": [{"id": id, "missing": {**fit.missing}} for _, _, id, fit in nearest],
    }


def _blame(document: Document, asked: FitRequest, removes: dict[str, int], alone: dict[str, int]) -> None:
    """Count for each need whether it removes the cluster, which does not fit, and whether it does so alone."""
    for name in asked.named:
        if not fit_of(document, replace(asked.needs, **WITHOUT[name])).missing:
            alone[name] += 1
        only = {each: value for other in asked.named if other != name for each, value in WITHOUT[other].items()}
        if fit_of(document, replace(asked.needs, **only)).missing:
            removes[name] += 1


def _on_nodes(nodes: list[Node], needs: Needs) -> Fit:
    """On each of some nodes as much as is named: the tightest of them are taken."""
    gpus = max(needs.gpus, 1) if needs.asks_for_gpus else 0
    wanted = (gpus, needs.vcpus, needs.memory)
    by_shortfall = [(_shortfall(node, wanted), node) for node in nodes]
    fitting = [node for short, node in by_shortfall if not short]
    if len(fitting) >= needs.nodes:
        best = heapq.nsmallest(needs.nodes, fitting, key=_offer)
        left = [sum(offer) for offer in zip(*map(_offer, best), strict=True)]
        return Fit(best, _less(left, [amount * needs.nodes for amount in wanted]), {})
    missing: dict[str, float] = {"nodes": needs.nodes - len(fitting)}
    short = min((short for short, _ in by_shortfall if short), key=lambda each: _distance(each, needs), default=None)
    if short is None:
        short = {name: amount for name, amount in zip(AMOUNTS, wanted, strict=True) if amount}
    return Fit((), (0, 0, 0), {**missing, **short})


def _across(nodes: list[Node], needs: Needs) -> Fit:
    """Across all nodes together."""
    wanted = (max(needs.gpus, 1) if needs.asks_for_gpus else 0, needs.vcpus, needs.memory)
    offered = [sum(offer) for offer in zip(*map(_offer, nodes), strict=True)] or [0, 0, 0]
    missing = _short_of(offered, wanted)
    return Fit(nodes, _less(offered, wanted), missing) if not missing else Fit((), (0, 0, 0), missing)


def _nodes_in(document: Document, needs: Needs) -> Iterable[Node]:
    nodes = document.get("nodes")
    listed = nodes.get("nodeData") if isinstance(nodes, dict) else None
    for node in listed if isinstance(listed, list) else ():
        if isinstance(node, dict):
            vcpus = node.get("vcpus")
            yield Node(
                node.get("id"),
                _gpus_of(node.get("gpus"), needs),
                _number(vcpus.get("count") if isinstance(vcpus, dict) else None),
                _number(node.get("memory")),
            )


def _gpus_of(gpus: Value, needs: Needs) -> float:
    """How many GPUs of a node are of the model and have the memory; by its list of GPUs, else by its figures."""
    if not isinstance(gpus, dict):
        return 0
    listed = gpus.get("gpus")
    if isinstance(listed, list) and listed:
        return sum(1 for gpu in listed if isinstance(gpu, dict) and _is_asked_for(gpu, needs))
    count = _number(gpus.get("count"))
    names = gpus.get("modelNames")
    models = {model_of(name) for name in names if isinstance(name, str)} if isinstance(names, list) else set()
    if needs.gpu_model is not None and models != {needs.gpu_model}:
        return 0
    each = _number(gpus.get("memory")) / count if count else 0
    return count if each >= needs.gpu_memory else 0


def _is_asked_for(gpu: Document, needs: Needs) -> bool:
    name = gpu.get("modelName")
    if needs.gpu_model is not None and (not isinstance(name, str) or model_of(name) != needs.gpu_model):
        return False
    return _number(gpu.get("memory")) >= needs.gpu_memory


AMOUNTS = ("gpus", "vcpus", "memory")


def _offer(node: Node) -> tuple[float, float, float]:
    return node.gpus, node.vcpus, node.memory


def _shortfall(node: Node, wanted: Sequence[float]) -> dict[str, float]:
    return _short_of(_offer(node), wanted)


def _short_of(offered: Sequence[float], wanted: Sequence[float]) -> dict[str, float]:
    pairs = zip(AMOUNTS, offered, wanted, strict=True)
    return {name: asked - there for name, there, asked in pairs if there < asked}


def _less(offered: Sequence[float], wanted: Sequence[float]) -> tuple[float, float, float]:
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


def _number(value: Value) -> float:
    return value if is_number(value) else 0
