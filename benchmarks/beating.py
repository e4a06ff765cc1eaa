"""Measures what it costs to hear 10,000 clusters, and writes benchmarks/results/beating.md.

A server on one core, and on the other this process: 10,000 clusters, each of which sends a heartbeat every ten seconds
on a connection of its own, beside those who read and those who ask. Nobody writes, so a revision that moves is a
cluster that was taken for silent. What counts is the time from when a request was due to its answer; what a beat costs
is what the server takes more than for the reads alone.

    python -m benchmarks.beating [SECONDS]
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
from typing import Any

import orjson
import uvloop

from benchmarks.connections import Connection, enrol, keep_pace, request
from benchmarks.generating import OWNERS, REGIONS, TAGS, Document, clusters
from benchmarks.machine import description_with_load
from benchmarks.servers import Meter, Server, Taken, served
from benchmarks.tables import head_of, row_of

RESULTS = Path(__file__).parent / "results" / "beating.md"
FLEET, BEAT_EVERY_SECONDS, TTL_SECONDS = 10_000, 10.0, 30
READS_PER_SECOND, QUERIES_PER_SECOND = 2_000, 20
BEATERS, READERS, ASKERS = 64, 64, 8
ALONE_SECONDS, WARMING_SECONDS = 15.0, BEAT_EVERY_SECONDS
SEED = 20260

BEAT, READ, QUERY = "heartbeat", "`GET /clusters/{id}`", "`POST /clusters/query`"
HELD = re.compile(r"silences are not written down \(([a-z-]+)\)")


def beat_of(document: Document, number: int) -> bytes:
    """The heartbeat of a cluster: half of them say nothing, a quarter how long their lease is, a quarter all nodes."""
    said: Document = {"ttlSeconds": TTL_SECONDS} if number % 4 > 1 else {}
    if number % 4 == 3:
        said["nodes"] = [node["id"] for node in document["nodes"]["nodeData"]]
    return request("POST", f"/clusters/{document['id']}/heartbeat", orjson.dumps(said) if said else b"")


def queries(count: int) -> Iterator[bytes]:
    """What is asked meanwhile: where there is something, and now and then who of it is there."""
    random = Random(SEED)
    for number in range(count):
        filter = {"regionId": random.choice(REGIONS), "tags": random.choice(TAGS)}
        if number % 2:
            filter = {"clusterMetadata.owner": random.choice(OWNERS), "_registry.liveness": "alive"}
        yield request("POST", "/clusters/query", orjson.dumps(filter))


@dataclass
class Load:
    """All that is sent, and how long each answer took from when it was due."""

    port: int
    beats: Sequence[bytes]
    reads: Sequence[bytes]
    latencies: dict[str, list[float]] = field(default_factory=lambda: {BEAT: [], READ: [], QUERY: []})

    def __post_init__(self) -> None:
        self.clusters = [Connection(self.port) for _ in self.beats]
        self._readers = [Connection(self.port) for _ in range(READERS)]
        self._askers = [Connection(self.port) for _ in range(ASKERS)]
        self._queries = list(queries(1_000))

    async def read(self, *, seconds: float) -> None:
        """Read and ask, at the rates."""

        async def act(connection: Connection, number: int, due: float) -> None:
            await self._timed(READ, connection, self.reads[number % len(self.reads)], due)

        async def ask(connection: Connection, number: int, due: float) -> None:
            await self._timed(QUERY, connection, self._queries[number % len(self._queries)], due)

        await asyncio.gather(
            keep_pace(self._readers, act, per_second=READS_PER_SECOND, seconds=seconds),
            keep_pace(self._askers, ask, per_second=QUERIES_PER_SECOND, seconds=seconds),
        )

    async def beat_and_read(self, *, seconds: float) -> None:
        """The same, while every cluster sends its heartbeats."""

        async def beat(_: int, number: int, due: float) -> None:
            which = number % len(self.beats)
            await self._timed(BEAT, self.clusters[which], self.beats[which], due)

        rate = len(self.beats) / BEAT_EVERY_SECONDS
        await asyncio.gather(
            self.read(seconds=seconds), keep_pace(range(BEATERS), beat, per_second=rate, seconds=seconds)
        )

    async def _timed(self, what: str, connection: Connection, asked: bytes, due: float) -> None:
        answer = await connection.ask(asked)
        assert answer.startswith(b"HTTP/1.1 200 "), answer[:500]
        self.latencies[what].append(time.perf_counter() - due)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run gave. ``transitions``: by how much the revision moved. ``opened``: connections in the stretch."""

    alone: Taken
    beating: Taken
    latencies: dict[str, list[float]]
    opened: int
    transitions: int
    states: Counter[str]
    holds: Counter[str]
    memory_bytes: int


async def measure(server: Server, *, seconds: float) -> Measured:
    """Read alone for a while, then beat and read, and see what it took and what became of the clusters."""
    documents = list(clusters(FLEET))
    asker = Connection(server.port)
    await enrol([Connection(server.port) for _ in range(BEATERS)], documents)
    reads = [request("GET", f"/clusters/{document['id']}") for document in Random(SEED).sample(documents, FLEET)]
    load = Load(server.port, [beat_of(document, number) for number, document in enumerate(documents)], reads)
    before = await value_of(asker, "GET", "/readyz")
    meter = Meter(server.processes)
    await load.read(seconds=ALONE_SECONDS)
    alone = meter.read()
    await load.beat_and_read(seconds=WARMING_SECONDS)
    load.latencies = {what: [] for what in load.latencies}
    opened = sum(each.opened for each in load.clusters)
    meter = Meter(server.processes)
    await load.beat_and_read(seconds=seconds)
    beating = meter.read()
    after = await value_of(asker, "GET", "/readyz")
    by_state = await value_of(asker, "POST", "/clusters/aggregate", [{"$sortByCount": "$_registry.liveness"}])
    return Measured(
        alone,
        beating,
        load.latencies,
        sum(each.opened for each in load.clusters) - opened,
        after["revision"] - before["revision"],
        Counter({each["_id"]: each["count"] for each in by_state}),
        Counter(HELD.findall(server.log.read_text())),
        server.processes.memory_bytes(),
    )


async def value_of(connection: Connection, method: str, path: str, body: object = None) -> Any:
    """The JSON of an answer."""
    answer = await connection.ask(request(method, path, b"" if body is None else orjson.dumps(body)))
    return orjson.loads(answer.partition(b"\r\n\r\n")[2])


def report(measured: Measured, machine: str) -> Iterator[str]:
    """The lines of the page."""
    alone, beating = measured.alone, measured.beating
    rates = {what: len(latencies) / beating.seconds for what, latencies in measured.latencies.items()}
    cost_us = (beating.cpu - alone.cpu) / rates[BEAT] * 1e6
    written_kib, memory_mib = beating.written_bytes / 1024, measured.memory_bytes / 2**20
    yield "# Beating, measured\n"
    yield f"{FLEET:,} clusters, each with a heartbeat every {BEAT_EVERY_SECONDS:.0f} seconds on its own connection,"
    yield f"beside {READS_PER_SECOND:,} reads and {QUERIES_PER_SECOND} queries a second, one server process. In"
    yield f"{beating.seconds:.0f} seconds {len(measured.latencies[BEAT]):,} heartbeats were answered."
    yield f"Clusters that had to connect again: {measured.opened or 'none'}.\n"
    yield f"The server took {beating.cpu:.0%} of one core and {memory_mib:,.0f} MiB, and wrote {written_kib:,.0f} KiB a"
    yield f"second to the disk; the reads alone took {alone.cpu:.0%} of the core. So a heartbeat cost {cost_us:.0f}"
    yield "microseconds, storing it included.\n"
    yield f"False transitions: {measured.transitions or 'none'}. At the end the clusters were: {told(measured.states)}."
    yield f"Holds: {told(measured.holds)}.\n"
    yield "Milliseconds from when a request was due to its answer:\n"
    yield head_of("request", "a second")
    for what, latencies in measured.latencies.items():
        yield row_of(what, f"{rates[what]:,.0f}", latencies=latencies)
    yield ""
    yield f"Written by `make bench-beats` on: {machine}."


def told(counts: Counter[str]) -> str:
    """How many there are of each."""
    return ", ".join(f"{count:,} {what}" for what, count in counts.most_common()) or "none"


def main(seconds: float = 60.0) -> None:
    machine = description_with_load()
    with served() as server:
        gc.disable()  # its pauses would count as the server's
        measured = uvloop.run(measure(server, seconds=seconds))
    RESULTS.write_text("\n".join(report(measured, machine)) + "\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
