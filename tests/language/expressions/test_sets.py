"""Arrays as sets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.expressions.evaluating import code_of, value_of

SETS = {"a": [3, 1, 3, 2], "b": [2, 4], "null": None, "mixed": [True, "x", [1], None, {"k": 1}, 1]}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"$setUnion": ["$a", "$b"]}, [1, 2, 3, 4]),
        ({"$setUnion": ["$mixed", [1.0, [1.0]]]}, [None, 1, "x", {"k": 1}, [1], True]),
        ({"$setUnion": []}, []),
        ({"$setUnion": ["$a", "$null", 7]}, None),
        ({"$setIntersection": ["$a", "$b"]}, [2]),
        ({"$setIntersection": ["$a", [3.0, 1, 9], [1, 3]]}, [1, 3]),
        ({"$setIntersection": [[1], [True]]}, []),
        ({"$setIntersection": []}, []),
        ({"$setIntersection": [[], "$nothing"]}, None),
        ({"$setDifference": ["$a", "$b"]}, [3, 1]),  # in the order of the first
        ({"$setDifference": [[[1], 1], [[1.0]]]}, [1]),
        ({"$setDifference": [7, "$null"]}, None),
        ({"$setEquals": ["$a", [1, 2, 3], [3, 2, 1, 1]]}, True),
        ({"$setEquals": ["$a", "$b"]}, False),
        ({"$setEquals": [[{"a": 1, "b": 2}], [{"b": 2, "a": 1}]]}, False),
        ({"$setEquals": [[1], [True]]}, False),
        ({"$setIsSubset": [[3, 3], "$a"]}, True),
        ({"$setIsSubset": ["$a", [1, 2]]}, False),
        ({"$setIsSubset": [[], []]}, True),
        ({"$anyElementTrue": [[0, None, False, ""]]}, True),
        ({"$anyElementTrue": [[0, None, False]]}, False),
        ({"$anyElementTrue": [[]]}, False),
        ({"$allElementsTrue": [[1, "", [], {}]]}, True),
        ({"$allElementsTrue": [[1, -0.0]]}, False),
        ({"$allElementsTrue": [[]]}, True),
    ],
)
def test_a_set_operator_gives(expression: Any, value: Any) -> None:
    result = value_of(expression, SETS)

    assert result == value
    assert repr(result) == repr(value)  # True is not 1


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$setUnion": [[1], 7, None]}, 17043),
        ({"$setIntersection": [[], 7]}, 17047),
        ({"$setDifference": [7, 7]}, 17048),
        ({"$setDifference": [[1], 7]}, 17049),
        ({"$setDifference": [[1]]}, 16020),
        ({"$setEquals": ["$a"]}, 17045),
        ({"$setEquals": "$a"}, 17045),
        ({"$setIsSubset": "$a"}, 16020),
        ({"$setEquals": ["$a", "$null"]}, 17044),
        ({"$setEquals": ["$a", None]}, 5887502),  # a constant is refused before there is a document
        ({"$setIsSubset": ["$null", "$a"]}, 17046),
        ({"$setIsSubset": ["$a", "$null"]}, 17042),
        ({"$setIsSubset": [7, "$a"]}, 17046),
        ({"$setIsSubset": [[1], 7]}, 17042),
        ({"$setIsSubset": ["$a", 7]}, 17311),
        ({"$setIsSubset": ["$a"]}, 16020),
        ({"$anyElementTrue": "$null"}, 17041),
        ({"$anyElementTrue": [[1], [2]]}, 16020),
        ({"$allElementsTrue": "$nothing"}, 17040),
    ],
)
def test_a_set_operator_refuses(expression: Any, code: int) -> None:
    assert code_of(expression, SETS) == code


elements = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0, -0.0, "", "a", [], [1], {"a": 1}])
)
sets = st.lists(elements, max_size=6)


@given(sets, sets)
def test_union_and_intersection_commute_as_sets(left: list[Any], right: list[Any]) -> None:
    document = {"left": left, "right": right}

    for operator in ("$setUnion", "$setIntersection"):
        there, back = {operator: ["$left", "$right"]}, {operator: ["$right", "$left"]}
        assert value_of({"$setEquals": [there, back]}, document)


@given(sets, sets)
def test_what_is_common_and_what_is_not_make_the_whole(left: list[Any], right: list[Any]) -> None:
    common = {"$setIntersection": ["$left", "$right"]}
    rest = {"$setDifference": ["$left", "$right"]}
    document = {"left": left, "right": right}

    assert value_of({"$setEquals": [{"$setUnion": [common, rest]}, "$left"]}, document)
    assert value_of({"$setIntersection": [common, rest]}, document) == []


@given(sets, sets)
def test_two_sets_are_equal_when_each_is_a_subset_of_the_other(left: list[Any], right: list[Any]) -> None:
    both = {"$and": [{"$setIsSubset": ["$left", "$right"]}, {"$setIsSubset": ["$right", "$left"]}]}

    assert value_of({"$eq": [both, {"$setEquals": ["$left", "$right"]}]}, {"left": left, "right": right})
