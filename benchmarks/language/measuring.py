"""Interleaved measurements: in each round everybody does the job once, so that all meet the same machine.

One rule: whoever gives another answer than the first contestant is not measured, and the report says so.
"""

import gc
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.language.contestants import Documents, Entry, Prepare
from benchmarks.language.workloads import Request


@dataclass(frozen=True, slots=True)
class Measured:
    """The median milliseconds of each contestant, and what was wrong with those that have none."""

    milliseconds: Mapping[str, float] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


def measure(contestants: Mapping[str, Prepare], documents: Documents, request: Request, *, rounds: int) -> Measured:
    """What each contestant takes for the request on the documents."""
    entries = {name: prepare(documents, deepcopy(request)) for name, prepare in contestants.items()}
    answers = {name: answer_of(entry) for name, entry in entries.items()}
    reference = next(iter(answers.values()))
    assert isinstance(reference, list), f"the first contestant refuses {request}: {reference}"
    faults = {name: fault_of(answer, reference) for name, answer in answers.items()}
    able = {name: entry for name, entry in entries.items() if faults[name] is None}
    times = interleaved({name: entry.job for name, entry in able.items()}, rounds=rounds)
    return Measured(
        {name: median(own) * 1000 for name, own in times.items()},
        {name: fault for name, fault in faults.items() if fault is not None},
    )


def answer_of(entry: Entry) -> Any:
    """The answer, or the exception that there is instead."""
    try:
        return entry.answer(entry.job())
    except Exception as refusal:
        return refusal


def fault_of(answer: Any, reference: Any) -> str | None:
    """What is wrong with an answer, in words."""
    if isinstance(answer, Exception):
        return "refused"
    return None if answer == reference else "another answer"


def interleaved(jobs: Mapping[str, Callable[[], Any]], *, rounds: int) -> dict[str, list[float]]:
    """The seconds of processor time that each job took in each round, without the collector of cyclic garbage."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, job in jobs.items():
                began = time.process_time()
                job()
                times[name].append(time.process_time() - began)
    finally:
        gc.enable()
    return times
