"""Comparison: equality, ranges and lists, on every type that JSON has."""

import pytest

from tests.language.filters.matching import matching

DOCUMENTS = {
    "absent": {},
    "null": {"a": None},
    "zero": {"a": 0},
    "one": {"a": 1},
    "three": {"a": 3},
    "3.0": {"a": 3.0},
    "four": {"a": 4},
    "'3'": {"a": "3"},
    "'ab'": {"a": "ab"},
    "false": {"a": False},
    "true": {"a": True},
    "{}": {"a": {}},
    "{x,y}": {"a": {"x": 1, "y": 2}},
    "{y,x}": {"a": {"y": 2, "x": 1}},
    "{x:true,y}": {"a": {"x": True, "y": 2}},
    "[]": {"a": []},
    "[3]": {"a": [3]},
    "[3,'ab']": {"a": [3, "ab"]},
    "['ab',3]": {"a": ["ab", 3]},
    "[null]": {"a": [None]},
    "[[3]]": {"a": [[3]]},
}


@pytest.mark.parametrize(
    ("operand", "names"),
    [
        (3, ["three", "3.0", "[3]", "[3,'ab']", "['ab',3]"]),  # not [[3]]: only one array is looked into
        (3.0, ["three", "3.0", "[3]", "[3,'ab']", "['ab',3]"]),
        (1, ["one"]),  # true is no number
        (True, ["true"]),
        (0, ["zero"]),
        (False, ["false"]),
        ("3", ["'3'"]),
        ("ab", ["'ab'", "[3,'ab']", "['ab',3]"]),
        (None, ["absent", "null", "[null]"]),
        ({}, ["{}"]),
        ({"x": 1.0, "y": 2}, ["{x,y}"]),  # the order of fields counts
        ([], ["[]"]),
        ([3], ["[3]", "[[3]]"]),  # the array itself, or an element that is one
        ([3, "ab"], ["[3,'ab']"]),
    ],
)
def test_equality_finds_equal_values_and_arrays_that_hold_one(operand, names):
    assert matching({"a": operand}, DOCUMENTS) == names
    assert matching({"a": {"$eq": operand}}, DOCUMENTS) == names
    assert matching({"a": {"$in": [operand]}}, DOCUMENTS) == names
    assert matching({"a": {"$ne": operand}}, DOCUMENTS) == [name for name in DOCUMENTS if name not in names]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({"$gt": 3}, ["four"]),
        ({"$gte": 3}, ["three", "3.0", "four", "[3]", "[3,'ab']", "['ab',3]"]),
        ({"$lt": 3}, ["zero", "one"]),
        ({"$lte": 1}, ["zero", "one"]),
        ({"$gt": "3"}, ["'ab'", "[3,'ab']", "['ab',3]"]),
        ({"$lt": "ab"}, ["'3'"]),
        ({"$gt": False}, ["true"]),
        ({"$lte": False}, ["false"]),
        ({"$gte": None}, ["absent", "null", "[null]"]),  # null equals null, and missing is null
        ({"$lte": None}, ["absent", "null", "[null]"]),
        ({"$gt": None}, []),
        ({"$lt": None}, []),
        ({"$gt": {"x": 1, "y": 1}}, ["{x,y}", "{y,x}", "{x:true,y}"]),  # field by field: type, name, value
        ({"$lt": {"x": 1}}, ["{}"]),
        ({"$gt": [3]}, ["[3,'ab']", "['ab',3]", "[[3]]"]),  # arrays compare as wholes
        ({"$lte": [3]}, ["[]", "[3]", "[null]", "[[3]]"]),
        ({"$gt": 3, "$lt": 5}, ["four"]),
        ({"$gt": 1, "$lt": 3}, []),
    ],
)
def test_ranges_compare_values_of_one_type(condition, names):
    assert matching({"a": condition}, DOCUMENTS) == names


def test_each_end_of_a_range_may_be_met_by_another_element():
    assert matching({"a": {"$gt": 5, "$lt": 5}}, {"both ends": {"a": [1, 9]}, "one end": {"a": [9]}}) == ["both ends"]


@pytest.mark.parametrize(
    ("operands", "names"),
    [
        ([], []),
        (["3", "ab"], ["'3'", "'ab'", "[3,'ab']", "['ab',3]"]),
        ([0, 4], ["zero", "four"]),
        ([0.0, 4.0], ["zero", "four"]),
        ([None, 4], ["absent", "null", "four", "[null]"]),
        ([True, "3"], ["'3'", "true"]),
        ([[3], {}], ["{}", "[3]", "[[3]]"]),
    ],
)
def test_a_list_finds_values_equal_to_any_of_it(operands, names):
    assert matching({"a": {"$in": operands}}, DOCUMENTS) == names
    assert matching({"a": {"$nin": operands}}, DOCUMENTS) == [name for name in DOCUMENTS if name not in names]


def test_numbers_beyond_53_bits_compare_exactly():
    near = {"integer": {"a": 2**53 + 1}, "double": {"a": float(2**53)}}
    assert matching({"a": 2**53 + 1}, near) == ["integer"]
    assert matching({"a": {"$gt": 2.0**53}}, near) == ["integer"]


def test_text_compares_by_code_point():
    words = {"Z": {"a": "Z"}, "a": {"a": "a"}, "é": {"a": "é"}, "😀": {"a": "😀"}, "ﬀ": {"a": "ﬀ"}}
    assert matching({"a": {"$gt": "ﬀ"}}, words) == ["😀"]
    assert matching({"a": {"$lt": "a"}}, words) == ["Z"]


def test_a_dbref_is_a_value_and_not_operators():
    link = {"$ref": "clusters", "$id": 5}
    assert matching({"a": link}, {"link": {"a": link}, "other": {"a": {**link, "$id": 6}}}) == ["link"]
    assert matching({"a.$id": 5}, {"link": {"a": link}, "other": {"a": {**link, "$id": 6}}}) == ["link"]
