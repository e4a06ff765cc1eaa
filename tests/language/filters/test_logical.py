"""Logic over filters."""

import pytest

from tests.language.filters.matching import matching

DOCUMENTS = {
    "neither": {},
    "a": {"a": 1},
    "b": {"b": 1},
    "both": {"a": 1, "b": 1},
    "array": {"a": [1, 2]},
}


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ({}, ["neither", "a", "b", "both", "array"]),
        ({"a": 1, "b": 1}, ["both"]),
        ({"$and": [{"a": 1}, {"b": 1}]}, ["both"]),
        ({"$and": [{"a": 1}]}, ["a", "both", "array"]),
        ({"$and": [{}]}, ["neither", "a", "b", "both", "array"]),
        ({"$or": [{"a": 1}, {"b": 1}]}, ["a", "b", "both", "array"]),
        ({"$or": [{"b": 1}]}, ["b", "both"]),
        ({"$or": [{"b": 1}, {"b": 2}, {"a": 2}]}, ["b", "both", "array"]),
        ({"$or": [{}, {"a": 2}]}, ["neither", "a", "b", "both", "array"]),
        ({"$nor": [{"a": 1}, {"b": 1}]}, ["neither"]),
        ({"$nor": [{"b": 1}]}, ["neither", "a", "array"]),
        ({"a": 1, "$or": [{"b": 1}, {"a": 2}]}, ["both", "array"]),
        ({"a": {"$not": {"$eq": 1}}}, ["neither", "b"]),
        ({"a": {"$not": {"$gt": 1}}}, ["neither", "a", "b", "both"]),
        ({"a": {"$not": {"$gt": 0, "$lt": 2}}}, ["neither", "b"]),  # not both, and 1 is both
        ({"a": {"$not": {"$gt": 1}, "$exists": True}}, ["a", "both"]),
        ({"a": {"$not": {"$not": {"$eq": 2}}}}, ["array"]),
        ({"a": {"$not": {"$regex": "x"}}}, ["neither", "a", "b", "both", "array"]),
        ({"a": 1, "$comment": "why"}, ["a", "both", "array"]),
        ({"$alwaysTrue": 1}, ["neither", "a", "b", "both", "array"]),
        ({"$alwaysFalse": 1.0}, []),
    ],
)
def test_logic_combines_filters(filter, names):
    assert matching(filter, DOCUMENTS) == names


@pytest.mark.parametrize("length", [63, 64, 65])
def test_long_lists_of_filters_mean_what_short_ones_do(length):
    last = {"last": {"a": length - 1}, "beyond": {"a": length}, "first": {"a": 0}}
    assert matching({"$or": [{"a": number} for number in range(length)]}, last) == ["last", "first"]
    assert matching({"$and": [{"a": {"$ne": number}} for number in range(length)]}, last) == ["beyond"]
