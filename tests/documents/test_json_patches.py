"""JSON Patches: the examples of RFC 6902, the law that a difference applied is the second value, and refusals."""

import copy
import json
from typing import Any

import jsonpatch
import jsonpointer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.json_patches import parse_json_patch, parse_pointer, patched
from rollbook.documents.patching import patch_between
from rollbook.errors import PreconditionFailed, UpdateRefused, WorkExceeded
from rollbook.limits import DEFAULT_LIMITS, RequestBudget
from tests.documents.test_patching import NAMES, VALUES


def after(document: Any, patch: Any) -> Any:
    return patched(document, parse_json_patch(patch))


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [  # RFC 6902, appendix A
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"foo": "bar", "baz": "qux"}),
        ({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
        ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
        ({"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
        ({"baz": "qux"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo"}),
        (
            {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
            [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
            {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
        ),
        (
            {"foo": ["all", "grass", "cows", "eat"]},
            [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
            {"foo": ["all", "cows", "eat", "grass"]},
        ),
        (
            {"baz": "qux", "foo": ["a", 2, "c"]},
            [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}],
            {"baz": "qux", "foo": ["a", 2, "c"]},
        ),
        (
            {"foo": "bar"},
            [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
            {"foo": "bar", "child": {"grandchild": {}}},
        ),
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}], {"foo": "bar", "baz": "qux"}),
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
        ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc"]}], {"foo": ["bar", ["abc"]]}),
        # What the text says, and its appendix does not show.
        ({"a": 1}, [{"op": "add", "path": "", "value": [2]}], [2]),
        ({"a": 1}, [{"op": "add", "path": "/a", "value": 2}], {"a": 2}),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/a/c"}], {"a": {"b": 1, "c": {"b": 1}}}),
        ({"a": [1, 2]}, [{"op": "move", "from": "/a/0", "path": "/a/-"}], {"a": [2, 1]}),
        ({"a": 1}, [{"op": "move", "from": "/a", "path": "/a"}], {"a": 1}),
        ({"a": {"x": 1, "y": 2.0}}, [{"op": "test", "path": "/a", "value": {"y": 2, "x": 1}}], {"a": {"x": 1, "y": 2}}),
    ],
)
def test_the_examples_of_the_rfc(document: Any, patch: Any, result: Any) -> None:
    were = copy.deepcopy((document, patch))
    assert after(document, patch) == result
    assert (document, patch) == were


@pytest.mark.parametrize(
    ("document", "patch", "refusal", "at"),
    [
        ({"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}], PreconditionFailed, "/0"),  # A.9
        ({"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}], UpdateRefused, "/0/path"),  # A.12
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}], PreconditionFailed, "/0"),  # A.15
        ({"a": True}, [{"op": "test", "path": "/a", "value": 1}], PreconditionFailed, "/0"),
        ({}, {"op": "add"}, UpdateRefused, ""),
        ({}, [5], UpdateRefused, "/0"),
        ({}, [{"op": "set", "path": "/a", "value": 1}], UpdateRefused, "/0/op"),
        ({}, [{"op": "add", "path": "/a"}], UpdateRefused, "/0"),
        ({}, [{"op": "copy", "path": "/a"}], UpdateRefused, "/0"),
        ({}, [{"op": "add", "path": "a", "value": 1}], UpdateRefused, "/0/path"),
        ({}, [{"op": "add", "path": "/a~2", "value": 1}], UpdateRefused, "/0/path"),
        ({}, [{"op": "add", "path": 5, "value": 1}], UpdateRefused, "/0/path"),
        ({}, [{"op": "remove", "path": "/a"}], UpdateRefused, "/0/path"),
        ({}, [{"op": "remove", "path": ""}], UpdateRefused, "/0/path"),
        ({}, [{"op": "replace", "path": "/a", "value": 1}], UpdateRefused, "/0/path"),
        ({"a": [1]}, [{"op": "add", "path": "/a/2", "value": 1}], UpdateRefused, "/0/path"),
        ({"a": [1]}, [{"op": "remove", "path": "/a/-"}], UpdateRefused, "/0/path"),
        ({"a": [1, 2]}, [{"op": "remove", "path": "/a/01"}], UpdateRefused, "/0/path"),
        ({"a": [1, 2]}, [{"op": "replace", "path": "/a/-1", "value": 0}], UpdateRefused, "/0/path"),
        ({"a": 1}, [{"op": "move", "from": "/b", "path": "/c"}], UpdateRefused, "/0/from"),
        ({"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a/b"}], UpdateRefused, "/0/path"),
    ],
)
def test_a_refusal_says_where(document: Any, patch: Any, refusal: type[Exception], at: str) -> None:
    were = copy.deepcopy(document)
    with pytest.raises(refusal) as refused:
        after(document, patch)
    assert type(refused.value) is refusal
    assert refused.value.at == at
    assert document == were


@given(VALUES, VALUES)
def test_a_difference_applied_gives_the_second_value(before: Any, then: Any) -> None:
    were = json.dumps(before)
    assert json.dumps(after(before, json.loads(json.dumps(patch_between(before, then))))) == json.dumps(then)
    assert json.dumps(before) == were


POINTERS = st.lists(NAMES | st.sampled_from(["1", "2", "-"]), max_size=3).map(
    lambda keys: "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in keys)
)


def operation(op: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "path": path, **more}


OPERATIONS = st.one_of(
    st.builds(operation, st.sampled_from(["add", "replace"]), POINTERS, value=VALUES),
    st.builds(operation, st.just("remove"), POINTERS.filter(bool)),
    st.builds(operation, st.sampled_from(["move", "copy"]), POINTERS, **{"from": POINTERS.filter(bool)}),
)


@given(VALUES, st.lists(OPERATIONS, max_size=6))
def test_patches_do_what_another_implementation_does(document: Any, patch: Any) -> None:
    were = json.dumps(document)
    try:
        ours = json.dumps(after(document, patch))
    except UpdateRefused:
        ours = "refused"
    try:
        theirs = json.dumps(jsonpatch.apply_patch(document, patch))
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError):
        theirs = "refused"
    if "refused" not in (ours, theirs):  # the other one refuses and takes some of what RFC 6902 does not
        assert ours == theirs
    assert json.dumps(document) == were


def test_copies_can_not_grow_without_end() -> None:
    doubling = [{"op": "copy", "from": "/a", "path": f"/a/{number}"} for number in range(100)]
    with pytest.raises(UpdateRefused) as refused:
        after({"a": {"text": "x" * 1000}}, doubling)
    assert refused.value.at.startswith("/1")


def test_a_patch_has_a_bounded_number_of_operations() -> None:
    operation = {"op": "test", "path": "", "value": 1}
    assert after(1, [operation] * DEFAULT_LIMITS.update_changes_max) == 1
    with pytest.raises(UpdateRefused):
        after(1, [operation] * (DEFAULT_LIMITS.update_changes_max + 1))


def test_a_patch_spends_from_its_budget() -> None:
    operations = parse_json_patch([{"op": "add", "path": "/0", "value": 1}] * 20_000)
    with pytest.raises(WorkExceeded):
        patched([0], operations, work=RequestBudget(deadline=0.0, clock=lambda: 1.0))


def test_a_pointer_has_keys() -> None:
    assert parse_pointer("", at="") == ()
    assert parse_pointer("/", at="") == ("",)
    assert parse_pointer("/a~1b/m~0n/~01", at="") == ("a/b", "m~n", "~1")
