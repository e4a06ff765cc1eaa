"""Threads for what computes for long: what a stop ends, and what it leaves alone."""

import asyncio
import gc
import threading
import time
import weakref

import pytest

from rollbook.errors import Overloaded, WorkExceeded
from rollbook.limits import RequestBudget
from rollbook.registry.computing import ComputingThreads


async def test_a_stop_ends_what_runs_what_waits_and_what_comes_later() -> None:
    computing = ComputingThreads()
    lane = computing.lane("test", threads=1)
    started = threading.Event()

    def endless(budget: RequestBudget) -> None:
        started.set()
        while True:
            budget.spend()

    budgets = [RequestBudget() for _ in range(3)]
    running, waiting = (asyncio.ensure_future(lane.run(lambda b=b: endless(b), b)) for b in budgets[:2])
    await asyncio.to_thread(started.wait)
    computing.end_by(time.monotonic())
    later = lane.run(lambda: 1, budgets[2])
    for job in (running, waiting, later):
        with pytest.raises(Overloaded, match="the registry is stopping"):
            await job
    lane.close()


async def test_what_ends_in_time_is_done_though_a_stop_has_begun() -> None:
    computing = ComputingThreads()
    lane = computing.lane("test", threads=1)
    computing.end_by(time.monotonic() + 60)
    assert await lane.run(lambda: 1, RequestBudget()) == 1
    lane.close()


async def test_a_lane_that_is_closed_ends_its_own_work_only() -> None:
    computing = ComputingThreads()
    closed, other = computing.lane("closed", threads=1), computing.lane("other", threads=1)
    started, budget, others = threading.Event(), RequestBudget(), RequestBudget()

    def endless() -> None:
        started.set()
        while True:
            budget.spend()

    running = asyncio.ensure_future(closed.run(endless, budget))
    await asyncio.to_thread(started.wait)
    closed.close()
    with pytest.raises(Overloaded):
        await running
    assert await other.run(lambda: 1, others) == 1
    other.close()


async def test_what_waited_for_a_thread_until_its_time_was_over_is_not_begun() -> None:
    lane = ComputingThreads().lane("test", threads=1)
    with pytest.raises(WorkExceeded):
        await lane.run(lambda: pytest.fail("it was begun"), RequestBudget(deadline=time.monotonic() - 1))
    lane.close()


async def test_a_refusal_does_not_hold_what_was_computed_before_it() -> None:
    """The frame that awaits a future holds it, and the future the refusal: a circle, if the refusal held frames."""
    lane = ComputingThreads().lane("test", threads=1)
    made: list[weakref.ref[object]] = []

    class Large:
        pass

    def refused(budget: RequestBudget) -> None:
        large = Large()
        made.append(weakref.ref(large))
        budget.stop()
        budget.check()

    budget = RequestBudget()
    running = asyncio.ensure_future(lane.run(lambda: refused(budget), budget))
    gc.disable()
    try:
        with pytest.raises(WorkExceeded):
            await running
        assert made[0]() is None
    finally:
        gc.enable()
    lane.close()
