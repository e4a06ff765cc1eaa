"""One attempt at a delivery: a POST, and what came of it.

One rule: a target can cost no more than it is allowed. An attempt is bounded in time, its answer in bytes, and all
attempts under way in number and in memory. Redirects are not followed, and nothing of an answer but its status is kept:
a webhook must not be a way to read what only the registry can reach.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cached_property
from pathlib import Path
from ssl import SSLContext, create_default_context

import httpcore
from msgspec import Struct, field

from rollbook import __version__
from rollbook.registry.webhooks.outcomes import Sent, outcome_of
from rollbook.registry.webhooks.resolving import JudgedBackend, Resolve, SystemResolver
from rollbook.setting_values import AllowedNetworks

REQUESTS_MAX = 256
BEGINNERS_MAX = 16
BEGINNING_SECONDS = 0.05
SENDING_BYTES_MAX = 128 * 1024 * 1024
ANSWER_BYTES_MAX = 64 * 1024
IDLE_SECONDS = 15.0
PROBLEM_LENGTH_MAX = 300


logger = logging.getLogger(__name__)


class Room(Struct):
    """Bounds on the attempts in progress, by number and by bytes; a message larger than all the room goes alone.

    Few are in their first moments together, for those keep the processor busy, and others wait for it: readers above
    all. An attempt that is not answered soon gives up its place, so a slow target does not hold up others.
    """

    requests: int = REQUESTS_MAX
    bytes: int = SENDING_BYTES_MAX
    _beginners: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(BEGINNERS_MAX))
    _held: list[int] = field(default_factory=list)
    _freed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @contextlib.asynccontextmanager
    async def taken(self, size_bytes: int) -> AsyncIterator[None]:
        """Room for one attempt, for the length of the block."""
        async with self._freed:
            await self._freed.wait_for(lambda: self._has_room_for(size_bytes))
            self._held.append(size_bytes)
        try:
            async with self._begun():
                yield
        finally:
            self._held.remove(size_bytes)
            async with self._freed:
                self._freed.notify_all()

    @contextlib.asynccontextmanager
    async def _begun(self) -> AsyncIterator[None]:
        has_stepped_aside = asyncio.Event()

        def step_aside() -> None:
            if not has_stepped_aside.is_set():
                has_stepped_aside.set()
                self._beginners.release()

        await self._beginners.acquire()
        timer = asyncio.get_running_loop().call_later(BEGINNING_SECONDS, step_aside)
        try:
            yield
        finally:
            timer.cancel()
            step_aside()

    def _has_room_for(self, size_bytes: int) -> bool:
        return not self._held or (len(self._held) < self.requests and sum(self._held) + size_bytes <= self.bytes)


class Sender:
    """What all lines share: the room for attempts, and the judge of addresses."""

    def __init__(
        self, *, allowed: AllowedNetworks, authorities: Path | None = None, resolve: Resolve | None = None
    ) -> None:
        """``authorities`` is a file of the certificates that targets are verified by; None: those of the system."""
        self.room = Room()
        self._authorities = authorities
        self._resolver = SystemResolver()
        self._backend = JudgedBackend(resolve or self._resolver, allowed)

    @cached_property
    def _ssl_context(self) -> SSLContext:
        import httpx  # which takes long to import, and many registries have no webhooks

        if self._authorities is not None:
            return create_default_context(cafile=self._authorities)
        return httpx.create_ssl_context()

    def line(self) -> "Connection":
        """A line to one target; to be closed."""
        return Connection(self.room, self._open_pool)

    async def _open_pool(self, scheme: str) -> httpcore.AsyncConnectionPool:
        """A pool for one connection. Fails (OSError) for HTTPS when the authorities' certificates can't be read."""
        is_https = scheme == "https"
        return httpcore.AsyncConnectionPool(
            ssl_context=await asyncio.to_thread(lambda: self._ssl_context) if is_https else None,
            max_connections=1,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=self._backend,
        )

    def close(self) -> None:
        """Resolve no more names."""
        self._resolver.close()


class Connection(Struct):
    """Sends messages to one target, over one connection that is kept for the next ones. Made by ``Sender.line``."""

    room: Room
    open_pool: Callable[[str], Awaitable[httpcore.AsyncConnectionPool]]
    _pool: httpcore.AsyncConnectionPool | None = None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes, *, seconds: float) -> Sent:
        """Try once, for at most this many seconds from when there is room for it."""
        async with self.room.taken(len(body)):
            try:
                async with asyncio.timeout(seconds):
                    return await self._post(url, headers, body)
            except (TimeoutError, httpcore.TimeoutException):
                return Sent(f"no answer within {seconds:g} s")
            except httpcore.NetworkError as error:
                return Sent(str(error) or "the connection broke")
            except httpcore.ProtocolError:
                return Sent("what answers does not speak HTTP, or went away in the midst of its answer")
            except Exception as error:  # a fault here must not keep a message from being given up in the end
                logger.exception("an attempt at %s failed", url)
                return Sent(f"the attempt failed: {type(error).__name__}")

    async def close(self) -> None:
        """Close the connection."""
        if self._pool is not None:
            await self._pool.aclose()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        import httpx

        parts = httpx.URL(url)
        place = httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)
        try:
            pool = self._pool = self._pool or await self.open_pool(parts.scheme)
        except OSError as error:  # tried again with the message: the file may be mended meanwhile
            return Sent(f"the certificates of authorities can't be loaded: {error}"[:PROBLEM_LENGTH_MAX])
        sent_headers = {"host": parts.netloc.decode(), **STANDING_HEADERS, **headers}
        async with pool.stream("POST", place, headers=list(sent_headers.items()), content=body) as answer:
            await _read_bounded(answer)
            return outcome_of(answer.status, {name.lower(): value for name, value in answer.headers})


async def _read_bounded(answer: httpcore.Response) -> None:
    """Read the answer's body, so that its connection can be used again; one that is too long ends it."""
    size_bytes = 0
    async for chunk in answer.aiter_stream():
        size_bytes += len(chunk)
        if size_bytes > ANSWER_BYTES_MAX:
            return


STANDING_HEADERS = {
    "content-type": "application/json",
    "user-agent": f"Rollbook/{__version__}",
    "accept": "*/*",
}
