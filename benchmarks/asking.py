"""Measures what questions about the whole fleet cost, and writes benchmarks/results/asking.md.

Lists, tables, groups with sums, facets and fits, each asked in this process again and again: what counts is the CPU
time of the process for one answer, its JSON included, at the median. Every cluster has sent a heartbeat.

    python -m benchmarks.asking [CLUSTERS ...]
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from benchmarks.generating import clusters
from benchmarks.machine import description_with_load
from rollbook.assembly import open_registry
from rollbook.collecting import settle_garbage_collection
from rollbook.journal.changes import Change
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.registry.listing.page_requests import parse_page
from rollbook.registry.listing.rendering import as_columns
from rollbook.registry.listing.table_requests import parse_table
from rollbook.registry.liveness.heartbeats import parse_heartbeat
from rollbook.registry.reading.facet_requests import parse_facets
from rollbook.registry.reading.fit_requests import parse_fit
from rollbook.registry.reading.requests import parse_aggregation, parse_query
from rollbook.registry.registry import Registry
from rollbook.security.callers import Caller
from rollbook.settings import Settings

RESULTS = Path(__file__).parent / "results" / "asking.md"
SIZES = (10_000, 100_000)
TIMES, BATCH = 15, 5_000
NOW_MS = time.time_ns() // 1_000_000

COLUMNS = [
    "id",
    "clusterMetadata.name",
    "clusterMetadata.owner",
    "regionId",
    "status",
    "tags",
    "gpus.count",
    "gpus.memory",
    "nodes.count",
    "vcpus.count",
    "memory",
    "reputation",
    "_registry.revision",
    "_registry.liveness",
]
SUMS = {"n": {"$sum": 1}, "gpus": {"$sum": "$gpus.count"}, "memory": {"$sum": "$memory"}}
BY_REGION = [{"$group": {"_id": "$regionId", **SUMS}}]
BY_MODEL = [
    {"$unwind": "$nodes.nodeData"},
    {"$unwind": "$nodes.nodeData.gpus.modelNames"},
    {"$group": {"_id": "$nodes.nodeData.gpus.modelNames", "gpus": {"$sum": "$nodes.nodeData.gpus.count"}}},
]
BY_LIVENESS = [{"$group": {"_id": "$_registry.liveness", **SUMS}}]
ALIVE = {"_registry.liveness": "alive"}
FIT = {"query": {"status": "live"}, "gpus": 8, "gpuModel": "H100", "onOneNode": True}


def questions(registry: Registry) -> Iterator[tuple[str, Callable[[], Awaitable[Any]]]]:
    """Each question by its name, as a function that answers it."""
    caller, limits, fleet = Caller.FULL, registry.limits, registry.reader.fleet(Caller.FULL)

    def page(**asked: Any) -> Callable[[], Awaitable[Any]]:
        request = parse_page({"query": {}, "cursor": None, **asked}, limits=limits)
        return lambda: registry.pages.documents(caller, request)

    async def table(**asked: Any) -> bytes:
        return as_columns(
            await registry.tables.table(caller, parse_table({"columns": COLUMNS, **asked}, limits=limits))
        )

    yield "a page of 100, in order of creation", page()
    yield "a page of 100 by `-reputation,id`", page(sort={"reputation": -1, "id": 1})
    yield "a table of 14 columns, of all", table
    yield "a table of 14 columns, by region and reputation", lambda: table(sort={"regionId": 1, "reputation": -1})
    capacity = ("by region", BY_REGION), ("by GPU model, node by node", BY_MODEL), ("by liveness", BY_LIVENESS)
    for name, stages in capacity:
        asked = parse_aggregation(stages, limits=limits)
        yield f"capacity {name}", lambda asked=asked: fleet.aggregate(asked)
    usual, liveness = parse_facets({}, limits=limits), parse_facets({"facets": ["_registry.liveness"]}, limits=limits)
    yield "the usual facets", lambda: fleet.facets(usual)
    yield "the facet of liveness", lambda: fleet.facets(liveness)
    alive = parse_query({"query": ALIVE}, limits=limits)
    yield "a count of those alive", lambda: fleet.count(alive)
    fit = parse_fit(FIT, limits=limits)
    yield "a fit of 8 GPUs on one node", lambda: registry.fits.fit(caller, fit)


async def measured(count: int) -> list[tuple[str, float, float]]:
    """The CPU time and the time of each question in milliseconds, at the median."""
    found = []
    with TemporaryDirectory() as directory:
        fill(Path(directory), count)
        async with open_registry(Settings(data=Path(directory))) as registry:
            for entry in list(registry.view.entries()):
                await registry.liveness.beat(Caller.FULL, entry.id, parse_heartbeat({"ttlSeconds": 86_400}))
            settle_garbage_collection()
            for name, ask in questions(registry):
                await ask()
                cpu, wall = [], []
                for _ in range(TIMES):
                    begun, used = time.perf_counter(), time.process_time()
                    await ask()
                    cpu.append((time.process_time() - used) * 1000)
                    wall.append((time.perf_counter() - begun) * 1000)
                found.append((name, median(cpu), median(wall)))
    return found


def fill(directory: Path, count: int) -> None:
    """Clusters in the journal of a data directory."""
    journal = SqliteJournal.open(directory)
    batch: list[Change] = []
    for revision, document in enumerate(clusters(count), 1):
        batch.append(Change(revision, document["id"], "created", NOW_MS, None, orjson.dumps(document)))
        if len(batch) == BATCH or revision == count:
            journal.append(batch, after=batch[0].revision - 1)
            batch = []
    journal.close()


def report(sizes: dict[int, list[tuple[str, float, float]]]) -> str:
    """The page of results."""
    lines = ["# Asking about the whole fleet, measured", ""]
    lines += ["Milliseconds for one answer, at the median: CPU time of the process, and time.", ""]
    names = [name for name, _, _ in next(iter(sizes.values()))]
    heads = [f"{count:,}: {what}" for count in sizes for what in ("CPU", "time")]
    lines += [f"| question | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for at, name in enumerate(names):
        cells = [f"{figure:.1f}" for found in sizes.values() for figure in found[at][1:]]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Written by `make bench-asking` on: {description_with_load()}.", ""])


def main() -> None:
    """Measure fleets of the given sizes, and write the results."""
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    RESULTS.write_text(report({count: asyncio.run(measured(count)) for count in sizes}))
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
