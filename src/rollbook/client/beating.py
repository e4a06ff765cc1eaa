"""Heartbeaters: a controller's heartbeat, again and again, until it is closed.

One rule: a heartbeat that failed is no reason to end. It is sent again, at most once a second, and ``error`` says why.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

from rollbook.client.calls import Call, Json
from rollbook.client.operations import nodes as operations
from rollbook.client.retrying import NEVER
from rollbook.client.tasks import InTask
from rollbook.client.watching import pause_after
from rollbook.errors import RegistryError

if TYPE_CHECKING:
    from rollbook.client.asynchronous import AsyncClient
    from rollbook.client.blocking import Client

EVERY_SECONDS = 10.0
SHARE_OF_LEASE = 3
"""With a lease of its own length, a heartbeat is sent this often in its time."""


class Beats:
    """When a heartbeat is sent, and what came of the last one.

    ``nodes`` may be set anew at any time: the next heartbeat reports them.
    """

    def __init__(self, id: str, every: float | None, ttl_seconds: int | None, nodes: Sequence[str] | None) -> None:
        self.id, self.ttl_seconds, self.nodes = id, ttl_seconds, nodes
        self.every = every or (ttl_seconds / SHARE_OF_LEASE if ttl_seconds else EVERY_SECONDS)
        self.lease: Json | None = None
        """What the registry answered last: the lease, and until when it holds."""
        self.error: RegistryError | None = None
        """Why the newest heartbeat failed; None while they arrive."""
        self._failures = 0
        self._heard: float | None = None

    @property
    def age(self) -> float:
        """Seconds since a heartbeat arrived; infinite before the first one."""
        return float("inf") if self._heard is None else time.monotonic() - self._heard

    def _call(self) -> Call[Json]:
        call = operations.heartbeat(self.id, ttl_seconds=self.ttl_seconds, nodes=self.nodes)
        return Call(call.method, call.path, call.read, body=call.body, repeatable=True, read_seconds=max(1, self.every))

    def _sent(self, lease: Json) -> float:
        """A heartbeat arrived: seconds until the next one."""
        self.lease, self.error, self._failures, self._heard = lease, None, 0, time.monotonic()
        return self.every * (0.9 + 0.1 * random.random())  # noqa: S311

    def _failed(self, error: RegistryError) -> float:
        """A heartbeat did not arrive: seconds until the next one."""
        self.error, self._failures = error, self._failures + 1
        return min(self.every, pause_after(1 + self._failures))


class Heartbeater(Beats):
    """Sends heartbeats from a thread of its own. Use it as a context manager, or ``start`` and ``close`` it."""

    def __init__(
        self,
        client: "Client",
        id: str,
        *,
        every: float | None = None,
        ttl_seconds: int | None = None,
        nodes: Sequence[str] | None = None,
    ) -> None:
        super().__init__(id, every, ttl_seconds, nodes)
        self._client = client
        self._closed = Event()
        self._thread = Thread(target=self._run, name="rollbook-heartbeater", daemon=True)

    def start(self) -> Self:
        """Send the first heartbeat soon, and return at once."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Send no more heartbeats."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(self.every)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                pause = self._sent(self._client.send(self._call(), retries=NEVER))
            except RegistryError as error:
                pause = self._failed(error)
            self._closed.wait(pause)


class AsyncHeartbeater(InTask, Beats):
    """Sends heartbeats from a task of its own. Use it as an asynchronous context manager."""

    def __init__(
        self,
        client: "AsyncClient",
        id: str,
        *,
        every: float | None = None,
        ttl_seconds: int | None = None,
        nodes: Sequence[str] | None = None,
    ) -> None:
        super().__init__(id, every, ttl_seconds, nodes)
        self._client = client

    async def _run(self) -> None:
        while True:
            try:
                pause = self._sent(await self._client.send(self._call(), retries=NEVER))
            except RegistryError as error:
                pause = self._failed(error)
            await asyncio.sleep(pause)
