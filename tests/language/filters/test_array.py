"""Conditions on arrays: what all the elements hold, what one element meets, how many there are."""

import pytest

from tests.language.filters.matching import matching

DOCUMENTS = {
    "absent": {},
    "null": {"a": None},
    "5": {"a": 5},
    "[]": {"a": []},
    "[5]": {"a": [5]},
    "[5,7]": {"a": [5, 7]},
    "[[5,7]]": {"a": [[5, 7]]},
    "[[5,7],7]": {"a": [[5, 7], 7]},
    "{x:5}": {"a": {"x": 5}},
    "[{x:5},{y:7}]": {"a": [{"x": 5}, {"y": 7}]},
    "[{x:5,y:7}]": {"a": [{"x": 5, "y": 7}]},
    "[[]]": {"a": [[]]},
    "[{}]": {"a": [{}]},
}


@pytest.mark.parametrize(
    ("operand", "names"),
    [
        ([], []),
        ([5], ["5", "[5]", "[5,7]"]),
        ([7, 5], ["[5,7]"]),
        ([[5, 7]], ["[5,7]", "[[5,7]]", "[[5,7],7]"]),  # the array itself, or an element
        ([[5, 7], 7], ["[5,7]", "[[5,7],7]"]),
        ([None], ["absent", "null"]),
        ([{"x": 5}, {"y": 7}], ["[{x:5},{y:7}]"]),
        ([{"$elemMatch": {"x": 5}}], ["[{x:5},{y:7}]", "[{x:5,y:7}]"]),
        ([{"$elemMatch": {"x": 5}}, {"$elemMatch": {"y": 7}}], ["[{x:5},{y:7}]", "[{x:5,y:7}]"]),
        ([{"$elemMatch": {"$gt": 5}}, {"$elemMatch": {"$lt": 6}}], ["[5,7]"]),
    ],
)
def test_all_wants_every_value_somewhere_in_the_array(operand, names):
    assert matching({"a": {"$all": operand}}, DOCUMENTS) == names


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({"x": 5, "y": 7}, ["[{x:5,y:7}]"]),  # one element at once
        ({"x": 5, "y": None}, ["[{x:5},{y:7}]"]),
        ({"x": {"$ne": 5}}, ["[[5,7]]", "[[5,7],7]", "[{x:5},{y:7}]", "[[]]", "[{}]"]),  # only objects and arrays
        ({}, ["[[5,7]]", "[[5,7],7]", "[{x:5},{y:7}]", "[{x:5,y:7}]", "[[]]", "[{}]"]),
        ({"0": 5}, ["[[5,7]]", "[[5,7],7]"]),  # an array has its indexes as fields
        ({"$or": [{"x": 6}, {"y": 7}]}, ["[{x:5},{y:7}]", "[{x:5,y:7}]"]),
        ({"$and": [{"x": 5}, {"y": 7}]}, ["[{x:5,y:7}]"]),
        ({"$gt": 5}, ["[5,7]", "[[5,7],7]"]),  # an array in the array is not looked into
        ({"$gt": 5, "$lt": 6}, []),
        ({"$gte": 5, "$lt": 6}, ["[5]", "[5,7]"]),
        ({"$eq": [5, 7]}, ["[[5,7]]", "[[5,7],7]"]),
        ({"$in": [7, 8]}, ["[5,7]", "[[5,7],7]"]),
        ({"$nin": [5, 7]}, ["[[5,7]]", "[[5,7],7]", "[{x:5},{y:7}]", "[{x:5,y:7}]", "[[]]", "[{}]"]),
        (
            {"$not": {"$gte": 6}},
            ["[5]", "[5,7]", "[[5,7]]", "[[5,7],7]", "[{x:5},{y:7}]", "[{x:5,y:7}]", "[[]]", "[{}]"],
        ),
        ({"$elemMatch": {"$gt": 6}}, ["[[5,7]]", "[[5,7],7]"]),
        ({"$size": 2}, ["[[5,7]]", "[[5,7],7]"]),
        ({"$size": 0}, ["[[]]"]),
        ({"$type": "object"}, ["[{x:5},{y:7}]", "[{x:5,y:7}]", "[{}]"]),
        ({"$exists": True}, [name for name in DOCUMENTS if name.startswith("[") and name != "[]"]),
        ({"$exists": False}, []),
    ],
)
def test_elem_match_wants_one_element_that_meets_everything(condition, names):
    assert matching({"a": {"$elemMatch": condition}}, DOCUMENTS) == names


def test_elem_match_looks_at_every_array_that_the_path_finds():
    documents = {"first": {"a": [{"b": [1, 9]}, {"b": [4]}]}, "none": {"a": [{"b": [1]}, {"b": 4}]}}
    assert matching({"a.b": {"$elemMatch": {"$gt": 3, "$lt": 5}}}, documents) == ["first"]


@pytest.mark.parametrize(
    ("size", "names"),
    [
        (0, ["[]"]),
        (1, ["[5]", "[[5,7]]", "[{x:5,y:7}]", "[[]]", "[{}]"]),
        (2.0, ["[5,7]", "[[5,7],7]", "[{x:5},{y:7}]"]),
        (3, []),
        (2**31 - 1, []),
    ],
)
def test_size_counts_the_elements_of_the_array_itself(size, names):
    assert matching({"a": {"$size": size}}, DOCUMENTS) == names
