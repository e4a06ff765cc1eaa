"""Arrays side by side."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.expressions.evaluating import code_of, value_of

COLUMNS = {"a": [1, 2, 3], "b": ["x"], "null": None, "filling": 0}


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ({"inputs": ["$a", "$b"]}, [[1, "x"]]),
        ({"inputs": ["$a"]}, [[1], [2], [3]]),
        ({"inputs": ["$a", "$b"], "useLongestLength": True}, [[1, "x"], [2, None], [3, None]]),
        (
            {"inputs": ["$a", "$b"], "useLongestLength": True, "defaults": ["$nothing", "$filling"]},
            [[1, "x"], [2, 0], [3, 0]],
        ),
        ({"inputs": [[], "$b"], "useLongestLength": True, "defaults": ["$nothing", 0]}, [[None, "x"]]),
        ({"inputs": ["$a", []]}, []),
        ({"inputs": [[], []]}, []),
        ({"inputs": ["$b", "$a"], "useLongestLength": True, "defaults": [9, 8]}, [["x", 1], [9, 2], [9, 3]]),
        ({"inputs": ["$a", "$b"], "useLongestLength": False, "defaults": []}, [[1, "x"]]),
        ({"inputs": ["$null", 7]}, None),
        ({"inputs": ["$a", "$nothing"], "useLongestLength": True}, None),
    ],
)
def test_zipping_gives(argument: Any, value: Any) -> None:
    assert value_of({"$zip": argument}, COLUMNS) == value


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ([["$a"]], 34460),
        ({"inputs": "$a"}, 34461),
        ({"inputs": ["$a"], "useLongestLength": True, "defaults": "$a"}, 34462),
        ({"inputs": ["$a"], "useLongestLength": 1}, 34463),
        ({"inputs": ["$a"], "longest": True}, 34464),
        ({"inputs": []}, 34465),
        ({"useLongestLength": True}, 34465),
        ({"inputs": ["$a"], "defaults": [0]}, 34466),
        ({"inputs": ["$a", "$b"], "useLongestLength": True, "defaults": [0]}, 34467),
        ({"inputs": [7, "$null"]}, 34468),
    ],
)
def test_zipping_refuses(argument: Any, code: int) -> None:
    assert code_of({"$zip": argument}, COLUMNS) == code


@given(st.lists(st.lists(st.integers(), min_size=3, max_size=3), min_size=1, max_size=4))
def test_zipping_rows_again_gives_the_columns_back(columns: list[list[int]]) -> None:
    rows = value_of({"$zip": {"inputs": [{"$literal": column} for column in columns]}})

    assert value_of({"$zip": {"inputs": [{"$literal": row} for row in rows]}}) == columns
