"""Interleaved rounds: in each, every contestant has the same load for the same time, one after the other.

Theory: all servers run all the time, pinned to one core, and only the one that is asked has work; so all meet the same
machine, whatever else it does meanwhile. The figure of a contestant is the median of its rounds.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.serving.contestants import Contestant
from benchmarks.serving.driving import Figures, checked, drive, drive_slow
from benchmarks.serving.materials import Materials
from benchmarks.serving.workloads import Call, Workload

SETTLE_SECONDS = 0.2
PATIENCE_SECONDS = 4.0
"""A single request that takes longer is measured in one round only."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure."""

    rounds: int
    seconds: int
    folder: Path


def measure(
    workload: Workload, contestants: Sequence[Contestant], materials: Materials, plan: Plan
) -> Mapping[str, Figures | str]:
    """The figures of every contestant that knows the workload, by name; or what was wrong with its answers."""
    calls = workload.calls(materials)
    results: dict[str, list[Figures]] = {}
    faults: dict[str, str] = {}
    took: dict[str, float] = {}
    able = [each for each in contestants if workload.name in each.rival.workloads]
    for contestant in able:
        try:
            took[contestant.rival.name] = checked(contestant.target, calls)
        except Exception as trouble:
            faults[contestant.rival.name] = str(trouble)
            contestant.start_again()
    for number in range(plan.rounds):
        for contestant in able:
            name = contestant.rival.name
            if name in faults or (number and took[name] > PATIENCE_SECONDS):
                continue
            try:
                results.setdefault(name, []).append(_run(contestant, calls, workload, plan, number, took[name]))
            except Exception as trouble:
                faults[name] = str(trouble)
                contestant.start_again()
    return {name: middle(rounds) for name, rounds in results.items() if name not in faults} | faults


def _run(
    contestant: Contestant, calls: Sequence[Call], workload: Workload, plan: Plan, number: int, took: float
) -> Figures:
    time.sleep(SETTLE_SECONDS)
    start = number * 1_000_003
    if took * workload.clients > plan.seconds / 2:  # one of so many clients would hardly be answered in time
        return drive_slow(contestant.target, calls, seconds=plan.seconds, start=start)
    return drive(
        contestant.target, calls, clients=workload.clients, seconds=plan.seconds, start=start, folder=plan.folder
    )


def middle(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(
        sum(each.requests for each in rounds),
        median(each.requests_per_second for each in rounds),
        median(each.p50_ms for each in rounds),
        median(each.p99_ms for each in rounds),
        median(each.cpu_us for each in rounds),
        rounds[0].clients,
    )
