"""Arrays as wholes: their size, elements and parts."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.expressions.evaluating import code_of, is_missing, value_of

NODES = {"nodes": [{"id": "a", "gpus": 2}, {"id": "b"}], "tags": ["gpu", "west", 7, None, True], "null": None}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"$size": "$nodes"}, 2),
        ({"$size": [[]]}, 0),
        ({"$isArray": "$nodes"}, True),
        ({"$isArray": "$nothing"}, False),
        ({"$isArray": [["a"]]}, True),
        ({"$arrayElemAt": ["$tags", 1]}, "west"),
        ({"$arrayElemAt": ["$tags", -1.0]}, True),
        ({"$arrayElemAt": ["$tags", -5]}, "gpu"),
        ({"$arrayElemAt": ["$null", "x"]}, None),
        ({"$arrayElemAt": [7, "$nothing"]}, None),
        ({"$first": "$tags"}, "gpu"),
        ({"$last": "$nodes.id"}, "b"),
        ({"$last": "$tags"}, True),
        ({"$first": "$null"}, None),
        ({"$last": "$nothing"}, None),
        ({"$in": ["west", "$tags"]}, True),
        ({"$in": [1, [True, "1"]]}, False),
        ({"$in": [True, [1, 0]]}, False),
        ({"$in": [7.0, "$tags"]}, True),
        ({"$in": [None, "$tags"]}, True),
        ({"$in": ["$nothing", "$tags"]}, False),  # nothing is not null
        ({"$in": [{"id": "b"}, "$nodes"]}, True),
        ({"$in": [{"gpus": 2, "id": "a"}, "$nodes"]}, False),  # fields in another order
        ({"$in": [[1], [[1.0]]]}, True),
        ({"$indexOfArray": ["$tags", 7]}, 2),
        ({"$indexOfArray": ["$tags", "gpu", 1]}, -1),
        ({"$indexOfArray": ["$tags", "west", 0, 1]}, -1),
        ({"$indexOfArray": ["$tags", 7, 3]}, -1),
        ({"$indexOfArray": ["$tags", 7, 0, 2]}, -1),
        ({"$indexOfArray": ["$tags", 7, 2, 99]}, 2),
        ({"$indexOfArray": ["$tags", 7, 3, 1]}, -1),
        ({"$indexOfArray": ["$null", 7, -1]}, None),
        ({"$concatArrays": ["$nodes.id", [], [1]]}, ["a", "b", 1]),
        ({"$concatArrays": []}, []),
        ({"$concatArrays": [[1], "$null", 7]}, None),  # null decides before 7 is looked at
        ({"$slice": ["$tags", 2]}, ["gpu", "west"]),
        ({"$slice": ["$tags", -2]}, [None, True]),
        ({"$slice": ["$tags", 0]}, []),
        ({"$slice": ["$tags", -9]}, ["gpu", "west", 7, None, True]),
        ({"$slice": ["$tags", 1, 2]}, ["west", 7]),
        ({"$slice": ["$tags", -2, 9]}, [None, True]),
        ({"$slice": ["$tags", -9, 1]}, ["gpu"]),
        ({"$slice": ["$tags", 9, 1]}, []),
        ({"$slice": ["$tags", 1, None]}, None),
        ({"$slice": [7, "$nothing", 0]}, None),
        ({"$range": [2, 5]}, [2, 3, 4]),
        ({"$range": [5, 2]}, []),
        ({"$range": [5, 2, -2]}, [5, 3]),
        ({"$range": [0.0, 3.0, 2.0]}, [0, 2]),
        ({"$reverseArray": "$nodes.id"}, ["b", "a"]),
        ({"$reverseArray": "$null"}, None),
    ],
)
def test_an_array_operator_gives(expression: Any, value: Any) -> None:
    result = value_of(expression, NODES)

    assert result == value
    assert type(result) is type(value)


def test_what_is_no_number_equals_itself() -> None:
    assert value_of({"$in": ["$nan", "$array"]}, {"nan": math.nan, "array": [1, math.nan]}) is True
    assert value_of({"$indexOfArray": ["$array", "$nan"]}, {"nan": math.nan, "array": [1, math.nan]}) == 1


@pytest.mark.parametrize(
    "expression", [{"$first": [[]]}, {"$last": [[]]}, {"$arrayElemAt": [[1], 1]}, {"$arrayElemAt": [[1], -2]}]
)
def test_beyond_the_ends_of_an_array_is_nothing(expression: Any) -> None:
    assert is_missing(value_of(expression))


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$size": "$null"}, 17124),
        ({"$size": [1, 2]}, 16020),
        ({"$isArray": []}, 16020),
        ({"$arrayElemAt": [7, 0]}, 28689),
        ({"$arrayElemAt": [[1], "0"]}, 28690),
        ({"$arrayElemAt": [[1], 0.5]}, 28691),
        ({"$first": "west"}, 28689),
        ({"$last": "west"}, 28689),
        ({"$in": [1, "$null"]}, 40081),
        ({"$in": [[1]]}, 16020),
        ({"$indexOfArray": [7, 1]}, 40090),
        ({"$indexOfArray": [[1], 1, "$null"]}, 9711600),
        ({"$indexOfArray": [[1], 1, 0, 0.5]}, 9711600),
        ({"$indexOfArray": [[1], 1, -1]}, 9711601),
        ({"$concatArrays": [[1], 7, None]}, 28664),
        ({"$slice": [[1]]}, 28667),
        ({"$slice": [7, 1]}, 28724),
        ({"$slice": [[1], "1"]}, 28725),
        ({"$slice": [[1], 2**31]}, 28726),
        ({"$slice": [[1], 0, "1"]}, 28727),
        ({"$slice": [[1], 0, 0.5]}, 28728),
        ({"$slice": [[1], 0, 0]}, 28729),
        ({"$range": [None, 1]}, 34443),
        ({"$range": [0.5, 1]}, 34444),
        ({"$range": [0, "1"]}, 34445),
        ({"$range": [0, 2**31]}, 34446),
        ({"$range": [0, 1, None]}, 34447),
        ({"$range": [0, 1, 0.5]}, 34448),
        ({"$range": [0, 1, 0]}, 34449),
        ({"$reverseArray": {"a": 1}}, 34435),
    ],
)
def test_an_array_operator_refuses(expression: Any, code: int) -> None:
    assert code_of(expression, NODES) == code


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([-0.0, 0.5, 1.0, "", "a"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner)
)
arrays = st.lists(values, max_size=6)


@given(arrays)
def test_turning_an_array_round_twice_gives_it_back(array: list[Any]) -> None:
    assert value_of({"$reverseArray": {"$reverseArray": "$array"}}, {"array": array}) == array


@given(arrays, st.integers(-7, 7))
def test_the_two_slices_at_a_place_make_the_whole(array: list[Any], place: int) -> None:
    split = place if place >= 0 else max(len(array) + place, 0)
    halves = {"$concatArrays": [{"$slice": ["$array", split]}, {"$slice": ["$array", split, 99]}]}

    assert value_of(halves, {"array": array}) == array


@given(arrays, values)
def test_an_array_contains_what_stands_at_an_index_in_it(array: list[Any], value: Any) -> None:
    document = {"array": array, "value": value}
    index = value_of({"$indexOfArray": ["$array", "$value"]}, document)

    assert value_of({"$in": ["$value", "$array"]}, document) == (index >= 0)
    if index >= 0:
        assert value_of({"$eq": ["$value", {"$arrayElemAt": ["$array", index]}]}, document)
    for element in array[: max(index, 0)]:
        assert value_of({"$ne": ["$value", {"$literal": element}]}, document)
