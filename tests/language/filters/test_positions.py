"""The element that positional ``$`` stands for after a filter matched."""

import pytest

from rollbook.language.filters import compile_filter, first_match, parse_filter

DOCUMENT = {
    "status": "live",
    "a": [1, 2, 3, 2],
    "b": [4, 5, 6, 7],
    "n": [{"x": 1, "t": [7]}, {"x": 2, "t": [8, 9]}, {"x": 2, "y": 3}],
    "deep": {"list": [10, 20]},
    "nested": [[1], [2, 3]],
}


@pytest.mark.parametrize(
    ("filter", "index"),
    [
        ({"a": 2}, 1),
        ({"a": {"$gte": 3}}, 2),
        ({"a": {"$in": [3, 2]}}, 1),
        ({"n.x": 2}, 1),
        ({"n.t": 9}, 1),  # in the outer array
        ({"n": {"$elemMatch": {"x": 2, "y": 3}}}, 2),
        ({"n.t": {"$elemMatch": {"$gt": 8}}}, 1),
        ({"n.t": {"$elemMatch": {"$eq": 8}}}, 1),
        ({"nested": {"$elemMatch": {"$elemMatch": {"$eq": 3}}}}, 1),
        ({"deep.list": 20}, 1),
        ({"a": {"$all": [3, 1]}}, 0),  # the last condition says
        ({"a": 3, "b": 4}, 0),
        ({"b": 4, "a": 3}, 2),
        ({"$and": [{"a": 3}, {"status": "live"}]}, 2),
        ({"$or": [{"a": 3}, {"a": {"$in": [2]}}]}, 1),  # equalities on one path are one $in
        ({"$or": [{"a": 3}]}, 2),
        ({"a": 3, "n.0.x": 1}, 2),  # an index in the path is no position
        ({"n.1.t": 9}, 1),  # but an array below it is
        ({"status": "live"}, None),
        ({"a": [1, 2, 3, 2]}, None),
        ({"n.0.x": 1}, None),
        ({"a": {"$size": 4}}, None),
        ({"nested": {"$size": 2}}, None),  # the array itself
        ({"$or": [{"a": 3}, {"status": "live"}]}, None),
        ({"$or": [{"a": {"$gt": 2}}, {"a": 1}]}, None),
        ({"a": {"$ne": 9}}, None),
        ({"a": {"$not": {"$elemMatch": {"$eq": 9}}}}, None),
        ({"$nor": [{"a": 9}]}, None),
        ({}, None),
    ],
)
def test_the_last_condition_that_went_through_an_array_says_the_position(filter, index):
    parsed = parse_filter(filter)
    assert compile_filter(parsed)(DOCUMENT)
    assert first_match(parsed, DOCUMENT) == index


@pytest.mark.parametrize(
    "filter",
    [
        {"a": 9},
        {"a": 2, "b": 9},
        {"n": {"$elemMatch": {"x": 1, "y": 3}}},
        {"n": {"$elemMatch": {"x": 9}}, "a": 2},
        {"$and": [{"$and": [{"a": 9}, {"b": 4}]}, {"a": 2}]},
        {"nested": {"$elemMatch": {"$gt": 2}}},
        {"deep": {"$elemMatch": {"$eq": "list"}}},
    ],
)
def test_without_a_match_there_is_no_position(filter):
    assert first_match(parse_filter(filter), DOCUMENT) is None
