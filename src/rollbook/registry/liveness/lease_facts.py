"""What the heartbeats of a cluster say, as ``_registry`` shows it."""

from collections.abc import Callable

from rollbook.clusters.liveness import (
    ClockReading,
    Lease,
    is_flapping,
    liveness_after,
    liveness_of,
    turns_within,
)
from rollbook.documents.values import MISSING, Value
from rollbook.registry.feed.times import iso_time
from rollbook.registry.liveness.leases import Leases
from rollbook.registry.writing.commands import Current
from rollbook.view.entries import Entry

UNKNOWN: dict[str, Value] = {"liveness": "unknown", "observedAt": None, "ageSeconds": None}
"""The facts of a cluster that never sent a heartbeat."""


class LeaseFacts:
    """What is known of the leases, as of now. Safe to call from any thread."""

    def __init__(self, leases: Leases, *, read_clocks: Callable[[], ClockReading]) -> None:
        self._leases = leases
        self._read_clocks = read_clocks

    def as_of_now(self) -> "LeaseFacts":
        """The same, for which time stands still."""
        at = self._read_clocks()
        return LeaseFacts(self._leases, read_clocks=lambda: at)

    def now(self) -> ClockReading:
        """The time as of which they are known."""
        return self._read_clocks()

    def of(self, entry: Entry | Current) -> dict[str, Value]:
        """The liveness of a cluster, when it was last heard (ISO 8601, UTC), and how long ago that is."""
        lease = self._leases.get(entry.id)
        if lease is None or lease.life != entry.created_revision:
            return UNKNOWN
        at = self._read_clocks()
        return facts_of(lease, at, self._leases.listening_since(at.seconds))


def facts_of(lease: Lease, at: ClockReading, listening_since: float) -> dict[str, Value]:
    """The facts of a lease; its nodes only if any were reported, the former status only while there is a mark."""
    facts: dict[str, Value] = {
        "liveness": liveness_of(lease, at.seconds, listening_since),
        "observedAt": iso_time(lease.observed_at_ms),
        "ageSeconds": _age_seconds(lease.beat_at, at),
        "ttlSeconds": lease.ttl_seconds,
        "turns": turns_within(lease.turns, at.unix_ms),
        "flapping": is_flapping(lease.turns, at.unix_ms),
    }
    mark = lease.mark
    if mark is not None and mark.former is not MISSING:
        facts["formerStatus"] = mark.former
    if lease.nodes:
        facts["nodes"] = _nodes(lease, at, listening_since)
    return facts


def _nodes(lease: Lease, at: ClockReading, listening_since: float) -> list[Value]:
    return [
        {
            "id": id,
            "liveness": liveness_after(seen_at, lease.ttl_seconds, at.seconds, listening_since),
            "observedAt": iso_time(lease.observed_at_ms - round((lease.beat_at - seen_at) * 1000)),
            "ageSeconds": _age_seconds(seen_at, at),
        }
        for id, seen_at in lease.nodes.items()
    ]


def _age_seconds(seen_at: float, at: ClockReading) -> float:
    return round(max(0.0, at.seconds - seen_at), 3)
