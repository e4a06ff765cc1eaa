"""Rounding, powers, logarithms and angles."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.values import INT64_MAX
from tests.language.expressions.evaluating import code_of, value_of


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$ceil": 1.2}, 2),
        ({"$ceil": -1.8}, -1),
        ({"$floor": -1.2}, -2),
        ({"$floor": 7}, 7),
        ({"$floor": None}, None),
        ({"$round": 2.5}, 2),
        ({"$round": 3.5}, 4),
        ({"$round": [1.005, 2]}, 1.0),
        ({"$round": [2.675, 2]}, 2.67),
        ({"$round": [1.25, 1]}, 1.2),
        ({"$round": [15, -1]}, 20),
        ({"$round": [25, -1]}, 20),
        ({"$round": [4995, -3]}, 5000),
        ({"$round": [5, 3]}, 5),
        ({"$round": [2147483647, -1]}, 2147483650),
        ({"$round": 1e308}, 1e308),
        ({"$round": [None, "text"]}, None),
        ({"$round": [1.5, None]}, None),
        ({"$round": [1.2345, 2.0]}, 1.23),
        ({"$round": [1.5, 100]}, 1.5),
        ({"$round": [5, -20]}, 0),
        ({"$round": [5, 0]}, 5),
        ({"$round": [math.inf, 2]}, math.inf),
        ({"$ceil": math.inf}, math.inf),
        ({"$trunc": -1.9}, -1),
        ({"$trunc": [0.29, 2]}, 0.28),
        ({"$trunc": [1234.5, -2]}, 1200),
        ({"$trunc": [-1234, -2]}, -1200),
        ({"$trunc": [1299, -2]}, 1200),
        ({"$round": [INT64_MAX, 20]}, INT64_MAX),
    ],
)
def test_rounding_gives_what_mongodb_gives(expression: Any, expected: Any) -> None:
    assert value_of(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$ceil": -0.5}, "-0.0"),
        ({"$floor": 0.5}, "0.0"),
        ({"$round": -0.4}, "-0.0"),
        ({"$round": 7}, "7"),
        ({"$round": 7.5}, "8.0"),
    ],
)
def test_a_rounded_number_keeps_its_sign_and_its_type(expression: Any, expected: str) -> None:
    assert repr(value_of(expression)) == expected


def test_a_rounded_long_stays_a_long() -> None:
    assert value_of({"$type": {"$round": [{"$toLong": 15}, -1]}}) == "long"
    assert value_of({"$type": {"$round": [15, -1]}}) == "int"


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$ceil": "1"}, 28765),
        ({"$round": "1"}, 51081),
        ({"$round": ["1", None]}, 51081),
        ({"$round": [1, "1"]}, 16004),
        ({"$round": [1, 1.5]}, 51082),
        ({"$round": [1, 101]}, 51083),
        ({"$round": [1, 2**31]}, 51082),
        ({"$round": [1, 2**31 - 1]}, 51083),
        ({"$round": [1, -(2**31)]}, 51083),
        ({"$round": [1, -(2**31) - 1]}, 51082),
        ({"$round": [-(2**63), -1]}, 51080),
        ({"$trunc": [1, -21]}, 51083),
        ({"$round": [INT64_MAX, -1]}, 51080),
    ],
)
def test_what_cannot_be_rounded_is_refused(expression: Any, code: int) -> None:
    assert code_of(expression) == code


@given(st.floats(-1e15, 1e15), st.integers(0, 10))
def test_cutting_off_never_moves_away_from_zero(number: float, places: int) -> None:
    assert abs(value_of({"$trunc": [number, places]})) <= abs(number)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$pow": [2, 10]}, 1024),
        ({"$pow": [-2, 63]}, -(2**63)),
        ({"$pow": [2, 63]}, 2.0**63),
        ({"$pow": [0, 0]}, 1),
        ({"$pow": [-1, -1]}, -1),
        ({"$pow": [-1, 1000]}, 1),
        ({"$pow": [5, -3]}, 0.008),
        ({"$pow": [2, 0.5]}, math.sqrt(2)),
        ({"$pow": [10, 400]}, math.inf),
        ({"$pow": [-10, 401]}, -math.inf),
        ({"$pow": [None, "text"]}, None),
        ({"$sqrt": 25}, 5),
        ({"$exp": 0}, 1),
        ({"$exp": 1000}, math.inf),
        ({"$ln": 1}, 0),
        ({"$log10": 1000}, 3),
        ({"$log": [100, 10]}, 2),
        ({"$log": [None, 1]}, None),
        ({"$cos": 0}, 1),
        ({"$atan2": [1, 0]}, math.pi / 2),
        ({"$degreesToRadians": 180}, math.pi),
        ({"$radiansToDegrees": {"$degreesToRadians": 90}}, 90),
        ({"$atanh": 1}, math.inf),
        ({"$sinh": -1000}, -math.inf),
        ({"$cosh": -1000}, math.inf),
        ({"$sin": None}, None),
    ],
)
def test_powers_and_angles_give_what_mongodb_gives(expression: Any, expected: Any) -> None:
    assert value_of(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [({"$pow": [2, 3]}, "int"), ({"$pow": [2, 40]}, "long"), ({"$pow": [2, 3.0]}, "double"), ({"$sqrt": 4}, "double")],
)
def test_only_powers_of_whole_numbers_stay_whole(expression: Any, expected: str) -> None:
    assert value_of({"$type": expression}) == expected


@pytest.mark.parametrize("expression", [{"$pow": [-8, 0.5]}, {"$sqrt": "$nan"}, {"$ln": "$nan"}, {"$sin": "$nan"}])
def test_no_number_at_all_stays_one(expression: Any) -> None:
    assert math.isnan(value_of(expression, {"nan": math.nan}))


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$pow": ["2", 1]}, 28762),
        ({"$pow": [2, "1"]}, 28763),
        ({"$pow": [0, -1]}, 28764),
        ({"$sqrt": -1}, 28714),
        ({"$exp": "1"}, 28765),
        ({"$ln": 0}, 28766),
        ({"$log10": -1}, 28761),
        ({"$log": ["1", 10]}, 28756),
        ({"$log": [1, "10"]}, 28757),
        ({"$log": [0, 10]}, 28758),
        ({"$log": [10, 1]}, 28759),
        ({"$acos": 1.01}, 50989),
        ({"$acosh": 0.99}, 50989),
        ({"$cos": "$infinite"}, 50989),
        ({"$cos": "0"}, 28765),
        ({"$atan2": ["1", 0]}, 51044),
        ({"$atan2": [1, "0"]}, 51045),
    ],
)
def test_what_is_outside_a_functions_domain_is_refused(expression: Any, code: int) -> None:
    assert code_of(expression, {"infinite": math.inf}) == code
