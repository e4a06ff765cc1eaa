"""Signals to a command that works for long: what is in hand is counted, unless nothing more comes."""

import asyncio
import os
import signal

import pytest

from rollbook.cli import stopping


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "GIVING_UP_SECONDS", 0.0)


async def ends(*, signals: int, ends_by_itself: bool) -> bool:
    """Whether the work in hand comes to its end after some signals."""
    done = False
    with stopping.stopping(ends_by_itself=ends_by_itself) as stop:
        for _ in range(signals):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.02)
        done = True
    assert stop.is_set()
    return done


async def test_work_that_always_ends_is_given_up_at_the_second_signal() -> None:
    assert await ends(signals=1, ends_by_itself=True)
    assert not await ends(signals=2, ends_by_itself=True)


async def test_work_of_which_nothing_more_may_come_is_given_up_at_the_first() -> None:
    assert not await ends(signals=1, ends_by_itself=False)
