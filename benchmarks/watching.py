"""Measures how fast changes reach those who watch, and writes benchmarks/results/watching.md.

A server on one core, and on the other this process: 1,000 watchers with the filters that they would have, and writers
who change 1,000 clusters a second whether or not they are answered in time. What counts is the time from when a change
was due to the arrival of its event at a watcher.

    python -m benchmarks.watching [SECONDS]
"""

import asyncio
import gc
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import cast
from urllib.parse import quote

import httpx
import orjson
import uvloop

from benchmarks.generating import GPU_MODELS, OWNERS, REGIONS, TAGS, Document, clusters
from benchmarks.machine import description
from benchmarks.serving.processes import Command, Processes, pin_to_load_core, wait_for
from tests.serving import free_port

RESULTS = Path(__file__).parent / "results" / "watching.md"
FLEET, WATCHERS, CHANGES_PER_SECOND, WRITERS = 10_000, 1_000, 1_000, 48
READY_SECONDS_MAX, WARMING_SECONDS, SETTLING_SECONDS = 30.0, 3.0, 2.0
SEED = 20260
HOST = "127.0.0.1"

HEAD = "{method} {path} HTTP/1.1\r\nhost: load\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
EVENT = re.compile(rb"id: (\d+)\nevent: (\w+)\n")
REVISION = re.compile(rb"\r\netag: \"(\d+)\"")
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)")
KINDS = ("one cluster", "a region", "a tag", "an owner", "a GPU model", "a size", "everything")


def filters(ids: Sequence[str]) -> Iterator[tuple[str, object]]:
    """What the watchers watch: most of them one cluster, some a part of the fleet, a few everything."""
    random = Random(SEED)
    for id in random.sample(ids, 700):
        yield "one cluster", {"id": id}
    for _ in range(120):
        yield "a region", {"regionId": random.choice(REGIONS), "status": {"$ne": "offline"}}
    for _ in range(100):
        yield "a tag", {"tags": random.choice(TAGS)}
    for _ in range(50):
        yield "an owner", {"clusterMetadata.owner": random.choice(OWNERS)}
    for _ in range(15):
        yield "a GPU model", {"nodes.nodeData.gpus.modelNames": random.choice(GPU_MODELS)[0]}
    for _ in range(10):
        yield "a size", {"gpus.count": {"$gte": random.randint(32, 128)}}
    for _ in range(5):
        yield "everything", {}


@dataclass
class Watcher(asyncio.Protocol):
    """A connection that watches, and notes when which revision arrived."""

    kind: str
    filter: object
    arrivals: list[tuple[int, float]] = field(default_factory=list)
    names: Counter[bytes] = field(default_factory=Counter)
    _rest: bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        path = f"/clusters/watch?filter={quote(orjson.dumps(self.filter))}"
        cast(asyncio.Transport, transport).write(HEAD.format(method="GET", path=path, length=0).encode())

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self._rest + data
        end = 0
        for event in EVENT.finditer(data):
            end = event.end()
            self.names[event[2]] += 1
            if event[2] != b"bookmark":
                self.arrivals.append((int(event[1]), now))
        self._rest = data[max(end, len(data) - 64) :]


@dataclass
class Writer(asyncio.Protocol):
    """A connection that changes clusters one after another, and notes which revision was due and answered when."""

    sent: dict[int, tuple[float, float]]
    _transport: asyncio.Transport | None = None
    _answered: asyncio.Event = field(default_factory=asyncio.Event)
    _buffer: bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        length = LENGTH.search(self._buffer) if end >= 0 else None
        if length and len(self._buffer) >= end + 4 + int(length[1]):
            self._answered.set()

    async def ask(self, method: str, path: str, body: bytes) -> bytes:
        """The answer to a request."""
        assert self._transport is not None
        self._buffer = b""
        self._answered.clear()
        self._transport.write(HEAD.format(method=method, path=path, length=len(body)).encode() + body)
        await self._answered.wait()
        return self._buffer

    async def change(self, id: str, number: int, *, due: float) -> None:
        """Change a cluster so that its revision moves. What is late counts from when it was due."""
        answer = await self.ask("PUT", f"/clusters/{id}", orjson.dumps({"reputation": number}))
        revision = REVISION.search(answer)
        assert revision is not None, answer[:500]
        self.sent[int(revision[1])] = (due, time.perf_counter())


@dataclass(frozen=True)
class Measured:
    """What one run gave. Latencies are seconds from when a change was due to its arrival, by kind of watcher."""

    seconds: float
    changes: int
    latencies: dict[str, list[float]]
    from_answer: list[float]
    writes: list[float]
    cpu: float
    memory_bytes: int
    lost: int


async def measure(port: int, server: Processes, *, seconds: float) -> Measured:
    """Watch and write for a while, and see what arrived when."""
    loop = asyncio.get_running_loop()
    sent: dict[int, tuple[float, float]] = {}
    writers = [(await loop.create_connection(lambda: Writer(sent), HOST, port))[1] for _ in range(WRITERS)]
    ids: list[str] = []
    fleet = clusters(FLEET)
    await asyncio.gather(*(enrol(writer, fleet, ids) for writer in writers))
    ids.sort()
    wanted = [Watcher(kind, filter) for kind, filter in filters(ids)]
    for watcher in wanted:
        await loop.create_connection(lambda watcher=watcher: watcher, HOST, port)  # type: ignore[misc]
    await write(writers, ids, seconds=WARMING_SECONDS)
    sent.clear()
    cpu, began = server.cpu_seconds(), time.perf_counter()
    await write(writers, ids, seconds=seconds)
    taken = time.perf_counter() - began
    cpu = (server.cpu_seconds() - cpu) / taken
    await asyncio.sleep(SETTLING_SECONDS)
    latencies: dict[str, list[float]] = {kind: [] for kind in KINDS}
    from_answer: list[float] = []
    lost = 0
    for watcher in wanted:
        arrived = [(revision, at) for revision, at in watcher.arrivals if revision in sent]
        latencies[watcher.kind] += [at - sent[revision][0] for revision, at in arrived]
        from_answer += [at - sent[revision][1] for revision, at in arrived]
        lost += watcher.names[b"overflow"] > 0 or (watcher.kind == "everything" and len(arrived) != len(sent))
    writes = [answered - asked for asked, answered in sent.values()]
    return Measured(taken, len(sent), latencies, from_answer, writes, cpu, server.memory_bytes(), lost)


async def enrol(writer: Writer, fleet: Iterator[Document], ids: list[str]) -> None:
    """Create clusters as long as there are any left."""
    for document in fleet:
        ids.append(document["id"])
        assert b" 201 " in await writer.ask("POST", "/clusters", orjson.dumps(document))


async def write(writers: Sequence[Writer], ids: Sequence[str], *, seconds: float) -> None:
    """Change clusters at the rate, evenly; a writer that is late goes on at once."""
    random = Random(SEED)
    count = int(seconds * CHANGES_PER_SECOND)
    began = time.perf_counter()
    numbers = iter(range(count))

    async def work(writer: Writer) -> None:
        for number in numbers:
            due = began + number / CHANGES_PER_SECOND
            await asyncio.sleep(due - time.perf_counter())
            await writer.change(random.choice(ids), number + int(began * 1000) % 10_000_000, due=due)

    await asyncio.gather(*map(work, writers))


def report(measured: Measured, machine: str) -> Iterator[str]:
    """The lines of the page."""
    every = sorted(latency for latencies in measured.latencies.values() for latency in latencies)
    rate = measured.changes / measured.seconds
    yield "# Watching, measured\n"
    events = len(every) / measured.seconds
    yield f"{WATCHERS:,} watchers of a fleet of {FLEET:,} clusters, {rate:,.0f} changes a second through `PUT`, for"
    yield f"{measured.seconds:.0f} seconds, one server process. {events:,.0f} events a second arrived, each with its"
    yield f"document. The server took {measured.cpu:.0%} of one core and {measured.memory_bytes / 2**20:,.0f} MiB, the"
    yield "watchers and writers the other core."
    yield f"{measured.lost or 'No'} watchers missed a change or were too slow.\n"
    yield "Milliseconds from when a change was due to the arrival of its event:\n"
    yield "| who watches | watchers | events | p50 | p90 | p99 | p99.9 | most |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    counts = Counter(kind for kind, _ in filters([str(number) for number in range(WATCHERS)]))
    for kind, latencies in measured.latencies.items():
        yield row(kind, counts[kind], latencies)
    yield row("**all**", WATCHERS, every)
    yield ""
    yield "From the answer to the change, in milliseconds (negative: the event came first), and the change itself:\n"
    yield "| | | events | p50 | p90 | p99 | p99.9 | most |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    yield row("from the answer", "", measured.from_answer)
    yield row("`PUT`", "", measured.writes)
    yield ""
    yield f"Written by `make bench-watch` on: {machine}."


def row(name: str, watchers: object, latencies: Sequence[float]) -> str:
    """A row of the table."""
    cuts = quantiles(latencies, n=1000)
    figures = [cuts[at - 1] for at in (500, 900, 990, 999)] + [max(latencies)]
    return f"| {name} | {watchers} | {len(latencies):,} | {' | '.join(f'{each * 1000:.1f}' for each in figures)} |"


def main(seconds: float = 20.0) -> None:
    port, server, machine = free_port(), Processes(), description()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "rollbook", "serve", "--port", str(port), "--data", f"{folder}/data"]
        log = Path(folder) / "log"
        ready = partial(wait_for, lambda: answers(port), what="the server", seconds_max=READY_SECONDS_MAX)
        server.start([Command(command, wait_until_ready=ready)], log=log)
        pin_to_load_core()
        gc.disable()  # its pauses would count as the server's
        try:
            measured = uvloop.run(measure(port, server, seconds=seconds))
        finally:
            server.stop()
    RESULTS.write_text("\n".join(report(measured, machine)) + "\n")
    print(RESULTS.read_text())


def answers(port: int) -> bool:
    """Whether the server is ready."""
    try:
        return httpx.get(f"http://{HOST}:{port}/readyz").is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
