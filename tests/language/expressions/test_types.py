"""Types and conversions between them."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.expressions.evaluating import code_of, refusal_of, value_of


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "bool"),
        (5, "int"),
        (2**31, "long"),
        (2**63, "double"),
        (5.0, "double"),
        ("", "string"),
        ([], "array"),
        ({}, "object"),
    ],
)
def test_the_type_of_a_value_has_mongodbs_name(value: Any, expected: str) -> None:
    assert value_of({"$type": "$value"}, {"value": value}) == expected
    assert value_of({"$isNumber": "$value"}, {"value": value}) is (expected in {"int", "long", "double"})


def test_the_type_of_nothing_is_missing() -> None:
    assert value_of({"$type": "$absent"}) == "missing"
    assert value_of({"$isNumber": "$absent"}) is False


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$toInt": "42"}, 42),
        ({"$toInt": "-007"}, -7),
        ({"$toInt": -1.9}, -1),
        ({"$toInt": True}, 1),
        ({"$toInt": [None]}, None),
        ({"$toInt": "$absent"}, None),
        ({"$toInt": -(2**31)}, -(2**31)),
        ({"$toInt": 2**31 - 1}, 2**31 - 1),
        ({"$toInt": "+7"}, 7),
        ({"$toInt": "0" * 399 + "7"}, 7),
        ({"$toInt": False}, 0),
        ({"$toLong": "-9223372036854775808"}, -(2**63)),
        ({"$toDouble": 2.2250738585072014e-308}, 2.2250738585072014e-308),
        ({"$toDouble": "2.2250738585072014e-308"}, 2.2250738585072014e-308),
        ({"$toDouble": "-inf"}, -math.inf),
        ({"$toDouble": "-0X.8P+1"}, -1.0),
        ({"$toDouble": True}, 1.0),
        ({"$toString": 2**63}, "9.223372036854776e+18"),
        ({"$toString": 2**63 - 1}, "9223372036854775807"),
        ({"$toString": -(2**63)}, "-9223372036854775808"),
        ({"$toString": -math.inf}, "-Infinity"),
        ({"$toString": math.nan}, "NaN"),
        ({"$toString": True}, "true"),
        ({"$toBool": math.nan}, True),
        ({"$toLong": "9223372036854775807"}, 2**63 - 1),
        ({"$toLong": -(2.0**63)}, -(2**63)),
        ({"$toDouble": "1.5e-3"}, 0.0015),
        ({"$toDouble": ".5"}, 0.5),
        ({"$toDouble": "5."}, 5.0),
        ({"$toDouble": "-Infinity"}, -math.inf),
        ({"$toDouble": "+0x1p-1"}, 0.5),
        ({"$toDouble": "-0e-999"}, 0),
        ({"$toBool": "false"}, True),
        ({"$toBool": 0.0}, False),
        ({"$toBool": [[]]}, True),
        ({"$toString": "2.50"}, "2.50"),
        ({"$toString": None}, None),
        ({"$toDouble": None}, None),
        ({"$toLong": None}, None),
        ({"$toBool": None}, None),
        ({"$toString": 2.5}, "2.5"),
        ({"$toString": 2.0}, "2"),
        ({"$toString": -0.0}, "-0"),
        ({"$toString": 1e16}, "1e+16"),
        ({"$toString": 9e-05}, "9e-05"),
        ({"$toString": {"$toLong": 7}}, "7"),
        ({"$toString": False}, "false"),
        ({"$toString": {"$exp": 1000}}, "Infinity"),
    ],
)
def test_a_value_is_converted_as_mongodb_converts_it(expression: Any, expected: Any) -> None:
    assert value_of(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$toInt": {"$toLong": 5}}, "int"),
        ({"$toLong": 5}, "long"),
        ({"$toLong": 2**31 - 1}, "long"),
        ({"$toLong": -(2**31)}, "long"),
        ({"$toDouble": 5}, "double"),
    ],
)
def test_a_converted_number_has_the_type_asked_for(expression: Any, expected: str) -> None:
    assert value_of({"$type": expression}) == expected


@pytest.mark.parametrize(
    "expression",
    [
        {"$toInt": ""},
        {"$toInt": " 1"},
        {"$toInt": "1.0"},
        {"$toInt": "1_000"},
        {"$toInt": "0x1"},
        {"$toInt": "1\n"},
        {"$toInt": "\u0661"},
        {"$toInt": "9" * 5000},
        {"$toInt": 2**31},
        {"$toInt": 2147483647.5},
        {"$toInt": {"$exp": 1000}},
        {"$toInt": [[1]]},
        {"$toInt": {"a": 1}},
        {"$toLong": 2.0**63},
        {"$toLong": "9223372036854775808"},
        {"$toDouble": "0x1p0"},
        {"$toDouble": "1e309"},
        {"$toDouble": "1e-400"},
        {"$toDouble": "2.2250738585072e-308"},
        {"$toDouble": "+0x1p5000"},
        {"$toInt": "0" * 400 + "7"},
        {"$toInt": -(2**31) - 1},
        {"$toLong": "-9223372036854775809"},
        {"$toDouble": "1e"},
        {"$toDouble": "1 "},
        {"$toDouble": "."},
        {"$toDouble": {}},
        {"$toString": [[1, 2]]},
        {"$toString": {}},
        {"$convert": {"input": "x", "to": "int"}},
        {"$convert": {"input": 1, "to": "array"}},
        {"$convert": {"input": 1, "to": 0}},
        {"$convert": {"input": "2024-01-01", "to": "date"}},
        {"$convert": {"input": 1, "to": "decimal"}},
        {"$convert": {"input": "YQ==", "to": "binData", "format": "base64"}},
    ],
)
def test_what_cannot_be_converted_is_a_conversion_failure(expression: Any) -> None:
    assert code_of(expression) == 241


@pytest.mark.parametrize("name", ["$toInt", "$toLong", "$toDouble", "$toBool", "$toString"])
def test_a_conversion_takes_one_argument(name: str) -> None:
    assert code_of({name: []}) == 50723
    assert code_of({name: [1, 2]}) == 50723


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"input": "42", "to": "int"}, 42),
        ({"input": "42", "to": 16}, 42),
        ({"input": "42", "to": {"type": "int"}}, 42),
        ({"input": "42", "to": "$target"}, 42),
        ({"input": "x", "to": "int", "onError": "$fallback"}, "none"),
        ({"input": 42, "to": "objectId", "onError": "$fallback"}, "none"),
        ({"input": None, "to": "int", "onNull": "$fallback"}, "none"),
        ({"input": "$absent", "to": "int"}, None),
        ({"input": "$absent", "to": None, "onNull": 1}, 1),
        ({"input": "42", "to": "$absent", "onNull": 1, "onError": 2}, None),
        ({"input": None, "to": "int", "format": 5, "byteOrder": 6}, None),
        ({"input": 42, "to": "string", "format": "hex", "byteOrder": "big"}, "42"),
    ],
)
def test_convert_takes_a_target_and_what_stands_for_failures(arguments: Any, expected: Any) -> None:
    assert value_of({"$convert": arguments}, {"target": "int", "fallback": "none"}) == expected


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (1, 9),
        ({"input": 1}, 9),
        ({"to": "int"}, 9),
        ({"input": 1, "to": "int", "other": 1}, 9),
        ({"input": 1, "to": "integer"}, 2),
        ({"input": None, "to": "integer"}, 2),
        ({"input": 1, "to": 99}, 9),
        ({"input": 1, "to": 1.5}, 9),
        ({"input": 1, "to": True}, 9),
        ({"input": 1, "to": {"subtype": 0}}, 9),
        ({"input": 1, "to": "int", "format": 1}, 4341114),
        ({"input": 1, "to": "int", "format": "base32"}, 4341125),
        ({"input": "$one", "to": "int", "format": "$one"}, 4341114),
        ({"input": "$one", "to": "int", "byteOrder": "$one"}, 9130001),
        ({"input": 1, "to": "int", "byteOrder": 1}, 9130001),
        ({"input": 1, "to": "int", "byteOrder": "middle"}, 9130002),
        ({"input": "YQ==", "to": "binData"}, 4341115),
        ({"input": 1, "to": {"type": "binData", "subtype": 1.5}}, 4341106),
        ({"input": 1, "to": {"type": "binData", "subtype": 10}}, 4341107),
        ({"input": 1, "to": {"type": "binData", "subtype": 127}}, 4341107),
        ({"input": 1, "to": {"type": "binData", "subtype": 256}}, 4341107),
        ({"input": 1, "to": {"type": "binData", "subtype": 2**31 - 1}}, 4341107),
        ({"input": 1, "to": {"type": "binData", "subtype": -(2**31)}}, 4341107),
        ({"input": 1, "to": {"type": "binData", "subtype": 2**31}}, 4341106),
        ({"input": 1, "to": {"type": "binData", "subtype": -(2**31) - 1}}, 4341106),
        ({"input": 1, "to": {"type": "binData", "subtype": 9}}, 241),
        ({"input": 1, "to": {"type": "binData", "subtype": 128}}, 241),
        ({"input": 1, "to": {"type": "binData"}}, 241),
        ({"input": 1, "to": "missing"}, 2),
        ({"input": 1, "to": {"type": "binData", "subtype": "0"}}, 4341108),
    ],
)
def test_arguments_that_convert_does_not_take_are_refused_in_spite_of_on_error(arguments: Any, code: int) -> None:
    assert code_of({"$convert": arguments}, {"one": 1}) == code
    if isinstance(arguments, dict):
        assert code_of({"$convert": arguments | {"onError": 0}}, {"one": 1}) == code


def test_a_refusal_quotes_100_characters_of_a_text() -> None:
    assert refusal_of({"$toInt": "x" * 100}).message == f"$toInt: '{'x' * 100}' is no integer"
    assert refusal_of({"$toInt": "x" * 101}).message == f"$toInt: '{'x' * 100}...' is no integer"
    assert refusal_of({"$toInt": [[1]]}).message == "$toInt: can't convert from array to int"
    assert refusal_of({"$convert": {"input": 1, "to": "array"}}).message == "$convert: can't convert from int to array"


def test_a_fallback_does_not_hide_that_json_has_no_dates() -> None:
    assert code_of({"$convert": {"input": "2024-01-01", "to": "date", "onError": "none"}}) == 241


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_a_double_survives_its_text(number: float) -> None:
    assert value_of({"$toDouble": {"$toString": "$number"}}, {"number": number}) == number


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_long_survives_its_text(number: int) -> None:
    assert value_of({"$toLong": {"$toString": "$number"}}, {"number": number}) == number
