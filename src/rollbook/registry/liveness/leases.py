"""All leases of one registry: who is under lease, whose has run out, and whose silence is to be written down now.

One rule: nothing here waits, reads a clock or touches a document. Beats and readings of the clocks come in; leases
whose silence is due come out of ``look``.

Theory: a beat moves the end of its lease, which costs next to nothing; ``look``, many times a second, takes the leases
whose end may have come from a queue. One that has run out is *due* for a moment (SETTLE_SECONDS), in which beats that
wait in a socket are still heard and others that ran out for the same cause gather. Then it is handed out, unless so
many are due, or were noted a moment ago, that a hold begins. After a hold because of a mass silence, a cluster that
is still silent has the length of a lease once more, as every cluster has after a pause.
"""

import math
from collections.abc import Iterator
from itertools import islice

from rollbook.clusters.liveness import (
    PAUSE_SECONDS,
    TURNS_KEPT,
    ClockReading,
    Interruption,
    Lease,
    has_run_out,
    interruption_between,
    mass_window_seconds,
    runs_out_at,
)
from rollbook.registry.liveness.expiries import Expiries
from rollbook.registry.liveness.lease_counts import SPARE, Flapping, LeaseCounts
from rollbook.registry.liveness.suspensions import Cause, Suspensions
from rollbook.registry.liveness.uptimes import Uptimes

SETTLE_SECONDS = 0.3
COUNTED_PER_LOOK = 2_000
"""How many leases one look counts when a new slot of uptime has begun."""


class Leases:
    """The table of leases, as of the last reading of the clocks that it was shown."""

    def __init__(self, at: ClockReading) -> None:
        self.holds = Suspensions()
        self.uptimes = Uptimes(at)
        self.dirty: set[str] = set()
        """The clusters whose leases changed since they were last stored."""
        self.gone: set[str] = set()
        """Ids whose stored lease is to be deleted; they may have begun new ones since."""
        self.moved: set[str] | None = None
        """The clusters whose leases changed since they were last read as columns; None: any of them may have."""
        self.beats = 0
        self.counts = LeaseCounts()
        self.flapping = Flapping()
        self._at = at
        self._listening_since = -math.inf
        self.is_listening = False
        self._leases: dict[str, Lease] = {}
        self.expiries = Expiries()
        self.due: dict[str, float] = {}
        """When each lease was seen to have run out, of those whose silence is not noted yet."""
        self.noted = 0
        """How many leases are noted as silent."""
        self._newly_noted: dict[str, float] = {}
        self._uncounted: Iterator[Lease] = iter(())

    def __len__(self) -> int:
        return len(self._leases)

    def __iter__(self) -> Iterator[Lease]:
        return iter(list(self._leases.values()))

    def get(self, id: str) -> Lease | None:
        """The lease of a cluster; None when it never sent a beat."""
        return self._leases.get(id)

    def listening_since(self, now: float) -> float:
        """Since when heartbeats were received without interruption, as far as is known now."""
        return self._listening_since if now - self._at.seconds <= PAUSE_SECONDS else now

    def renew(self, id: str, life: int, ttl_seconds: int, at: ClockReading) -> Lease:
        """A beat: the lease begins, or begins again."""
        now = at.seconds
        if now - self._at.seconds > PAUSE_SECONDS:
            self._notice(at)
        self.beats += 1
        lease = self._leases.get(id)
        if lease is None or lease.life != life:
            lease = self._begin(id, life, ttl_seconds, at)
        else:
            self.uptimes.count(lease, now, self._listening_since)
            if lease.noted:
                self._come_back(lease, at)
            else:
                self.counts.remove(lease)
            lease.beat_at, lease.ttl_seconds, lease.observed_at_ms = now, ttl_seconds, at.unix_ms
            self.counts.add(lease)
        self.due.pop(id, None)
        self.holds.settle(id, at)
        self.expiries.ends(id, now + ttl_seconds)
        self.dirty.add(id)
        self._move(id)
        return lease

    def take_over(self, lease: Lease) -> None:
        """A lease that was stored before this process began; it is counted already."""
        self._leases[lease.id] = lease
        self.noted += lease.noted
        if not lease.noted:
            self.counts.add(lease)
        self.flapping.turned(lease, self._at.unix_ms)
        self._move(lease.id)
        self._plan(lease)

    def listen(
        self, at: ClockReading, *, cause: Cause = "started", detail: str = "the registry has just started"
    ) -> None:
        """Beats are heard from now on: everybody whose silence was not noted has a lease's length to send one.

        ``cause``: why they may not have been heard before.
        """
        self._at, self.is_listening = at, True
        self.uptimes.move(at, jumped=True)
        for lease in self._leases.values():
            self.uptimes.resume(lease.id, at.seconds)
        self._give_grace(cause, detail, at)

    def drop(self, id: str) -> None:
        """Forget a lease: the cluster is not there any more."""
        lease = self._leases.pop(id, None)
        if lease is not None:
            self.noted -= lease.noted
            if not lease.noted:
                self.counts.remove(lease)
            self.flapping.discard(id)
            self.due.pop(id, None)
            self._newly_noted.pop(id, None)
            self.expiries.discard(id)
            self.holds.settle(id, self._at)
            self.uptimes.drop(id)
            self.dirty.discard(id)
            self.gone.add(id)
            self._move(id)

    def note(self, lease: Lease, at: ClockReading, *, counts: bool = True) -> None:
        """Take note that a lease has run out. ``counts``: as a sign of a mass silence."""
        if lease.noted or self._leases.get(lease.id) is not lease:
            return
        self.uptimes.count(lease, at.seconds, self._listening_since)
        self.due.pop(lease.id, None)
        self.holds.settle(lease.id, at)
        self._turn(lease, at)
        self.counts.remove(lease)
        lease.noted = True
        self._move(lease.id)
        self.noted += 1
        if counts:
            self._newly_noted[lease.id] = at.seconds + mass_window_seconds(lease.ttl_seconds)

    def count(self, lease: Lease, at: ClockReading) -> None:
        """Count a lease's uptime up to now."""
        self.uptimes.count(lease, at.seconds, self._listening_since)
        self.dirty.add(lease.id)

    def changed(self, lease: Lease) -> None:
        """Have a lease stored with the next batch."""
        if self._leases.get(lease.id) is lease:
            self.dirty.add(lease.id)

    def look(self, at: ClockReading) -> list[Lease]:
        """Look at the clocks; the leases whose silence is to be written down now."""
        self._notice(at)
        self._count_some(at)
        self._gather_due(at)
        settled = [self._leases[id] for id, since in self.due.items() if at.seconds - since >= SETTLE_SECONDS]
        if settled or self.holds.mass is not None:
            self._judge(at)
        return [] if self.holds.mass is not None else [lease for lease in settled if lease.id in self.due]

    def _give_grace(self, cause: Cause, detail: str, at: ClockReading) -> None:
        """Let every lease count anew from now, except those whose silence was noted before."""
        self._listening_since = at.seconds
        for id in self.due:
            self._plan(self._leases[id])
        self.due.clear()
        self.holds.begin_grace(cause, detail, (each.id for each in self._leases.values() if not each.noted), at)

    def _begin(self, id: str, life: int, ttl_seconds: int, at: ClockReading) -> Lease:
        self.drop(id)
        lease = Lease(id, life, ttl_seconds, at.seconds, at.unix_ms)
        self._leases[id] = lease
        self.counts.add(lease)
        self.uptimes.begin(id, at.seconds)
        return lease

    def _come_back(self, lease: Lease, at: ClockReading) -> None:
        lease.noted = False
        self.noted -= 1
        self._newly_noted.pop(lease.id, None)
        self._turn(lease, at)

    def _turn(self, lease: Lease, at: ClockReading) -> None:
        lease.turns = (*lease.turns, at.unix_ms)[-TURNS_KEPT:]
        self.flapping.turned(lease, at.unix_ms)
        self.dirty.add(lease.id)

    def _move(self, id: str) -> None:
        if self.moved is not None:
            self.moved.add(id)
            if len(self.moved) > 2 * len(self._leases) + SPARE:  # nobody asks any more, and clusters come and go
                self.moved = None

    def _plan(self, lease: Lease) -> None:
        self.expiries.ends(lease.id, runs_out_at(lease.beat_at, lease.ttl_seconds, self._listening_since))

    def _notice(self, at: ClockReading) -> None:
        """Follow the clocks, and let everybody count anew after an interruption."""
        before, self._at = self._at, at
        interruption = interruption_between(before, at)
        if interruption is not None:
            self._resume(interruption, before, at)
        elif self.uptimes.move(at):
            self._uncounted = iter(self)

    def _resume(self, interruption: Interruption, before: ClockReading, at: ClockReading) -> None:
        for lease in self._leases.values():
            self.uptimes.skip(lease, before.seconds, at.seconds, self._listening_since)
        self.uptimes.move(at, jumped=True)
        self._give_grace(interruption.kind, interruption.sentence, at)

    def _count_some(self, at: ClockReading) -> None:
        for lease in islice(self._uncounted, COUNTED_PER_LOOK):
            if self._leases.get(lease.id) is lease:
                self.count(lease, at)

    def _gather_due(self, at: ClockReading) -> None:
        for id in self.expiries.take(at.seconds):
            lease = self._leases[id]
            if lease.noted:
                continue
            if has_run_out(lease, at.seconds, self._listening_since):
                self.due[id] = at.seconds
                self.holds.settle(id, at)
            else:
                self._plan(lease)

    def _judge(self, at: ClockReading) -> None:
        for id in [id for id, until in self._newly_noted.items() if until < at.seconds]:
            del self._newly_noted[id]
        silent = len(self.due) + len(self._newly_noted)
        under_lease = len(self._leases) - self.noted + len(self._newly_noted)
        if self.holds.judge(silent, under_lease, at):
            self._give_grace("beats-returned", f"{under_lease - silent} of {under_lease} clusters send beats", at)
