"""Bounds of a result: only what is new is looked at, and what was there before is the measure."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.bounding import check_bounds
from rollbook.documents.editing import depth_of
from rollbook.errors import DocumentInvalid
from rollbook.limits import Limits

LIMITS = Limits(body_depth_max=3, object_keys_max=3)

documents = st.dictionaries(
    st.sampled_from("abcd"),
    st.recursive(
        st.integers(0, 2), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner)
    ),
)


def is_within(document: dict[str, Any], **more: Any) -> bool:
    try:
        check_bounds(document, limits=LIMITS, **more)
    except DocumentInvalid:
        return False
    return True


def width_of(value: Any) -> int:
    if isinstance(value, dict):
        return max([len(value), *map(width_of, value.values())])
    return max([0, *map(width_of, value)]) if isinstance(value, list) else 0


@given(documents)
def test_a_document_of_its_own_is_within_the_bounds_or_not(document: dict[str, Any]) -> None:
    assert is_within(document) == (depth_of(document) <= 3 and width_of(document) <= 3)


@given(documents, documents)
def test_an_update_may_not_make_it_worse(before: dict[str, Any], after: dict[str, Any]) -> None:
    allowed = depth_of(after) <= max(3, depth_of(before)) and width_of(after) <= max(3, width_of(before))
    assert is_within(after, before=before) == allowed


@given(documents)
def test_what_stays_where_it_stood_is_no_matter(before: dict[str, Any]) -> None:
    joined = {"list": [*before.values()], "object": before}
    assert is_within({**joined, "list": [1, *joined["list"]], "new": 1}, before=joined)


def test_the_refusal_says_where() -> None:
    with pytest.raises(DocumentInvalid) as refused:
        check_bounds({"a": [1, {"b/c": {}}]}, limits=LIMITS)
    assert refused.value.at == "/a/1/b~1c"
    assert "nested more than 3 levels deep" in str(refused.value)
