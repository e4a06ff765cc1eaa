"""Whether there is a value, and of which type."""

import pytest

from tests.language.filters.matching import matching

DOCUMENTS = {
    "absent": {},
    "null": {"a": None},
    "bool": {"a": True},
    "int": {"a": 2**31 - 1},
    "long": {"a": 2**31},
    "double": {"a": 1.0},
    "string": {"a": "x"},
    "object": {"a": {}},
    "[]": {"a": []},
    "[int]": {"a": [5]},
    "[[]]": {"a": [[]]},
}

PRESENT = [name for name in DOCUMENTS if name != "absent"]


@pytest.mark.parametrize("operand", [True, 1, 5.5, "", {}, []])
def test_existence_is_asked_with_anything_true(operand):
    assert matching({"a": {"$exists": operand}}, DOCUMENTS) == PRESENT


@pytest.mark.parametrize("operand", [False, 0, 0.0, None])
def test_absence_is_asked_with_anything_false(operand):
    assert matching({"a": {"$exists": operand}}, DOCUMENTS) == ["absent"]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("null", ["null"]),
        (10, ["null"]),
        ("bool", ["bool"]),
        ("int", ["int", "[int]"]),
        (16.0, ["int", "[int]"]),
        ("long", ["long"]),
        ("double", ["double"]),
        ("number", ["int", "long", "double", "[int]"]),
        ("string", ["string"]),
        ("object", ["object"]),
        ("array", ["[]", "[int]", "[[]]"]),
        (4, ["[]", "[int]", "[[]]"]),
        (["string", 1, "string"], ["double", "string"]),
        (["number", "null"], ["null", "int", "long", "double", "[int]"]),
        ("date", []),  # a type of MongoDB's that JSON has not
        (-1, []),
        (127, []),
    ],
)
def test_types_are_mongodbs(kind, names):
    assert matching({"a": {"$type": kind}}, DOCUMENTS) == names
