"""What heartbeats say of all clusters at once: the leases as columns, a row for each number of the view.

Theory: a lease changes with every heartbeat, and is asked about rarely. So a heartbeat only puts the id of its lease
aside (``Leases.moved``), each once; who asks brings the columns up to date with those, and compares whole columns with
the clock. Numbers are never given twice, so a row is of one cluster and one lease at most.

One rule: called from the thread that hears heartbeats and applies changes to the view, and from no other.
"""

from typing import TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from rollbook.clusters.liveness import ClockReading, Liveness
from rollbook.registry.liveness.leases import Leases
from rollbook.view.views import View

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int8]
Flags: TypeAlias = NDArray[np.bool_]
Integers: TypeAlias = NDArray[np.int64]

LIVENESSES: tuple[Liveness, ...] = get_args(Liveness)
ALIVE, LATE, SILENT, UNKNOWN = map(LIVENESSES.index, ("alive", "late", "silent", "unknown"))


class LeaseColumns:
    """The leases of the clusters in ``view``."""

    def __init__(self, view: View, leases: Leases) -> None:
        self._view = view
        self._leases = leases
        self._by_number: object = None
        self._beat_at: Floats = np.zeros(0)
        """NaN: the cluster has no lease."""
        self._ttl_seconds: Floats = np.zeros(0)
        self._noted: Flags = np.zeros(0, dtype=np.bool_)
        self._observed_at_ms: Integers = np.zeros(0, dtype=np.int64)

    def livenesses(self, at: ClockReading) -> Codes:
        """The liveness of each number of the view, as its place among ``LIVENESSES``."""
        self._bring_up_to_date()
        now, since = at.seconds, self._leases.listening_since(at.seconds)
        age = now - self._beat_at
        codes = np.full(len(age), UNKNOWN, dtype=np.int8)
        codes[now > np.maximum(self._beat_at, since) + self._ttl_seconds] = SILENT
        codes[age <= self._ttl_seconds] = LATE
        codes[age <= self._ttl_seconds / 2] = ALIVE
        codes[self._noted] = SILENT
        return codes

    def flapping(self, at: ClockReading) -> Codes:
        """Whether each number of the view is flapping: 1 or 0; -1 where there is no lease."""
        self._bring_up_to_date()
        codes = np.where(np.isnan(self._beat_at), -1, 0).astype(np.int8)
        for lease in self._leases.flapping.leases(at.unix_ms):
            entry = self._view.entry(lease.id)
            if entry is not None and entry.created_revision == lease.life:
                codes[entry.number] = 1
        return codes

    def observed_at_ms(self) -> Integers:
        """When each number of the view was last heard, in Unix milliseconds; -1 where there is no lease."""
        self._bring_up_to_date()
        return np.where(np.isnan(self._beat_at), -1, self._observed_at_ms)

    def _bring_up_to_date(self) -> None:
        view, leases = self._view, self._leases
        moved: set[str] | None = leases.moved
        if moved is None or self._by_number is not view.by_number:
            self._by_number, moved = view.by_number, {lease.id for lease in leases}
            self._beat_at, self._ttl_seconds, self._noted = np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.bool_)
            self._observed_at_ms = np.zeros(0, dtype=np.int64)
        missing = len(view.by_number) - len(self._beat_at)
        if missing:
            self._beat_at = np.concatenate([self._beat_at, np.full(missing, np.nan)])
            self._ttl_seconds = np.concatenate([self._ttl_seconds, np.zeros(missing)])
            self._noted = np.concatenate([self._noted, np.zeros(missing, dtype=np.bool_)])
            self._observed_at_ms = np.concatenate([self._observed_at_ms, np.zeros(missing, dtype=np.int64)])
        leases.moved = {id for id in moved if not self._take(id)}

    def _take(self, id: str) -> bool:
        """Take over the lease of a cluster; False while the view does not have the cluster that it is of."""
        lease, entry = self._leases.get(id), self._view.entry(id)
        if entry is None or (lease is not None and lease.life != entry.created_revision):
            return lease is None
        if lease is None:
            self._beat_at[entry.number], self._noted[entry.number] = np.nan, False
        else:
            number = entry.number
            self._beat_at[number], self._ttl_seconds[number] = lease.beat_at, lease.ttl_seconds
            self._noted[number], self._observed_at_ms[number] = lease.noted, lease.observed_at_ms
        return True
