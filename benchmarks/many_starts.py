"""Measures starts and reads on PostgreSQL beside the embedded journal, and writes benchmarks/results/many-starts.md.

The same clusters are in a data directory and, moved there with ``rollbook move``, in an engine. What is compared takes
turns, in one run.

    python -m benchmarks.many_starts [CLUSTERS]
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import uvloop

from benchmarks.connections import Connection, request
from benchmarks.generating import clusters
from benchmarks.machine import description_with_load
from tests.postgresql import PostgresqlServer, postgresql_directory
from tests.serving import ServerProcess

RESULTS = Path(__file__).parent / "results" / "many-starts.md"
COMMAND = "Written by `python -m benchmarks.many_starts"
STARTS, ROUNDS, ROUND_SECONDS, READERS = 3, 7, 1.0, 16
START_SECONDS_MAX = 300.0


def rollbook(*arguments: str) -> None:
    """Run a command."""
    subprocess.run([sys.executable, "-m", "rollbook", *arguments], check=True, stdout=subprocess.DEVNULL)


def ready_seconds(server: ServerProcess) -> float:
    """How long a start takes until it is ready; it is stopped afterwards, which keeps its snapshot."""
    begun = time.monotonic()
    server.start(seconds=START_SECONDS_MAX)
    seconds = time.monotonic() - begun
    server.stop()
    return seconds


def starts(embedded: ServerProcess, shared: ServerProcess) -> dict[str, float]:
    """The medians of starts, in turns. An embedded start without its snapshot is what an empty cache compares with."""
    found: dict[str, list[float]] = {"embedded": [], "warm": [], "embedded, no snapshot": [], "empty": []}
    for _ in range(STARTS):
        for snapshot in embedded.data.glob("*snapshot*"):
            shutil.rmtree(snapshot) if snapshot.is_dir() else snapshot.unlink()
        found["embedded, no snapshot"].append(ready_seconds(embedded))
        shutil.rmtree(shared.data, ignore_errors=True)
        found["empty"].append(ready_seconds(shared))
        found["embedded"].append(ready_seconds(embedded))
        found["warm"].append(ready_seconds(shared))
    return {name: statistics.median(values) for name, values in found.items()}


async def reads_a_second(port: int, ids: list[str]) -> float:
    """Reads of single clusters, by 16 connections."""
    count, until = 0, time.monotonic() + ROUND_SECONDS

    async def read(number: int) -> None:
        nonlocal count
        connection, turn = Connection(port), number
        while time.monotonic() < until:
            turn += READERS
            await connection.ask(request("GET", f"/clusters/{ids[turn % len(ids)]}"))
            count += 1

    await asyncio.gather(*map(read, range(READERS)))
    return count / ROUND_SECONDS


async def reads(embedded: int, shared: int, ids: list[str]) -> tuple[float, float, float]:
    """Medians of both, in turns, and of their ratios."""
    found: tuple[list[float], list[float]] = [], []
    for _ in range(ROUNDS):
        for port, values in zip((embedded, shared), found, strict=True):
            values.append(await reads_a_second(port, ids))
    ratio = statistics.median(other / one for one, other in zip(*found, strict=True))
    return statistics.median(found[0]), statistics.median(found[1]), ratio


def measured(directory: Path, count: int) -> dict[str, str]:
    """All figures, by name."""
    engine = PostgresqlServer(directory / "engine").create().start()
    try:
        file, data = directory / "clusters.ndjson", directory / "data"
        documents = list(clusters(count))
        file.write_text("".join(json.dumps(document) + "\n" for document in documents))
        rollbook("import", "--data", str(data), str(file))
        begun = time.monotonic()
        rollbook("move", "--from", str(data), "--to", engine.url)
        moved = time.monotonic() - begun
        environment = {"ROLLBOOK_JOURNAL": engine.url, "PYTHONPATH": os.pathsep.join(sys.path)}
        embedded, shared = ServerProcess(data), ServerProcess(directory / "cache", environment=environment)
        seconds = starts(embedded, shared)
        with embedded, shared:
            ids = [document["id"] for document in documents[:1_000]]
            alone, through, ratio = uvloop.run(reads(embedded.port, shared.port, ids))
    finally:
        engine.stop("immediate")
    warm, empty = seconds["warm"] / seconds["embedded"], seconds["empty"] / seconds["embedded"]
    anew = seconds["empty"] / seconds["embedded, no snapshot"]
    return {
        "embedded, with its snapshot": f"{seconds['embedded']:.2f} s",
        "embedded, without a snapshot": f"{seconds['embedded, no snapshot']:.2f} s",
        "PostgreSQL, warm cache": f"{seconds['warm']:.2f} s",
        "against embedded with its snapshot (goal: at most 1.2)": f"{warm:.2f}",
        "PostgreSQL, empty cache": f"{seconds['empty']:.2f} s",
        "against embedded without a snapshot (goal: at most 3)": f"{anew:.2f}",
        "against embedded with its snapshot": f"{empty:.2f}",
        "reads of a cluster/s, embedded": f"{alone:,.0f}",
        "reads of a cluster/s, PostgreSQL": f"{through:,.0f}",
        "ratio (goal: at least 0.95)": f"{ratio:.2f}",
        "`rollbook move` into PostgreSQL": f"{moved:.1f} s",
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    begun = description_with_load()
    with postgresql_directory() as directory:
        figures = measured(directory, count)
    lines = [f"# Starts and reads of {count:,} clusters on PostgreSQL", "", f"{COMMAND} {count}` on: {begun}.", ""]
    lines += [f"Medians of {STARTS} starts and of {ROUNDS} rounds of {ROUND_SECONDS:g} s, in turns.", "", "| | |"]
    lines += ["|---|---|", *(f"| {name} | {value} |" for name, value in figures.items()), ""]
    RESULTS.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
