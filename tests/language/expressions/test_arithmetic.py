"""Numbers: sums, products, remainders, and the types that MongoDB gives their results."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.values import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, Int64, type_name
from tests.language.expressions.evaluating import code_of, value_of

LONG_FIVE = {"$toLong": 5}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$add": []}, 0),
        ({"$add": 7}, 7),
        ({"$add": ["$a", 1, 0.5]}, 4.5),
        ({"$add": ["$a", None, "text"]}, None),
        ({"$add": ["$absent", 1]}, None),
        ({"$multiply": []}, 1),
        ({"$multiply": ["$a", 4]}, 12),
        ({"$multiply": [2, "$absent"]}, None),
        ({"$subtract": ["$a", 5]}, -2),
        ({"$subtract": ["$a", 0.5]}, 2.5),
        ({"$subtract": [None, "text"]}, None),
        ({"$divide": ["$a", 2]}, 1.5),
        ({"$divide": [6, 3]}, 2),
        ({"$divide": ["$absent", 0]}, None),
        ({"$mod": [10, 3]}, 1),
        ({"$mod": [-10, 3]}, -1),
        ({"$mod": [10, -3]}, 1),
        ({"$mod": [10.5, 3]}, 1.5),
        ({"$mod": [INT64_MIN, -1]}, 0),
        ({"$mod": ["text", None]}, None),
        ({"$mod": [None, "text"]}, None),
        ({"$mod": [5, math.inf]}, 5),
        ({"$divide": [1, "$absent"]}, None),
        ({"$subtract": ["text", None]}, None),
        ({"$multiply": [0.5, 4, 2]}, 4),
        ({"$multiply": [INT64_MAX, INT64_MAX, 0]}, 0),
        ({"$add": [INT64_MAX, INT64_MAX, 1.5]}, 2.0**64),
        ({"$abs": INT64_MIN + 1}, INT64_MAX),
        ({"$abs": -3}, 3),
        ({"$abs": [-2.5]}, 2.5),
        ({"$abs": "$absent"}, None),
    ],
)
def test_arithmetic_gives_what_mongodb_gives(expression: Any, expected: Any) -> None:
    assert value_of(expression, {"a": 3}) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$add": [1, 2]}, "int"),
        ({"$add": [INT32_MAX, 1]}, "long"),
        ({"$add": [LONG_FIVE, 1]}, "long"),
        ({"$add": [1, 1.0]}, "double"),
        ({"$add": [INT64_MAX, 1]}, "double"),
        ({"$add": [INT64_MAX, 0]}, "long"),
        ({"$add": [INT64_MIN, 0]}, "long"),
        ({"$add": [INT64_MIN, -1]}, "double"),
        ({"$add": [1, LONG_FIVE]}, "long"),
        ({"$add": [INT64_MAX, 1, -1]}, "double"),
        ({"$subtract": [INT32_MIN, 1]}, "long"),
        ({"$subtract": [INT64_MIN, 1]}, "double"),
        ({"$subtract": [LONG_FIVE, LONG_FIVE]}, "long"),
        ({"$multiply": [INT32_MAX, 2]}, "long"),
        ({"$multiply": [INT64_MAX, 2]}, "double"),
        ({"$multiply": [INT64_MAX, 1]}, "long"),
        ({"$multiply": [INT64_MIN, 1]}, "long"),
        ({"$multiply": [INT64_MIN, -1]}, "double"),
        ({"$multiply": [2, 3]}, "int"),
        ({"$multiply": [LONG_FIVE, 1]}, "long"),
        ({"$multiply": [1, LONG_FIVE, 1]}, "long"),
        ({"$multiply": [1.0, 1]}, "double"),
        ({"$multiply": [INT64_MAX, 2, 0]}, "double"),
        ({"$subtract": [1, LONG_FIVE]}, "long"),
        ({"$subtract": [1, 1.0]}, "double"),
        ({"$subtract": [1.0, 1]}, "double"),
        ({"$mod": [5, LONG_FIVE]}, "long"),
        ({"$mod": [5.0, 3]}, "double"),
        ({"$divide": [4, 2]}, "double"),
        ({"$mod": [LONG_FIVE, 3]}, "long"),
        ({"$mod": [5, 3.0]}, "double"),
        ({"$abs": INT32_MIN}, "long"),
        ({"$abs": {"$toLong": -5}}, "long"),
    ],
)
def test_a_result_is_as_wide_as_it_must_be(expression: Any, expected: str) -> None:
    assert value_of({"$type": expression}) == expected


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$add": ["$text", 1]}, 14),
        ({"$add": [1, True]}, 14),
        ({"$add": ["$text", None]}, 14),
        ({"$multiply": [[2]]}, 14),
        ({"$subtract": [1, {}]}, 14),
        ({"$divide": [1, 0]}, 2),
        ({"$divide": [0.0, -0.0]}, 2),
        ({"$divide": ["$text", 1]}, 14),
        ({"$mod": [1, 0]}, 16610),
        ({"$mod": [1, "$text"]}, 16611),
        ({"$abs": True}, 28765),
        ({"$abs": INT64_MIN}, 28680),
    ],
)
def test_what_is_no_number_is_refused(expression: Any, code: int) -> None:
    assert code_of(expression, {"text": "3"}) == code


@given(st.lists(st.integers(INT64_MIN, INT64_MAX), max_size=5))
def test_integers_are_added_exactly_or_become_a_double(numbers: list[int]) -> None:
    total = value_of({"$add": numbers})
    exact = sum(numbers)
    if type_name(total) == "double":
        assert total == pytest.approx(exact, rel=1e-9, abs=1e5)
    else:
        assert total == exact
        assert INT64_MIN <= total <= INT64_MAX


@given(st.integers(INT64_MIN, INT64_MAX), st.integers(INT64_MIN, INT64_MAX).filter(bool))
def test_the_remainder_and_the_whole_quotient_make_the_number(dividend: int, divisor: int) -> None:
    rest = value_of({"$mod": [dividend, divisor]})
    assert (dividend - rest) % divisor == 0
    assert abs(rest) < abs(divisor)
    assert rest == 0 or (rest < 0) == (dividend < 0)


def test_the_remainder_of_what_is_endless_is_no_number() -> None:
    assert math.isnan(value_of({"$mod": ["$endless", 2]}, {"endless": math.inf}))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$bitAnd": [12, 10]}, 8),
        ({"$bitOr": [12, 10, 1]}, 15),
        ({"$bitXor": [12, 10]}, 6),
        ({"$bitNot": 5}, -6),
        ({"$bitXor": []}, 0),
        ({"$bitXor": [5, 5, 3]}, 3),
        ({"$bitAnd": [7, 3, -2]}, 2),
        ({"$bitAnd": [None, "1"]}, None),
        ({"$bitAnd": []}, -1),
        ({"$bitOr": []}, 0),
        ({"$bitOr": [1, None]}, None),
        ({"$bitNot": "$absent"}, None),
    ],
)
def test_bits_are_those_of_whole_numbers(expression: Any, expected: Any) -> None:
    assert value_of(expression) == expected


@pytest.mark.parametrize(
    ("expression", "code"),
    [({"$bitAnd": [1, 2.0]}, 14), ({"$bitOr": ["1"]}, 14), ({"$bitNot": 1.5}, 14), ({"$bitNot": "1"}, 28765)],
)
def test_bits_of_anything_else_are_refused(expression: Any, code: int) -> None:
    assert code_of(expression) == code


def test_a_long_stays_a_long_between_operators() -> None:
    assert isinstance(value_of({"$bitXor": [LONG_FIVE, 1]}), Int64)
    assert isinstance(value_of({"$bitXor": [1, LONG_FIVE]}), Int64)
    assert value_of({"$type": {"$bitXor": [5, 1]}}) == "int"
    assert value_of({"$type": {"$bitNot": 5}}) == "int"
    assert value_of({"$type": {"$bitNot": LONG_FIVE}}) == "long"
