"""MongoDB's order over values, and equality as it sees it."""

from itertools import pairwise

import pytest
from hypothesis import given

from rollbook.documents.ordering import bracket, compare, equal, sort_key
from rollbook.documents.values import MISSING, Int64
from tests.language.filters.values import VALUES

IN_ORDER = [
    MISSING,
    None,
    float("nan"),
    float("-inf"),
    -1,
    0,
    0.5,
    2**53,
    2**53 + 1,
    float("inf"),
    "",
    "A",
    "a",
    "é",
    "ﬀ",
    "😀",
    {},
    {"a": 1},
    {"a": 1, "b": 0},
    {"a": 2},
    {"b": 1},
    {"a": "1"},
    [],
    [1],
    [1, 1],
    [2],
    ["1"],
    False,
    True,
]


def test_values_of_all_types_have_one_order():
    backwards = IN_ORDER[::-1]
    assert sorted(backwards, key=sort_key) == IN_ORDER
    for earlier, later in pairwise(IN_ORDER):
        assert (compare(earlier, later), compare(later, earlier)) == (-1, 1)


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, 1.0), (0.0, -0.0), (Int64(5), 5), ([1, {"a": 2}], [1.0, {"a": 2.0}]), (float("nan"), float("nan"))],
)
def test_equal_values_have_one_key(left, right):
    assert equal(left, right)
    assert hash(sort_key(left)) == hash(sort_key(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, True), (0, False), (None, MISSING), ("1", 1), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ([], {}), ([1], 1)],
)
def test_values_that_python_or_people_take_for_equal_may_differ(left, right):
    assert not equal(left, right)


def test_ranges_compare_within_a_bracket():
    assert bracket(float("nan")) == bracket(Int64(5)) == bracket(2.5)
    assert len({bracket(value) for value in (None, 5, "5", {}, [], True)}) == 6


@given(VALUES, VALUES, VALUES)
def test_the_order_is_total(first, second, third):
    assert compare(first, second) == -compare(second, first)
    assert equal(first, second) is (compare(first, second) == 0)
    if compare(first, second) <= 0 and compare(second, third) <= 0:
        assert compare(first, third) <= 0
