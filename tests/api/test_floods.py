"""Clients that send without reading, or hold what they have begun: memory is bounded, and comes back."""

import asyncio
import contextlib
import json
import socket
import time
from pathlib import Path

import httpx
import pytest

from rollbook.api.serving.deadlines import Patience
from rollbook.api.serving.protocol import Connection
from rollbook.api.serving.reading import PIECE_BYTES, PIECES_AT_ONCE
from tests.api.edges import served
from tests.api.test_bodies import statuses
from tests.api.test_wire import head
from tests.examples import cluster
from tests.registry.writing import create
from tests.serving import ServerProcess

MEGABYTE = 1024 * 1024


def resident_bytes(server: ServerProcess) -> int:
    """The memory of the server's process."""
    assert server.process is not None
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096


def pour(connection: socket.socket, data: bytes) -> int:
    """Send as much as the server takes until it stops reading; how much that was."""
    connection.setblocking(False)
    sent, quiet_since = 0, time.monotonic()
    while sent < len(data) and time.monotonic() - quiet_since < 0.5:
        try:
            sent += connection.send(data[sent : sent + 65536])
            quiet_since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    return sent


@pytest.mark.parametrize("path", ["/healthz", "/clusters/west", "/clusters/nobody"])
def test_pipelined_requests_whose_answers_are_not_read_take_no_memory(server: ServerProcess, path: str) -> None:
    httpx.post(f"{server.url}/clusters", json=cluster("west"))
    before = resident_bytes(server)
    flood = head("GET", path) * (12 * MEGABYTE // len(head("GET", path)))
    with contextlib.ExitStack() as closing:
        connections = [
            closing.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20)) for _ in range(4)
        ]
        sent = [pour(connection, flood) for connection in connections]
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        assert resident_bytes(server) - before < 32 * MEGABYTE
    assert max(sent) < len(flood)
    assert httpx.get(f"{server.url}/healthz").status_code == 200


async def test_a_client_that_reads_nothing_is_closed_after_a_while(tmp_path: Path) -> None:
    async with served(tmp_path / "data", patience=Patience(idle_seconds=1, write_seconds=1)) as server:
        for number in range(300):
            await create(server.registry, f"c{number}", note="x" * 60_000)
        query = head("POST", "/clusters/query", "Content-Type: application/json", "Content-Length: 2") + b"{}"
        connections = []
        for _ in range(12):
            connection = socket.create_connection(server.address)
            connection.sendall(query)
            connections.append(connection)
        async with asyncio.timeout(20):
            while not server.edge.connections:
                await asyncio.sleep(0.05)
            while server.edge.connections or server.edge.tasks:
                await asyncio.sleep(0.05)
        for connection in connections:
            connection.close()


async def test_a_client_that_reads_slowly_gets_everything(tmp_path: Path) -> None:
    async with served(tmp_path / "data", patience=Patience(idle_seconds=1, write_seconds=1)) as server:
        for number in range(100):
            await create(server.registry, f"c{number}", note="x" * 60_000)
        query = head(
            "POST", "/clusters/query", "Content-Type: application/json", "Content-Length: 2", "Connection: close"
        )
        reader, writer = await asyncio.open_connection(*server.address, limit=16 * 1024)
        writer.write(query + b"{}")
        answer = b""
        while piece := await reader.read(256 * 1024):
            answer += piece
            await asyncio.sleep(0.02)
        assert statuses(answer) == [200]
        assert answer.endswith(b"0\r\n\r\n")
        writer.close()


async def test_many_that_drip_are_closed_and_leave_nothing(tmp_path: Path) -> None:
    async with served(tmp_path / "data", patience=Patience(idle_seconds=1, head_seconds=2, linger_seconds=1)) as server:
        connections = [await server.connect() for _ in range(300)]
        for _, writer in connections:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
        async with asyncio.timeout(20):
            while server.edge.connections:
                for _, writer in connections:
                    writer.write(b"x")
                await asyncio.sleep(0.2)
        for reader, writer in connections:
            with contextlib.suppress(ConnectionError):
                assert statuses(await reader.read()) == [408]
            writer.close()
        assert server.edge.held_bytes == 0


@pytest.mark.parametrize(
    ("header", "behind"), [("Connection: close", b""), ("Accept: */*", b"no request at all\r\n\r\n")]
)
async def test_a_last_answer_that_is_read_slowly_is_whole(tmp_path: Path, header: str, behind: bytes) -> None:
    """Also after a refusal that closes the connection, and longer than such a connection lingers."""
    patience = Patience(idle_seconds=0.2, linger_seconds=0.1, linger_seconds_max=0.1)
    async with served(tmp_path / "data", patience=patience) as server:
        await create(server.registry, "large", pad="x" * (7 * MEGABYTE))  # more than a socket holds
        reader, writer = await asyncio.open_connection(*server.address, limit=65536)
        writer.write(head("GET", "/clusters/large", header) + behind)
        await asyncio.sleep(1)
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        length = int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        assert len(answer.partition(b"\r\n\r\n")[2]) >= length > 7 * MEGABYTE


async def test_what_all_connections_hold_is_bounded(tmp_path: Path) -> None:
    async with served(tmp_path / "data") as server:
        server.edge.held_bytes_max = MEGABYTE
        begun = head("POST", "/clusters/count", "Content-Type: application/json", f"Content-Length: {MEGABYTE // 2}")
        first, second = await server.connect(), await server.connect()
        for _, writer in (first, second):
            writer.write(begun + b" " * (MEGABYTE // 2 - 1))
            await asyncio.sleep(0.2)
        third = await server.exchange(begun + b" " * (MEGABYTE // 4))
        assert statuses(third) == [503]
        assert json.loads(third.partition(b"\r\n\r\n")[2])["code"] == "overloaded"
        assert b"\r\nretry-after: 1\r\n" in third
        for reader, writer in (first, second):
            writer.write(b" ")
            assert statuses(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)) == [400]
            writer.close()
        assert statuses(await server.exchange(head("GET", "/healthz", "Connection: close"))) == [200]
        assert server.edge.held_bytes == 0


async def test_others_have_a_turn_between_requests_that_are_sent_at_once(tmp_path: Path) -> None:
    async with served(tmp_path / "data") as server:
        await create(server.registry, "west")
        asked, traffic = head("GET", "/clusters/west"), server.edge.traffic
        reader, writer = await server.connect()
        writer.write(asked)
        await reader.readuntil(b"\r\n\r\n")
        (connection,) = server.edge.connections
        assert isinstance(connection, Connection)
        connection.data_received(asked * 2000)
        assert 1 < traffic.direct["read"] <= 2 + PIECES_AT_ONCE * PIECE_BYTES // len(asked)
        async with asyncio.timeout(20):
            while traffic.direct["read"] < 2001:
                await reader.read(MEGABYTE)
        writer.close()
