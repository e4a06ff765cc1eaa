"""Forms over arrays: what they bind, what they give for null, and that nothing leaks out of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.expressions.evaluating import code_of, is_missing, value_of

NODES = {"nodes": [{"id": "a", "gpus": 2}, {"id": "b"}, {"id": "c", "gpus": 8}], "least": 4, "null": None}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"$map": {"input": "$nodes", "in": "$$this.gpus"}}, [2, None, 8]),  # nothing becomes null
        ({"$map": {"input": "$nodes", "as": "node", "in": {"$concat": ["$$node.id", "!"]}}}, ["a!", "b!", "c!"]),
        (
            {"$map": {"input": [1, 2], "in": {"least": "$least", "n": "$$this"}}},
            [{"least": 4, "n": 1}, {"least": 4, "n": 2}],
        ),
        ({"$map": {"input": "$null", "in": 1}}, None),
        ({"$map": {"input": "$nothing", "in": 1}}, None),
        ({"$filter": {"input": "$nodes.gpus", "cond": {"$gte": ["$$this", "$least"]}}}, [8]),
        ({"$filter": {"input": [0, 0.0, None, False, "", [], 1], "cond": "$$this"}}, ["", [], 1]),
        ({"$filter": {"input": [1, 2, 3], "cond": True, "limit": 2}}, [1, 2]),
        ({"$filter": {"input": [1, 2, 3], "cond": {"$gt": ["$$this", 1]}, "limit": 1}}, [2]),
        ({"$filter": {"input": [1, 2], "cond": True, "limit": "$null"}}, [1, 2]),
        ({"$filter": {"input": [], "cond": True, "limit": -1}}, []),  # nothing to limit
        ({"$filter": {"input": "$null", "cond": True, "limit": -1}}, None),
        ({"$reduce": {"input": "$nodes", "initialValue": "", "in": {"$concat": ["$$value", "$$this.id"]}}}, "abc"),
        ({"$reduce": {"input": [], "initialValue": 7, "in": "$$this"}}, 7),
        ({"$reduce": {"input": "$nothing", "initialValue": 7, "in": "$$this"}}, None),
    ],
)
def test_a_form_gives(expression: Any, value: Any) -> None:
    assert value_of(expression, NODES) == value


def test_an_inner_form_hides_the_outer_variable_and_leaves_it_as_it_was() -> None:
    inner = {"$map": {"input": [10, 20], "in": "$$this"}}
    expression = {"$map": {"input": [1, 2], "in": [inner, "$$this"]}}

    assert value_of(expression) == [[[10, 20], 1], [[10, 20], 2]]


def test_an_inner_form_sees_the_outer_variable_under_its_name() -> None:
    rows = {
        "$map": {"input": [1, 2], "as": "row", "in": {"$map": {"input": [10, 20], "in": {"$add": ["$$row", "$$this"]}}}}
    }

    assert value_of(rows) == [[11, 21], [12, 22]]


def test_a_reduction_may_give_nothing() -> None:
    assert is_missing(value_of({"$reduce": {"input": [1], "initialValue": 0, "in": "$nothing"}}))


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$map": [[1], 1]}, 16878),
        ({"$map": {"input": [1], "in": 1, "cond": 1}}, 16879),
        ({"$map": {"in": 1}}, 16880),
        ({"$map": {"input": [1]}}, 16882),
        ({"$map": {"input": 7, "in": 1}}, 16883),
        ({"$map": {"input": [1], "as": 7, "in": 1}}, 9),
        ({"$map": {"input": [1], "as": "Node", "in": 1}}, 9),
        ({"$map": {"input": "$$this", "in": 1}}, 17276),  # only "in" sees the variable
        ({"$map": {"input": [1], "as": "node", "in": "$$this"}}, 17276),
        ({"$filter": 7}, 28646),
        ({"$filter": {"input": [1], "cond": 1, "in": 1}}, 28647),
        ({"$filter": {"cond": 1}}, 28648),
        ({"$filter": {"input": [1]}}, 28650),
        ({"$filter": {"input": {"a": 1}, "cond": 1}}, 28651),
        ({"$filter": {"input": [1], "cond": 1, "limit": "1"}}, 327391),
        ({"$filter": {"input": [1], "cond": 1, "limit": 0.5}}, 327391),
        ({"$filter": {"input": [1], "cond": 1, "limit": 0}}, 327392),
        ({"$reduce": []}, 40075),
        ({"$reduce": {"input": [1], "initialValue": 1, "in": 1, "as": "a"}}, 40076),
        ({"$reduce": {"initialValue": 1, "in": 1}}, 40077),
        ({"$reduce": {"input": [1], "in": 1}}, 40078),
        ({"$reduce": {"input": [1], "initialValue": 1}}, 40079),
        ({"$reduce": {"input": "a", "initialValue": 1, "in": 1}}, 40080),
    ],
)
def test_a_form_refuses(expression: Any, code: int) -> None:
    assert code_of(expression, NODES) == code


numbers = st.lists(st.integers(-99, 99), max_size=8)


@given(numbers)
def test_a_reduction_that_appends_gives_the_array_back(array: list[int]) -> None:
    append = {"$reduce": {"input": "$array", "initialValue": [], "in": {"$concatArrays": ["$$value", ["$$this"]]}}}

    assert value_of(append, {"array": array}) == array


@given(numbers, st.integers(-99, 99))
def test_every_element_passes_a_filter_or_its_opposite(array: list[int], least: int) -> None:
    condition = {"$gte": ["$$this", "$least"]}
    kept = {"$filter": {"input": "$array", "cond": condition}}
    others = {"$filter": {"input": "$array", "cond": {"$not": condition}}}
    together = {"$sortArray": {"input": {"$concatArrays": [kept, others]}, "sortBy": 1}}

    assert value_of(together, {"array": array, "least": least}) == sorted(array)
