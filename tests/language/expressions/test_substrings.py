"""Parts of strings, by bytes and by code points: ``né🎉`` is 7 bytes and 3 code points."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.expressions.evaluating import code_of, value_of

TEXTS = {"text": "né🎉", "null": None}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"$substrBytes": ["$text", 1, 2]}, "é"),
        ({"$substrBytes": ["$text", 3, -1]}, "🎉"),
        ({"$substrBytes": ["$text", 7, 1]}, ""),
        ({"$substrBytes": ["$text", 2**63 - 1, 1]}, ""),
        ({"$substrBytes": ["west", 2, -(2**63)]}, "st"),
        ({"$substrBytes": ["west", 2, 2**63 - 1]}, "st"),
        ({"$substrBytes": ["$text", 99, -5]}, ""),
        ({"$substrBytes": ["west", 0.9, 2.9]}, "we"),  # fractions are cut off
        ({"$substrBytes": ["west", -0.9, 2]}, "we"),
        ({"$substr": [314, 0, 2]}, "31"),
        ({"$substr": ["$null", 0, 2]}, ""),
        ({"$substrBytes": ["$nothing", 0, 2]}, ""),
        ({"$substrCP": ["$text", 1, 1]}, "é"),
        ({"$substrCP": ["$text", 1, 99]}, "é🎉"),
        ({"$substrCP": ["$text", 3, 1]}, ""),
        ({"$substrCP": ["$text", 1.0, 0]}, ""),
        ({"$substrCP": ["$null", 0, 1]}, ""),
        ({"$indexOfBytes": ["$text", "🎉"]}, 3),
        ({"$indexOfBytes": ["abab", "b"]}, 1),
        ({"$indexOfBytes": ["abab", "a"]}, 0),
        ({"$indexOfCP": ["abab", "b"]}, 1),
        ({"$indexOfCP": ["abab", "a"]}, 0),
        ({"$indexOfBytes": ["$text", "🎉", 4]}, -1),
        ({"$indexOfBytes": ["$text", "🎉", 0, 6]}, -1),  # all of it must stand before the end
        ({"$indexOfBytes": ["west", "", 4]}, 4),
        ({"$indexOfBytes": ["west", "", 5]}, -1),
        ({"$indexOfBytes": ["west", "", 2, 1]}, -1),
        ({"$indexOfCP": ["$text", "🎉"]}, 2),
        ({"$indexOfCP": ["$text", "é🎉", 0, 2]}, 1),  # it must only begin before the end
        ({"$indexOfCP": ["$text", "🎉", 0, 2]}, -1),
        ({"$indexOfCP": ["west", "", 4]}, -1),
        ({"$indexOfCP": ["west", "", 3]}, 3),
        ({"$indexOfCP": ["", ""]}, 0),
        ({"$indexOfCP": ["", "", 1]}, -1),
        ({"$indexOfCP": ["west", "t", 2.0, 4.0]}, 3),
        ({"$indexOfBytes": ["$null", 7, "x"]}, None),
        ({"$indexOfCP": ["$nothing", "a", -1]}, None),
    ],
)
def test_a_part_of_a_string_is(expression: Any, value: Any) -> None:
    assert value_of(expression, TEXTS) == value


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$substrBytes": [True, "x", "x"]}, 16007),
        ({"$substrBytes": ["a", None, 1]}, 16034),
        ({"$substrBytes": ["a", 0, "1"]}, 16035),
        ({"$substrBytes": ["a", -1, 1e20]}, 50752),
        ({"$substrBytes": ["a", -(2**63), 1]}, 50752),
        ({"$substrBytes": ["a", -(2.0**64), 1]}, 31109),
        ({"$substrBytes": ["a", 1e20, 1]}, 31109),
        ({"$substrBytes": ["a", 0, 1e20]}, 31109),
        ({"$substrBytes": ["$text", 2, 1]}, 28656),
        ({"$substrBytes": ["$text", 0, 2]}, 28657),
        ({"$substr": ["a", 0]}, 16020),
        ({"$substrCP": ["a", "x", "x"]}, 34450),
        ({"$substrCP": ["a", 0.5, "x"]}, 34451),
        ({"$substrCP": ["a", 0, None]}, 34452),
        ({"$substrCP": ["a", 0, 2**31]}, 34453),
        ({"$substrCP": ["a", -1, -1]}, 34454),
        ({"$substrCP": ["a", -1, 1]}, 34455),
        ({"$indexOfBytes": ["a"]}, 28667),
        ({"$indexOfBytes": [7, 7]}, 40091),
        ({"$indexOfBytes": ["a", None, None]}, 40092),
        ({"$indexOfBytes": ["a", "b", 0.5]}, 40096),
        ({"$indexOfBytes": ["a", "b", 0, None]}, 40096),
        ({"$indexOfBytes": ["a", "b", -1, "x"]}, 40097),
        ({"$indexOfCP": [7, 7]}, 40093),
        ({"$indexOfCP": ["a", "$nothing"]}, 40094),
        ({"$indexOfCP": ["a", "b", 2**31]}, 40096),
        ({"$indexOfCP": ["a", "b", 0, -1]}, 40097),
    ],
)
def test_a_part_of_a_string_is_refused(expression: Any, code: int) -> None:
    assert code_of(expression, TEXTS) == code


@given(st.text(), st.integers(0, 9), st.integers(0, 9))
def test_what_was_cut_out_is_found_no_later(text: str, start: int, length: int) -> None:
    part = value_of({"$substrCP": ["$text", start, length]}, {"text": text})

    assert part == text[start : start + length]
    if part:
        assert 0 <= value_of({"$indexOfCP": ["$text", "$part"]}, {"text": text, "part": part}) <= start


@given(st.text(), st.integers(0, 9))
def test_cutting_a_string_in_two_loses_nothing(text: str, place: int) -> None:
    byte = len(text[:place].encode())
    halves = {"$concat": [{"$substrBytes": ["$text", 0, byte]}, {"$substrBytes": ["$text", byte, -1]}]}

    assert value_of(halves, {"text": text}) == text
