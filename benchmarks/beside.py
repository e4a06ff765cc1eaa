"""Measures questions about the whole fleet, and loading it, beside PostgreSQL and FerretDB.

Writes benchmarks/results/beside.md. One rule: the rivals have the advantage. They are asked by their own drivers over a
Unix socket, without a service in between; Rollbook is asked over HTTP. Servers run on one core, one after the other,
and this process on the other one. An import may use both.

    python -m benchmarks.beside [CLUSTERS]
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import httpx
import orjson
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from benchmarks.fleet_questions import QUESTIONS, Question
from benchmarks.machine import description_with_load
from benchmarks.rivals import building_ferretdb, ferretdb_proxy, postgres_clusters, postgresql
from benchmarks.rivals import rollbook as contestant
from benchmarks.rivals.interface import Tools
from benchmarks.serving.contestants import free_port
from benchmarks.serving.materials import Materials, prepare_materials
from benchmarks.serving.processes import Command, Processes, wait_for

RESULTS = Path(__file__).parent / "results" / "beside.md"
CLUSTERS, TIMES, SECONDS_MAX = 10_000, 9, 20.0
READY_SECONDS_MAX = 600.0
LINES_TOGETHER = 512
IMPORT, BULK = "import, its index made", "bulk writes, the index there before"
LOADING = (IMPORT, BULK)

Figures = dict[str, float | None]
"""Seconds of each question and of each way to load; None: it can't be asked."""
Ask = Callable[[Question], Any]


@contextmanager
def running(commands: Sequence[Command], folder: Path) -> Iterator[None]:
    """The processes of a server, on their core."""
    processes = Processes()
    processes.start(commands, log=folder / "server.log")
    try:
        yield
    finally:
        processes.stop()


def timed(job: Callable[[], Any]) -> float:
    """The seconds that it takes."""
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun


def answers(ask: Ask) -> Figures:
    """The seconds of an answer to each question, at the median, or of the first one where that takes seconds."""
    figures: Figures = {}
    for question in QUESTIONS:
        try:
            first = timed(lambda: ask(question))  # noqa: B023
        except PyMongoError as refusal:
            print(f"  {question.name}: {str(refusal)[:100]}", flush=True)
            figures[question.name] = None
            continue
        often = first < SECONDS_MAX / TIMES
        figures[question.name] = median(timed(lambda: ask(question)) for _ in range(TIMES)) if often else first  # noqa: B023
    return figures


def measure_rollbook(materials: Materials, folder: Path, tools: Tools) -> Figures:
    """As it comes: `rollbook import` and its first start, and requests over HTTP."""
    imported = timed(lambda: contestant.ROLLBOOK.load(materials, folder, tools))
    figures: Figures = {}
    for place in ("data", "empty"):
        port = free_port()
        command = [sys.executable, "-m", "rollbook", "serve", "--port", str(port), "--data", str(folder / place)]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=READY_SECONDS_MAX) as client:
            ready = lambda: wait_for(lambda: is_ready(client), what="it", seconds_max=READY_SECONDS_MAX)  # noqa: E731
            begun = time.perf_counter()
            with running([Command(command, wait_until_ready=ready)], folder):
                if place == "data":
                    figures[IMPORT] = imported + time.perf_counter() - begun
                    figures |= answers(lambda question: asked_over_http(client, question))
                else:
                    lines = b"".join(
                        orjson.dumps({"op": "create", "document": each}) + b"\n" for each in materials.documents()
                    )
                    figures[BULK] = timed(lambda: written_in_bulk(client, lines, materials.count))  # noqa: B023
    return figures


def is_ready(client: httpx.Client) -> bool:
    """Whether the server answers."""
    try:
        return client.get("/readyz").is_success
    except httpx.TransportError:
        return False


def asked_over_http(client: httpx.Client, question: Question) -> bytes:
    """The answer of Rollbook."""
    method, body = ("GET", None) if question.body is None else ("POST", orjson.dumps(question.body))
    answer = client.request(method, question.path, content=body, headers={"content-type": "application/json"})
    return answer.raise_for_status().content


def written_in_bulk(client: httpx.Client, lines: bytes, count: int) -> None:
    """All clusters created by one request."""
    answer = client.post("/clusters/bulk", content=lines, headers={"content-type": "application/x-ndjson"})
    assert answer.raise_for_status().text.count('"status":201') == count


def measure_postgresql(materials: Materials, folder: Path, tools: Tools) -> Figures:
    """`COPY` and then its GIN index; single rows into a table that has it, some in each transaction; SQL."""
    home = folder / "postgresql"
    figures: Figures = {IMPORT: timed(lambda: postgresql.load(materials, folder, tools))}
    with running([postgres_clusters.postgres(home, tools)], folder), asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(postgres_clusters.address(home)))

        def ask(question: Question) -> None:
            for statement in question.sql:
                runner.run(connection.fetch(statement))

        figures |= answers(ask)
        tables = "CREATE TABLE more (id text PRIMARY KEY, document jsonb); CREATE INDEX ON more USING gin "
        runner.run(connection.execute(f"{tables} (document jsonb_path_ops)"))
        rows = [(each["id"], orjson.dumps(each).decode()) for each in materials.documents()]
        insert = "INSERT INTO more VALUES ($1, $2::text::jsonb)"
        groups = [rows[start : start + LINES_TOGETHER] for start in range(0, len(rows), LINES_TOGETHER)]
        figures[BULK] = timed(lambda: [runner.run(connection.executemany(insert, group)) for group in groups])
        runner.run(connection.close())
    return figures


def measure_ferretdb(materials: Materials, folder: Path, tools: Tools) -> Figures:
    """PyMongo's ``insert_many``, a thousand at once, and pipelines."""
    figures: Figures = {IMPORT: timed(lambda: ferretdb_proxy.load(materials, folder, tools)), BULK: None}
    with (
        running(ferretdb_proxy.databases(folder, tools), folder),
        MongoClient[dict[str, Any]](ferretdb_proxy.address(folder)) as client,
    ):
        clusters = client["registry"]["clusters"]
        figures |= answers(lambda question: [list(clusters.aggregate(each)) for each in question.pipelines])
    return figures


def report(found: Mapping[str, Figures], count: int) -> str:
    """The page of results."""
    lines = [f"# Questions about {count:,} clusters, and loading them, beside others", ""]
    lines += [
        "Milliseconds for one answer as its client sees it, at the median; clusters in a second while loading.",
        "",
    ]
    lines += [f"| what | {' | '.join(found)} |", f"|---|{'---:|' * len(found)}"]
    for question in QUESTIONS:
        cells = [figures[question.name] for figures in found.values()]
        lines.append(f"| {question.name} | {' | '.join(shown(each, 1000) for each in cells)} |")
    for way in LOADING:
        cells = [figures[way] for figures in found.values()]
        lines.append(f"| {way} | {' | '.join('' if each is None else f'{count / each:,.0f}/s' for each in cells)} |")
    lines += [
        "",
        "The others have the advantage: they are asked by their own drivers over a Unix socket, without a service in",
        "between, and Rollbook over HTTP. Servers run on one core, and who asks on the other; an import may use both.",
        "Times to import include those to make an empty database, and to start what imports and what answers then.",
        "The fit of the others finds ten clusters, and neither ranks them nor says why others do not fit.",
        "PostgreSQL imports with `COPY`, then makes its GIN index; FerretDB has no index to make.",
    ]
    return "\n".join([*lines, "", f"Written by `make bench-beside` on: {description_with_load()}.", ""])


def shown(seconds: float | None, factor: int) -> str:
    """A figure in a table."""
    return "can't" if seconds is None else f"{seconds * factor:,.1f}"


def main() -> None:
    """Measure each, and write the results."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CLUSTERS
    building_ferretdb.build()
    cache = building_ferretdb.CACHE
    tools, materials = Tools(cache, postgres_clusters.programs()), prepare_materials(count, cache=cache)
    measuring = {"Rollbook": measure_rollbook}
    if tools.postgresql:
        measuring["PostgreSQL"] = measure_postgresql
    if ferretdb_proxy.missing(tools) is None:
        measuring["FerretDB"] = measure_ferretdb
    found: dict[str, Figures] = {}
    for name, measure in measuring.items():
        print(name, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)  # PostgreSQL runs as another user
            found[name] = measure(materials, Path(folder), tools)
        RESULTS.write_text(report(found, count))  # what follows takes minutes, and may be stopped
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
