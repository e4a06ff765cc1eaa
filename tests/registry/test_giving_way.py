"""A process that writes among others gives way after each batch of its own, and never when it is alone."""

import pytest

from rollbook.registry.writing.giving_way import LATELY_SECONDS, PAUSE_SECONDS_MAX, GivingWay


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def courtesy(clock: Clock) -> GivingWay:
    return GivingWay(lambda: 1.0, clock=clock)


def write(courtesy: GivingWay, clock: Clock, seconds: float) -> None:
    """One batch of the process's own, which takes so long."""
    courtesy.begins()
    clock.now += seconds
    courtesy.wrote()


def test_a_process_that_is_alone_never_waits(courtesy: GivingWay, clock: Clock) -> None:
    write(courtesy, clock, 0.01)
    assert courtesy.pause_seconds == 0


def test_after_its_own_batch_a_process_waits_while_others_have_written_lately(
    courtesy: GivingWay, clock: Clock
) -> None:
    courtesy.others_wrote()
    assert courtesy.pause_seconds == 0
    write(courtesy, clock, 0.01)
    assert courtesy.pause_seconds == pytest.approx(0.03)
    clock.now += 0.02
    assert courtesy.pause_seconds == pytest.approx(0.01)
    write(courtesy, clock, 1.0)
    assert courtesy.pause_seconds == pytest.approx(PAUSE_SECONDS_MAX)
    clock.now += LATELY_SECONDS
    write(courtesy, clock, 0.01)
    assert courtesy.pause_seconds == 0


def test_who_has_read_what_others_wrote_goes_at_once(courtesy: GivingWay, clock: Clock) -> None:
    courtesy.others_wrote()
    write(courtesy, clock, 0.01)
    courtesy.others_wrote()
    assert courtesy.pause_seconds == 0
