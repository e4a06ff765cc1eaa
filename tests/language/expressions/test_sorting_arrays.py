"""The order of an array's elements."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.expressions.evaluating import code_of, value_of


def sort(array: Any, by: Any) -> Any:
    return {"$sortArray": {"input": {"$literal": array}, "sortBy": by}}


@pytest.mark.parametrize(
    ("array", "by", "value"),
    [
        ([3, 1, 2], 1, [1, 2, 3]),
        ([3, 1, 2], -1.0, [3, 2, 1]),
        ([True, [1], {"a": 1}, "a", 1, None], 1, [None, 1, "a", {"a": 1}, [1], True]),
        ([{"a": 2}, {"a": 1}], {"a": 1}, [{"a": 1}, {"a": 2}]),
        ([{"a": {"b": 1}}, {"a": {"b": 2}}], {"a.b": -1}, [{"a": {"b": 2}}, {"a": {"b": 1}}]),
        # The second field decides among equals of the first; what is left equal stays in its order.
        (
            [{"a": 1, "b": 1, "n": 1}, {"a": 2, "b": 0}, {"a": 1, "b": 2}, {"a": 1, "b": 1, "n": 2}],
            {"a": 1, "b": -1},
            [{"a": 1, "b": 2}, {"a": 1, "b": 1, "n": 1}, {"a": 1, "b": 1, "n": 2}, {"a": 2, "b": 0}],
        ),
        ([{"a": 1}, {"b": 1}, {"a": None}, 7], {"a": 1}, [{"b": 1}, {"a": None}, 7, {"a": 1}]),
        ([{"a": [3, 1]}, {"a": [2]}], {"a": 1}, [{"a": [2]}, {"a": [3, 1]}]),  # an array counts as a whole
        ([{"a": [{"b": 2}]}, {"a": [{"b": 1}]}], {"a.0.b": 1}, [{"a": [{"b": 1}]}, {"a": [{"b": 2}]}]),
        (
            [{"a": 2}, {"a": {"b": 1}}, {"a": {"b": {"c": 1}}}],
            {"a.b.c": -1},
            [{"a": {"b": {"c": 1}}}, {"a": 2}, {"a": {"b": 1}}],
        ),
        ([{"a": [1]}, {"a": [1, 2]}], {"a.1": 1}, [{"a": [1]}, {"a": [1, 2]}]),
        ([{"a": [1, 2]}, {"a": [1]}], {"a.1": 1}, [{"a": [1]}, {"a": [1, 2]}]),
        ([{"a": [{"b": 1}]}, {"a": 0}], {"a.b": -1}, [{"a": [{"b": 1}]}, {"a": 0}]),  # no array is looked into
        (None, 1, None),
        (None, {"a": 1}, None),
    ],
)
def test_an_array_is_put_in_order(array: Any, by: Any, value: Any) -> None:
    assert value_of(sort(array, by)) == value


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$sortArray": [1]}, 2942500),
        ({"$sortArray": {"input": [1], "sortBy": 1, "limit": 1}}, 2942501),
        ({"$sortArray": {"sortBy": 1}}, 2942502),
        ({"$sortArray": {"input": [1]}}, 2942503),
        (sort("a", 1), 2942504),
        (sort([1], {}), 2942505),
        (sort([1], {"a": 2}), 2942505),
        (sort([1], {"a": True}), 2942505),
        (sort([1], {"a..b": 1}), 2942505),
        (sort([1], 2), 2942506),
        (sort([1], 0), 2942506),
        (sort([1], {"a": -2}), 2942505),
        (sort([1], {"a": "1"}), 2942505),
        (sort([1], "$order"), 2942507),
        (sort([1], True), 2942507),
    ],
)
def test_an_order_is_refused(expression: Any, code: int) -> None:
    assert code_of(expression) == code


@given(st.lists(st.none() | st.booleans() | st.integers() | st.text(max_size=2)))
def test_a_sorted_array_is_in_order_and_has_the_same_elements(array: list[Any]) -> None:
    ordered = value_of(sort(array, 1))

    assert all(value_of({"$lte": [{"$literal": a}, {"$literal": b}]}) for a, b in pairwise(ordered))
    assert sorted(map(repr, ordered)) == sorted(map(repr, array))
