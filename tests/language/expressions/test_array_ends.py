"""So many elements of an array."""

from typing import Any

import pytest

from tests.language.expressions.evaluating import code_of, value_of

ARRAY = {"array": [3, None, 1, "a", 2]}


@pytest.mark.parametrize(
    ("operator", "count", "value"),
    [
        ("$firstN", 2, [3, None]),
        ("$firstN", 9, [3, None, 1, "a", 2]),
        ("$lastN", 2, ["a", 2]),
        ("$lastN", 9, [3, None, 1, "a", 2]),
        ("$maxN", 2, ["a", 3]),
        ("$firstN", 1, [3]),
        ("$lastN", 1, [2]),
        ("$firstN", 2**63 - 1, [3, None, 1, "a", 2]),
        ("$minN", 2.0, [1, 2]),
        ("$minN", 9, [1, 2, 3, "a"]),  # null is left out
    ],
)
def test_so_many_elements_are(operator: str, count: float, value: Any) -> None:
    assert value_of({operator: {"n": count, "input": "$array"}}, ARRAY) == value


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ([2, [1]], 5787900),
        ({"n": 1, "input": [1], "output": 1}, 5787901),
        ({"input": [1]}, 5787906),
        ({"n": 1}, 5787907),
        ({"n": "1", "input": [1]}, 5787902),
        ({"n": 1.5, "input": [1]}, 5787903),
        ({"n": 2.0**63, "input": [1]}, 5787903),
        ({"n": -(2.0**63) * 2, "input": [1]}, 5787903),
        ({"n": -(2**63), "input": [1]}, 5787908),
        ({"n": 0, "input": None}, 5787908),
        ({"n": 1, "input": None}, 5788200),
    ],
)
@pytest.mark.parametrize("operator", ["$firstN", "$lastN", "$maxN", "$minN"])
def test_so_many_elements_are_refused(operator: str, argument: Any, code: int) -> None:
    assert code_of({operator: argument}) == code
