"""How many values a body may have is known before any of them is made."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents import codec
from rollbook.documents.codec import check_values
from rollbook.documents.values import Value
from rollbook.errors import JsonTooDeep

texts = st.text(st.sampled_from('a,[]{}"\\\n'), max_size=8)
scalars = st.one_of(st.none(), st.booleans(), st.integers(0, 99), texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4), st.dictionaries(texts, inner, min_size=1, max_size=4)
    ),
    max_leaves=30,
)


def inside(value: Value) -> int:
    """How many values are in it, at every depth."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(1 + inside(member) for member in members)


@given(values)
def test_values_are_counted_and_the_commas_and_brackets_of_strings_are_not(value: Value) -> None:
    count, body = inside(value), orjson.dumps(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "VALUES_MAX", count)
        check_values(body, bytes_max=0)
        if len(body) > count - 1 >= 0:
            patch.setattr(codec, "VALUES_MAX", count - 1)
            with pytest.raises(JsonTooDeep, match="values: send less"):
                check_values(body, bytes_max=0)


def test_an_empty_container_counts_as_two() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "VALUES_MAX", 5)
        check_values(b"[[],{},0]", bytes_max=0)
        with pytest.raises(JsonTooDeep):
            check_values(b"[[],{},[]]", bytes_max=0)


def test_a_larger_bound_of_bodies_allows_more_values() -> None:
    body = b"[" + b",".join([b"0"] * (codec.VALUES_MAX + 1)) + b"]"
    check_values(body, bytes_max=codec.BYTES_PER_VALUE * (codec.VALUES_MAX + 1))
    with pytest.raises(JsonTooDeep):
        check_values(body, bytes_max=codec.BYTES_PER_VALUE * codec.VALUES_MAX)
