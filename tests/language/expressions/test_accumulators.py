"""Sums, means, extremes and percentiles of what one document holds."""

import math
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.values import INT32_MAX, INT64_MAX
from tests.language.expressions.evaluating import code_of, value_of

COUNTS = {"counts": [4, None, 8, "x", True, 2.5], "one": 4, "other": [100]}
MEDIAN = {"method": "approximate"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$sum": "$counts"}, 14.5),
        ({"$sum": ["$counts"]}, 14.5),
        ({"$sum": ["$counts", "$one"]}, 4),
        ({"$sum": []}, 0),
        ({"$sum": "$absent"}, 0),
        ({"$sum": [[0.1, 0.2, 0.3]]}, 0.6),
        ({"$sum": [[1e308, 1e308]]}, math.inf),
        ({"$sum": [[-1e308, -1e308]]}, -math.inf),
        ({"$sum": [[1e308, 1e308, -1e308]]}, 1e308),
        ({"$sum": [math.inf, 1]}, math.inf),
        ({"$avg": [-math.inf, 1]}, -math.inf),
        ({"$avg": "$counts"}, 14.5 / 3),
        ({"$avg": ["$counts", "$one"]}, 4),
        ({"$avg": ["x", None]}, None),
        ({"$avg": []}, None),
        ({"$min": "$counts"}, 2.5),
        ({"$min": ["$one", "$absent", None]}, 4),
        ({"$min": [None, "$absent"]}, None),
        ({"$max": "$counts"}, True),
        ({"$max": ["$one", "$other"]}, [100]),
        ({"$max": [[[1], [2, 0]]]}, [2, 0]),
        ({"$stdDevPop": [2, 4]}, 1),
        ({"$stdDevPop": 5}, 0),
        ({"$stdDevPop": "x"}, None),
        ({"$stdDevSamp": [2, 4]}, math.sqrt(2)),
        ({"$stdDevSamp": 5}, None),
        ({"$median": {"input": "$counts", **MEDIAN}}, 4.0),
        ({"$median": {"input": 7, **MEDIAN}}, 7.0),
        ({"$median": {"input": "$absent", **MEDIAN}}, None),
        ({"$percentile": {"input": [10, 20, 30, 40], "p": [0, 0.25, 0.26, 1], **MEDIAN}}, [10, 10, 20, 40]),
        ({"$percentile": {"input": "$counts", "p": [{"$add": [0.5, 0.5]}], **MEDIAN}}, [8.0]),
        ({"$percentile": {"input": [3, 1, "x", 2], "p": [0.5, 0.34], **MEDIAN}}, [2.0, 2.0]),
        ({"$percentile": {"input": [], "p": [0.5, 0.9], **MEDIAN}}, [None, None]),
    ],
)
def test_what_a_document_holds_is_summed_up(expression: Any, expected: Any) -> None:
    assert value_of(expression, COUNTS) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$sum": [1, 2]}, "int"),
        ({"$sum": [INT32_MAX, 1]}, "long"),
        ({"$sum": [{"$toLong": 1}]}, "long"),
        ({"$sum": [INT64_MAX, 1]}, "double"),
        ({"$sum": [1, 2.0]}, "double"),
        ({"$avg": [2, 4]}, "double"),
        ({"$median": {"input": [1], **MEDIAN}}, "double"),
        ({"$arrayElemAt": [{"$percentile": {"input": [1], "p": [1], **MEDIAN}}, 0]}, "double"),
        ({"$max": [5, 5.0]}, "int"),
        ({"$min": [5.0, 5]}, "double"),
    ],
)
def test_the_type_follows_what_is_summed_up(expression: Any, expected: str) -> None:
    assert value_of({"$type": expression}) == expected


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$median": 1}, 7436200),
        ({"$median": {"input": 1}}, 40414),
        ({"$median": {"input": 1, "method": "approximate", "p": [1]}}, 40415),
        ({"$median": {"input": 1, "method": 1}}, 14),
        ({"$median": {"input": 1, "method": "exact"}}, 2),
        ({"$percentile": {"input": 1, "p": "$parts", **MEDIAN}}, 7750300),
        ({"$percentile": {"input": 1, "p": 0.5, **MEDIAN}}, 7750301),
        ({"$percentile": {"input": 1, "p": [], **MEDIAN}}, 7750301),
        ({"$percentile": {"input": 1, "p": ["x"], **MEDIAN}}, 7750302),
        ({"$percentile": {"input": 1, "p": [-0.1], **MEDIAN}}, 7750303),
        ({"$percentile": 1}, 7436200),
        ({"$percentile": {"input": 1, **MEDIAN}}, 40414),
        ({"$percentile": {"input": 1, "p": [0], "more": 1, **MEDIAN}}, 40415),
        ({"$percentile": {"input": 1, "p": [0], "method": None}}, 14),
        ({"$percentile": {"input": 1, "p": [1.1], **MEDIAN}}, 7750303),
    ],
)
def test_percentiles_that_cannot_be_are_refused(expression: Any, code: int) -> None:
    assert code_of(expression) == code


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8))
def test_mean_and_deviation_are_those_of_statistics(numbers: list[float]) -> None:
    document = {"numbers": numbers}
    assert value_of({"$avg": "$numbers"}, document) == pytest.approx(statistics.fmean(numbers), abs=1e-6)
    assert value_of({"$stdDevPop": "$numbers"}, document) == pytest.approx(statistics.pstdev(numbers), abs=1e-3)
    assert value_of({"$stdDevSamp": "$numbers"}, document) == pytest.approx(statistics.stdev(numbers), abs=1e-3)
