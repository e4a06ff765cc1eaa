"""Measures an informer beside 1,000 changes a second, and writes benchmarks/results/informing.md.

A server on one core; on the other a process that changes 10,000 clusters, and one with an informer of all of them.
What counts is the time from when a change was due to when the informer held it, and what the informer takes of both
cores: the server's share is what it takes more than for the same changes alone.

    python -m benchmarks.informing [SECONDS]
"""

import asyncio
import gc
import multiprocessing
import random
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import orjson
import uvloop

from benchmarks.connections import Connection, enrol, keep_pace, request
from benchmarks.generating import clusters
from benchmarks.machine import description_with_load
from benchmarks.servers import Meter, Server, Taken, served
from benchmarks.tables import head_of, row_of
from rollbook.client import AsyncClient

RESULTS = Path(__file__).parent / "results" / "informing.md"
FLEET, CHANGES_PER_SECOND, WRITERS = 10_000, 1_000, 32
ALONE_SECONDS, READY_SECONDS = 15.0, 120.0
SEED = 20260


@dataclass(frozen=True, slots=True)
class Informed:
    """What the informer's process reports: seconds of lag of each change, and its share of a core."""

    lags: Sequence[float]
    cpu: float
    equal: bool


async def inform(url: str, pipe: Pipe) -> None:
    """Keep an informer until the pipe names the revision that it is to hold at the end; then report."""
    lags: list[float] = []
    newest = 0.0

    def note(document: dict[str, Any]) -> None:
        nonlocal newest
        written = document.get("written", 0.0)
        if written > newest:
            newest = written
            lags.append(time.time() - written)

    async with AsyncClient(url) as client, client.informer(index_by={"written": note, "region": "regionId"}) as copy:
        await copy.wait_ready(READY_SECONDS)
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        pipe.send("ready")
        revision = await asyncio.to_thread(pipe.recv)
        await copy.wait_for(revision, READY_SECONDS)
        after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
        taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        stored = {each["id"]: each async for each in client.clusters.query({})}
        pipe.send(Informed(lags, taken / seconds, stored == {each["id"]: each for each in copy}))


def informing(url: str, pipe: Pipe) -> None:
    """The informer's process."""
    gc.freeze()
    uvloop.run(inform(url, pipe))


async def change(writers: Sequence[Connection], ids: Sequence[str], seconds: float) -> None:
    """Change clusters at an even pace; each change says when it was due."""
    chance, offset = random.Random(SEED), time.time() - time.perf_counter()

    async def act(writer: Connection, number: int, due: float) -> None:
        body = orjson.dumps({"reputation": number % 100, "written": offset + due})
        await writer.ask(request("PUT", f"/clusters/{chance.choice(ids)}", body))

    await keep_pace(writers, act, per_second=CHANGES_PER_SECOND, seconds=seconds)


async def measure(server: Server, seconds: float) -> tuple[Taken, Taken, Informed]:
    """What the server takes for changes alone and with the informer, and what the informer reports."""
    writers = [Connection(server.port) for _ in range(WRITERS)]
    ids = await enrol(writers, clusters(FLEET, seed=SEED))
    meter = Meter(server.processes)
    await change(writers, ids, ALONE_SECONDS)
    alone = meter.read()
    ours, theirs = multiprocessing.Pipe()
    url = f"http://127.0.0.1:{server.port}"
    process = multiprocessing.get_context("spawn").Process(target=informing, args=(url, theirs))
    process.start()
    await asyncio.to_thread(ours.recv)
    meter = Meter(server.processes)
    await change(writers, ids, seconds)
    both = meter.read()
    async with AsyncClient(url) as client:
        ours.send(await client.history.newest())
    informed = await asyncio.to_thread(ours.recv)
    await asyncio.to_thread(process.join)
    return alone, both, informed


def report(measured: tuple[Taken, Taken, Informed], machine: str, seconds: float) -> list[str]:
    """The page."""
    alone, both, informed = measured
    return [
        "# Informing, measured",
        "",
        f"An informer of {FLEET:,} clusters beside {CHANGES_PER_SECOND:,} changes a second, for {seconds:.0f} seconds.",
        f"At the end it {'equalled' if informed.equal else 'DID NOT EQUAL'} a query.",
        "",
        f"The informer's process took {informed.cpu:.0%} of a core. The server took {both.cpu:.0%} of one; for the",
        f"same changes alone {alone.cpu:.0%}, so the informer cost it {both.cpu - alone.cpu:.0%}.",
        "",
        "Milliseconds from when a change was due to when the informer held it:",
        "",
        head_of("what"),
        row_of("lag", latencies=informed.lags),
        "",
        f"Written by `make bench-informer` on: {machine}.",
    ]


def main(seconds: float = 60.0) -> None:
    machine = description_with_load()
    with served() as server:
        measured = uvloop.run(measure(server, seconds))
    RESULTS.write_text("\n".join(report(measured, machine, seconds)) + "\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
