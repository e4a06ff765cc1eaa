"""Laws of masks and of grafting: hidden members are not there, and come back as they were."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollbook.documents.values import MISSING
from rollbook.errors import PermissionDenied
from rollbook.language.applying import update
from rollbook.security.grafting import grafted
from rollbook.security.masks import HIDDEN, SHOWN, Visibility, hidden_part, hiding, showing

NAMES = st.sampled_from(["a", "b", "c", "id"])
SCALARS = st.integers(0, 3) | st.booleans() | st.none() | st.sampled_from(["x", "y"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(tuple)
MASKS = st.builds(hiding, st.lists(PATHS, max_size=3)) | st.builds(showing, st.lists(PATHS, max_size=3))


def test_a_hidden_member_is_not_there():
    mask = hiding([("config", "joinCommand"), ("email",)])
    document = {"id": "west", "config": {"joinCommand": "secret", "port": 1}, "email": "a@b", "tags": []}
    assert mask.masked(document) == {"id": "west", "config": {"port": 1}, "tags": []}


def test_members_of_elements_are_hidden_too():
    mask = hiding([("nodes", "key")])
    assert mask.masked({"nodes": [{"id": "n", "key": 1}, [{"key": 2}], 3]}) == {"nodes": [{"id": "n"}, [{}], 3]}


def test_only_what_is_shown_is_there_and_objects_on_the_way():
    mask = showing([("id",), ("config", "port")])
    assert mask.masked({"id": "west", "config": {"port": 1, "key": 2}, "tags": []}) == {
        "id": "west",
        "config": {"port": 1},
    }
    assert mask.masked({"config": {"key": 2}}) == {"config": {}}
    assert mask.masked({"config": 5}) == {}


def test_how_much_is_visible_at_a_path():
    mask = hiding([("config", "key")])
    assert mask.visibility(("config",)) is Visibility.PART
    assert mask.visibility(("config", "key", "deep")) is Visibility.NOTHING
    assert mask.visibility(("config", "port")) is Visibility.ALL


@given(MASKS, DOCUMENTS)
def test_masking_twice_is_masking_once(mask, document):
    once = mask.masked(document)
    assert mask.masked(once) == once


@given(MASKS, DOCUMENTS)
def test_a_document_without_hidden_members_is_returned_itself(mask, document):
    if hidden_part(mask, document) is MISSING:
        assert mask.masked(document) is document


@given(MASKS, MASKS, PATHS)
def test_a_union_shows_what_either_shows(left, right, path):
    union = left | right
    for part in (left, right):
        if part.visibility(path) is Visibility.ALL:
            assert union.visibility(path) is Visibility.ALL
    if left.visibility(path) is Visibility.NOTHING:
        assert union.visibility(path) is right.visibility(path)


@given(MASKS, MASKS)
def test_the_order_of_masks_in_a_union_does_not_matter(left, right):
    assert left | right == right | left
    assert left | left == left
    assert left | SHOWN == SHOWN
    assert left | HIDDEN == left


@given(MASKS, DOCUMENTS)
def test_a_document_that_was_not_changed_is_as_it_was(mask, document):
    back = grafted(mask, document, mask.masked(document))
    assert back == document
    assert list(back) == list(document)


@example(showing([("a", "a", "a")]), {"a": 0}, {"a": []})
@given(MASKS, DOCUMENTS, DOCUMENTS)
def test_a_change_of_the_masked_document_is_a_change_of_the_whole(mask, document, changed):
    """What is seen after is what was made, and what was hidden is as it was, or the change is refused."""
    changed = mask.masked(changed)
    try:
        after = grafted(mask, document, changed)
    except PermissionDenied:
        return
    assert mask.masked(after) == changed
    assert no_scalar_lost(hidden_part(mask, document), hidden_part(mask, after))


@given(MASKS, DOCUMENTS, DOCUMENTS)
def test_what_is_hidden_decides_nothing(mask, document, changed):
    """The same change of a document with and without its hidden values is refused for both or for none."""
    changed, shown = mask.masked(changed), mask.masked(document)
    answers = []
    for before in (document, shown):
        try:
            answers.append(mask.masked(grafted(mask, before, changed)))
        except PermissionDenied as refusal:
            answers.append(refusal.message)
    assert answers[0] == answers[1]


def no_scalar_lost(before: Any, after: Any) -> bool:
    if isinstance(before, dict):
        return isinstance(after, dict) and all(
            no_scalar_lost(before[name], after.get(name, MISSING)) for name in before
        )
    return before is MISSING or isinstance(before, list) or after == before


def test_replacing_an_object_keeps_its_hidden_members_in_their_place():
    mask = hiding([("config", "key")])
    before = {"config": {"a": 1, "key": 2, "b": 3}, "id": "west"}
    after = grafted(mask, before, {"config": {"b": 4}, "id": "west"})
    assert after == {"config": {"key": 2, "b": 4}, "id": "west"}
    assert list(after["config"]) == ["key", "b"]


@pytest.mark.parametrize("config", [{"key": 2}, {}])
@pytest.mark.parametrize("changed", [{"config": 5}, {}, {"config": []}])
def test_an_object_that_may_hold_hidden_members_stays_one(config, changed):
    with pytest.raises(PermissionDenied, match="config"):
        grafted(hiding([("config", "key")]), {"config": config}, changed)


def test_hidden_members_of_elements_follow_the_ids_of_elements():
    mask = hiding([("nodes", "key")])
    before = {"nodes": [{"id": "n-1", "key": 1}, {"id": "n-2", "key": 2}]}
    after = grafted(mask, before, {"nodes": [{"id": "n-2", "x": 0}, {"id": "n-3"}]})
    assert after == {"nodes": [{"id": "n-2", "x": 0, "key": 2}, {"id": "n-3"}]}


def test_a_renamed_secret_moves_nothing():
    mask = hiding([("config", "key")])
    before = {"config": {"key": "secret"}, "tags": []}
    seen = update(mask.masked(before), {"$rename": {"config.key": "tags"}})
    assert grafted(mask, before, seen) == before
