"""The goals, each a row: what is asked of which figure, and what the results say of it.

One rule: a goal is met by figures of one run, or it is not judged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.serving.results import Result

SMALL, LARGE, HUGE = 10_000, 100_000, 1_000_000

Judge: TypeAlias = "Callable[[Results], Verdict | None]"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The figure, and whether it meets the goal."""

    met: bool
    figure: str


@dataclass(frozen=True, slots=True)
class Goal:
    """What is asked, in words, and who judges it; None: there are no results for it."""

    title: str
    asked: str
    judge: Judge


@dataclass(frozen=True, slots=True)
class Results:
    """Results by their number of clusters."""

    all: Sequence[Result]

    def of(self, clusters: int) -> Result | None:
        """The result with so many clusters."""
        return next((result for result in self.all if result.clusters == clusters), None)


def ratio(clusters: int, workload: str, figure: str, rival: str, goal: float, *, most: bool = False) -> Judge:
    """Rollbook's figure as a multiple of a rival's: at least the goal, or at most (``most``)."""

    def judge(results: Results) -> Verdict | None:
        result = results.of(clusters)
        if result is None:
            return None
        own, others = result.figure(workload, "rollbook", figure), result.figure(workload, rival, figure)
        if not own or not others:
            return None
        found = own / others
        return Verdict(found <= goal if most else found >= goal, f"{found:.2f}x")

    return judge


def durable_writes(results: Results) -> Verdict | None:
    """As many as the disk can sync, for a write alone takes one sync."""
    result = results.of(SMALL)
    own = result.figure("put-32", "rollbook", "requests_per_second") if result else None
    if result is None or own is None:
        return None
    return Verdict(own >= result.syncs_per_second, f"{own:,.0f}/s against {result.syncs_per_second:,.0f} syncs/s")


def finding(kind: str, goal_ms: float) -> Judge:
    """The milliseconds that the indexes take at 100,000."""

    def judge(results: Results) -> Verdict | None:
        result = results.of(LARGE)
        if result is None or kind not in result.finding:
            return None
        found = result.finding[kind]["median_ms"]
        return Verdict(found <= goal_ms, f"{found:.3f} ms")

    return judge


def finding_grows(kind: str, goal: float) -> Judge:
    """The milliseconds at a million as a multiple of those at 100,000."""

    def judge(results: Results) -> Verdict | None:
        large, huge = results.of(LARGE), results.of(HUGE)
        if large is None or huge is None or kind not in large.finding or kind not in huge.finding:
            return None
        at_huge, at_large = huge.finding[kind]["median_ms"], large.finding[kind]["median_ms"]
        return Verdict(at_huge <= goal * at_large, f"{at_huge:.3f} ms, {at_huge / at_large:.1f}x")

    return judge


def ready(clusters: int, figure: str, goal_seconds: float) -> Judge:
    """The seconds until Rollbook answers."""

    def judge(results: Results) -> Verdict | None:
        result = results.of(clusters)
        if result is None or figure not in result.servers.get("rollbook", {}):
            return None
        found = result.servers["rollbook"][figure]
        return Verdict(found <= goal_seconds, f"{found:.2f} s")

    return judge


def memory(clusters: int, goal_gb: float) -> Judge:
    """Rollbook's memory, the most that was seen."""

    def judge(results: Results) -> Verdict | None:
        result = results.of(clusters)
        if result is None or "rollbook" not in result.servers:
            return None
        server = result.servers["rollbook"]
        found = max(server["memory_bytes"], server["memory_after_load_bytes"]) / 1e9
        return Verdict(found <= goal_gb, f"{found:.2f} GB")

    return judge


def packed_memory(clusters: int, goal_gb: float) -> Judge:
    """Rollbook's memory when it holds documents packed."""

    def judge(results: Results) -> Verdict | None:
        result = results.of(clusters)
        if result is None or "memory_bytes" not in result.packed:
            return None
        found = result.packed["memory_bytes"] / 1e9
        return Verdict(found <= goal_gb, f"{found:.2f} GB")

    return judge


def big_reply(results: Results) -> Verdict | None:
    """The rate of a big reply against the loopback's."""
    result = results.of(LARGE)
    if result is None or not result.streaming:
        return None
    found = result.streaming["bytes_per_second"] / result.streaming["loopback_bytes_per_second"]
    return Verdict(found >= 0.25, f"{found:.0%} ({result.streaming['bytes_per_second'] / 1e6:,.0f} MB/s)")


def others_meanwhile(results: Results) -> Verdict | None:
    """What other requests wait for while a big reply goes out."""
    result = results.of(LARGE)
    if result is None or not result.streaming:
        return None
    found = result.streaming["others_p99_ms"]
    return Verdict(found < 20, f"{found:.1f} ms")


GOALS = (
    Goal(
        "GET by id, CPU per request against nginx",
        "at most 2.5x",
        ratio(SMALL, "get", "cpu_us", "nginx", 2.5, most=True),
    ),
    Goal("the same, the aim", "at most 1.5x", ratio(SMALL, "get", "cpu_us", "nginx", 1.5, most=True)),
    Goal(
        "GET by id, requests/s against Express", "at least 4x", ratio(SMALL, "get", "requests_per_second", "express", 4)
    ),
    Goal(
        "selective query, requests/s against Express at 10,000",
        "at least 40x",
        ratio(SMALL, "selective", "requests_per_second", "express", 40),
    ),
    Goal(
        "the same, against Express with a library's filters (sift)",
        "at least 40x",
        ratio(SMALL, "selective", "requests_per_second", "express-sift", 40),
    ),
    Goal("durable PUT at 32 clients", "at least the disk's fdatasync rate", durable_writes),
    Goal(
        "durable PUT at 32 clients, against Express's volatile PUT",
        "at least 0.8x",
        ratio(SMALL, "put-32", "requests_per_second", "express", 0.8),
    ),
    Goal("indexed find at 100,000: selective", "at most 0.2 ms", finding("selective", 0.2)),
    Goal("indexed find at 100,000: the specification's query", "at most 0.2 ms", finding("example", 0.2)),
    Goal("indexed find at 100,000: `$elemMatch`", "at most 1 ms", finding("element", 1.0)),
    Goal("indexed find at 100,000: unanchored regex", "at most 5 ms", finding("pattern", 5.0)),
    Goal("the same at 1,000,000: selective", "at most 5x", finding_grows("selective", 5)),
    Goal("the same at 1,000,000: the specification's query", "at most 5x", finding_grows("example", 5)),
    Goal("the same at 1,000,000: `$elemMatch`", "at most 5x", finding_grows("element", 5)),
    Goal("the same at 1,000,000: unanchored regex", "at most 5x", finding_grows("pattern", 5)),
    Goal("100,000: ready after a clean stop", "at most 1.5 s", ready(LARGE, "ready_after_stop_seconds", 1.5)),
    Goal("100,000: ready after kill -9", "at most 3 s", ready(LARGE, "ready_after_kill_seconds", 3)),
    Goal("1,000,000: ready after a clean stop", "at most 15 s", ready(HUGE, "ready_after_stop_seconds", 15)),
    Goal("1,000,000: ready after kill -9", "at most 30 s", ready(HUGE, "ready_after_kill_seconds", 30)),
    Goal("memory at 1,000,000 clusters of 4 KB", "at most 6.5 GB", memory(HUGE, 6.5)),
    Goal("the same, documents packed", "at most 3 GB", packed_memory(HUGE, 3)),
    Goal("big reply (100 MB) against the loopback", "at least 25%", big_reply),
    Goal("p99 of other requests meanwhile", "under 20 ms", others_meanwhile),
)
