"""Objects as pairs, merged, and field by field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.expressions.evaluating import code_of, is_missing, value_of

CLUSTER = {"gpus": {"count": 8, "model": "A100"}, "a.b": 1, "$x": 2, "null": None, "name": "count", "": 3}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"$mergeObjects": ["$gpus", {"count": 9, "new": 1}]}, {"count": 9, "model": "A100", "new": 1}),
        ({"$mergeObjects": ["$null", "$gpus", "$nothing"]}, CLUSTER["gpus"]),
        ({"$mergeObjects": "$null"}, {}),
        ({"$mergeObjects": []}, {}),
        ({"$mergeObjects": [[{"a": 1}, None, {"b": 2}]]}, {"a": 1, "b": 2}),
        ({"$mergeObjects": [{"a": {"b": 1}}, {"a": {"c": 2}}]}, {"a": {"c": 2}}),
        ({"$objectToArray": "$gpus"}, [{"k": "count", "v": 8}, {"k": "model", "v": "A100"}]),
        ({"$objectToArray": {}}, []),
        ({"$objectToArray": "$null"}, None),
        ({"$arrayToObject": {"$literal": [["a", 1], ["b", 2], ["a", 3]]}}, {"a": 3, "b": 2}),
        ({"$arrayToObject": {"$literal": [{"v": 1, "k": "a.b"}]}}, {"a.b": 1}),
        ({"$arrayToObject": [[]]}, {}),
        ({"$arrayToObject": "$nothing"}, None),
        ({"$getField": "a.b"}, 1),
        ({"$getField": ""}, 3),
        ({"$getField": {"$literal": "$x"}}, 2),
        ({"$getField": {"field": "count", "input": "$gpus"}}, 8),
        ({"$getField": {"field": "$name", "input": "$gpus"}}, 8),
        ({"$getField": {"field": {"$concat": ["co", "unt"]}, "input": "$gpus"}}, 8),
        ({"$getField": {"field": "a", "input": "$null"}}, None),
        ({"$setField": {"field": "a.b", "input": {"a": 1}, "value": "$gpus.count"}}, {"a": 1, "a.b": 8}),
        ({"$setField": {"field": {"$literal": "$x"}, "input": {}, "value": None}}, {"$x": None}),
        ({"$setField": {"field": "count", "input": "$gpus", "value": "$nothing"}}, {"model": "A100"}),
        ({"$setField": {"field": "a", "input": "$null", "value": 1}}, None),
        ({"$setField": {"field": "a", "input": "$nothing", "value": 1}}, None),
        ({"$unsetField": {"field": "count", "input": "$gpus"}}, {"model": "A100"}),
        ({"$unsetField": {"field": "other", "input": "$gpus"}}, CLUSTER["gpus"]),
        ({"$unsetField": {"field": "a", "input": "$null"}}, None),
    ],
)
def test_an_object_operator_gives(expression: Any, value: Any) -> None:
    assert value_of(expression, CLUSTER) == value


def test_a_field_that_is_set_again_stays_in_its_place() -> None:
    changed = value_of({"$setField": {"field": "a", "input": {"a": 1, "b": 2}, "value": 3}})

    assert list(changed.items()) == [("a", 3), ("b", 2)]


@pytest.mark.parametrize(
    "argument",
    ["none", {"field": "a", "input": "$nothing"}, {"field": "a", "input": 7}, {"field": "a", "input": [{"a": 1}]}],
)
def test_a_field_that_is_not_there_is_nothing(argument: Any) -> None:
    assert is_missing(value_of({"$getField": argument}, CLUSTER))


def test_setting_a_field_leaves_the_document_as_it_was() -> None:
    document = {"gpus": {"count": 8}}

    value_of({"$setField": {"field": "count", "input": "$gpus", "value": 9}}, document)

    assert document == {"gpus": {"count": 8}}


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$mergeObjects": ["$gpus", 7]}, 40400),
        ({"$mergeObjects": ["$gpus", ["$gpus"]]}, 40400),
        ({"$objectToArray": [["a", 1]]}, 40390),
        ({"$arrayToObject": "a"}, 40386),
        ({"$arrayToObject": [[7]]}, 40398),
        ({"$arrayToObject": [[["a", 1], {"k": "b", "v": 2}]]}, 40396),
        ({"$arrayToObject": [[["a", 1, 2]]]}, 40397),
        ({"$arrayToObject": [[[7, 1]]]}, 40395),
        ({"$arrayToObject": [[["\0", 1]]]}, 4940400),
        ({"$arrayToObject": [[{"k": "a", "v": 1}, ["b", 2]]]}, 40391),
        ({"$arrayToObject": [[{"k": "a", "v": 1, "w": 2}]]}, 40392),
        ({"$arrayToObject": [[{"k": "a", "w": 1}]]}, 40393),
        ({"$arrayToObject": [[{"k": 7, "v": 1}]]}, 40394),
        ({"$arrayToObject": [[{"k": "\0", "v": 1}]]}, 4940401),
        ({"$getField": {"field": "a", "input": {}, "value": 1}}, 3041701),
        ({"$getField": {"input": {}}}, 3041702),
        ({"$getField": {"field": "a"}}, 3041703),
        ({"$getField": {}}, 3041702),
        ({"$getField": 7}, 3041704),
        ({"$getField": {"field": "$null", "input": {}}}, 3041704),
        ({"$setField": ["a", {}, 1]}, 4161100),
        ({"$setField": {"field": "a", "input": {}, "value": 1, "as": 1}}, 4161101),
        ({"$unsetField": {"field": "a", "input": {}, "value": 1}}, 4161101),
        ({"$setField": {"input": {}, "value": 1}}, 4161102),
        ({"$setField": {"field": "a", "input": {}}}, 4161103),
        ({"$setField": {"field": "a", "value": 1}}, 4161109),
        ({"$unsetField": {"field": "a"}}, 4161109),
        ({"$setField": {"field": "a", "input": 7, "value": 1}}, 4161105),
        ({"$setField": {"field": {"$concat": ["a", "b"]}, "input": {}, "value": 1}}, 4161106),
        ({"$unsetField": {"field": ["a"], "input": {}}}, 4161106),
        ({"$setField": {"field": None, "input": {}, "value": 1}}, 4161107),
        ({"$unsetField": {"field": {}, "input": {}}}, 4161107),
        ({"$unsetField": {"field": "$name", "input": {}}}, 4161108),
        ({"$setField": {"field": "a\0", "input": {}, "value": 1}}, 9534700),
    ],
)
def test_an_object_operator_refuses(expression: Any, code: int) -> None:
    assert code_of(expression, CLUSTER) == code


names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)
objects = st.dictionaries(names, st.integers() | st.none() | st.lists(st.integers(), max_size=2))


@given(objects)
def test_an_object_comes_back_from_its_pairs_in_order(value: dict[str, Any]) -> None:
    back = value_of({"$arrayToObject": {"$objectToArray": "$value"}}, {"value": value})

    assert list(back.items()) == list(value.items())


@given(objects, st.text("ab.$", max_size=3), st.integers())
def test_a_field_that_was_set_is_read_and_removed_again(value: dict[str, Any], name: str, number: int) -> None:
    field = {"$literal": name}
    changed = {"$setField": {"field": field, "input": "$value", "value": number}}

    assert value_of({"$getField": {"field": field, "input": changed}}, {"value": value}) == number
    without = value_of({"$unsetField": {"field": field, "input": changed}}, {"value": value})
    assert without == {key: member for key, member in value.items() if key != name}
