"""Measures how much one client can delay the others, and writes benchmarks/results/fairness.md.

A server on one core; on the other a process that floods it, and the prober, which reads, queries, writes and beats 50
times a second each and goes before the flood. What counts is what the prober waits, and the server's memory a minute
after all floods.

    python -m benchmarks.fairness [SECONDS] [--only PART-OF-A-NAME]
"""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import orjson
import uvloop

from benchmarks.connections import Connection, enrol
from benchmarks.fairness.flooding import UNDER_WAY
from benchmarks.fairness.floods import BIG, FLOODS
from benchmarks.fairness.probing import KINDS, PROBED
from benchmarks.generating import clusters
from benchmarks.machine import description_with_load
from benchmarks.servers import Server, served

RESULTS = Path(__file__).parent.parent / "results" / "fairness.md"
FLEET = 10_000
P99_SECONDS_MAX, SECONDS_MAX, GROWTH_MAX = 0.1, 0.25, 0.2
HEAD_START_SECONDS, REST_SECONDS = 0.5, 1.0
FORGETTING_SECONDS = 60.0
"""By then the server has forgotten what it keeps only to be quick (``registry/forgetting.py``)."""


@dataclass(frozen=True, slots=True)
class Waits:
    """What the prober waited beside one flood, by kind of request; and what the server's memory was after it."""

    flood: str
    seconds: dict[str, list[float]]
    memory_bytes: int

    @property
    def all(self) -> list[float]:
        """Of all kinds together."""
        return [each for kind in self.seconds.values() for each in kind] or [float("inf")]


async def measure(server: Server, floods: Iterable[str], seconds: float) -> tuple[int, list[Waits]]:
    """The memory before the floods, and the waits beside each."""
    connections = [Connection(server.port) for _ in range(8)]
    documents = list(clusters(FLEET))
    for number, id in enumerate((PROBED, BIG, "changed")):
        documents[number]["id"] = id
    await enrol(connections, documents)
    waits = [await beside("nothing", server, seconds)]
    before = server.processes.memory_bytes()
    for name in floods:
        waits.append(await beside(name, server, seconds))
        print(row_of(waits[-1]), flush=True)
    await asyncio.sleep(FORGETTING_SECONDS)
    waits.append(await beside("nothing", server, seconds))
    return before, waits


async def beside(name: str, server: Server, seconds: float) -> Waits:
    """What the prober waits while the flood of this name goes on, if there is one."""
    flooding = None
    if name in FLOODS:
        for_seconds = str(seconds + 2 * HEAD_START_SECONDS)
        command = [sys.executable, "-m", "benchmarks.fairness.flooding", str(server.port), for_seconds, name]
        flooding = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert flooding.stdout is not None
        assert await flooding.stdout.readline() == UNDER_WAY
    await asyncio.sleep(HEAD_START_SECONDS)
    command = [sys.executable, "-m", "benchmarks.fairness.probing", str(server.port), str(seconds)]
    prober = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    found, _ = await prober.communicate()
    if flooding is not None:
        await flooding.wait()
    await asyncio.sleep(REST_SECONDS)
    return Waits(name, orjson.loads(found), server.processes.memory_bytes())


def row_of(waits: Waits) -> str:
    """A row of the table: milliseconds, and megabytes."""
    each = quantiles(waits.all, n=100)
    worst = {kind: f"{max(waits.seconds.get(kind, [0.0])) * 1000:.0f}" for kind in KINDS}
    figures = [f"{value * 1000:.1f}" for value in (each[49], each[98], max(waits.all))]
    cells = [waits.flood, len(waits.all), *figures, *worst.values(), len(waits.seconds.get("refused", ()))]
    return f"| {' | '.join(map(str, cells))} | {waits.memory_bytes / 1e6:.0f} |"


def report(before: int, waits: Sequence[Waits], machine: str) -> Iterator[str]:
    """The lines of the page."""
    yield "# What others wait beside a flood"
    yield ""
    yield (
        f"{FLEET:,} clusters. One client floods; the others read, query, write and beat 50 times a second each, from a "
        "process of their own. Milliseconds from when a request was due to its answer, and the server's memory after "
        "the flood in MB."
    )
    yield ""
    names = ("beside", "requests", "p50", "p99", "most", *(f"most, {kind}" for kind in KINDS), "refused", "MB")
    yield f"| {' | '.join(names)} |"
    yield f"|---|{'---:|' * (len(names) - 1)}"
    yield from map(row_of, waits)
    yield ""
    late = [each.flood for each in waits if not within_goal(each)]
    yield f"Goal: p99 at most {P99_SECONDS_MAX * 1000:.0f} ms, most at most {SECONDS_MAX * 1000:.0f} ms. " + (
        f"Missed beside: {', '.join(late)}." if late else "Met beside all of them."
    )
    after = waits[-1].memory_bytes
    growth = after / before - 1
    yield f"Memory: {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB a minute after all floods ({growth:+.0%})."
    yield f"Goal: at most {GROWTH_MAX:+.0%}. {'Met.' if growth <= GROWTH_MAX else 'Missed.'}"
    yield ""
    yield f"Written by `make bench-fairness` on: {machine}."


def within_goal(waits: Waits) -> bool:
    """Whether the others waited no longer than they may."""
    return quantiles(waits.all, n=100)[98] <= P99_SECONDS_MAX and max(waits.all) <= SECONDS_MAX


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.fairness")
    parser.add_argument("seconds", type=float, nargs="?", default=4.0)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    machine = description_with_load()
    floods = [name for name in FLOODS if asked.only in name]
    with served() as server:
        before, waits = uvloop.run(measure(server, floods, asked.seconds))
    page = "\n".join(report(before, waits, machine)) + "\n"
    if not asked.only:
        RESULTS.write_text(page)
    print(page)


if __name__ == "__main__":
    main()
