"""What heartbeats say, at the boundaries of the states; when a document has to say so; when a silence is a mass one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.clusters.liveness import (
    ClockReading,
    Lease,
    StatusOverride,
    has_run_out,
    interruption_between,
    is_flapping,
    is_mass_silence,
    liveness_after,
    liveness_of,
    mark_after,
    mass_window_seconds,
    step_due,
    turns_within,
)
from rollbook.documents.values import MISSING

ALWAYS = -math.inf
MARK = StatusOverride("unreachable", "live")


def lease(
    *, ttl_seconds: int = 30, beat_at: float = 100.0, noted: bool = False, mark: StatusOverride | None = None
) -> Lease:
    return Lease("west", 1, ttl_seconds, beat_at, 0, noted=noted, mark=mark)


@pytest.mark.parametrize(
    ("age", "liveness"),
    [
        (0, "alive"),
        (14.999, "alive"),
        (15, "alive"),  # exactly half is not past half
        (15.001, "late"),
        (30, "late"),  # exactly all is not past all
        (30.001, "silent"),
        (86_400, "silent"),
    ],
)
def test_past_half_of_the_lease_is_late_and_past_all_of_it_silent(age: float, liveness: str) -> None:
    assert liveness_of(lease(ttl_seconds=30), 100 + age, ALWAYS) == liveness


@pytest.mark.parametrize(("age", "liveness"), [(0.5, "alive"), (0.501, "late"), (1, "late"), (1.001, "silent")])
def test_the_shortest_lease_has_halves_too(age: float, liveness: str) -> None:
    assert liveness_of(lease(ttl_seconds=1), 100 + age, ALWAYS) == liveness


@pytest.mark.parametrize(
    ("now", "liveness"),
    [
        (110, "alive"),  # the beat is young enough, whatever the registry missed
        (125, "late"),
        (131, "unknown"),  # it may have sent a beat that nobody heard
        (150, "unknown"),  # exactly a lease after the registry began to listen
        (150.001, "silent"),
    ],
)
def test_a_registry_that_began_to_listen_in_between_can_not_tell_silence(now: float, liveness: str) -> None:
    assert liveness_of(lease(ttl_seconds=30), now, listening_since=120) == liveness


def test_a_silence_that_was_noted_stays_one_whatever_the_registry_misses() -> None:
    assert liveness_of(lease(noted=True), 500, listening_since=499) == "silent"


@given(
    ttl=st.integers(1, 86_400),
    since=st.floats(-1e5, 1e5),
    ages=st.lists(st.floats(0, 2e5), min_size=2, max_size=2).map(sorted),
)
def test_states_follow_each_other_in_one_order(ttl: int, since: float, ages: list[float]) -> None:
    order = ["alive", "late", "unknown", "silent"]
    earlier, later = (liveness_after(0, ttl, age, since) for age in ages)
    assert order.index(earlier) <= order.index(later)


@given(ttl=st.integers(1, 86_400), age=st.floats(0, 2e5))
def test_a_registry_that_always_listened_knows(ttl: int, age: float) -> None:
    assert liveness_after(0, ttl, age, ALWAYS) != "unknown"
    assert (liveness_after(0, ttl, age, ALWAYS) == "silent") == has_run_out(
        lease(ttl_seconds=ttl, beat_at=0), age, ALWAYS
    )


@pytest.mark.parametrize(
    ("now", "noted", "mark", "held", "step"),
    [
        (130, False, None, False, None),
        (130.001, False, None, False, "mark"),
        (130.001, False, None, True, None),
        (130.001, True, MARK, False, None),  # once is enough
        (130.001, False, MARK, False, "mark"),  # silent again before the mark was taken back
        (101, False, MARK, False, "restore"),
        (101, False, MARK, True, "restore"),  # a beat is a beat, in a hold too
        (101, False, None, False, None),
    ],
)
def test_a_silence_is_marked_once_and_a_mark_is_taken_back_by_a_beat(
    now: float, noted: bool, mark: StatusOverride | None, held: bool, step: str | None
) -> None:
    assert step_due(lease(noted=noted, mark=mark), now, ALWAYS, held=held) == step


@pytest.mark.parametrize(
    ("mark", "before", "after", "by_registry", "left"),
    [
        (None, "live", "unreachable", True, StatusOverride("unreachable", "live")),
        (None, MISSING, "unreachable", True, StatusOverride("unreachable", MISSING)),
        (None, "live", "unreachable", False, None),  # somebody's own word
        (MARK, "unreachable", "unreachable", False, MARK),  # another field was written
        (MARK, "unreachable", "maintenance", False, None),
        (None, "maintenance", "unreachable", False, None),
        (MARK, "unreachable", "live", True, None),
        (MARK, "unreachable", MISSING, False, None),
    ],
)
def test_a_status_that_somebody_else_writes_leaves_no_mark(mark, before, after, by_registry, left) -> None:
    assert mark_after(mark, before, after, by_registry=by_registry, unreachable="unreachable") == left


@pytest.mark.parametrize(
    ("silent", "under_lease", "mass"),
    [
        (9, 9, False),  # too few to tell
        (10, 10, True),
        (2, 10, False),
        (3, 10, True),  # exactly 30 %
        (29, 100, False),
        (30, 100, True),
        (3, 11, False),
        (0, 1_000, False),
    ],
)
def test_thirty_percent_of_at_least_ten_is_a_mass_silence(silent: int, under_lease: int, mass: bool) -> None:
    assert is_mass_silence(silent, under_lease) is mass


@pytest.mark.parametrize(("ttl", "window"), [(1, 5), (5, 5), (30, 30), (86_400, 86_400)])
def test_a_silence_counts_for_the_length_of_its_lease(ttl: int, window: float) -> None:
    assert mass_window_seconds(ttl) == window


def test_four_turns_in_ten_minutes_are_flapping() -> None:
    now_ms = 1_000_000
    assert is_flapping((now_ms - 600_000, now_ms - 3, now_ms - 2, now_ms), now_ms)
    assert not is_flapping((now_ms - 600_001, now_ms - 3, now_ms - 2, now_ms), now_ms)
    assert turns_within((now_ms + 1, now_ms, now_ms - 600_000), now_ms) == 2


@pytest.mark.parametrize(
    ("seconds", "unix_ms", "kind"),
    [
        (0.1, 100, None),
        (1.0, 1000, None),
        (1.001, 1001, "paused"),
        (60, 60_000, "paused"),
        (0.1, 1100, None),  # a jump of a second exactly
        (0.1, 1101, "clock-jumped"),
        (0.1, -901, "clock-jumped"),
        (0.1, 3_600_100, "clock-jumped"),
        (0.1, -3_599_900, "clock-jumped"),
        (60, 100, "clock-jumped"),  # the process slept and the clock was set back: one of them is enough
    ],
)
def test_two_looks_at_the_clocks_tell_a_pause_and_a_jump(seconds: float, unix_ms: int, kind: str | None) -> None:
    told = interruption_between(ClockReading(0, 0), ClockReading(seconds, unix_ms))
    assert (told.kind if told else None) == kind


def test_an_interruption_says_what_happened() -> None:
    def sentence(seconds: float, unix_ms: int) -> str:
        told = interruption_between(ClockReading(0, 0), ClockReading(seconds, unix_ms))
        assert told is not None
        return told.sentence

    assert sentence(60, 60_000) == "the registry was paused for 60.0 s"
    assert sentence(0, 3_600_000) == "the clock jumped forward by 3600.0 s"
    assert sentence(0, -3_600_000) == "the clock jumped back by 3600.0 s"
