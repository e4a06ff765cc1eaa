"""Results that are to be stored or returned, and values that grow in full but not in memory."""

import math
from typing import Any

import pytest

from rollbook.errors import ExpressionRefused, WorkExceeded
from rollbook.language.expressions import checked_result
from rollbook.limits import Limits
from tests.language.expressions.evaluating import refusal_of, value_of


def doubled(times: int, body: Any) -> Any:
    """An expression that holds ``$a`` two to the ``times``."""
    for _ in range(times):
        body = {"$let": {"vars": {"a": ["$$a", "$$a"]}, "in": body}}
    return {"$let": {"vars": {"a": "$a"}, "in": body}}


@pytest.mark.parametrize("value", [5, None, "text", 1.5, [], {"a": [1.5, {"b": "x"}]}])
def test_what_json_can_hold_passes(value: Any) -> None:
    assert checked_result(value) is value


@pytest.mark.parametrize(
    ("value", "where"), [(math.inf, "inf"), ([-math.inf], "at /0"), ({"a": [1, {"b": math.nan}]}, "at /a/1/b")]
)
def test_numbers_that_json_cannot_hold_are_refused(value: Any, where: str) -> None:
    with pytest.raises(ExpressionRefused, match=where) as refusal:
        checked_result(value, at="/$set/total")
    assert refusal.value.at == "/$set/total"


def test_a_value_that_is_endless_in_full_is_refused() -> None:
    value = value_of(doubled(60, "$$a"), {"a": 1})
    with pytest.raises(WorkExceeded):
        checked_result(value)


def test_a_value_that_is_endless_in_full_is_not_compared() -> None:
    assert isinstance(refusal_of(doubled(60, {"$eq": ["$$a", "$$a"]}), {"a": 1}), WorkExceeded)
    assert isinstance(refusal_of(doubled(60, {"$max": ["$$a", 1]}), {"a": 1}), WorkExceeded)


def test_a_long_string_many_times_is_refused() -> None:
    with pytest.raises(WorkExceeded):
        checked_result(["x" * 1_000_000] * 1_000)


def test_a_result_may_be_as_deep_as_a_body() -> None:
    limits = Limits(body_depth_max=3)
    assert checked_result([[["x"]]], limits=limits) == [[["x"]]]
    with pytest.raises(WorkExceeded):
        checked_result([[[["x"]]]], limits=limits)
