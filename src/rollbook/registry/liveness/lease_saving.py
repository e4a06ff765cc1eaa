"""Keeping leases and uptime: from the table into the store in batches, and out of it when the registry opens.

One rule: the table never waits for the disk. What can't be stored now stays to be stored later.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Self, TypeVar

import orjson

from rollbook.clusters.liveness import ClockReading, Lease, StatusOverride, status_in
from rollbook.clusters.uptime import DAYS_KEPT, SLOTS_KEPT, Share, day_of_slot, day_shares, slot_shares, sums
from rollbook.documents.values import MISSING
from rollbook.errors import JournalUnavailable
from rollbook.journal.lease_store import LeaseBatch, LeaseRow, LeaseStore
from rollbook.registry.feed.duties import Duty
from rollbook.registry.liveness.leases import Leases
from rollbook.registry.liveness.uptimes import Finished, Uptimes
from rollbook.view.views import View

Result = TypeVar("Result")

logger = logging.getLogger(__name__)

BATCH_LEASES_MAX = 2_000
NODE_SECONDS_MAX = 86_400
"""How long a node that is not reported any more is remembered."""


class LeaseSaver:
    """Stores what changed in a table of leases. Its thread is the only one that touches the store."""

    def __init__(
        self,
        leases: Leases,
        store: LeaseStore,
        *,
        read_clocks: Callable[[], ClockReading],
        duty: Duty | None = None,
    ) -> None:
        self._duty = duty or Duty()
        self.failures = 0
        self._read_clocks = read_clocks
        self._leases = leases
        self._store = store
        self._slot = leases.uptimes.slot
        self._in_turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollbook-leases")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Store everything, and release the thread."""
        at = self._read_clocks()
        for lease in self._leases if self._leases.is_listening else ():
            self._leases.count(lease, at)
        if self._duty.is_ours:
            await self.save()
        self._thread.shutdown()

    def store_all(self) -> None:
        """Have every lease stored with the next batches."""
        self._leases.dirty.update(lease.id for lease in self._leases)

    def store_nothing(self) -> None:
        """Forget what was to be stored: another process stores it."""
        self._leases.dirty.clear()
        self._leases.gone.clear()
        self._leases.uptimes.take_finished()

    async def save(self) -> None:
        """Store everything that has changed. When the disk can't be written, that is logged once and kept."""
        async with self._in_turn:
            at = self._read_clocks()
            try:
                while await self._save_some(at):
                    pass
                await self._forget_old()
            except JournalUnavailable as problem:
                self.failures += 1
                if self.failures == 1:
                    logger.warning("%s; it is tried again and again", problem.message)
            else:
                self.failures = 0

    async def uptime(self, id: str, at: ClockReading) -> tuple[list[Share], list[Share]]:
        """How a cluster under lease spent the slots of the last day, and the last days."""
        uptimes, unix_seconds = self._leases.uptimes, at.unix_ms / 1000
        fresh = [*uptimes.finished_of(id), uptimes.slot_spent(id)]
        first = uptimes.slot - SLOTS_KEPT + 1, day_of_slot(uptimes.slot) - DAYS_KEPT + 1
        slots, days = await self._on_thread(lambda: self._store.uptime(id, slot=first[0], day=first[1]))
        today = [(day_of_slot(slot), spent) for slot, spent in fresh]
        return slot_shares(sums([*slots, *fresh]), unix_seconds), day_shares(sums([*days, *today]), unix_seconds)

    async def _save_some(self, at: ClockReading) -> bool:
        leases = self._leases
        ids = list(islice(leases.dirty, BATCH_LEASES_MAX))
        gone, leases.gone = leases.gone, set()
        finished = leases.uptimes.take_finished()
        if not ids and not gone and not finished:
            return False
        leases.dirty.difference_update(ids)
        rows = [row_of(lease, leases.uptimes, at) for id in ids if (lease := leases.get(id)) is not None]
        try:
            await self._on_thread(lambda: self._store.save(LeaseBatch(gone, rows, finished)))
        except JournalUnavailable:
            self._keep(ids, gone, finished)
            raise
        return True

    def _keep(self, ids: list[str], gone: set[str], finished: Finished) -> None:
        self._leases.dirty.update(id for id in ids if self._leases.get(id) is not None)
        self._leases.gone |= gone
        self._leases.uptimes.give_back(finished)

    async def _forget_old(self) -> None:
        slot = self._leases.uptimes.slot
        if slot != self._slot:
            first = slot - SLOTS_KEPT + 1, day_of_slot(slot) - DAYS_KEPT + 1
            await self._on_thread(lambda: self._store.forget_before(slot=first[0], day=first[1]))
            self._slot = slot

    async def _on_thread(self, job: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)


def load_leases(store: LeaseStore, view: View, at: ClockReading) -> Leases:
    """The table as it was stored, for a registry that does not listen yet."""
    leases = Leases(at)
    for row in store.load():
        entry = view.entry(row.id)
        if entry is None or entry.created_revision != row.life:
            leases.gone.add(row.id)
            continue
        lease = lease_of(row, at)
        if lease.mark is not None and status_in(entry.body) != lease.mark.written:
            lease.mark = None
        lease.mark_known |= lease.own_since_ms == entry.status_since_ms
        leases.uptimes.begin(row.id, at.seconds, slot=row.slot, spent=row.spent)
        leases.take_over(lease)
    return leases


def row_of(lease: Lease, uptimes: Uptimes, at: ClockReading) -> LeaseRow:
    """A lease as it is stored."""
    mark = None
    if lease.mark is not None:
        former = {} if lease.mark.former is MISSING else {"former": lease.mark.former}
        mark = _text({"written": lease.mark.written, **former})
    elif lease.own_since_ms is not None:
        mark = _text({"written": None, "since": lease.own_since_ms})
    nodes = {id: _unix_ms(when, at) for id, when in lease.nodes.items() if at.seconds - when <= NODE_SECONDS_MAX}
    return LeaseRow(
        lease.id,
        lease.life,
        lease.ttl_seconds,
        lease.observed_at_ms,
        lease.noted,
        mark,
        _text(lease.turns),
        _text(nodes),
        *uptimes.slot_spent(lease.id),
    )


def lease_of(row: LeaseRow, at: ClockReading) -> Lease:
    """The lease that was stored, in the seconds of this process's clock."""
    mark, stored = None, {} if row.mark is None else orjson.loads(row.mark)
    if stored.get("written") is not None:
        mark = StatusOverride(stored["written"], stored.get("former", MISSING))
    return Lease(
        row.id,
        row.life,
        row.ttl_seconds,
        beat_at=_seconds(row.observed_at_ms, at),
        observed_at_ms=row.observed_at_ms,
        noted=bool(row.noted),
        mark=mark,
        mark_known=mark is not None,
        own_since_ms=stored.get("since"),
        turns=tuple(orjson.loads(row.turns)),
        nodes={id: _seconds(when_ms, at) for id, when_ms in orjson.loads(row.nodes).items()},
    )


def _seconds(unix_ms: int, at: ClockReading) -> float:
    """A Unix time of the past on this process's clock; a time that is yet to come is now."""
    return at.seconds - max(0, at.unix_ms - unix_ms) / 1000


def _unix_ms(seconds: float, at: ClockReading) -> int:
    return at.unix_ms - round((at.seconds - seconds) * 1000)


def _text(value: object) -> str:
    return orjson.dumps(value).decode() if value else EMPTY_TEXTS[type(value)]


EMPTY_TEXTS: Mapping[type, str] = {tuple: "[]", dict: "{}"}
