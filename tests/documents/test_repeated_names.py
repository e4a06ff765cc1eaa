"""Names that stand twice in an object: found wherever they are, and never seen where they are not."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.codec import decode_json
from rollbook.documents.repeated_names import repeated_name_in
from rollbook.errors import MalformedJson

TEXTS = st.text(alphabet='ab:"\\\u003au', max_size=4)
VALUES = st.recursive(
    st.none() | st.integers(-3, 3) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(TEXTS, inner), max_size=4).map(tuple),
    max_leaves=12,
)
"""JSON values; a tuple of pairs is an object as it is written, names repeated or not."""


def written(value: Any, colon: str, *, escaped: bool) -> str:
    """The JSON of a value, colons in its strings escaped or not."""
    if isinstance(value, tuple):
        members = (
            f"{written(name, colon, escaped=escaped)}{colon}{written(inner, colon, escaped=escaped)}"
            for name, inner in value
        )
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(each, colon, escaped=escaped) for each in value) + "]"
    text = json.dumps(value)
    return text.replace(":", "\\u003A") if escaped else text


def repeats(value: Any) -> bool:
    """Whether a name stands twice in some object."""
    if isinstance(value, tuple):
        names = [name for name, _ in value]
        return len(set(names)) < len(names) or any(repeats(inner) for _, inner in value)
    return isinstance(value, list) and any(map(repeats, value))


@given(VALUES, st.sampled_from([":", " : ", ": "]), st.booleans())
def test_a_repeated_name_is_found_and_nothing_else(value, colon, escaped):
    body = written(value, colon, escaped=escaped).encode()
    assert (repeated_name_in(body, orjson.loads(body)) is not None) is repeats(value)


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ('{"a": 1, "b": 2, "a": 1}', "/a"),
        ('{"query": {"id": {"$ne": 1, "$ne": 2}}}', "/query/id/$ne"),
        ('[{}, {"x/y": [{"b": 1, "\\u0062": 2}]}]', "/1/x~1y/0/b"),
    ],
)
def test_a_body_with_a_repeated_name_is_refused_where_it_stands(body, at):
    with pytest.raises(MalformedJson, match="twice") as refused:
        decode_json(body.encode())
    assert refused.value.at == at
