"""Counting how leases spend their time, in seconds for each slot. Finished slots wait here until they are stored.

One rule: a lease is counted when something happens to it (a beat, a silence that is noted, a new slot, a pause), for
between two such moments the rules of ``clusters.uptime`` say how the time was spent. Nothing counts second by second.
"""

from msgspec import Struct

from rollbook.clusters.liveness import ClockReading, Lease
from rollbook.clusters.uptime import NOTHING, SLOT_SECONDS, SLOTS_KEPT, Spent, slot_of, spent_between

Finished = dict[str, dict[int, Spent]]
"""What was spent in slots that are over, by id and slot."""


class Tally(Struct):
    """What was counted of one lease in its current slot, and up to when (seconds)."""

    slot: int
    counted_until: float
    alive: float = 0.0
    late: float = 0.0
    silent: float = 0.0

    @property
    def spent(self) -> Spent:
        """What was counted in the slot."""
        return Spent(self.alive, self.late, self.silent)

    def add(self, spent: Spent) -> None:
        """Count more in the slot."""
        self.alive += spent.alive
        self.late += spent.late
        self.silent += spent.silent


class Uptimes:
    """The tallies of all leases, by the id of the cluster."""

    def __init__(self, at: ClockReading) -> None:
        self._finished: Finished = {}
        self._tallies: dict[str, Tally] = {}
        self._enter_slot(at)

    def begin(self, id: str, now: float, *, slot: int | None = None, spent: Spent = NOTHING) -> None:
        """Count a lease from now on, upon what is known to have been ``spent`` in ``slot`` before."""
        if slot is not None and slot != self.slot and any(spent):
            self._finish(id, slot, spent)
            spent = NOTHING
        self._tallies[id] = Tally(self.slot, now, *spent)

    def drop(self, id: str) -> None:
        """Forget a lease."""
        self._tallies.pop(id, None)
        self._finished.pop(id, None)

    def count(self, lease: Lease, now: float, listening_since: float) -> None:
        """Count up to now, as the lease stands: to be called before anything about it changes."""
        tally = self._tallies[lease.id]
        if tally.slot != self.slot:
            self._turn(lease, tally, listening_since)
        if now <= lease.beat_at + lease.ttl_seconds / 2 and not lease.noted:
            tally.alive += now - tally.counted_until
        else:
            tally.add(spent_between(lease, tally.counted_until, now, listening_since))
        tally.counted_until = now

    def skip(self, lease: Lease, until: float, now: float, listening_since: float) -> None:
        """Count up to ``until``, and nothing from there to now: the registry was not listening."""
        tally = self._tallies[lease.id]
        self.count(lease, max(until, tally.counted_until), listening_since)
        tally.counted_until = now

    def resume(self, id: str, now: float) -> None:
        """Count from now on, and nothing of what was before."""
        self._tallies[id].counted_until = now

    def move(self, at: ClockReading, *, jumped: bool = False) -> bool:
        """Follow the clock; whether it is in another slot now, so that every lease is to be counted."""
        if not jumped and at.seconds < self._slot_ends:
            return False
        before = self.slot
        self._enter_slot(at)
        return self.slot != before

    def slot_spent(self, id: str) -> tuple[int, Spent]:
        """What was counted of a lease in its current slot."""
        tally = self._tallies[id]
        return tally.slot, tally.spent

    def finished_of(self, id: str) -> list[tuple[int, Spent]]:
        """The finished slots of a lease that wait to be stored."""
        return list(self._finished.get(id, {}).items())

    def take_finished(self) -> Finished:
        """All finished slots, to be stored."""
        taken, self._finished = self._finished, {}
        return taken

    def give_back(self, taken: Finished) -> None:
        """Keep finished slots that could not be stored."""
        for id, slots in taken.items():
            if id in self._tallies:
                for slot, spent in slots.items():
                    self._finish(id, slot, spent)

    def _enter_slot(self, at: ClockReading) -> None:
        unix_seconds = at.unix_ms / 1000
        self.slot = slot_of(unix_seconds)
        self._slot_begins = at.seconds - (unix_seconds - self.slot * SLOT_SECONDS)
        self._slot_ends = self._slot_begins + SLOT_SECONDS

    def _turn(self, lease: Lease, tally: Tally, listening_since: float) -> None:
        end = max(tally.counted_until, self._slot_begins)
        tally.add(spent_between(lease, tally.counted_until, end, listening_since))
        self._finish(lease.id, tally.slot, tally.spent)
        tally.slot, tally.counted_until = self.slot, end
        tally.alive = tally.late = tally.silent = 0.0

    def _finish(self, id: str, slot: int, spent: Spent) -> None:
        """Lay a slot by; of those that wait too long for the disk, the oldest give way."""
        if any(spent):
            slots = self._finished.setdefault(id, {})
            slots[slot] = slots.get(slot, NOTHING).plus(spent)
            if len(slots) > SLOTS_KEPT:
                del slots[min(slots)]
