"""The page of results: the goals, then a table for each number of clusters, in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.serving.goals import GOALS, Results
from benchmarks.serving.plotting import plot
from benchmarks.serving.results import Result
from benchmarks.serving.workloads import WORKLOADS, WORKLOADS_BY_NAME

INTRODUCTION = """\
Written by `make bench`. Every server is pinned to one core, with all its processes and threads, and the load (wrk) to
another. All servers run at once and are asked in turn, in rounds; each figure is the median of the rounds. Ids and
filters change from request to request, and a query finds about twenty clusters. Every kind of answer is checked before
it is timed. *CPU* is the server's, PostgreSQL's and FerretDB's included, in microseconds for each request. *1 client*:
one request takes so long that more clients would get no answer in time. What the rivals are is told in
[rivals](../rivals/README.md)."""

FINDS = {
    "selective": "selective query",
    "example": "the specification's query",
    "element": "`$elemMatch`",
    "pattern": "unanchored regex",
}


def write_report(results: Sequence[Result], folder: Path) -> Path:
    """The page and its plots, from all results that there are."""
    for result in results:
        if len(result.titles) > 1:
            plot(result, folder / f"clusters-{result.clusters}.png")
    page = folder / "serving.md"
    page.write_text("\n".join(_page(results)) + "\n")
    return page


def _page(results: Sequence[Result]) -> Iterator[str]:
    yield "# Rollbook, measured side by side"
    yield ""
    yield INTRODUCTION
    yield ""
    yield "## Goals"
    yield ""
    yield from _goals(results)
    for result in results:
        yield ""
        yield from _section(result)


def _goals(results: Sequence[Result]) -> Iterator[str]:
    yield "| | goal | figure | |"
    yield "|---|---|---:|---|"
    for goal in GOALS:
        verdict = goal.judge(Results(results))
        figure, word = (
            ("", "not measured") if verdict is None else (verdict.figure, "met" if verdict.met else "**not met**")
        )
        yield f"| {goal.title} | {goal.asked} | {figure} | {word} |"


def _section(result: Result) -> Iterator[str]:
    yield f"## {result.clusters:,} clusters"
    yield ""
    yield f"On {result.date}, {result.rounds} rounds of {result.seconds} s, {_kilobytes(result):.1f} KB a cluster."
    yield f"The machine: {', '.join(result.machine.values())}; its disk makes {result.syncs_per_second:,.0f} blocks"
    yield "of 4 KB a second durable (fdatasync), one after the other."
    yield ""
    for name, version in result.versions.items():
        yield f"- *{name}*: {version}"
    for name, reason in result.absent.items():
        yield f"- *{name}* is absent: {reason}"
    if len(result.titles) > 1:
        yield f"\n![Requests per second](clusters-{result.clusters}.png)"
    for workload in WORKLOADS:
        if workload.name in result.figures:
            yield ""
            yield from _workload(result, workload.name, f"{workload.title} ({workload.clients} clients)")
    yield ""
    yield from _servers(result)
    if result.finding:
        yield ""
        yield from _finding(result)
    if result.packed:
        yield ""
        yield from _packed(result)
    if result.streaming:
        yield ""
        yield from _streaming(result.streaming)


def _kilobytes(result: Result) -> float:
    return result.file_bytes / result.clusters / 1000


def _workload(result: Result, workload: str, title: str) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield "| | requests/s | of Rollbook's | p50 ms | p99 ms | CPU µs |"
    yield "|---|---:|---:|---:|---:|---:|"
    own = result.figure(workload, "rollbook", "requests_per_second")
    for name, title in result.titles.items():
        found = result.figures[workload].get(name)
        if found is None:
            continue
        if isinstance(found, str):
            yield f"| {title} | | | | | *{found}* |"
            continue
        alone = " (1 client)" if found["clients"] == 1 and not workload.endswith("-1") else ""
        share = f"{found['requests_per_second'] / own:.2f}" if own else ""
        yield (
            f"| {title}{alone} | {shown(found['requests_per_second'])} | {share} | {shown(found['p50_ms'])} "
            f"| {shown(found['p99_ms'])} | {shown(found['cpu_us'])} |"
        )


def _servers(result: Result) -> Iterator[str]:
    yield "### Memory and readiness"
    yield ""
    yield "Memory is the proportional set size, freshly started and after all the load. Ready is when a read is"
    yield "answered. A server is killed in the middle of writing, where it can write."
    yield ""
    yield "| | memory MB | after the load | ready after a stop, s | after kill -9, s | loading, s |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, server in result.servers.items():
        cells = [
            result.titles[name],
            f"{server['memory_bytes'] / 1e6:,.0f}",
            f"{server['memory_after_load_bytes'] / 1e6:,.0f}",
            _seconds(server, "ready_after_stop_seconds"),
            _seconds(server, "ready_after_kill_seconds"),
            f"{server['loading_seconds']:.1f}",
        ]
        yield f"| {' | '.join(cells)} |"


def _finding(result: Result) -> Iterator[str]:
    yield "### Rollbook's indexes"
    yield ""
    yield "Plan and candidates, in the process, without HTTP and encoding: the median of many filters, and the slowest."
    yield ""
    yield "| | median ms | slowest ms | clusters found | plans that are exact |"
    yield "|---|---:|---:|---:|---:|"
    for kind, title in FINDS.items():
        if kind in result.finding:
            found = result.finding[kind]
            yield (
                f"| {title} | {found['median_ms']:.3f} | {found['slowest_ms']:.3f} | {found['found']:.0f} "
                f"| {found['exact']:.0%} |"
            )


def _packed(result: Result) -> Iterator[str]:
    packed = result.packed
    yield "### Documents held packed"
    yield ""
    yield f"With `ROLLBOOK_BODIES=packed` the memory is {packed['memory_bytes'] / 1e6:,.0f} MB, freshly started, and"
    yield f"Rollbook is ready {packed['ready_seconds']:.2f} s after a stop."
    yield ""
    yield "| | requests/s | of plain documents | CPU µs |"
    yield "|---|---:|---:|---:|"
    for name, found in packed["figures"].items():
        plain = result.figure(name, "rollbook", "requests_per_second")
        if plain and not isinstance(found, str):
            rate = found["requests_per_second"]
            title = WORKLOADS_BY_NAME[name].title
            yield f"| {title} | {shown(rate)} | {rate / plain:.2f} | {shown(found['cpu_us'])} |"


def _streaming(streaming: Mapping[str, Any]) -> Iterator[str]:
    yield "### A big reply from Rollbook"
    yield ""
    rate, loopback = streaming["bytes_per_second"], streaming["loopback_bytes_per_second"]
    yield f"{streaming['bytes'] / 1e6:.0f} MB at {rate / 1e6:,.0f} MB/s: {rate / loopback:.0%} of the"
    yield f"{loopback / 1e6:,.0f} MB/s that the loopback carries between two processes. A read that was due every 3 ms"
    yield f"waited {streaming['others_p99_ms']:.1f} ms at the 99th percentile meanwhile, and"
    yield f"{streaming['others_alone_p99_ms']:.1f} ms without."


def _seconds(server: Mapping[str, Any], name: str) -> str:
    return f"{server[name]:.2f}" if name in server else ""


def shown(figure: float) -> str:
    """Three digits that matter."""
    if figure >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if figure >= 10 else f"{figure:.2f}"
