"""What all connections of a server share: the application, the gates, the shortcuts, the clock, and the bounds."""

import asyncio
import os
from asyncio import Future, Task
from collections.abc import Coroutine, Hashable
from email.utils import formatdate
from itertools import count
from typing import NamedTuple, Protocol

from starlette.types import ASGIApp

from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.metrics.running_requests import RunningRequest
from rollbook.api.operations import OPERATIONS
from rollbook.api.routing import Router
from rollbook.api.serving.access_logs import log_access
from rollbook.api.serving.admission import Admission
from rollbook.api.serving.deadlines import Patience
from rollbook.api.serving.gates import Gates
from rollbook.api.serving.observing import ObservedShortcuts, Observer
from rollbook.api.serving.reading import Clock
from rollbook.api.serving.requests import IncomingRequest
from rollbook.api.serving.shortcuts import Shortcuts
from rollbook.histograms import Histogram
from rollbook.registry.registry import Registry
from rollbook.registry.writing.committing import WriteResult
from rollbook.security.security import Security
from rollbook.settings import Settings

TICK_SECONDS = 1.0
HELD_BYTES_MAX = 256 * 1024 * 1024
OUTGOING_BYTES_MAX = 256 * 1024 * 1024


class Refused(NamedTuple):
    """An answer to a request that is refused, up to the headers that differ, and from there on."""

    status: int
    durations: Histogram
    """Where it is counted."""
    begin: bytes
    end: bytes


class OpenConnection(Protocol):
    """What the edge asks of a connection."""

    def tick(self) -> int:
        """Look after the deadlines; how many bytes wait until the client reads them."""
        ...

    def stop(self) -> None:
        """Close as soon as nothing is under way."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class Edge:
    """What the connections of one server share. Without ``takes_shortcuts`` the application answers everything."""

    def __init__(
        self,
        app: ASGIApp,
        registry: Registry,
        security: Security,
        traffic: RequestCounts,
        settings: Settings,
        *,
        patience: Patience | None = None,
        takes_shortcuts: bool = True,
        observer: Observer | None = None,
    ) -> None:
        self.app = app
        self.traffic = traffic
        self.patience = patience or Patience(pause_seconds=settings.limits.body_pause_seconds_max)
        self.router = Router(OPERATIONS)
        self.gates = Gates(settings, self.router, security.identities)
        self.admission = Admission(security, traffic)
        self.clock = Clock(asyncio.get_running_loop().time())
        self.date = date_header()
        self.connections: set[OpenConnection] = set()
        self.refusals: dict[Hashable, Refused] = {}
        """Answers to wrong credentials that were made before."""
        self.is_stopping = False
        self.held_bytes = 0
        self.held_bytes_max = max(HELD_BYTES_MAX, 4 * settings.limits.body_bytes_max)
        self.logs_access = settings.access_log
        self.tasks: set[Task[None]] = set()
        self._registry = registry
        self.observer = observer
        self._shortcuts = (
            Shortcuts(registry, traffic) if observer is None else ObservedShortcuts(registry, traffic, observer)
        )
        self._takes_shortcuts = takes_shortcuts
        self.shortcuts: Shortcuts | None = self._shortcuts if takes_shortcuts else None
        self._ids = count(1)
        self._id_prefix = os.urandom(6).hex()

    @property
    def revision(self) -> int:
        """The newest revision."""
        return self._registry.view.revision

    @property
    def contents(self) -> str:
        """What is served, for the log."""
        return f"{len(self._registry.view)} clusters at revision {self.revision}"

    def default_headers(self, request: IncomingRequest, id: str) -> bytes:
        """What every answer has: the date, the id of its request, and what lets a page of another origin read it."""
        date = self.date + request.cors
        return b"%sx-request-id: %s\r\n" % (date, id.encode()) if id else date

    def new_id(self) -> str:
        """An id for a request whose client sent none."""
        return f"{self._id_prefix}-{next(self._ids):06x}"

    def run(self, exchange: Coroutine[None, None, None]) -> None:
        """Have the application answer, in a task."""
        task = asyncio.get_running_loop().create_task(exchange)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def finish_update(self, update: "Future[WriteResult]", running: RunningRequest) -> bytes:
        """The answer to an update that a shortcut has begun."""
        default = self.default_headers(running.request, running.id)
        answer = self._shortcuts.finish_update(update, running, default, closes=self.is_stopping)
        self.end(running, int(answer[9:12]))
        return answer

    def end(self, running: RunningRequest, status: int) -> None:
        """Note how a request ended."""
        self.traffic.running.discard(running)
        if self.logs_access:
            log_access(running.request, status, running.begun, running.id)
        if self.observer is not None:
            self.observer.end(running, status)

    async def keep_time(self) -> None:
        """Turn the clock, and look after the connections, once a second."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(TICK_SECONDS, self.patience.idle_seconds / 4))
            self.clock.now = loop.time()
            self.date = date_header()
            self.admission.identities.look()
            self.admission.identities.issued.look()
            if self._takes_shortcuts and not self.is_stopping:  # they can't say how old an answer is
                self.shortcuts = None if self._registry.follower.problem else self._shortcuts
            self._tick()

    def stop(self) -> None:
        """Close connections as soon as nothing is under way on them."""
        self.is_stopping = True
        self.shortcuts = None
        for connection in list(self.connections):
            connection.stop()

    async def abort(self) -> None:
        """Give up what has not ended."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for connection in list(self.connections):
            connection.abort()

    def _tick(self) -> None:
        waiting = [(connection.tick(), connection) for connection in list(self.connections)]
        outgoing_bytes = sum(size for size, _ in waiting)
        for size, connection in sorted(waiting, key=lambda each: each[0], reverse=True):
            if outgoing_bytes <= OUTGOING_BYTES_MAX:
                break
            connection.abort()
            outgoing_bytes -= size


def date_header() -> bytes:
    """The header ``Date`` of this second."""
    return f"date: {formatdate(usegmt=True)}\r\n".encode()
