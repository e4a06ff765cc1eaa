"""What is kept of leases and uptime, and what a store of them is.

One rule: the store may lag behind by one batch, and the registry must be right all the same. Heartbeats are no changes:
they are stored in batches, each whole or not at all, and the next heartbeats make good what a crash loses of them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from rollbook.clusters.uptime import Spent


class LeaseRow(NamedTuple):
    """A lease as it is kept. ``mark``, ``turns`` and ``nodes`` are JSON; ``spent`` is what was counted in ``slot``."""

    id: str
    life: int
    ttl_seconds: int
    observed_at_ms: int
    noted: bool
    mark: str | None
    turns: str
    nodes: str
    slot: int
    spent: Spent


Counted = tuple[int, Spent]
"""The number of a slot or a day, and what was spent in it."""


class LeaseBatch(Struct, frozen=True):
    """What is stored at once: clusters whose leases are gone, leases as they are now, and slots that are over.

    In this order: what is gone goes with its uptime, and may begin again in the same batch.
    """

    gone: Collection[str]
    leases: Sequence[LeaseRow]
    finished: Mapping[str, Mapping[int, Spent]]


class LeaseStore(Protocol):
    """Leases and uptime, stored. Methods block, and one thread calls them."""

    def load(self) -> list[LeaseRow]:
        """Every lease, in no particular order."""
        ...

    def save(self, batch: LeaseBatch) -> None:
        """Keep a batch, whole or not at all. Fails (JournalUnavailable) when the disk does.

        A lease takes the place of the one with its id; a finished slot is added to what is kept of it, and to its day.
        """
        ...

    def forget_before(self, *, slot: int, day: int) -> None:
        """Forget the uptime of earlier slots and days. Fails (JournalUnavailable) when the disk does."""
        ...

    def uptime(self, id: str, *, slot: int, day: int) -> tuple[list[Counted], list[Counted]]:
        """What is kept of a cluster's slots and days from these on, each in ascending order."""
        ...

    def close(self) -> None:
        """Release the store. Closing twice is harmless."""
        ...
