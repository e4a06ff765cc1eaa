"""Answers that nobody reads: together they are bounded, others are answered, and memory comes back."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from rollbook.api.serving.memory import MemoryKeeper, memory_keeper
from tests.examples import cluster
from tests.serving import ServerProcess

MEGABYTE = 1024 * 1024
EVERYTHING = {"query": {}, "projection": {"zzz": 0}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with 20 clusters of 1 MB, which holds answers of at most 50 MB."""
    environment = {"ROLLBOOK_ANSWER_BYTES_MAX": str(50 * MEGABYTE)}
    with ServerProcess(tmp_path_factory.mktemp("unread") / "data", environment=environment) as server:
        for number in range(20):
            document = cluster(f"c{number}", pad="x" * MEGABYTE)
            assert httpx.post(server.url + "/clusters", json=document).status_code == 201
        yield server


def ask_without_reading(server: ServerProcess, body: object) -> socket.socket:
    content = json.dumps(body).encode()
    head = "POST /clusters/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    return connection


def query(server: ServerProcess, body: object) -> httpx.Response:
    return httpx.post(server.url + "/clusters/query", json=body, timeout=60)


def test_what_nobody_reads_is_bounded_and_given_back(server: ServerProcess) -> None:
    deadline = time.monotonic() + 30
    with ExitStack() as stack:
        while (answer := query(server, EVERYTHING)).status_code == 200 and time.monotonic() < deadline:
            stack.enter_context(ask_without_reading(server, EVERYTHING))
            time.sleep(0.5)
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "1"
        assert "ask for less (limit, projection)" in answer.json()["detail"]
        assert len(query(server, {}).json()) == 20, "what is stored is sent as it is stored"
        assert query(server, {"query": {}, "projection": {"id": 1}}).json()[0] == {"id": "c0"}
    deadline = time.monotonic() + 30
    while (answer := query(server, EVERYTHING)).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(answer.json()) == 20


async def test_memory_is_asked_for_when_the_process_has_grown() -> None:
    resident, asked = [100 * MEGABYTE], 0

    def trim() -> None:
        nonlocal asked
        asked += 1

    keeper = MemoryKeeper(lambda: resident[0], trim)
    await keeper.look()
    assert asked == 0
    resident[0] = 200 * MEGABYTE  # and nothing of it can be given back
    for _ in range(100):
        await keeper.look()
    assert 8 < asked < 25, "what brings nothing is tried more rarely"

    asked = 0
    for size in (300, 200, 300):  # much was taken or given meanwhile, so there may be more to give back
        resident[0] = size * MEGABYTE
        await keeper.look()
    assert asked == 3


async def test_freed_memory_goes_back_to_the_system() -> None:
    keeper = memory_keeper()
    if keeper is None:
        pytest.skip("the C library has no malloc_trim")
    blocks = [bytes(9000) for _ in range(20_000)]
    between = blocks[::500]
    before = resident_bytes()
    blocks.clear()
    await keeper.look()
    assert resident_bytes() < before - 100 * MEGABYTE
    assert len(between) == 40


def resident_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024
