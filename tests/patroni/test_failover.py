"""The failover drill: leaders are killed, paused and cut off under load, and Patroni fails over by itself.

``make test-patroni`` runs it, which needs Debian's ``patroni`` and ``etcd-server``; its record is
``benchmarks/results/patroni.md``.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import httpx

from benchmarks.machine import description_with_load
from rollbook.journal.postgresql.journal import PostgresqlJournal
from tests.examples import cluster
from tests.many.checking import Write, problems_in
from tests.many.loading import CLUSTERS, Load, Place, everything
from tests.patroni.nodes import PASSWORD, Node, PatroniCluster, patroni_cluster

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "patroni.md"
FAULTS = os.environ.get("ROLLBOOK_TEST_PATRONI", "").split(",")


class Failover(NamedTuple):
    """What was done to a leader, and how long it took, in seconds from then on."""

    fault: str
    promoted: float
    written: float
    """Until a write was acknowledged after that, which was sent half a second before it at the earliest."""
    silent: float
    """The longest time without an acknowledged write."""


def test_patroni_fails_over_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    for program in ("patroni", "etcd"):
        assert shutil.which(program), f"needs {program}: apt-get install patroni etcd-server"
    machine = description_with_load()
    with patroni_cluster() as nodes, ExitStack() as undo:
        ports = [node.port for node in nodes.nodes]
        places = [Place(tmp_path / f"cache{number}", ports, PGPASSWORD=PASSWORD) for number in range(3)]
        for place in places:
            undo.callback(place.close)
            place.server.start(seconds=120)
        for id in CLUSTERS:
            httpx.post(f"{places[0].server.url}/clusters", json=cluster(id, names=[]), timeout=20).raise_for_status()
        load = Load(places)
        undo.callback(load.stop)
        failovers = [fail_over(fault, nodes, load) for fault in FAULTS]
        time.sleep(3)
        load.stop()
        exports = [everything(place) for place in places]
        problems = problems_in(load.writes, load.reads, exports[0])
        RESULTS.write_text(record(machine, failovers, load, problems))
        assert problems == []
        assert exports[0] == exports[1] == exports[2]
        leader = nodes.leader
        assert leader is not None
        journal = PostgresqlJournal.open(leader.url)
        assert journal.inspection.problems() == []
        journal.close()


def fail_over(fault: str, nodes: PatroniCluster, load: Load) -> Failover:
    """Do something to the leader, wait for the next one and for its writes, and bring the former one back."""
    former = nodes.leader
    assert former is not None
    others = [node for node in nodes.nodes if node is not former]
    begun = time.monotonic()
    end = harm(fault, former)
    try:
        promoted = nodes.wait_until(
            lambda: any(node.is_leader() for node in others), f"nobody replaces the leader: {fault}"
        )
        again = time.monotonic()
        nodes.wait_until(lambda: any(each.sent > again for each in done(load)), f"no write goes on: {fault}")
        time.sleep(2)
    finally:
        end()
    nodes.wait_until(nodes.is_whole, f"the former leader does not come back: {fault}")
    first = min(each.answered for each in done(load) if each.sent > begun + promoted - 0.5 and each.answered > again)
    times = sorted([begun, *(each.answered for each in done(load) if each.answered > begun)])
    silent = max(later - earlier for earlier, later in pairwise(times))
    return Failover(fault, promoted, first - begun, silent)


def harm(fault: str, node: Node) -> Callable[[], None]:
    """Do it; what ends it."""
    if fault == "killed":
        node.kill()
        return node.start
    if fault == "paused":
        node.pause()
        return node.resume
    assert fault == "cut off", f"there is no fault {fault!r}"
    node.cut_off()
    return node.join


def done(load: Load) -> list[Write]:
    """The acknowledged writes so far."""
    return [write for write in list(load.writes) if write.outcome == "done"]


def record(machine: str, failovers: list[Failover], load: Load, problems: list[str]) -> str:
    """The page of results."""
    version = subprocess.run(["patroni", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    outcomes = [write.outcome for write in load.writes]
    counts = f"{outcomes.count('done')} acknowledged, {outcomes.count('refused')} refused, {outcomes.count('unknown')}"
    lines = [
        "# Failovers under Patroni",
        "",
        f"Written by `make test-patroni` on: {machine}; {version}, three nodes and etcd, three Rollbook processes, six "
        f"clients. Faults: `ROLLBOOK_TEST_PATRONI={','.join(FAULTS)}`.",
        "",
        "`deploy/patroni/patroni.yml`, with `ttl: 20`: Patroni waits that long before it replaces a leader.",
        "",
        "| the leader was | another was promoted after | next acknowledged write after | longest time without one |",
        "|---|---|---|---|",
        *(
            f"| {each.fault} | {each.promoted:.1f} s | {each.written:.1f} s | {each.silent:.1f} s |"
            for each in failovers
        ),
        "",
        f"{len(outcomes)} writes: {counts} without a known outcome; {len(load.reads)} reads.",
        f"Lost, doubled, phantom, or out of order: {len(problems)}.",
        "",
    ]
    return "\n".join(lines)
