"""What computed values weigh: their text, and 16 bytes for each member or element, as if nothing were shared."""

import math

import pytest

from rollbook.language.projections.weighing import weight_of
from rollbook.limits import DEFAULT_LIMITS

MOST = DEFAULT_LIMITS.value_bytes_max


@pytest.mark.parametrize(
    ("value", "weight"),
    [
        ({}, 0),
        ([], 0),
        ([None, True, 5, 1.5], 64),
        (["abc"], 19),
        ({"name": "abc"}, 19),  # the names of fields do not count
        ({"a": {"b": ["xy"]}}, 50),
        ([["ab"], ["ab"]], 68),
        ([math.inf], None),
        ({"a": [math.nan]}, None),
        (["x" * (MOST - 16)], MOST),
        (["x" * (MOST - 15)], None),
        ([None] * (MOST // 16), MOST),
        ([None] * (MOST // 16 + 1), None),
    ],
)
def test_a_value_weighs(value, weight):
    assert weight_of(value) == weight


def test_a_value_nested_deeper_than_a_document_has_no_weight():
    value = []
    for _ in range(DEFAULT_LIMITS.body_depth_max - 1):
        value = [value]
    assert weight_of(value) == 16 * (DEFAULT_LIMITS.body_depth_max - 1)
    assert weight_of([value]) is None
