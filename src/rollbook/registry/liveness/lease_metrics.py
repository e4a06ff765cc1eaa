"""Totals over all leases, for metrics."""

from collections.abc import Mapping

from msgspec import Struct

from rollbook.clusters.liveness import Liveness
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
