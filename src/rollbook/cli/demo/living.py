"""A made-up fleet that lives: heartbeats, joins, failures and changes, sent to a running server.

One rule: the load is bounded. Heartbeats come at about 200 a second at most, whatever the size of the fleet, and what
happens at 20 a second at most; leases are as long as that needs.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from rollbook.cli.demo.happenings import Changed, Failed, Happening, Happenings, Joined, Left
from rollbook.errors import ClusterDeleted, ClusterNotFound, NodeNotFound, RegistryError

if TYPE_CHECKING:
    from rollbook.client import AsyncClient

BEATS_PER_SECOND_MAX = 200
HAPPENINGS_PER_SECOND_MAX = 20
CLUSTERS_PER_HAPPENING = 2_000
INTERVAL_SECONDS_MIN = 10
LEASE_INTERVALS = 4
LAST_LEASE_SECONDS = 5
TICK_SECONDS = 0.1
TICK_SECONDS_MAX = 1.0
"""What a tick makes up for at most, after a pause of the server or of this process."""
REQUESTS_AT_ONCE = 32
MUTE_EVERY = 20
"""One cluster in twenty sends no heartbeats at all."""
FAILED_EVERY = 80
"""One in eighty of those that send heartbeats falls silent after the first."""


class LivingFleet:
    """The clusters of a demo, their heartbeats and what happens to them."""

    def __init__(self, client: "AsyncClient", ids: list[str], *, seed: int) -> None:
        self.ids = ids
        self.beats = 0
        self.changes = 0
        self.refused: dict[str, int] = {}
        self._client = client
        self._happenings = Happenings(seed)
        self._silent_until: dict[str, float] = {}
        self._at_once = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._interval = max(INTERVAL_SECONDS_MIN, len(ids) / BEATS_PER_SECOND_MAX)
        self._beats_due = 0.0
        self._happenings_due = 0.0
        self._next = 0

    def __str__(self) -> str:
        silent = sum(until > time.monotonic() for until in self._silent_until.values())
        return f"{len(self.ids)} clusters, {silent} silent; {self.beats} heartbeats and {self.changes} changes sent"

    @property
    def lease_seconds(self) -> int:
        """How long a heartbeat counts."""
        return round(self._interval * LEASE_INTERVALS)

    async def wake(self, stop: asyncio.Event) -> None:
        """Send the first heartbeats, as fast as the server takes them. A few clusters fall silent after theirs."""
        senders = [each for number, each in enumerate(self.ids) if number % MUTE_EVERY]
        for start in range(0, len(senders), REQUESTS_AT_ONCE):
            if stop.is_set():
                return
            batch = enumerate(senders[start : start + REQUESTS_AT_ONCE], start)
            await asyncio.gather(*(self._beat(id, last=number % FAILED_EVERY == 0) for number, id in batch))

    async def live(self, stop: asyncio.Event, seconds: float | None = None) -> None:
        """Go on until ``stop`` is set, the seconds are over, or no cluster is left."""
        end = None if seconds is None else time.monotonic() + seconds
        last = time.monotonic()
        while self.ids and not stop.is_set() and (end is None or last < end):
            begun = time.monotonic()
            await asyncio.gather(*self._tick(begun, min(TICK_SECONDS_MAX, begun - last)))
            last = begun
            await asyncio.sleep(max(0.0, TICK_SECONDS - (time.monotonic() - begun)))

    def _tick(self, now: float, seconds: float) -> list[Coroutine[Any, Any, None]]:
        """What is due after another ``seconds``."""
        due: list[Coroutine[Any, Any, None]] = []
        count = len(self.ids)
        self._beats_due += count / self._interval * seconds
        while self._beats_due >= 1:
            self._beats_due -= 1
            self._next = (self._next + 1) % count
            id = self.ids[self._next]
            if self._next % MUTE_EVERY and self._silent_until.get(id, now) <= now:
                self._silent_until.pop(id, None)
                due.append(self._beat(id))
        self._happenings_due += min(HAPPENINGS_PER_SECOND_MAX, max(1, count / CLUSTERS_PER_HAPPENING)) * seconds
        while self._happenings_due >= 1:
            self._happenings_due -= 1
            due.append(self._happen(self._happenings.next(self.ids)))
        return due

    async def _beat(self, id: str, *, last: bool = False) -> None:
        if last:
            self._silent_until[id] = time.monotonic() + 10 * self._interval
        lease_seconds = LAST_LEASE_SECONDS if last else self.lease_seconds
        await self._sent(id, self._client.nodes.heartbeat(id, ttl_seconds=lease_seconds))
        self.beats += 1

    async def _happen(self, happening: Happening) -> None:
        id, client = happening.id, self._client
        match happening:
            case Changed(update=update, reason=reason):
                await self._sent(id, client.clusters.update(id, update, reason=reason))
            case Joined(node=node):
                await self._sent(id, client.nodes.join(id, node, reason="spare capacity joins"))
            case Left(node_id=node_id):
                await self._sent(id, client.nodes.leave(id, node_id, reason="spare capacity leaves"))
            case Failed(seconds=seconds):
                await self._beat(id, last=True)
                self._silent_until[id] = time.monotonic() + seconds
                return
        self.changes += 1

    async def _sent(self, id: str, call: Any) -> None:
        """Send a call. A cluster that is gone is forgotten; other refusals are counted by their message."""
        try:
            async with self._at_once:
                await call
        except (ClusterNotFound, ClusterDeleted):
            if id in self.ids:
                self.ids.remove(id)
        except NodeNotFound:
            pass  # somebody else removed it
        except RegistryError as error:
            self.refused[error.message] = self.refused.get(error.message, 0) + 1
