"""Remainders, regular expressions and expressions."""

import pytest

from rollbook.errors import ExpressionRefused
from rollbook.language.filters import compile_filter, parse_filter
from tests.language.filters.matching import matching


@pytest.mark.parametrize(
    ("operand", "values"),
    [
        ([4, 0], [8, -8, 8.0, 8.9, 0]),
        ([4, 1], [5, 5.9]),
        ([4, -1], [-5]),  # the remainder has the sign of the dividend
        ([-4, 1], [5, 5.9]),
        ([4.9, 0.9], [8, -8, 8.0, 8.9, 0]),  # fractions are cut off
        ([4, 5], []),
        ([2**62, 1], []),
    ],
)
def test_remainders_are_those_of_whole_numbers(operand, values):
    tried = [8, -8, 8.0, 8.9, 0, 5, 5.9, -5, 1e300, "8", None, True, [[8]]]
    assert [value for value in tried if matching({"a": {"$mod": operand}}, {"": {"a": value}})] == values


def test_remainders_are_those_of_64_bits():
    values = [2**63 - 1, -(2**63), 2.0**63, 2**62]
    assert [value for value in values if matching({"a": {"$mod": [1, 0]}}, {"": {"a": value}})] == [*values[:2], 2**62]
    assert matching({"a": {"$mod": [-(2**63), 2**63 - 1]}}, {"": {"a": 2**63 - 1}}) == [""]
    assert matching({"a": {"$mod": [2**63 - 1, -(2**63)]}}, {"": {"a": -(2**63)}}) == []


WORDS = {
    "absent": {},
    "gpu": {"a": "gpu"},
    "GPU": {"a": "GPU"},
    "two lines": {"a": "x\ngpu"},
    "list": {"a": [5, "gpu"]},
    "nested": {"a": [["gpu"]]},
    "number": {"a": 5},
}


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({"$regex": "pu"}, ["gpu", "two lines", "list"]),
        ({"$regex": "^gpu$"}, ["gpu", "list"]),
        ({"$regex": "^g", "$options": "i"}, ["gpu", "GPU", "list"]),
        ({"$options": "m", "$regex": "^g"}, ["gpu", "two lines", "list"]),
        ({"$regex": "x.g", "$options": "s"}, ["two lines"]),
        ({"$regex": "g p u # spelled", "$options": "x"}, ["gpu", "two lines", "list"]),
        ({"$regex": "^g # (", "$options": "x"}, ["gpu", "list"]),
        ({"$regex": ""}, ["gpu", "GPU", "two lines", "list"]),
        ({"$regex": "g", "$ne": "gpu"}, ["two lines"]),
        ({"$not": {"$regex": "g"}}, ["absent", "GPU", "nested", "number"]),
    ],
)
def test_regular_expressions_search_texts(condition, names):
    assert matching({"a": condition}, WORDS) == names


def test_an_expression_looks_at_the_whole_document():
    nodes = {"more": {"free": 3, "used": 2}, "fewer": {"free": 1, "used": 2}, "none": {}}
    assert matching({"$expr": {"$gt": ["$free", "$used"]}}, nodes) == ["more"]
    assert matching({"$or": [{"$expr": "$free"}, {"used": None}]}, nodes) == ["more", "fewer", "none"]


@pytest.mark.parametrize("value", [0, 0.0, False, None])
def test_an_expression_that_gives_nothing_true_matches_nothing(value):
    assert matching({"$expr": {"$literal": value}}, {"any": {"a": 1}}) == []


def test_an_expression_can_fail_on_a_document():
    with pytest.raises(ExpressionRefused):
        compile_filter(parse_filter({"$expr": {"$divide": [1, "$a"]}}))({"a": 0})
