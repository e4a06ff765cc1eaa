"""One attempt at a delivery: a POST, and what came of it.

One rule: a target can cost no more than it is allowed. An attempt is bounded in time, its answer in bytes, and all
attempts under way in number and in memory. Redirects are not followed, and nothing of an answer but its status is kept:
a webhook must not be a way to read what only the registry can reach.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import httpcore
import httpx

from rollbook import __version__
from rollbook.registry.webhook_resolving import JudgedBackend, Resolve, SystemResolver
from rollbook.settings import AllowedNetworks

REQUESTS_MAX = 256
SENDING_BYTES_MAX = 128 * 1024 * 1024
ANSWER_BYTES_MAX = 64 * 1024
IDLE_CONNECTIONS_MAX = 64
IDLE_SECONDS = 15.0
SECONDS = re.compile(r"\d{1,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of an attempt. ``problem`` is None when the message was delivered; ``wait_seconds``: asked for."""

    problem: str | None = None
    wait_seconds: int = 0


@dataclass(slots=True)
class Room:
    """Room for attempts under way: so many, and so many bytes; a message larger than all the room goes alone."""

    requests: int = REQUESTS_MAX
    bytes: int = SENDING_BYTES_MAX
    _held: list[int] = field(default_factory=list, repr=False)
    _freed: asyncio.Condition = field(default_factory=asyncio.Condition, repr=False)

    @contextlib.asynccontextmanager
    async def taken(self, size_bytes: int) -> AsyncIterator[None]:
        """Room for one attempt, for the length of the block."""
        async with self._freed:
            await self._freed.wait_for(lambda: self._has_room_for(size_bytes))
            self._held.append(size_bytes)
        try:
            yield
        finally:
            self._held.remove(size_bytes)
            async with self._freed:
                self._freed.notify_all()

    def _has_room_for(self, size_bytes: int) -> bool:
        return not self._held or (len(self._held) < self.requests and sum(self._held) + size_bytes <= self.bytes)


class Sender:
    """Sends messages to targets, over connections that are kept for the next ones."""

    def __init__(self, *, allowed: AllowedNetworks, resolve: Resolve | None = None) -> None:
        self._resolver = SystemResolver()
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=REQUESTS_MAX + IDLE_CONNECTIONS_MAX,
            max_keepalive_connections=IDLE_CONNECTIONS_MAX,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=JudgedBackend(resolve or self._resolver, allowed),
        )
        self._room = Room()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes, *, seconds: float) -> Sent:
        """Try once, for so many seconds from when there is room for it."""
        async with self._room.taken(len(body)):
            try:
                async with asyncio.timeout(seconds):
                    return await self._post(url, headers, body)
            except (TimeoutError, httpcore.TimeoutException):
                return Sent(f"no answer within {seconds:g} s")
            except httpcore.NetworkError as error:
                return Sent(str(error) or "the connection broke")
            except httpcore.ProtocolError:
                return Sent("what answers does not speak HTTP, or went away in the midst of its answer")

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()
        self._resolver.close()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        parts = httpx.URL(url)
        place = httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)
        sent_headers = {"host": parts.netloc.decode(), **STANDING_HEADERS, **headers}
        async with self._pool.stream("POST", place, headers=list(sent_headers.items()), content=body) as answer:
            await _read_bounded(answer)
            return outcome_of(answer.status, {name.lower(): value for name, value in answer.headers})


def outcome_of(status: int, headers: Mapping[bytes, bytes]) -> Sent:
    """What an answer means."""
    if 200 <= status < 300:
        return Sent()
    phrase = HTTPStatus(status).phrase if status in STATUSES else "unknown"
    followed = "; redirects are not followed" if 300 <= status < 400 else ""
    wait = headers.get(b"retry-after", b"").decode("latin-1").strip()
    return Sent(f"answered {status} {phrase}{followed}", int(wait) if SECONDS.fullmatch(wait) else 0)


async def _read_bounded(answer: httpcore.Response) -> None:
    """Read the answer's body, so that its connection can be used again; one that is too long ends it."""
    size_bytes = 0
    async for chunk in answer.aiter_stream():
        size_bytes += len(chunk)
        if size_bytes > ANSWER_BYTES_MAX:
            return


STATUSES = frozenset(HTTPStatus)
STANDING_HEADERS = {
    "content-type": "application/json",
    "user-agent": f"Rollbook/{__version__}",
    "accept": "*/*",
}
