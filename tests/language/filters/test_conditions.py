"""Conditions on single values, as ``$pull`` and projections use them."""

import pytest

from rollbook.errors import FilterRefused
from rollbook.language.filters import compile_condition, parse_condition

VALUES = [4, 5, "5", None, [5], [[5]], {"b": 5}]


@pytest.mark.parametrize(
    ("condition", "into_arrays", "met"),
    [
        ({"$gte": 5}, True, [5, [5]]),
        ({"$gte": 5}, False, [5]),
        (5, True, [5, [5]]),
        (5, False, [5]),
        ({"b": 5}, True, [{"b": 5}]),
        ({"$ne": 5}, True, [4, "5", None, [[5]], {"b": 5}]),
        ({"$ne": 5}, False, [4, "5", None, [5], [[5]], {"b": 5}]),
        ({"$all": [5, 5]}, True, [5, [5]]),
        ({"$size": 1}, True, [[5], [[5]]]),
        ({"$size": 1}, False, [[5], [[5]]]),
        ({"$elemMatch": {"$gt": 4}}, True, [[5]]),
        ({"$elemMatch": {"$gt": 4}}, False, [[5]]),
        ({"$exists": False}, True, []),
        ({"$not": {"$type": "array"}, "$gt": 3}, True, [4, 5]),
    ],
)
def test_a_condition_is_met_by_a_value(condition, into_arrays, met):
    holds = compile_condition(parse_condition(condition), into_arrays=into_arrays)
    assert [value for value in VALUES if holds(value)] == met


def test_a_refused_condition_says_where():
    with pytest.raises(FilterRefused) as caught:
        parse_condition({"$gt": 5, "$between": [1, 2]}, at="/$pull/a")
    assert (caught.value.at, caught.value.mongo_code) == ("/$pull/a/$between", 2)
    with pytest.raises(FilterRefused) as caught:
        parse_condition({"$between": [1, 2]})
    assert caught.value.at == "/$between"
