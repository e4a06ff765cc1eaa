"""How many leases are alive, late, silent and unknown, without a look at each of them.

Theory: a lease is late when half of it is past, and over when all of it is. How many leases come to either in which
second is counted here, so a total over all leases is a sum over the seconds of the longest lease. What has run out
unheard, and what was noted as silent, the leases know themselves; what is left over is unknown.

One rule: totals add up. A second is as exact as this is, so a lease may be counted late for a part of a second more.
"""

from collections.abc import Collection, Mapping

from rollbook.clusters.liveness import FLAPPING_TURNS, Lease, Liveness, is_flapping

SPARE = 1_000


class LeaseCounts:
    """The leases that were not noted as silent, counted by when half of each is past and by when it ends."""

    def __init__(self) -> None:
        self._late_from: dict[int, int] = {}
        self._over_from: dict[int, int] = {}

    def add(self, lease: Lease) -> None:
        """Count a lease as it is now; to be removed before it becomes another."""
        _move(self._late_from, lease.beat_at + lease.ttl_seconds / 2, 1)
        _move(self._over_from, lease.beat_at + lease.ttl_seconds, 1)

    def remove(self, lease: Lease) -> None:
        """Count a lease no more."""
        _move(self._late_from, lease.beat_at + lease.ttl_seconds / 2, -1)
        _move(self._over_from, lease.beat_at + lease.ttl_seconds, -1)

    def totals(self, now: float, *, noted: int, due: int) -> Mapping[Liveness, int]:
        """The number of leases in each state. ``due``: how many have expired and were not processed yet."""
        counted = sum(self._over_from.values())
        over = max(due, counted - _from(now, self._over_from))
        alive = min(counted - over, _from(now, self._late_from))
        return {"alive": alive, "late": counted - over - alive, "silent": noted + due, "unknown": over - due}


class Flapping:
    """The leases that were flapping when they last turned."""

    def __init__(self) -> None:
        self._leases: dict[str, Lease] = {}
        self._sweep_at = SPARE

    def turned(self, lease: Lease, now_ms: int) -> None:
        """The cluster fell silent or came back."""
        if len(lease.turns) >= FLAPPING_TURNS and is_flapping(lease.turns, now_ms):
            self._leases[lease.id] = lease
            if len(self._leases) > self._sweep_at:
                self._sweep_at = 2 * self.total(now_ms) + SPARE

    def discard(self, id: str) -> None:
        """The lease is gone."""
        self._leases.pop(id, None)

    def total(self, now_ms: int) -> int:
        """How many are flapping now."""
        return len(self.leases(now_ms))

    def leases(self, now_ms: int) -> Collection[Lease]:
        """Those that are flapping now; the others are forgotten."""
        self._leases = {id: lease for id, lease in self._leases.items() if is_flapping(lease.turns, now_ms)}
        return self._leases.values()


def _move(seconds: dict[int, int], when: float, by: int) -> None:
    second = int(when)
    count = seconds.get(second, 0) + by
    if count:
        seconds[second] = count
    else:
        del seconds[second]


def _from(now: float, seconds: Mapping[int, int]) -> int:
    return sum(count for second, count in seconds.items() if second >= int(now))
