"""Rounding, powers, logarithms and angles."""

import math
import sys
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
        ({"$pow": [10, 308]}, 1e308),
        ({"$pow": [-10, 400]}, math.inf),
        ({"$pow": [-1e200, 3]}, -math.inf),
        ({"$pow": [0.5, -1025]}, math.inf),
        ({"$pow": [INT64_MAX, 1]}, INT64_MAX),
        ({"$pow": [-1, 0]}, 1),
        ({"$pow": [0, 1]}, 0),
        ({"$pow": [1, -1]}, 1),
        ({"$pow": [7, 0]}, 1),
        ({"$pow": [0.5, -1]}, 2),
        ({"$pow": [0, 0.5]}, 0),
        ({"$pow": [None, "text"]}, None),
        ({"$pow": ["text", None]}, None),
        ({"$sqrt": 0}, 0),
        ({"$sqrt": None}, None),
        ({"$exp": 1}, math.e),
        ({"$ln": 2}, math.log(2)),
        ({"$sqrt": 25}, 5),
        ({"$exp": 0}, 1),
        ({"$exp": 1000}, math.inf),
        ({"$ln": 1}, 0),
        ({"$log10": 1000}, 3),
        ({"$log10": 0.1}, -1),
        ({"$log": [100, 10]}, 2),
        ({"$log": [None, 1]}, None),
        ({"$log": [-1, None]}, None),
        ({"$log": [0.5, 2]}, -1),
        ({"$log": [8, 0.5]}, -3),
        ({"$log": [1, 3]}, 0),
        ({"$sin": 1}, math.sin(1)),
        ({"$sin": -sys.float_info.max}, math.sin(-sys.float_info.max)),
        ({"$sin": sys.float_info.max}, math.sin(sys.float_info.max)),
        ({"$cos": -sys.float_info.max}, math.cos(sys.float_info.max)),
        ({"$cos": sys.float_info.max}, math.cos(sys.float_info.max)),
        ({"$tan": 1}, math.tan(1)),
        ({"$tan": -sys.float_info.max}, math.tan(-sys.float_info.max)),
        ({"$tan": sys.float_info.max}, math.tan(sys.float_info.max)),
        ({"$asin": 1}, math.pi / 2),
        ({"$asin": -1}, -math.pi / 2),
        ({"$acos": 1}, 0),
        ({"$acos": -1}, math.pi),
        ({"$atan": 1}, math.pi / 4),
        ({"$atan": -math.inf}, -math.pi / 2),
        ({"$atan": math.inf}, math.pi / 2),
        ({"$atan2": [0, -1]}, math.pi),
        ({"$atan2": [None, "text"]}, None),
        ({"$atan2": ["text", None]}, None),
        ({"$sinh": 1}, math.sinh(1)),
        ({"$cosh": 1}, math.cosh(1)),
        ({"$tanh": 1}, math.tanh(1)),
        ({"$asinh": 1}, math.asinh(1)),
        ({"$acosh": 1}, 0),
        ({"$acosh": math.inf}, math.inf),
        ({"$atanh": 0.5}, math.atanh(0.5)),
        ({"$atanh": -1}, -math.inf),
        ({"$cos": 0}, 1),
        ({"$atan2": [1, 0]}, math.pi / 2),
        ({"$degreesToRadians": 180}, math.pi),
        ({"$radiansToDegrees": {"$degreesToRadians": 90}}, 90),
        ({"$atanh": 1}, math.inf),
        ({"$sinh": 1000}, math.inf),
        ({"$sinh": -1000}, -math.inf),
        ({"$cosh": 1000}, math.inf),
        ({"$cosh": -1000}, math.inf),
        ({"$sin": None}, None),
    ],
)
def test_powers_and_angles_give_what_mongodb_gives(expression: Any, expected: Any) -> None:
    assert value_of(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$pow": [2, 3]}, "int"),
        ({"$pow": [2, 40]}, "long"),
        ({"$pow": [-2, 63]}, "long"),
        ({"$pow": [-1, -1]}, "int"),
        ({"$pow": [0, 100]}, "int"),
        ({"$pow": [2, 3.0]}, "double"),
        ({"$pow": [2.0, 3]}, "double"),
        ({"$pow": [{"$toLong": 1}, 1]}, "long"),
        ({"$pow": [1, {"$toLong": 1}]}, "long"),
        ({"$pow": [{"$toLong": 2}, 0]}, "long"),
        ({"$pow": [2, {"$toLong": 3}]}, "long"),
        ({"$pow": [1, -1]}, "int"),
        ({"$pow": [2, 63]}, "double"),
        ({"$pow": [2, -1]}, "double"),
        ({"$sqrt": 4}, "double"),
    ],
)
def test_only_powers_of_whole_numbers_stay_whole(expression: Any, expected: str) -> None:
    assert value_of({"$type": expression}) == expected


@pytest.mark.parametrize(
    "expression", [{"$pow": [-8, 0.5]}, {"$sqrt": "$nan"}, {"$ln": "$nan"}, {"$sin": "$nan"}, {"$acosh": "$nan"}]
)
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
        ({"$log": [10, 0]}, 28759),
        ({"$log10": 0}, 28761),
        ({"$log10": "1"}, 28765),
        ({"$pow": [0.0, -0.5]}, 28764),
        ({"$asin": 1.01}, 50989),
        ({"$asin": -1.01}, 50989),
        ({"$acos": 1.01}, 50989),
        ({"$acos": -1.01}, 50989),
        ({"$acosh": 0.99}, 50989),
        ({"$atanh": 1.01}, 50989),
        ({"$atanh": -1.01}, 50989),
        ({"$sin": "$infinite"}, 50989),
        ({"$sin": "$least"}, 50989),
        ({"$cos": "$infinite"}, 50989),
        ({"$cos": "$least"}, 50989),
        ({"$tan": "$infinite"}, 50989),
        ({"$tan": "$least"}, 50989),
        ({"$cos": "0"}, 28765),
        ({"$atan2": ["1", 0]}, 51044),
        ({"$atan2": [1, "0"]}, 51045),
    ],
)
def test_what_is_outside_a_functions_domain_is_refused(expression: Any, code: int) -> None:
    assert code_of(expression, {"infinite": math.inf, "least": -math.inf}) == code
