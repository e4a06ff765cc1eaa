"""Connections that stay open, and load that keeps its pace on them.

One rule: what is late counts from when it was due. A server that falls behind is not asked less for it.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar, cast

import orjson

from benchmarks.generating import Document

HOST = "127.0.0.1"
LAST_CHUNK = b"\r\n0\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)")

Worker = TypeVar("Worker")
Act: TypeAlias = Callable[[Worker, int, float], Awaitable[None]]


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """A request as it is sent: with the headers that it needs, and no others."""
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n"
    if body:
        head += "content-type: application/json\r\n"
    if body or method != "GET":
        head += f"content-length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


@dataclass(eq=False)
class Connection(asyncio.Protocol):
    """A connection that asks one thing after another; opened when it is needed, and again after the server closed it.

    ``opened`` counts how often that was.
    """

    port: int
    opened: int = 0
    _transport: asyncio.Transport | None = None
    _answer: asyncio.Future[bytes] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _buffer: bytes = b""

    async def ask(self, asked: bytes) -> bytes:
        """The answer to a request. One that the server closed the connection upon is sent once more."""
        try:
            return await self._ask(asked)
        except ConnectionResetError:
            return await self._ask(asked)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self._buffer, 0, end + 2)
        if len(self._buffer) >= end + 4 + int(length[1]) if length else self._buffer.endswith(LAST_CHUNK):
            self._answer.set_result(self._buffer)
            self._buffer = b""

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if not self._answer.done():
            self._answer.set_exception(ConnectionResetError())

    async def _ask(self, asked: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            transport, _ = await loop.create_connection(lambda: self, HOST, self.port)
            self._transport, self._buffer, self.opened = cast(asyncio.Transport, transport), b"", self.opened + 1
        self._answer = loop.create_future()
        self._transport.write(asked)
        return await self._answer


async def enrol(connections: Sequence[Connection], documents: Iterable[Document]) -> list[str]:
    """Create a cluster of each document; their ids."""
    ids: list[str] = []
    left = iter(documents)

    async def create(connection: Connection) -> None:
        for document in left:
            ids.append(document["id"])
            assert b" 201 " in await connection.ask(request("POST", "/clusters", orjson.dumps(document)))

    await asyncio.gather(*map(create, connections))
    return ids


async def keep_pace(workers: Sequence[Worker], act: Act[Worker], *, per_second: float, seconds: float) -> None:
    """Have the workers act so often a second, evenly; each is given a number and when (``perf_counter``) it was due.

    A worker that is late goes on at once.
    """
    began = time.perf_counter()
    numbers = iter(range(round(seconds * per_second)))

    async def work(worker: Worker) -> None:
        for number in numbers:
            due = began + number / per_second
            await asyncio.sleep(due - time.perf_counter())
            await act(worker, number, due)

    await asyncio.gather(*map(work, workers))
