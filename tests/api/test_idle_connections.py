"""A connection on which nothing comes is closed; one that is in use is not. (Here after one second, not after 75.)"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rollbook.api.serving.deadlines import Patience
from tests.api.edges import served
from tests.registry.writing import create

IDLE_SECONDS = 1

READ = b"GET /clusters/west HTTP/1.1\r\nHost: localhost\r\n\r\n"
ORDINARY = b"GET /clusters/west?include=registry HTTP/1.1\r\nHost: localhost\r\n\r\n"
WATCH = b"GET /clusters/watch HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = b"GET /clusters/west HTTP/1.1\r\nHo"


@asynccontextmanager
async def connected(directory: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server that closes idle ones soon."""
    patience = Patience(idle_seconds=IDLE_SECONDS, head_seconds=IDLE_SECONDS)
    async with served(directory, patience=patience) as served_here:
        await create(served_here.registry, "west")
        reader, writer = await served_here.connect()
        yield reader, writer
        writer.close()


async def seconds_until_closed(reader: asyncio.StreamReader) -> float:
    begun = time.monotonic()
    while await asyncio.wait_for(reader.read(1 << 20), 10):
        pass
    return time.monotonic() - begun


@pytest.mark.parametrize("sent", [b"", HALF, READ, ORDINARY, READ + ORDINARY + READ, ORDINARY + READ])
async def test_a_connection_is_closed_when_nothing_has_come_for_a_while(tmp_path: Path, sent: bytes) -> None:
    async with connected(tmp_path / "data") as (reader, writer):
        writer.write(sent)
        assert 0.5 < await seconds_until_closed(reader) < 5


@pytest.mark.parametrize("request_", [READ, ORDINARY])
async def test_a_connection_that_is_used_stays_open(tmp_path: Path, request_: bytes) -> None:
    async with connected(tmp_path / "data") as (reader, writer):
        for _ in range(8):
            writer.write(request_)
            await asyncio.sleep(IDLE_SECONDS * 0.4)
            assert b" 200 OK" in await asyncio.wait_for(reader.read(1 << 16), 5)
        assert not reader.at_eof()


async def test_a_connection_that_waits_for_an_answer_stays_open(tmp_path: Path) -> None:
    async with connected(tmp_path / "data") as (reader, writer):
        writer.write(READ + WATCH)
        await asyncio.sleep(IDLE_SECONDS * 2.5)
        assert b"text/event-stream" in await asyncio.wait_for(reader.read(1 << 16), 5)
        assert not reader.at_eof()
