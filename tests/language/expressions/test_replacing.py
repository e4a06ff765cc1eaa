"""Replacing parts of strings."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.expressions.evaluating import code_of, value_of


def replace(text: Any, part: Any, replacement: Any, how: str = "$replaceAll") -> Any:
    return {how: {"input": text, "find": part, "replacement": replacement}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (replace("aXbX", "X", "-"), "a-b-"),
        (replace("aXbX", "X", "-", "$replaceOne"), "a-bX"),
        (replace("aaa", "aa", "b"), "ba"),
        (replace("a.b", ".", "|"), "a|b"),  # no regular expression
        (replace("é", "e", "x"), "é"),
        (replace("ab", "", "-"), "-a-b-"),
        (replace("ab", "", "-", "$replaceOne"), "-ab"),
        (replace("", "", "-"), "-"),
        (replace("aXb", "X", ""), "ab"),
        (replace(None, "X", "-"), None),
        (replace("aXb", "$nothing", "-"), None),
        (replace("aXb", "X", None, "$replaceOne"), None),
    ],
)
def test_replacing_gives(expression: Any, value: Any) -> None:
    assert value_of(expression) == value


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$replaceAll": ["a", "b", "c"]}, 51751),
        ({"$replaceOne": {"input": "a", "find": "b", "replacement": "c", "all": True}}, 51750),
        ({"$replaceOne": {}}, 51749),
        ({"$replaceOne": {"input": "a"}}, 51748),
        ({"$replaceOne": {"input": "a", "find": "b"}}, 51747),
        (replace(7, 7, 7), 10503904),
        (replace(None, 7, 7), 10503901),  # a wrong type is refused though null would decide
        (replace("a", "$nothing", 7, "$replaceOne"), 10503902),
    ],
)
def test_replacing_refuses(expression: Any, code: int) -> None:
    assert code_of(expression) == code


@given(text=st.text(alphabet="abc"), part=st.text(alphabet="abc", min_size=1), replacement=st.text(alphabet="xyz"))
def test_replacing_everywhere_is_splitting_and_joining(text: str, part: str, replacement: str) -> None:
    document = {"text": text, "part": part, "replacement": replacement}
    joined = replacement.join(value_of({"$split": ["$text", "$part"]}, document))

    assert value_of(replace("$text", "$part", "$replacement"), document) == joined
