"""Strings as wholes: null, types and case as MongoDB has them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.expressions.evaluating import code_of, value_of

WEST = {"name": "West", "owner": None, "gpus": 8, "é": "é"}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"$concat": ["$name", "-", "1"]}, "West-1"),
        ({"$concat": []}, ""),
        ({"$concat": ["$name", None]}, None),
        ({"$concat": ["$nothing", 7]}, None),  # null decides before 7 is looked at
        ({"$split": ["a--b-", "-"]}, ["a", "", "b", ""]),
        ({"$split": ["", "-"]}, [""]),
        ({"$split": ["a.b", "\\."]}, ["a.b"]),  # a delimiter is no regular expression
        ({"$split": [None, 7]}, None),
        ({"$split": [7, "$nothing"]}, None),
        ({"$strLenCP": "né🎉"}, 3),
        ({"$strLenBytes": "né🎉"}, 7),
        ({"$strLenBytes": "plain"}, 5),
        ({"$toUpper": "straße é"}, "STRAßE é"),
        ({"$toLower": "ÉCOLE İ"}, "\u00c9cole İ"),
        ({"$toUpper": "$owner"}, ""),
        ({"$toLower": "$nothing"}, ""),
        ({"$toLower": 1e20}, "1e+20"),
        ({"$toUpper": 1e20}, "1E+20"),
        ({"$toLower": 123456.789}, "123457"),
        ({"$toLower": -0.0}, "-0"),
        ({"$toLower": 2**53}, "9007199254740992"),
        ({"$toLower": {"$toLong": 5}}, "5"),
        ({"$toLower": 2**63 - 1}, "9223372036854775807"),
        ({"$toLower": -(2**63)}, "-9223372036854775808"),
        ({"$toLower": 2**63}, "9.22337e+18"),
        ({"$strcasecmp": ["west", "WEST"]}, 0),
        ({"$strcasecmp": ["a", "_"]}, -1),  # letters compare as capitals, which stand before "_"
        ({"$strcasecmp": ["é", "É"]}, 1),
        ({"$strcasecmp": [3.0, "3"]}, 0),
        ({"$strcasecmp": ["$owner", ""]}, 0),
        ({"$strcasecmp": ["$nothing", "a"]}, -1),
    ],
)
def test_a_string_operator_gives(expression: Any, value: Any) -> None:
    assert value_of(expression, WEST) == value


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$concat": ["a", 7, None]}, 16702),
        ({"$concat": "$gpus"}, 16702),
        ({"$split": ["a"]}, 16020),
        ({"$split": [7, "-"]}, 40085),
        ({"$split": ["a", 7]}, 10503900),
        ({"$split": ["a", ""]}, 40087),
        ({"$strLenCP": "$owner"}, 34471),
        ({"$strLenCP": ["$name", "$name"]}, 16020),
        ({"$strLenBytes": "$nothing"}, 34473),
        ({"$toUpper": True}, 16007),
        ({"$toLower": [["a"]]}, 16007),
        ({"$toLower": {"a": 1}}, 16007),
        ({"$strcasecmp": ["$owner", False]}, 16007),
        ({"$strcasecmp": "a"}, 16020),
    ],
)
def test_a_string_operator_refuses(expression: Any, code: int) -> None:
    assert code_of(expression, WEST) == code


@given(text=st.text(), delimiter=st.text(min_size=1))
def test_what_is_split_joins_again(text: str, delimiter: str) -> None:
    parts = value_of({"$split": ["$text", "$delimiter"]}, {"text": text, "delimiter": delimiter})

    assert delimiter.join(parts) == text
    assert not any(delimiter in part for part in parts)


@given(st.text(), st.text())
def test_lengths_add_up_when_texts_are_joined(left: str, right: str) -> None:
    for length in ("$strLenCP", "$strLenBytes"):
        together = {length: {"$concat": ["$left", "$right"]}}
        apart = {"$add": [{length: "$left"}, {length: "$right"}]}
        assert value_of({"$eq": [together, apart]}, {"left": left, "right": right})


@given(st.text())
def test_a_text_compares_equal_to_itself_in_capitals(text: str) -> None:
    assert value_of({"$strcasecmp": ["$text", {"$toUpper": "$text"}]}, {"text": text}) == 0
    assert value_of({"$strcasecmp": [{"$toLower": "$text"}, "$text"]}, {"text": text}) == 0
