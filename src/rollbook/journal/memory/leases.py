"""Leases and uptime in memory.

One rule: it passes the contract as the other stores do, and is the simplest that does. Nothing survives the process.
"""

from rollbook.clusters.uptime import NOTHING, Spent, day_of_slot
from rollbook.journal.lease_store import Counted, LeaseBatch, LeaseRow
from rollbook.journal.memory.disk import MemoryDisk

Counts = dict[tuple[str, int], Spent]
"""What was spent, by cluster and number of a slot or day."""


class MemoryLeaseStore:
    """A store (see ``lease_store.LeaseStore``) that ends with its process."""

    def __init__(self) -> None:
        self.disk = MemoryDisk()
        self._leases: dict[str, LeaseRow] = {}
        self._slots: Counts = {}
        self._days: Counts = {}

    def load(self) -> list[LeaseRow]:
        """See ``LeaseStore.load``."""
        return list(self._leases.values())

    def save(self, batch: LeaseBatch) -> None:
        """See ``LeaseStore.save``."""
        self.disk.write()
        gone = set(batch.gone)
        leases = {id: row for id, row in self._leases.items() if id not in gone}
        self._leases = {**leases, **{row.id: row for row in batch.leases}}
        self._slots, self._days = (
            {(id, number): spent for (id, number), spent in counts.items() if id not in gone}
            for counts in (self._slots, self._days)
        )
        for id, slots in batch.finished.items():
            for slot, spent in slots.items():
                _add(self._slots, (id, slot), spent)
                _add(self._days, (id, day_of_slot(slot)), spent)

    def forget_before(self, *, slot: int, day: int) -> None:
        """See ``LeaseStore.forget_before``."""
        self.disk.write()
        self._slots = {key: spent for key, spent in self._slots.items() if key[1] >= slot}
        self._days = {key: spent for key, spent in self._days.items() if key[1] >= day}

    def uptime(self, id: str, *, slot: int, day: int) -> tuple[list[Counted], list[Counted]]:
        """See ``LeaseStore.uptime``."""
        return _counted(self._slots, id, slot), _counted(self._days, id, day)

    def close(self) -> None:
        """Nothing is held."""


def _add(counts: Counts, key: tuple[str, int], spent: Spent) -> None:
    counts[key] = counts.get(key, NOTHING).plus(spent)


def _counted(counts: Counts, id: str, first: int) -> list[Counted]:
    return sorted((number, spent) for (each, number), spent in counts.items() if each == id and number >= first)
