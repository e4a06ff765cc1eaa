"""``$jsonSchema``: draft 4 as MongoDB has it."""

import pytest

from tests.language.filters.matching import matches, refused_code

OF_ONE_FIELD = [
    ({"type": "number"}, [1, 2.5, 2**40], ["1", None, True, [1], {}]),
    ({"type": ["string", "null"]}, ["", None], [0, False, []]),
    ({"type": "boolean"}, [True, False], [0]),
    ({"type": "array"}, [[], [1]], [{}]),
    ({"bsonType": "int"}, [1], [1.0, 2**40]),
    ({"bsonType": "number"}, [1, 1.0, 2**40], ["1"]),
    ({"bsonType": ["bool", "object"]}, [True, {}], [[], 1]),
    ({"bsonType": "date"}, [], ["2024-01-01", None]),
    ({"enum": [1, "a", {"x": 1, "y": 2}]}, [1, 1.0, "a", {"y": 2, "x": 1}], [True, "b", [1], {"x": 1}]),
    ({"enum": [{"x": 1, "y": 2}, [1]]}, [{"y": 2, "x": 1}, [1]], [{"x": 1, "y": 3}, [2], []]),
    ({"maximum": 5}, [5, -1.5, "9", None], [5.1]),
    ({"maximum": 5, "exclusiveMaximum": True}, [4.9, "9"], [5, 5.0]),
    ({"maximum": 5, "exclusiveMaximum": False}, [5], [6]),
    ({"minimum": 5}, [5, "1"], [4.9]),
    ({"minimum": 5, "exclusiveMinimum": True}, [5.1], [5]),
    ({"multipleOf": 0.1}, [0.3, 2, -0.7, "x"], [0.35]),
    ({"multipleOf": 3}, [0, 9, -6, 6.0], [7, 6.5]),
    ({"multipleOf": 2}, [10**17], [10**17 + 1]),
    ({"maxLength": 2}, ["ab", "éé", 123], ["abc"]),
    ({"maxLength": 0}, [""], ["a"]),
    ({"maxLength": 2**63 - 1}, ["a"], []),
    ({"minLength": 2}, ["ab", 1], ["é", ""]),
    ({"pattern": "^x"}, ["xy", 5], ["yx"]),
    ({"items": {"type": "string"}}, [["a"], [], "no array"], [["a", 1]]),
    ({"items": [{"type": "string"}, {"type": "number"}]}, [["a", 1, None], ["a"], []], [[1], ["a", "b"]]),
    ({"items": [{}], "additionalItems": False}, [[1], []], [[1, 2]]),
    ({"items": [{}], "additionalItems": {"type": "number"}}, [["a", 1]], [[1, "a"]]),
    ({"items": {}, "additionalItems": False}, [[1, 2]], []),
    ({"maxItems": 1}, [[], [1], "xy"], [[1, 2]]),
    ({"minItems": 1.0}, [[1], ""], [[]]),
    ({"uniqueItems": True}, [[1, True, "1"], [], 5], [[1, 1.0], [{"x": 1, "y": 2}, {"y": 2, "x": 1}]]),
    ({"uniqueItems": False}, [[1, 1]], []),
    ({"properties": {"x": {"type": "number"}}}, [{"x": 1}, {}, 5, [{"x": "a"}]], [{"x": "a"}]),
    ({"required": ["x", "y"]}, [{"x": 1, "y": None}, 5], [{"x": 1}]),
    ({"patternProperties": {"^n": {"type": "number"}}}, [{"n": 1, "x": "a"}], [{"nn": "a"}]),
    (
        {"properties": {"x": {}}, "patternProperties": {"^n": {}}, "additionalProperties": False},
        [{"x": 1, "n1": 2}, {}, 5],
        [{"y": 1}],
    ),
    ({"additionalProperties": {"type": "number"}}, [{"x": 1}], [{"x": "a"}]),
    ({"additionalProperties": True}, [{"x": "a"}], []),
    ({"dependencies": {"x": ["y"]}}, [{"x": 1, "y": 1}, {"y": 1}, 5], [{"x": 1}]),
    ({"dependencies": {"x": {"maxProperties": 1}}}, [{"x": 1}, {"y": 1, "z": 1}], [{"x": 1, "y": 1}]),
    ({"maxProperties": 1}, [{}, {"x": 1}, 5], [{"x": 1, "y": 1}]),
    ({"minProperties": 1}, [{"x": 1}, 5], [{}]),
    ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, [1, 3, "x"], [0, 4]),
    ({"anyOf": [{"maximum": 1}, {"minimum": 3}]}, [1, 3], [2]),
    ({"oneOf": [{"minimum": 1}, {"minimum": 3}]}, [1, 2], [0, 3]),
    ({"not": {"type": "string"}}, [1, None], ["x"]),
    ({"title": "t", "description": "d"}, [1, None], []),
    ({}, [1, None, {}], []),
]


@pytest.mark.parametrize(("schema", "satisfying", "breaking"), OF_ONE_FIELD)
def test_a_keyword_speaks_of_values_of_its_type(schema, satisfying, breaking):
    of_field = {"$jsonSchema": {"properties": {"a": schema}}}
    assert [value for value in satisfying + breaking if matches(of_field, {"a": value})] == satisfying
    assert matches(of_field, {})  # a property may be absent


@pytest.mark.parametrize(
    ("schema", "matching"),
    [
        ({"type": "object"}, True),
        ({"type": "string"}, False),
        ({"required": ["a"], "maximum": 1}, True),
        ({"enum": [{"a": 5}]}, True),
        ({"minProperties": 2}, False),
    ],
)
def test_the_whole_document_is_an_object(schema, matching):
    assert matches({"$jsonSchema": schema}, {"a": 5}) is matching


def test_a_schema_can_be_asked_of_elements_and_negated():
    filter = {"a": {"$elemMatch": {"$jsonSchema": {"required": ["x", "y"]}}}}
    assert matches(filter, {"a": [{"x": 1}, {"x": 1, "y": 2}]})
    assert not matches(filter, {"a": [{"x": 1}, {"y": 2}]})
    assert matches({"$nor": [{"$jsonSchema": {"required": ["a"]}}]}, {})


MISTYPED, MALFORMED, UNKNOWN = 14, 9, 2


@pytest.mark.parametrize(
    ("schema", "code", "at"),
    [
        (5, MISTYPED, ""),
        ({"type": 5}, MISTYPED, "/type"),
        ({"type": ["string", 5]}, MISTYPED, "/type"),
        ({"type": []}, MALFORMED, "/type"),
        ({"type": "int"}, UNKNOWN, "/type"),
        ({"type": "integer"}, MALFORMED, "/type"),
        ({"type": ["string", "string"]}, MALFORMED, "/type"),
        ({"bsonType": "boolean"}, UNKNOWN, "/bsonType"),
        ({"type": "string", "bsonType": "string"}, MALFORMED, "/type"),
        ({"enum": 5}, MISTYPED, "/enum"),
        ({"enum": []}, MALFORMED, "/enum"),
        ({"enum": [1, 1.0]}, MALFORMED, "/enum"),
        ({"maximum": "5"}, MISTYPED, "/maximum"),
        ({"exclusiveMaximum": True}, MALFORMED, "/exclusiveMaximum"),
        ({"maximum": 5, "exclusiveMaximum": 1}, MISTYPED, "/exclusiveMaximum"),
        ({"multipleOf": 0}, MALFORMED, "/multipleOf"),
        ({"multipleOf": True}, MISTYPED, "/multipleOf"),
        ({"minLength": -1}, MALFORMED, "/minLength"),
        ({"maxLength": 2.0**63}, MALFORMED, "/maxLength"),
        ({"maxLength": 1.5}, MALFORMED, "/maxLength"),
        ({"maxItems": "1"}, MALFORMED, "/maxItems"),
        ({"minItems": 1e300}, MALFORMED, "/minItems"),
        ({"pattern": 5}, MISTYPED, "/pattern"),
        ({"pattern": "("}, 51091, "/pattern"),
        ({"items": 5}, MISTYPED, "/items"),
        ({"items": [{}, 5]}, MISTYPED, "/items/1"),
        ({"additionalItems": 1}, MISTYPED, "/additionalItems"),
        ({"uniqueItems": 1}, MISTYPED, "/uniqueItems"),
        ({"properties": []}, MISTYPED, "/properties"),
        ({"properties": {"a": {"properties": {"b": 5}}}}, MISTYPED, "/properties/a/properties/b"),
        ({"patternProperties": {"(": {}}}, 51091, "/patternProperties/("),
        ({"additionalProperties": "no"}, MISTYPED, "/additionalProperties"),
        ({"required": "a"}, MISTYPED, "/required"),
        ({"required": []}, MALFORMED, "/required"),
        ({"required": ["a", 5]}, MISTYPED, "/required/1"),
        ({"required": ["a", "a"]}, MALFORMED, "/required"),
        ({"dependencies": 5}, MISTYPED, "/dependencies"),
        ({"dependencies": {"a": 5}}, MISTYPED, "/dependencies/a"),
        ({"dependencies": {"a": []}}, MALFORMED, "/dependencies/a"),
        ({"dependencies": {"a": ["b", 5]}}, MISTYPED, "/dependencies/a/1"),
        ({"dependencies": {"a": ["b", "b"]}}, MALFORMED, "/dependencies/a"),
        ({"allOf": {}}, MISTYPED, "/allOf"),
        ({"anyOf": []}, UNKNOWN, "/anyOf"),
        ({"oneOf": [5]}, MISTYPED, "/oneOf/0"),
        ({"not": True}, MISTYPED, "/not"),
        ({"title": 5}, MISTYPED, "/title"),
        ({"description": None}, MISTYPED, "/description"),
        ({"format": "email"}, MALFORMED, "/format"),
        ({"$ref": "#/a"}, MALFORMED, "/$ref"),
        ({"const": 5}, MALFORMED, "/const"),
    ],
)
def test_what_is_no_schema_is_refused_where_it_stands(schema, code, at):
    assert refused_code({"$jsonSchema": schema}) == (code, f"/$jsonSchema{at}")
