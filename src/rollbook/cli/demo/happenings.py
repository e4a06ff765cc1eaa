"""What happens in a made-up fleet: the next happening, drawn from a seed.

One rule: the same seed and the same ids give the same happenings in the same order; how fast they are sent is for the
caller to decide.
"""

from collections.abc import Sequence
from random import Random

from msgspec import Struct

from rollbook.cli.demo.generating import GPU_MODELS, Document, node

FAILURE_SECONDS = (60, 300)
MAINTENANCE_REASONS = ("firmware of the switches", "a power supply is replaced", "kernel upgrade", "moved to row 4")
AUDITS = ("audit of the quarter", "reported by a tenant", "benchmarks of the night")
JOINED_NODES = ("spare-1", "spare-2", "spare-3")


class Changed(Struct, frozen=True):
    """A person or a controller changes a cluster."""

    id: str
    update: Document
    reason: str


class Joined(Struct, frozen=True):
    """A node joins a cluster."""

    id: str
    node: Document


class Left(Struct, frozen=True):
    """A node leaves a cluster, if it is there."""

    id: str
    node_id: str


class Failed(Struct, frozen=True):
    """A cluster sends nothing for some seconds."""

    id: str
    seconds: int


Happening = Changed | Joined | Left | Failed


class Happenings:
    """Draws what happens in a fleet."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"happenings/{seed}")  # noqa: S311  (made-up clusters are no secrets)
        self._resting: dict[str, None] = {}
        self._with_spares: dict[str, str] = {}

    def next(self, ids: Sequence[str]) -> Happening:
        """The next happening, to one of ``ids`` (at least one)."""
        (kind,) = self._random.choices(KINDS, WEIGHTS)
        id = self._random.choice(ids)
        match kind:
            case "status":
                return self._status(id)
            case "node":
                return self._node(id)
            case "failure":
                return Failed(id, self._random.randint(*FAILURE_SECONDS))
            case _:
                step = self._random.choice((-2, -1, 1, 2))
                return Changed(id, {"$inc": {"reputation": step}}, self._random.choice(AUDITS))

    def _status(self, id: str) -> Changed:
        """A cluster goes into maintenance, or one that is in maintenance comes back."""
        if self._resting and self._random.random() < 0.5:
            id = next(iter(self._resting))
            del self._resting[id]
            return Changed(id, {"$set": {"status": "live"}}, "back in service")
        self._resting[id] = None
        status = self._random.choice(("draining", "maintenance"))
        return Changed(id, {"$set": {"status": status}}, self._random.choice(MAINTENANCE_REASONS))

    def _node(self, id: str) -> Joined | Left:
        """A spare node joins, or one that has joined leaves again."""
        if self._with_spares and self._random.random() < 0.5:
            id, node_id = next(iter(self._with_spares.items()))
            del self._with_spares[id]
            return Left(id, node_id)
        node_id = self._random.choice(JOINED_NODES)
        self._with_spares[id] = node_id
        return Joined(id, {**node(self._random, 0, self._random.choice(GPU_MODELS)), "id": node_id})


KINDS = ("reputation", "status", "node", "failure")
WEIGHTS = (40, 25, 25, 10)
