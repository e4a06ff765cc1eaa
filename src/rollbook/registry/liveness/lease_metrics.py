"""Totals over all leases, for metrics and ``/readyz``."""

from collections.abc import Mapping

from msgspec import Struct

from rollbook.clusters.liveness import Liveness
from rollbook.documents.values import Value
from rollbook.registry.liveness.leases import Leases
from rollbook.registry.liveness.suspensions import Cause


class LeaseMetrics(Struct, frozen=True):
    """How leases stand, to within a second, and what happened since the process began.

    ``beats``, ``marked`` (silences written down), ``restored`` (statuses brought back) and ``holds`` only grow.
    ``holding``: which holds there are now.
    """

    states: Mapping[Liveness, int]
    flapping: int
    holding: Mapping[Cause, bool]
    beats: int
    marked: int
    restored: int
    holds: Mapping[Cause, int]


def totals_of(leases: Leases, now: float) -> Mapping[Liveness, int]:
    """How many leases stand how, to within a second."""
    return leases.counts.totals(now, noted=leases.noted, due=len(leases.due))


def leases_as_json(leases: Leases) -> dict[str, Value]:
    """How many leases there are, how many of them are silent, and what holds transitions."""
    due = len(leases.due)
    return {"leases": len(leases), "silent": leases.noted + due, "holds": leases.holds.as_json(due)}
