"""Keeping leases: beats come in, and what is to be done from time to time is done.

One rule: a beat is heard before anything else. It changes a few numbers in memory; only a beat that brings a status, or
the first one after a silence, waits for a document.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import islice
from typing import Self

from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.liveness import ClockReading, Lease
from rollbook.clusters.nodes import node_id, nodes_in
from rollbook.clusters.uptime import Share, day_shares, slot_shares
from rollbook.errors import ClusterDeleted, ClusterNotFound, RegistryError
from rollbook.registry.feed.duties import Duty
from rollbook.registry.liveness.admitting import admitted, unlisted
from rollbook.registry.liveness.heartbeats import NODES_MAX, PLAIN_HEARTBEAT, Heartbeat
from rollbook.registry.liveness.lease_metrics import LeaseMetrics, totals_of
from rollbook.registry.liveness.lease_saving import LeaseSaver
from rollbook.registry.liveness.leases import Leases
from rollbook.registry.liveness.marking import Marking
from rollbook.registry.liveness.sharing import Unshared
from rollbook.registry.liveness.status_overrides import StatusOverrides, StatusWords
from rollbook.registry.supervising import Supervisor, ended
from rollbook.security.callers import Caller
from rollbook.view.entries import Entry

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
SAVE_SECONDS = 1.0


class LeaseKeeper:
    """Keeps the leases of one registry. Until ``listen`` nothing is due: who only opens a registry hears no beats."""

    def __init__(
        self,
        leases: Leases,
        marks: StatusOverrides,
        marking: Marking,
        saver: LeaseSaver,
        *,
        read_clocks: Callable[[], ClockReading],
        supervisor: Supervisor | None = None,
        duty: Duty | None = None,
        unshared: Unshared | None = None,
    ) -> None:
        """``unshared`` is given the heartbeats that are heard here and other processes have to know of."""
        self._duty = duty or Duty()
        self.unshared = unshared
        self.leases = leases
        self.saver = saver
        self._marks = marks
        self._marking = marking
        self._read_clocks = read_clocks
        self._supervisor = supervisor or Supervisor()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Look no more, and let what has begun come to its end. Heartbeats are still counted."""
        await asyncio.gather(*map(ended, self._tasks))
        await self.finish()

    @property
    def status_words(self) -> StatusWords:
        """The statuses that are written for clusters that are silent, and heard."""
        return self._marks.words

    def listen(self) -> None:
        """Beats are heard from now on."""
        self.leases.listen(self._read_clocks())

    def start(self) -> None:
        """Listen, and look after the leases in tasks of their own: storing must not hold up looking."""
        self.listen()
        self._tasks = [
            self._supervisor.run("rollbook-leases", lambda: _every(LOOK_SECONDS, self.look)),
            self._supervisor.run("rollbook-lease-saving", lambda: _every(SAVE_SECONDS, self._save)),
        ]

    async def beat(self, caller: Caller, id: str, beat: Heartbeat, *, reason: str | None = None) -> Lease:
        """Hear a beat; when it returns, what the beat changes in the document is durable.

        Refuses an id that is no cluster's (ClusterNotFound), or is none any more (ClusterDeleted).
        """
        entry = self._marks.entry(id)
        if entry is None:
            raise await self._absence_of(caller, id)
        heard = admitted(caller.access, entry, beat)
        lease = self.hear(entry, beat)
        if heard is not entry:
            lease.unknown_nodes = unlisted(heard, beat)
        if beat.status is not None:
            await self._marking.set_status(caller, lease, entry, beat.status, reason=reason)
        elif not self._marks.is_none(lease, entry) or self._marking.goes_live(lease, entry):
            await self._marking.settle(lease)
        return lease

    def beat_at_once(self, caller: Caller, id: str, beat: Heartbeat) -> Lease | None:
        """Hear a beat of which no document takes note; None, and nothing heard, when it has to be waited for.

        Likewise where it has to be judged whether the caller may.
        """
        if not caller.access.is_unbounded("heartbeat"):
            return None
        entry, lease = self._marks.entry(id), self.leases.get(id)
        if entry is None or lease is None or lease.life != entry.created_revision:
            return None
        if beat.status is not None or not self._marks.is_none(lease, entry) or self._marking.awaits_heartbeat(entry):
            return None
        return self.hear(entry, beat)

    def hear(self, entry: Entry, beat: Heartbeat = PLAIN_HEARTBEAT, *, elsewhere: bool = False) -> Lease:
        """Renew a lease, and nothing else. ``elsewhere``: another process has heard it."""
        if self.unshared is not None and not elsewhere:
            self.unshared.note(entry, beat)
        at = self._read_clocks()
        lease = self.leases.renew(entry.id, entry.created_revision, beat.ttl_seconds, at)
        lease.unknown_nodes = ()
        if beat.nodes:
            self._hear_nodes(lease, entry, beat.nodes, at.seconds)
        return lease

    async def uptime(self, caller: Caller, entry: Entry) -> tuple[list[Share], list[Share]]:
        """How the cluster spent the quarters of an hour of the last day, and the last days."""
        at = self._read_clocks()
        lease = self.leases.get(entry.id)
        if lease is None or lease.life != entry.created_revision:
            return slot_shares({}, at.unix_ms / 1000), day_shares({}, at.unix_ms / 1000)
        self.leases.count(lease, at)
        return await self.saver.uptime(entry.id, at)

    async def look(self) -> None:
        """Look at the clocks, and begin to do to the documents what is due."""
        at = self._read_clocks()
        self._marks.catch_up(at)
        due = self.leases.look(at)
        if self._duty.is_ours:
            self._marking.look(due, at)
        else:
            self._note_what_is_marked(due, at)

    def metrics(self) -> LeaseMetrics:
        """What all leases come to, for metrics."""
        at, leases, marking = self._read_clocks(), self.leases, self._marking
        return LeaseMetrics(
            totals_of(leases, at.seconds),
            leases.flapping.total(at.unix_ms),
            leases.holds.holding(),
            leases.beats,
            marking.marked,
            marking.restored,
            dict(leases.holds.begun),
        )

    async def _save(self) -> None:
        if self._duty.is_ours:
            await self.saver.save()
        else:
            self.saver.store_nothing()

    def _note_what_is_marked(self, due: Iterable[Lease], at: ClockReading) -> None:
        """Take note of the silences that the keeper has written down."""
        for lease in due:
            entry = self._marks.entry(lease.id)
            if entry is not None and self._marks.status_of(entry) == self._marks.words.unreachable:
                self.leases.note(lease, at)

    async def finish(self) -> None:
        """Return when what was begun to be done to documents is done."""
        await self._marking.finish()

    def _hear_nodes(self, lease: Lease, entry: Entry, present: tuple[str, ...], now: float) -> None:
        """Take note of the nodes that are present. What the document does not list is no node."""
        if lease.listed_at != entry.revision:
            nodes = nodes_in(decode_stored(entry.body))
            lease.listed = frozenset(id for id in map(node_id, nodes) if id is not None)
            lease.listed_at = entry.revision
        listed = lease.listed
        lease.nodes = {id: when for id, when in _with_nodes(lease.nodes, present, now).items() if id in listed}
        lease.unknown_nodes = tuple(dict.fromkeys(id for id in present if id not in listed))

    async def _absence_of(self, caller: Caller, id: str) -> RegistryError:
        if await self._marks.knows(id, caller.access.sights("heartbeat", "read")):
            return ClusterDeleted(f"the cluster {id!r} was deleted; create it again before it sends heartbeats")
        return ClusterNotFound(f"no cluster has the id {id!r}")


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work again and again."""
    while True:
        await asyncio.sleep(seconds)
        await work()


def _with_nodes(known: Mapping[str, float], present: tuple[str, ...], now: float) -> dict[str, float]:
    """When each node was last reported, the longest ago first; of too many, those give way."""
    reported = dict.fromkeys(present, now)
    nodes = {id: when for id, when in known.items() if id not in reported} | reported
    excess = len(nodes) - NODES_MAX
    return dict(islice(nodes.items(), excess, None)) if excess > 0 else nodes
