"""Measures many processes on one PostgreSQL, and writes benchmarks/results/many.md.

An engine of its own, three servers, and this process as their clients. All figures come from one run; rounds of what is
compared take turns, and medians are given, for a machine is never the same for long.

    python -m benchmarks.many [SECONDS OF A ROUND]
"""

import asyncio
import json
import operator
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import uvloop

from benchmarks.connections import Connection, request
from benchmarks.generating import clusters
from benchmarks.machine import description_with_load
from tests.postgresql import PostgresqlServer, postgresql_directory
from tests.serving import ServerProcess

RESULTS = Path(__file__).parent / "results" / "many.md"
WRITERS, ROUNDS, PROCESSES, FLEET = 64, 7, 3, 1_000
VISIBLE_SAMPLES = 100
STATEMENT = """
WITH entry AS (
    INSERT INTO plain_log SELECT %(first)s, %(last)s, %(token)s, %(body)s ON CONFLICT DO NOTHING RETURNING 1
),
documents AS (INSERT INTO plain_documents SELECT d.* FROM entry, unnest(%(ids)s::text[], %(bodies)s::bytea[]) d
    ON CONFLICT (id) DO UPDATE SET body = excluded.body)
SELECT FROM entry
"""


@contextmanager
def engine_and_servers() -> Iterator[tuple[PostgresqlServer, list[ServerProcess]]]:
    """An engine with its disk synced, and three servers on it."""
    with postgresql_directory() as directory, ExitStack() as running:
        engine = PostgresqlServer(directory).create().start()
        running.callback(engine.stop, "immediate")
        environment = {"ROLLBOOK_JOURNAL": engine.url, "PYTHONPATH": os.pathsep.join(sys.path)}
        caches = directory / "caches"
        caches.mkdir()
        servers = [ServerProcess(caches / str(place), environment=environment) for place in range(PROCESSES)]
        yield engine, [running.enter_context(server) for server in servers]


async def rate(ports: Sequence[int], seconds: float, *, ids: Sequence[str]) -> list[float]:
    """Updates a second through each port, of 64 writers in all, and the refusals among them as a last figure."""
    done, refused = [0] * len(ports), 0
    until = time.monotonic() + seconds

    async def write(number: int) -> None:
        nonlocal refused
        place = number % len(ports)
        connection, turn = Connection(ports[place]), 0
        while time.monotonic() < until:
            turn += 1
            body = json.dumps({"$set": {"measured": f"{number}.{turn}"}}).encode()
            answer = await connection.ask(request("PUT", f"/clusters/{ids[(number + turn) % len(ids)]}", body))
            if answer.startswith(b"HTTP/1.1 200"):
                done[place] += 1
            else:
                refused += 1

    await asyncio.gather(*map(write, range(WRITERS)))
    return [*(count / seconds for count in done), refused]


async def commits_and_commands(port: int) -> tuple[float, float]:
    """How many batches a process has committed so far, and how many commands were in them."""
    answer = (await Connection(port).ask(request("GET", "/metrics"))).decode()
    count, commands = (
        float(found[1])
        for name in ("count", "sum")
        if (found := re.search(rf"^rollbook_commit_batch_commands_{name} (\S+)$", answer, re.MULTILINE))
    )
    return count, commands


def statement_rate(engine: PostgresqlServer, seconds: float, bodies: Sequence[bytes], *, size: int) -> float:
    """Documents a second through the plainest statement: an entry and ``size`` documents a commit.

    Large values are packed by LZ4, as the registry's own connections have it.
    """
    with psycopg.connect(engine.url, autocommit=True) as connection:
        connection.execute("SET default_toast_compression = lz4")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS plain_log (first bigint PRIMARY KEY, last bigint, token uuid, body bytea)"
        )
        connection.execute("CREATE TABLE IF NOT EXISTS plain_documents (id text PRIMARY KEY, body bytea)")
        ((last,),) = connection.execute("SELECT coalesce(max(last), 0) FROM plain_log").fetchall()
        begun, count = time.monotonic(), 0
        while time.monotonic() - begun < seconds:
            batch = [bodies[(count + place) % len(bodies)] for place in range(size)]
            ids = [f"c{(count + place) % len(bodies)}" for place in range(size)]
            values = {"first": last + 1, "last": last + size, "token": uuid4(), "body": b"".join(batch)}
            connection.execute(STATEMENT, {**values, "ids": ids, "bodies": batch})
            last, count = last + size, count + size
        return count / (time.monotonic() - begun)


async def visible_ms(writing: int, reading: int, id: str) -> list[float]:
    """How long after a write was answered another process shows it, in milliseconds, one write at a time."""
    writer, reader, found = Connection(writing), Connection(reading), []
    for turn in range(VISIBLE_SAMPLES):
        mark = f"seen.{turn}"
        await writer.ask(request("PUT", f"/clusters/{id}", json.dumps({"$set": {"measured": mark}}).encode()))
        begun = time.perf_counter()
        while mark.encode() not in await reader.ask(request("GET", f"/clusters/{id}")):
            await asyncio.sleep(0.001)
        found.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(0.02)
    return sorted(found)


def median_ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """The median of the ratios of rounds that lay next to each other."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


async def measured(engine: PostgresqlServer, servers: Sequence[ServerProcess], seconds: float) -> dict[str, str]:
    """All figures, by name."""
    documents = list(clusters(FLEET))
    ports = [server.port for server in servers]
    first = Connection(ports[0])
    for document in documents:
        await first.ask(request("POST", "/clusters", json.dumps(document).encode()))
    ids, bodies = [document["id"] for document in documents], [json.dumps(each).encode() for each in documents]
    found: dict[str, list[float]] = {"one": [], "statement": [], "one cluster, one": [], "one cluster, three": []}
    fairness: list[float] = []
    sizes: list[int] = []
    for _ in range(ROUNDS):
        before = await commits_and_commands(ports[0])
        found["one"].append((await rate(ports[:1], seconds, ids=ids))[0])
        commits, commands = map(operator.sub, await commits_and_commands(ports[0]), before)
        sizes.append(max(1, round(commands / commits)))
        found["statement"].append(await asyncio.to_thread(statement_rate, engine, seconds, bodies, size=sizes[-1]))
        found["one cluster, one"].append((await rate(ports[:1], seconds, ids=ids[:1]))[0])
        *three, _ = await rate(ports, seconds, ids=ids[:1])
        found["one cluster, three"].append(sum(three))
        fairness.append(min(three) / max(max(three), 1))
    visible = await visible_ms(ports[0], ports[1], ids[0])
    median = {name: statistics.median(values) for name, values in found.items()}
    return {
        f"commands/s through one process, {WRITERS} writers, {FLEET:,} clusters": f"{median['one']:,.0f}",
        "commands in a batch, mean": f"{statistics.median(sizes)}",
        "documents/s through the engine's plainest statement, in the same batches": f"{median['statement']:,.0f}",
        "ratio (goal: at least 0.5)": f"{median_ratio(found['one'], found['statement']):.2f}",
        "commands/s on one cluster, one process": f"{median['one cluster, one']:,.0f}",
        "commands/s on one cluster, three processes": f"{median['one cluster, three']:,.0f}",
        "ratio (goal: at least 0.4) ": f"{median_ratio(found['one cluster, three'], found['one cluster, one']):.2f}",
        "the slowest of three against the fastest (goal: at least 0.2)": f"{statistics.median(fairness):.2f}",
        "a write here, visible there, idle: p50 (goal: 20 ms)": f"{visible[len(visible) // 2]:.1f} ms",
        "p99 (goal: 150 ms)": f"{visible[int(len(visible) * 0.99) - 1]:.1f} ms",
    }


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    begun = description_with_load()
    with engine_and_servers() as (engine, servers):
        figures = uvloop.run(measured(engine, servers, seconds))
    version = subprocess.run(["psql", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    lines = [
        "# Many processes on PostgreSQL",
        "",
        f"Written by `python -m benchmarks.many {seconds:g}` on: {begun}; {version}.",
        "",
    ]
    lines += [
        f"Medians of {ROUNDS} rounds of {seconds:g} s, in turns. Clients, servers and engine share the machine.",
        "",
    ]
    lines += ["| | |", "|---|---|", *(f"| {name.strip()} | {value} |" for name, value in figures.items()), ""]
    RESULTS.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
