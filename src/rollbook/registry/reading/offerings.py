"""What clusters have to place something on: their nodes, with vCPUs, memory and GPUs.

Theory: fits are asked for again and again, of clusters that seldom change, and reading the nodes out of a document
takes most of the time of a fit. So what was read is kept with the entry that it was read from, which never changes.
Callers from whom something is hidden have entries of their own, of the same revision: each of a few has its place.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import TypeAlias

from msgspec import Struct

from rollbook.clusters.gpu_models import model_of
from rollbook.documents.values import Document, Value, is_number
from rollbook.registry.reading.scanning import Scan
from rollbook.view.entries import Entry

NODES_KEPT_MAX = 300_000
"""Of larger fleets, the documents of the others are read each time."""
SIGHTS_MAX = 4
"""Entries of one cluster and revision of which something is kept: callers see different parts of it."""
FULL = 0.9
KINDS_SHARED_MAX = 16_384
WORK_UNITS_PER_OFFERING = 8

Offer: TypeAlias = tuple[float, float, float]
"""GPUs of the kind that is asked for, vCPUs, and memory (MB)."""


class Node(Struct, frozen=True):
    """What a node has: vCPUs, memory (MB), and how many GPUs of each model (None: unknown) and memory (MB)."""

    id: Value
    vcpus: float
    memory: float
    gpus: Mapping[tuple[str | None, float], float]


def offers_of(nodes: Sequence[Node], model: str | None, memory: float) -> list[Offer]:
    """How many GPUs of a model (None: of any) with so much memory at least each node has, its vCPUs and its memory."""
    offers: list[Offer] = []
    for node in nodes:
        gpus: float = 0
        for (its_model, its_memory), count in node.gpus.items():
            if its_memory >= memory and (model is None or model == its_model):
                gpus += count
        offers.append((gpus, node.vcpus, node.memory))
    return offers


class Offering(Struct, frozen=True):
    """What a cluster has, and its reputation."""

    nodes: Sequence[Node]
    reputation: float


class Offerings:
    """What was read, of at most ``nodes_max`` nodes. Any thread may ask."""

    def __init__(self, nodes_max: int = NODES_KEPT_MAX) -> None:
        self._nodes_max = nodes_max
        self._nodes = 0
        self._known: dict[int, tuple[tuple[Entry, Offering], ...]] = {}
        self._lock = Lock()

    def of(self, entry: Entry, scan: Scan, decoded: Sequence[Document]) -> Offering:
        """What the cluster of an entry has, read within the budget of ``scan``, if it is not ``decoded`` already."""
        for known, offering in self._known.get(entry.number, ()):
            if known.held is entry.held and known.packing is entry.packing:
                scan.work.spend(WORK_UNITS_PER_OFFERING)
                return offering
        offering = offering_in(decoded[0] if decoded else scan.document_of(entry, with_facts=False))
        with self._lock:
            others = [each for each in self._forget(entry.number) if each[0].revision == entry.revision]
            self._keep(entry.number, ((entry, offering), *others[: SIGHTS_MAX - 1]))
        return offering

    def make_room(self, entries: Iterable[Entry]) -> None:
        """Forget what is not of these, where there is little room left."""
        if self._nodes > self._nodes_max * FULL:
            there = {entry.number for entry in entries}
            with self._lock:
                for number in [each for each in self._known if each not in there]:
                    self._forget(number)

    def _keep(self, number: int, known: tuple[tuple[Entry, Offering], ...]) -> None:
        room = self._nodes_max - self._nodes
        while known and (weight := sum(_weight(offering) for _, offering in known)) > room:
            known = known[:-1]  # of more than there is room for, a part is known each time
        if known:
            self._known[number] = known
            self._nodes += weight

    def _forget(self, number: int) -> tuple[tuple[Entry, Offering], ...]:
        known = self._known.pop(number, ())
        self._nodes -= sum(_weight(offering) for _, offering in known)
        return known


def offering_in(document: Document) -> Offering:
    """What a cluster has, by its document."""
    return Offering(tuple(_nodes_in(document)), _number(document.get("reputation")))


def _weight(offering: Offering) -> int:
    return len(offering.nodes) + 1


def _nodes_in(document: Document) -> Iterator[Node]:
    nodes = document.get("nodes")
    listed = nodes.get("nodeData") if isinstance(nodes, dict) else None
    for node in listed if isinstance(listed, list) else ():
        if isinstance(node, dict):
            vcpus = _number(vcpus.get("count")) if isinstance(vcpus := node.get("vcpus"), dict) else 0
            yield Node(node.get("id"), vcpus, _number(node.get("memory")), _gpus_in(node.get("gpus")))


def _gpus_in(gpus: Value) -> Mapping[tuple[str | None, float], float]:
    """How many GPUs of each model and memory a node has; by its list of GPUs, else by its totals."""
    if not isinstance(gpus, dict):
        return {}
    listed = gpus.get("gpus")
    if isinstance(listed, list) and listed:
        found: dict[tuple[str | None, float], float] = {}
        for gpu in listed:
            if isinstance(gpu, dict):
                kind = _model(gpu.get("modelName")), _number(gpu.get("memory"))
                found[kind] = found.get(kind, 0) + 1
        return _shared(tuple(found.items()))
    count, names = _number(gpus.get("count")), gpus.get("modelNames")
    models = set(map(_model, names)) if isinstance(names, list) else set()
    model = models.pop() if len(models) == 1 else None
    return {(model, _number(gpus.get("memory")) / count): count} if count > 0 else {}


@lru_cache(maxsize=KINDS_SHARED_MAX)
def _shared(
    gpus: tuple[tuple[tuple[str | None, float], float], ...],
) -> Mapping[tuple[str | None, float], float]:
    """One object for all nodes with the same GPUs: they take most of the memory."""
    return dict(gpus)


def _model(name: Value) -> str | None:
    """The one name of a GPU's model."""
    return _model_named(name) if isinstance(name, str) else None


_model_named = lru_cache(maxsize=4096)(model_of)


def _number(value: Value) -> float:
    return value if is_number(value) else 0
