"""What comes off the ends of a string."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.expressions.evaluating import code_of, value_of


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"$trim": {"input": "\t west \0\u00a0\u2003"}}, "west"),
        ({"$trim": {"input": "\u3000west\u2028"}}, "\u3000west\u2028"),  # white space to Unicode, not to MongoDB
        ({"$ltrim": {"input": " west "}}, "west "),
        ({"$rtrim": {"input": " west "}}, " west"),
        ({"$trim": {"input": "é1west1é", "chars": "1é"}}, "west"),
        ({"$trim": {"input": " west ", "chars": ""}}, " west "),
        ({"$ltrim": {"input": "wwwest", "chars": "w"}}, "est"),
        ({"$trim": {"input": None, "chars": 7}}, None),
        ({"$trim": {"input": "$nothing"}}, None),
        ({"$rtrim": {"input": "west", "chars": None}}, None),
        ({"$rtrim": {"input": "west", "chars": "$nothing"}}, None),
    ],
)
def test_trimming_gives(expression: Any, value: Any) -> None:
    assert value_of(expression) == value


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$trim": " west "}, 50696),
        ({"$trim": {"input": "west", "characters": "w"}}, 50694),
        ({"$ltrim": {"chars": "w"}}, 50695),
        ({"$rtrim": {"input": 7, "chars": None}}, 50699),
        ({"$trim": {"input": "west", "chars": 7}}, 50700),
    ],
)
def test_trimming_refuses(expression: Any, code: int) -> None:
    assert code_of(expression) == code


@given(text=st.text(alphabet="ab \té"), characters=st.text(alphabet="abé"))
def test_trimming_is_trimming_left_and_right(text: str, characters: str) -> None:
    inner = {"$ltrim": {"input": "$text", "chars": "$characters"}}
    both = {"$rtrim": {"input": inner, "chars": "$characters"}}
    once = {"$trim": {"input": "$text", "chars": "$characters"}}

    assert value_of({"$eq": [both, once]}, {"text": text, "characters": characters})
