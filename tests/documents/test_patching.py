"""Patches between values: they lead from one to the other, and say little where little changed."""

import json
from random import Random
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.patching import patch_between
from tests.examples import cluster, node

SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([1.0, 0.0, 2.5, "", "a", "1"])
NAMES = st.sampled_from(["a", "b", "", "a/b", "m~n", "0"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


@given(VALUES, VALUES)
def test_a_patch_applied_to_what_was_before_gives_what_is_after(before: Any, after: Any) -> None:
    assert json.dumps(jsonpatch.apply_patch(before, patch_between(before, after))) == json.dumps(after)


@given(VALUES, st.randoms(use_true_random=False))
def test_a_patch_says_in_which_order_members_are(before: Any, random: Random) -> None:
    after = shuffled(before, random)
    assert json.dumps(jsonpatch.apply_patch(before, patch_between(before, after))) == json.dumps(after)


def shuffled(value: Any, random: Random) -> Any:
    """The value with the members of its objects in another order."""
    if isinstance(value, list):
        return [shuffled(each, random) for each in value]
    if not isinstance(value, dict):
        return value
    names = random.sample(list(value), len(value))
    return {name: shuffled(value[name], random) for name in names}


@given(VALUES)
def test_what_is_the_same_has_an_empty_patch(value: Any) -> None:
    assert patch_between(value, json.loads(json.dumps(value))) == []


@pytest.mark.parametrize(
    ("before", "after", "operations"),
    [
        ({"a": 1}, {"a": 1, "b": [2]}, [{"op": "add", "path": "/b", "value": [2]}]),
        ({"a": 1, "b": 2}, {"b": 2}, [{"op": "remove", "path": "/a"}]),
        ({"a": {"b/c": 1}}, {"a": {"b/c": True}}, [{"op": "replace", "path": "/a/b~1c", "value": True}]),
        ({"a": 1}, {"a": 1.0}, [{"op": "replace", "path": "/a", "value": 1.0}]),
        ([1, 2, 3, 4], [1, 3, 4], [{"op": "remove", "path": "/1"}]),
        ([1, 2], [1, 9, 2], [{"op": "add", "path": "/1", "value": 9}]),
        ([1, 1], [1], [{"op": "remove", "path": "/1"}]),
        ([{"a": 1}, 2], [{"a": 2}, 2], [{"op": "replace", "path": "/0/a", "value": 2}]),
        ([1, 2, 3], [], [{"op": "remove", "path": f"/{index}"} for index in (2, 1, 0)]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, [{"op": "replace", "path": "", "value": {"b": 2, "a": 1}}]),
        (
            {"c": {"a": 1, "b": 2}, "d": 1},
            {"c": {"b": 2, "a": 1}, "d": 1},
            [{"op": "replace", "path": "/c", "value": {"b": 2, "a": 1}}],
        ),
        (
            {"a": 1, "b": 2, "c": 3},
            {"b": 2, "c": 4, "d": 5, "a": 1},
            [
                {"op": "replace", "path": "", "value": {"b": 2, "c": 4, "d": 5, "a": 1}},
            ],
        ),
        ({"a": 1}, {"b": 2, "a": 1}, [{"op": "replace", "path": "", "value": {"b": 2, "a": 1}}]),
        (None, {"a": 1}, [{"op": "replace", "path": "", "value": {"a": 1}}]),
    ],
)
def test_a_patch_says_what_changed_and_where(before: Any, after: Any, operations: list[dict[str, Any]]) -> None:
    assert patch_between(before, after) == operations


def test_a_node_that_leaves_a_long_list_is_one_operation() -> None:
    before = cluster("west", *(node(f"node-{n}") for n in range(100)))
    after = cluster("west", *(node(f"node-{n}") for n in range(100) if n != 40))

    assert patch_between(before, after) == [{"op": "remove", "path": "/nodes/nodeData/40"}]
