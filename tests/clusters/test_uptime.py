"""Uptime: how time without beats was spent, and the shares of slots and days."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.clusters.liveness import Lease
from rollbook.clusters.uptime import (
    DAYS_KEPT,
    SLOTS_KEPT,
    Spent,
    day_of_slot,
    day_shares,
    slot_of,
    slot_shares,
    spent_between,
    sums,
)

ALWAYS = -math.inf
SLOT = 900


def lease(*, ttl_seconds: int = 10, noted: bool = False) -> Lease:
    """A lease that was last renewed at 0."""
    return Lease("west", 1, ttl_seconds, 0.0, 0, noted=noted)


@pytest.mark.parametrize(
    ("start", "end", "since", "spent"),
    [
        (0, 5, ALWAYS, Spent(5, 0, 0)),
        (0, 10, ALWAYS, Spent(5, 5, 0)),
        (0, 25, ALWAYS, Spent(5, 5, 15)),
        (4, 6, ALWAYS, Spent(1, 1, 0)),
        (7, 8, ALWAYS, Spent(0, 1, 0)),
        (20, 25, ALWAYS, Spent(0, 0, 5)),
        (20, 35, 20, Spent(0, 0, 5)),  # a grace from 20 to 30: unknown, and counted as nothing
        (2, 2, ALWAYS, Spent(0, 0, 0)),
    ],
)
def test_time_without_beats_is_alive_then_late_then_silent(start, end, since, spent) -> None:
    assert spent_between(lease(), start, end, since) == spent


def test_a_noted_silence_is_silent_throughout() -> None:
    assert spent_between(lease(noted=True), 100, 130, listening_since=99) == Spent(0, 0, 30)


@given(cuts=st.lists(st.floats(0, 100), min_size=2, max_size=6).map(sorted), since=st.floats(-10, 100))
def test_counting_in_pieces_is_counting_at_once(cuts: list[float], since: float) -> None:
    whole = spent_between(lease(), cuts[0], cuts[-1], since)
    pieces = [spent_between(lease(), *piece, since) for piece in pairwise(cuts)]
    assert [sum(column) for column in zip(*pieces, strict=True)] == pytest.approx(list(whole))
    assert sum(whole) <= cuts[-1] - cuts[0] + 1e-9


def test_slots_and_days_are_those_of_utc() -> None:
    assert slot_of(899.999) == 0
    assert slot_of(900) == 1
    assert day_of_slot(slot_of(86_399)) == 0
    assert day_of_slot(slot_of(86_400)) == 1


def test_there_are_the_slots_of_a_day_and_ninety_days_the_newest_last() -> None:
    now = 1_000 * SLOT + 450
    slots, days = slot_shares({}, now), day_shares({}, now)
    assert (len(slots), len(days)) == (SLOTS_KEPT, DAYS_KEPT) == (96, 90)
    assert [slots[0].begins, slots[-1].begins] == [905 * SLOT, 1_000 * SLOT]
    assert [days[0].begins, days[-1].begins] == [(10 - 89) * 86_400, 10 * 86_400]
    assert all(share.unknown == 1 for share in (*slots, *days))


def test_a_share_is_one_of_the_time_that_has_passed() -> None:
    now = 1_000 * SLOT + 450  # the newest slot is half over
    *_, before, newest = slot_shares({999: Spent(450, 90, 180), 1_000: Spent(360, 45, 0)}, now)
    assert before[1:] == (0.5, 0.1, 0.2, 0.2)
    assert newest[1:] == (0.8, 0.1, 0, 0.1)


def test_a_slot_that_was_counted_twice_has_shares_all_the_same() -> None:
    *_, newest = slot_shares({1_000: Spent(900, 0, 900)}, 1_000 * SLOT + 100)  # the clock went back
    assert newest[1:] == (0.5, 0, 0.5, 0)


def test_a_slot_that_has_just_begun_is_unknown() -> None:
    *_, newest = slot_shares({}, 1_000 * SLOT)
    assert newest[1:] == (0, 0, 0, 1)


@given(st.lists(st.floats(0, 900), min_size=3, max_size=3), st.floats(0, 899))
def test_shares_add_up_to_one(spent: list[float], elapsed: float) -> None:
    *_, newest = slot_shares({1_000: Spent(*spent)}, 1_000 * SLOT + elapsed)
    assert sum(newest[1:]) == pytest.approx(1, abs=1e-5)
    assert all(0 <= share <= 1 for share in newest[1:])


def test_what_is_known_twice_is_added_up() -> None:
    assert sums([(1, Spent(1, 2, 3)), (2, Spent(1, 0, 0)), (1, Spent(1, 1, 1))]) == {1: (2, 3, 4), 2: (1, 0, 0)}
