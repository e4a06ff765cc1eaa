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
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import cast
from urllib.parse import quote

import orjson
import uvloop

from benchmarks.connections import HOST, Connection, enrol, keep_pace, request
from benchmarks.generating import GPU_MODELS, OWNERS, REGIONS, TAGS, clusters
from benchmarks.machine import description_with_load
from benchmarks.servers import Meter, Server, Taken, served
from benchmarks.tables import head_of, row_of

RESULTS = Path(__file__).parent / "results" / "watching.md"
FLEET, WATCHERS, CHANGES_PER_SECOND, WRITERS = 10_000, 1_000, 1_000, 48
WARMING_SECONDS, SETTLING_SECONDS = 3.0, 2.0
P99_SECONDS_MAX = 0.25
"""The goal: of all events, 99 in a hundred arrive within this."""
SEED = 20260

EVENT = re.compile(rb"id: (\d+)\nevent: (\w+)\n")
REVISION = re.compile(rb"\r\netag: \"(\d+)\"")
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
        cast(asyncio.Transport, transport).write(request("GET", path))

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


Sent = dict[int, tuple[float, float]]
"""When each revision was due, and when it was answered."""


@dataclass(frozen=True)
class Measured:
    """What one run gave. Latencies are seconds from when a change was due to its arrival, by kind of watcher."""

    taken: Taken
    changes: int
    latencies: dict[str, list[float]]
    from_answer: list[float]
    writes: list[float]
    memory_bytes: int
    lost: int


async def measure(server: Server, *, seconds: float) -> Measured:
    """Watch and write for a while, and see what arrived when."""
    loop = asyncio.get_running_loop()
    writers = [Connection(server.port) for _ in range(WRITERS)]
    ids = sorted(await enrol(writers, clusters(FLEET)))
    wanted = [Watcher(kind, filter) for kind, filter in filters(ids)]
    for watcher in wanted:
        await loop.create_connection(lambda watcher=watcher: watcher, HOST, server.port)  # type: ignore[misc]
    await write(writers, ids, seconds=WARMING_SECONDS)
    meter = Meter(server.processes)
    sent = await write(writers, ids, seconds=seconds)
    taken = meter.read()
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
    return Measured(taken, len(sent), latencies, from_answer, writes, server.processes.memory_bytes(), lost)


async def write(writers: Sequence[Connection], ids: Sequence[str], *, seconds: float) -> Sent:
    """Change clusters at the rate; when each revision that came of it was due, and when it was answered."""
    random, sent, first = Random(SEED), Sent(), int(time.perf_counter() * 1000) % 10_000_000

    async def change(writer: Connection, number: int, due: float) -> None:
        body = orjson.dumps({"reputation": first + number})
        answer = await writer.ask(request("PUT", f"/clusters/{random.choice(ids)}", body))
        revision = REVISION.search(answer)
        assert revision is not None, answer[:500]
        sent[int(revision[1])] = (due, time.perf_counter())

    await keep_pace(writers, change, per_second=CHANGES_PER_SECOND, seconds=seconds)
    return sent


def report(measured: Measured, machine: str) -> Iterator[str]:
    """The lines of the page."""
    every = sorted(latency for latencies in measured.latencies.values() for latency in latencies)
    seconds, cpu, memory_mib = measured.taken.seconds, measured.taken.cpu, measured.memory_bytes / 2**20
    rate = measured.changes / seconds
    yield "# Watching, measured\n"
    events = len(every) / seconds
    yield f"{WATCHERS:,} watchers of a fleet of {FLEET:,} clusters, {rate:,.0f} changes a second through `PUT`, for"
    yield f"{seconds:.0f} seconds, one server process. {events:,.0f} events a second arrived, each with its"
    yield f"document. The server took {cpu:.0%} of one core and {memory_mib:,.0f} MiB, the"
    yield "watchers and writers the other core."
    yield f"{measured.lost or 'No'} watchers missed a change or were too slow. The goal, a p99 of all events under"
    verdict = "met" if quantiles(every, n=100)[98] < P99_SECONDS_MAX and not measured.lost else "**not met**"
    yield f"{P99_SECONDS_MAX * 1000:.0f} ms and none missed, is {verdict}.\n"
    yield "Milliseconds from when a change was due to the arrival of its event:\n"
    yield head_of("who watches", "watchers", "events")
    counts = Counter(kind for kind, _ in filters([str(number) for number in range(WATCHERS)]))
    for kind, latencies in measured.latencies.items():
        yield row_of(kind, counts[kind], f"{len(latencies):,}", latencies=latencies)
    yield row_of("**all**", f"{WATCHERS:,}", f"{len(every):,}", latencies=every)
    yield ""
    yield "From the answer to the change, in milliseconds (negative: the event came first), and the change itself:\n"
    yield head_of("", "events")
    yield row_of("from the answer", f"{len(measured.from_answer):,}", latencies=measured.from_answer)
    yield row_of("`PUT`", f"{len(measured.writes):,}", latencies=measured.writes)
    yield ""
    yield f"Written by `make bench-watch` on: {machine}."


def main(seconds: float = 20.0) -> None:
    machine = description_with_load()
    with served() as server:
        gc.disable()  # its pauses would count as the server's
        measured = uvloop.run(measure(server, seconds=seconds))
    RESULTS.write_text("\n".join(report(measured, machine)) + "\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
