"""What computed values weigh: their text, and 16 bytes for each member or element, as if nothing were shared."""

import math

import pytest

from rollbook.errors import WorkExceeded
from rollbook.language.projections.weighing import charging, size_of_document, weight_of
from rollbook.limits import DEFAULT_LIMITS, RequestBudget
from tests.language.refusals import explained

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


@pytest.mark.parametrize(
    ("value", "weight"), [(None, 0), (5, 0), (1.5, 0), (True, 0), ("", 0), ("abc", 3), (["abc"], 19), ({"a": 1}, 16)]
)
def test_what_a_value_weighs_is_charged(value, weight):
    work = RequestBudget(bytes_left=1000)
    assert charging(work)(value) == weight
    assert work.bytes_left == 1000 - weight


def test_a_document_is_as_large_as_its_json():
    assert size_of_document({"a": "bc"}) == len('{"a":"bc"}')
    assert size_of_document({"a": "x" * (MOST - 8)}) == MOST


def endless():
    value = []
    for _ in range(1000):
        value = [value]
    return value


@pytest.mark.parametrize("member", ["x" * (MOST - 7), endless()], ids=["large", "deep"])
def test_a_document_that_is_too_large_or_too_deep_has_no_size(member):
    with pytest.raises(WorkExceeded) as caught:
        size_of_document({"a": member})
    refused = explained(caught.value)
    assert (refused.mongo_code, refused.at) == (10334, "")
