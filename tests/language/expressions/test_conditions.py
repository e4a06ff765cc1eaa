"""Comparison, conditions and names for values."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.ordering import compare
from tests.language.expressions.evaluating import code_of, is_missing, value_of

ASCENDING: list[Any] = [
    "$absent",
    None,
    -1,
    0.5,
    2,
    "",
    "a",
    "b",
    {},
    {"a": 1},
    {"a": "x"},
    [],
    [1],
    [1, 0],
    False,
    True,
]

values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


def test_values_of_all_types_stand_in_one_order() -> None:
    for place, left in enumerate(ASCENDING):
        for other, right in enumerate(ASCENDING):
            expected = (place > other) - (place < other)
            assert value_of({"$cmp": [left, right]}) == expected, (left, right)
            assert value_of({"$lt": [left, right]}) is (expected < 0)
            assert value_of({"$lte": [left, right]}) is (expected <= 0)
            assert value_of({"$gt": [left, right]}) is (expected > 0)
            assert value_of({"$gte": [left, right]}) is (expected >= 0)
            assert value_of({"$eq": [left, right]}) is (expected == 0)
            assert value_of({"$ne": [left, right]}) is (expected != 0)


@given(values, values)
def test_the_comparisons_agree_with_the_order_of_documents(left: Any, right: Any) -> None:
    document = {"left": left, "right": right}
    order = compare(left, right)
    answers = {
        name: value_of({name: ["$left", "$right"]}, document)
        for name in ("$cmp", "$eq", "$ne", "$gt", "$gte", "$lt", "$lte")
    }
    assert answers == {
        "$cmp": order,
        "$eq": order == 0,
        "$ne": order != 0,
        "$gt": order > 0,
        "$gte": order >= 0,
        "$lt": order < 0,
        "$lte": order <= 0,
    }


@pytest.mark.parametrize("value", [True, 1, -0.5, "", "x", [], [None], {}])
def test_everything_but_zero_null_and_nothing_is_true(value: Any) -> None:
    assert value_of({"$and": ["$value"]}, {"value": value}) is True
    assert value_of({"$not": "$value"}, {"value": value}) is False


@pytest.mark.parametrize("expression", [False, 0, 0.0, None, "$absent"])
def test_zero_null_and_nothing_are_not_true(expression: Any) -> None:
    assert value_of({"$or": expression}) is False
    assert value_of({"$not": [expression]}) is True


def test_no_operands_are_all_true_and_none_is() -> None:
    assert value_of({"$and": []}) is True
    assert value_of({"$or": []}) is False


def test_what_follows_the_deciding_operand_is_not_evaluated() -> None:
    fails = {"$divide": [1, "$zero"]}
    document = {"zero": 0}
    assert value_of({"$and": ["$zero", fails]}, document) is False
    assert value_of({"$or": [{"$eq": ["$zero", 0]}, fails]}, document) is True
    assert value_of({"$cond": ["$zero", fails, "no"]}, document) == "no"
    assert value_of({"$switch": {"branches": [{"case": "$zero", "then": fails}], "default": 1}}, document) == 1
    assert value_of({"$ifNull": ["$zero", fails]}, document) == 0


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"$cond": ["$a", "yes", "no"]}, "yes"),
        ({"$cond": ["$a", "$a", "no"]}, 1),
        ({"$cond": ["$absent", "yes", "$a"]}, 1),
        ({"$switch": {"branches": [{"case": "$a", "then": "$a"}]}}, 1),
        ({"$switch": {"branches": [{"case": "$absent", "then": 2}], "default": "$a"}}, 1),
        ({"$cond": {"else": "no", "if": "$absent", "then": "yes"}}, "no"),
        ({"$ifNull": ["$absent", None, "$a", "last"]}, 1),
        ({"$ifNull": ["$absent", None]}, None),
        ({"$switch": {"branches": [{"case": False, "then": 1}, {"case": "$a", "then": 2}]}}, 2),
        ({"$switch": {"default": "none", "branches": [{"case": "$absent", "then": 1}]}}, "none"),
        ({"$switch": {"branches": [{"case": 1, "then": 1}, {"case": {"$divide": [1, 0]}, "then": 2}]}}, 1),
        ({"$let": {"vars": {"x": "$a", "y": 2}, "in": {"$add": ["$$x", "$$y"]}}}, 3),
        ({"$let": {"vars": {}, "in": "$a"}}, 1),
        ({"$let": {"vars": {"x": {"b": [{"c": 1}, {"c": 2}]}}, "in": "$$x.b.c"}}, [1, 2]),
        ({"$let": {"vars": {"x": 1}, "in": {"$let": {"vars": {"x": 2, "y": "$$x"}, "in": ["$$x", "$$y"]}}}}, [2, 1]),
        ({"$let": {"vars": {"CURRENT": {"a": 5}}, "in": ["$a", "$$ROOT.a"]}}, [5, 1]),
    ],
)
def test_conditions_choose_and_names_stand_for_values(expression: Any, expected: Any) -> None:
    assert value_of(expression, {"a": 1}) == expected


def test_a_chosen_branch_may_give_nothing() -> None:
    assert is_missing(value_of({"$cond": [True, "$$REMOVE", 1]}))
    assert is_missing(value_of({"$ifNull": [None, "$absent"]}))


def test_a_name_is_not_known_outside_its_let() -> None:
    inside = {"$let": {"vars": {"x": 1}, "in": "$$x"}}
    assert code_of([inside, "$$x"]) == 17276
    assert code_of({"$let": {"vars": {"x": 1, "y": "$$x"}, "in": 1}}) == 17276


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$cond": [1, 2]}, 16020),
        ({"$cond": 1}, 16020),
        ({"$cond": {"then": 1, "else": 2}}, 17080),
        ({"$cond": {"if": 1, "else": 2}}, 17081),
        ({"$cond": {"if": 1, "then": 2}}, 17082),
        ({"$cond": {"if": 1, "then": 2, "else": 3, "other": 4}}, 17083),
        ({"$ifNull": 1}, 1257300),
        ({"$ifNull": [1]}, 1257300),
        ({"$switch": []}, 40060),
        ({"$switch": {"branches": 1}}, 40061),
        ({"$switch": {"branches": [1]}}, 40062),
        ({"$switch": {"branches": [{"case": 1, "then": 2, "other": 3}]}}, 40063),
        ({"$switch": {"branches": [{"then": 2}]}}, 40064),
        ({"$switch": {"branches": [{"case": 1}]}}, 40065),
        ({"$switch": {"branches": [{"case": 1, "then": 2}], "other": 1}}, 40067),
        ({"$switch": {}}, 40068),
        ({"$switch": {"branches": []}}, 40068),
        ({"$switch": {"branches": [{"case": "$absent", "then": 2}]}}, 40069),
        ({"$let": 1}, 16874),
        ({"$let": {"vars": {}, "in": 1, "other": 1}}, 16875),
        ({"$let": {"in": 1}}, 16876),
        ({"$let": {"vars": {}}}, 16877),
        ({"$let": {"vars": 1, "in": 1}}, 10065),
        ({"$let": {"vars": {"X": 1}, "in": 1}}, 9),
        ({"$let": {"vars": {"ROOT": 1}, "in": 1}}, 9),
        ({"$let": {"vars": {"a.b": 1}, "in": 1}}, 9),
        ({"$let": {"vars": {"": 1}, "in": 1}}, 9),
        ({"$not": [1, 2]}, 16020),
        ({"$eq": "$a"}, 16020),
        ({"$rand": {"seed": 1}}, 3040501),
    ],
)
def test_what_has_not_its_parts_is_refused(expression: Any, code: int) -> None:
    assert code_of(expression) == code


def test_a_random_number_is_another_one_each_time() -> None:
    first, second = value_of([{"$rand": {}}, {"$rand": {}}])
    assert first != second
    assert 0 <= min(first, second) <= max(first, second) < 1


def test_now_is_one_iso_string_in_one_expression() -> None:
    first, second = value_of(["$$NOW", "$$NOW"])
    assert first == second
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first)


def test_now_may_be_given_by_who_evaluates() -> None:
    assert value_of({"at": "$$NOW"}, NOW="2024-01-01T00:00:00.000Z") == {"at": "2024-01-01T00:00:00.000Z"}


def test_there_is_nothing_in_now() -> None:
    assert is_missing(value_of("$$NOW.year"))
