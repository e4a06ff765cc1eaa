"""What answers on the socket of a server that can't serve yet, because the engine of its journal is away.

One rule: every request is answered, with why there is no other answer; only ``/healthz`` says that the process lives.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import orjson

from rollbook.api.problems import members_of
from rollbook.errors import JournalUnavailable

HEAD_BYTES_MAX = 64 * 1024
READ_SECONDS = 5.0
ANSWER = b"HTTP/1.1 %s\r\ncontent-type: %s\r\ncontent-length: %d\r\n%sconnection: close\r\n\r\n%s"


@contextlib.asynccontextmanager
async def answering(bound: socket.socket, problem: Callable[[], str]) -> AsyncIterator[None]:
    """Answer on a bound socket for the length of the block. ``problem`` says why nothing can be served."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), READ_SECONDS)
            writer.write(_answer_to(head.split(b" ")[1:2], problem()))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, sock=bound.dup(), limit=HEAD_BYTES_MAX)
    try:
        yield
    finally:
        server.close()


def _answer_to(target: list[bytes], problem: str) -> bytes:
    if target == [b"/healthz"]:
        body = orjson.dumps({"status": "ok"})
        return ANSWER % (b"200 OK", b"application/json", len(body), b"", body)
    body = orjson.dumps({**members_of(JournalUnavailable(problem)), "status": 503})
    return ANSWER % (b"503 Service Unavailable", b"application/problem+json", len(body), b"retry-after: 1\r\n", body)
