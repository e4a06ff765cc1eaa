"""An array read in pieces is the array, however it was cut."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.client.arrays import ArrayDecoder
from rollbook.errors import RegistryUnreachable


def elements(pieces: Iterable[str]) -> Iterator[Any]:
    decoder = ArrayDecoder()
    for piece in pieces:
        yield from decoder.feed(piece.encode())
    yield from decoder.end()


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)
objects = st.dictionaries(st.text(max_size=3), values, max_size=3)


@pytest.mark.parametrize("text", ['[{"a":NaN}]', '[{"a":-Infinity}]', r'[{"a":"\ud800"}]', r'[{"\uDFFF":1}]'])
def test_what_python_takes_for_json_and_nobody_else_is_no_answer(text) -> None:
    with pytest.raises(RegistryUnreachable):
        list(elements(text))


def test_an_escaped_pair_of_surrogates_is_one_character() -> None:
    assert list(elements([r'[{"a":"\ud83d\ude00"}]'])) == [{"a": "\N{GRINNING FACE}"}]


@given(documents=st.lists(objects, max_size=3), cuts=st.lists(st.integers(0, 50)), spaced=st.booleans())
def test_the_cuts_do_not_matter(documents, cuts, spaced) -> None:
    text = json.dumps(documents, indent=1 if spaced else None, ensure_ascii=False)
    pieces, left = [], text
    for cut in cuts:
        pieces.append(left[:cut])
        left = left[cut:]
    assert list(elements([*pieces, left])) == documents


@pytest.mark.parametrize("text", ["[]", " [ ] ", '[{"a":"]"}]', '[{},{"a":[1,[2]]}]'])
def test_one_character_at_a_time_is_enough(text) -> None:
    assert list(elements(text)) == json.loads(text)


@pytest.mark.parametrize("text", ["[", '[{"a":1}', '[{"a":1},', '[{"a":', ""])
def test_an_array_that_breaks_off_is_no_answer(text) -> None:
    with pytest.raises(RegistryUnreachable, match="ends in the middle"):
        list(elements([text]))


NO_ARRAYS = ['{"a":1}', "null", "<html>", "[] x", '[{"a":1} {"b":2}]', '[{"a":1},]', "[1]", "[,]", "[]]"]


@pytest.mark.parametrize("text", NO_ARRAYS)
def test_what_is_no_array_of_objects_is_no_answer(text) -> None:
    with pytest.raises(RegistryUnreachable, match=r"no JSON array|no document"):
        list(elements([text]))


def test_what_arrived_before_the_break_is_not_lost() -> None:
    arriving = elements(['[{"id":"a"},{"id":', '"b"'])
    assert next(arriving) == {"id": "a"}
    with pytest.raises(RegistryUnreachable):
        next(arriving)
