"""Measures what writes on large clusters cost, and writes benchmarks/results/large-clusters.md.

A server on one core, and on the other this process. For clusters of each size: joins, patches and leaves of one node, a
heartbeat that brings another status, and a ``$set`` of one field, one after another: the server's CPU time and what it
wrote to the disk, for each. Then ten clients let nodes join the cluster while another one writes to a small cluster:
how long its writes took, from when they were due.

    python -m benchmarks.large_clusters [SIZES]
"""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import orjson
import uvloop

from benchmarks.connections import Connection, enrol, keep_pace, request
from benchmarks.generating import Document, cluster
from benchmarks.machine import description_with_load
from benchmarks.servers import Server, served
from benchmarks.tables import head_of, row_of

RESULTS = Path(__file__).parent / "results" / "large-clusters.md"
SIZES = (10, 1_000, 10_000, 40_000, 80_000)
REPEATS = 20
JOINERS, JOINS_EACH = 10, 8
OTHERS_PER_SECOND, OTHERS_SECONDS = 50, 3.0
SPARSE_FROM = 20_000
"""So many complete nodes would be a document of more than 16 MB: larger clusters have nodes with less in them."""
ENROLLED_AT_ONCE = 10_000
SMALL = "small"

Ask = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one write took of the server: milliseconds of CPU, bytes for the disk, and milliseconds until its answer."""

    cpu_ms: float
    disk_bytes: float
    took_ms: float


def node(number: int, *, sparse: bool = False) -> Document:
    """A node of a large cluster: about 500 bytes, or 190 for a sparse one."""
    random = Random(number)
    gpus = random.choice((1, 2, 4, 8))
    if sparse:
        return {
            "id": f"node-{number}",
            "gpus": {"count": gpus, "memory": 80 * gpus},
            "vcpus": {"count": 8 * gpus},
            "memory": 512 * gpus,
            "swap": 0,
            "storage": {"disks": 1, "size": 1_000},
            "network": {"interfaces": 1, "txBandwidth": 100, "rxBandwidth": 100},
        }
    return {
        "id": f"node-{number}",
        "gpus": {
            "count": gpus,
            "memory": gpus * 81_920,
            "gpus": [{"modelName": "NVIDIA A100", "memory": 81_920}] * gpus,
            "features": ["fp16", "tensor_cores"],
            "modelNames": ["NVIDIA A100"],
        },
        "vcpus": {"count": gpus * 16},
        "memory": random.choice((262_144, 524_288)),
        "swap": 0,
        "storage": {"disks": 2, "size": 1_048_576},
        "network": {"interfaces": 2, "txBandwidth": 25_000, "rxBandwidth": 25_000},
        "nodeMetadata": {"host": f"node-{number}.example.net", "rack": f"r{number // 40}"},
    }


def empty_cluster(id: str) -> Document:
    """A cluster without nodes."""
    document = cluster(1)
    for total in ("gpus", "vcpus", "memory", "swap", "storage", "network"):
        document.pop(total)
    return {**document, "id": id, "nodes": {"nodeData": []}}


def operations(id: str, size: int) -> Iterator[tuple[str, Ask]]:
    """The writes that are measured, by name: what is sent for the first, the second and so on."""
    sparse, middle = size >= SPARSE_FROM, size // 2

    def at(number: int, what: str = "") -> str:
        return f"/clusters/{id}/nodes/node-{number}{what}"

    yield "join", lambda n: request("POST", f"/clusters/{id}/nodes", orjson.dumps(node(size + n, sparse=sparse)))
    yield "patch of a node", lambda n: request("PATCH", at(middle), orjson.dumps({"memory": 1_000 + n}))
    yield "leave", lambda n: request("DELETE", at(size + n if size < 2 * REPEATS else middle + 1 + n))
    yield "heartbeat with a status", lambda n: request("POST", f"/clusters/{id}/heartbeat", b'{"status":"s%d"}' % n)
    yield "`$set` of one field", lambda n: request("PUT", f"/clusters/{id}", b'{"clusterMetadata.name":"n%d"}' % n)


async def fill(connection: Connection, id: str, size: int) -> int:
    """Let a cluster of this size be there; how many bytes of JSON it has."""
    await enrol([connection], [empty_cluster(id)])
    for start in range(0, size, ENROLLED_AT_ONCE):
        nodes = [node(n, sparse=size >= SPARSE_FROM) for n in range(start, min(size, start + ENROLLED_AT_ONCE))]
        pushed = orjson.dumps({"$push": {"nodes.nodeData": {"$each": nodes}}})
        assert b" 200 " in (await connection.ask(request("PUT", f"/clusters/{id}", pushed)))[:20]
    return len(await connection.ask(request("GET", f"/clusters/{id}")))


async def cost_of(server: Server, connection: Connection, ask: Ask) -> Cost:
    """What a write costs, the first of its kind left out."""
    await _done(connection, ask(0))
    cpu, written, began = server.processes.cpu_seconds(), server.processes.written_bytes(), time.perf_counter()
    for number in range(1, REPEATS + 1):
        await _done(connection, ask(number))
    took = time.perf_counter() - began
    cpu, written = server.processes.cpu_seconds() - cpu, server.processes.written_bytes() - written
    return Cost(cpu * 1000 / REPEATS, written / REPEATS, took * 1000 / REPEATS)


async def others_beside_joins(port: int, id: str, size: int) -> tuple[float, list[float]]:
    """How many seconds the joins of ten clients took, and how long each write of another client did meanwhile."""
    latencies: list[float] = []
    joined = 0.0

    async def join(joiner: int) -> None:
        connection = Connection(port)
        for number in range(JOINS_EACH):
            each = node(10 * size + 1_000 + joiner * JOINS_EACH + number, sparse=size >= SPARSE_FROM)
            await _done(connection, request("POST", f"/clusters/{id}/nodes", orjson.dumps(each)))

    async def all_join() -> None:
        nonlocal joined
        began = time.perf_counter()
        await asyncio.gather(*map(join, range(JOINERS)))
        joined = time.perf_counter() - began

    async def write(connection: Connection, number: int, due: float) -> None:
        await _done(connection, request("PUT", f"/clusters/{SMALL}", b'{"clusterMetadata.name":"m%d"}' % number))
        latencies.append(time.perf_counter() - due)

    writers = [Connection(port) for _ in range(4)]
    writing = keep_pace(writers, write, per_second=OTHERS_PER_SECOND, seconds=OTHERS_SECONDS)
    await asyncio.gather(all_join(), writing)
    return joined, latencies


async def measure(sizes: Sequence[int]) -> list[str]:
    """The lines of the report's tables."""
    costs = ["| nodes | JSON | write | CPU | disk | until its answer |", "|---:|---:|---|---:|---:|---:|"]
    others = [head_of("nodes", "80 joins took")]
    for size in sizes:
        with served() as server:
            connection = Connection(server.port)
            await enrol([connection], [{**cluster(2), "id": SMALL}])
            json_bytes = await fill(connection, f"large-{size}", size)
            for name, ask in operations(f"large-{size}", size):
                cost = await cost_of(server, connection, ask)
                figures = f"{cost.cpu_ms:.1f} ms | {cost.disk_bytes / 1024:.0f} KiB | {cost.took_ms:.1f} ms"
                costs.append(f"| {size:,} | {json_bytes / 1e6:.1f} MB | {name} | {figures} |")
            seconds, latencies = await others_beside_joins(server.port, f"large-{size}", size)
            others.append(row_of(f"{size:,}", f"{seconds:.1f} s", latencies=latencies))
    return [*costs, "", OTHERS, "", *others]


async def _done(connection: Connection, asked: bytes) -> None:
    answer = await connection.ask(asked)
    assert b" 20" in answer[:16], answer[:300]


OTHERS = (
    "While ten clients let eight nodes each join, another one wrote to a small cluster. Milliseconds from when each of "
    "its writes was due to its answer:"
)


def main() -> None:
    """Measure and write the report."""
    sizes = [int(size) for size in sys.argv[1].split()] if len(sys.argv) > 1 else SIZES
    machine = description_with_load()
    lines = uvloop.run(measure(sizes))
    text = "\n".join((
        "# Writes on large clusters, measured",
        "",
        f"Averages of {REPEATS} writes, one after another. The CPU is the server's, with HTTP; the answer to a `$set` "
        "is the whole document. Of 20,000 nodes or more each has no more than it must.",
        "",
        *lines,
        "",
        f"Written by `make bench-large` on: {machine}.",
        "",
    ))  # fmt: skip
    if len(sys.argv) > 1:
        print(text)
    else:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
