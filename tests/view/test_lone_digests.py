"""Digests in arrays are what a dict of them would be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.view.index.keys import digest_of
from rollbook.view.index.unique_digests import UniqueDigests

DIGESTS = st.integers(0, 40).map(lambda each: digest_of(str(each))) | st.sampled_from(
    [b"\0" * 8, b"\0" * 7 + b"\1", b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\x80" + b"\0" * 7]
)
STEPS = st.lists(st.tuples(DIGESTS, st.none() | st.integers(0, 2**32 - 1)))


@given(STEPS)
def test_they_are_what_a_dict_would_be(steps: list[tuple[bytes, int | None]]) -> None:
    digests, expected = UniqueDigests(), dict[bytes, int]()
    for digest, number in steps:
        digests.discard(digest)
        expected.pop(digest, None)
        if number is not None:
            digests.add(digest, number)
            expected[digest] = number
    restored = UniqueDigests()
    restored.restore(digests.state())
    for each in (digests, restored):
        assert sorted(each) == sorted(expected)
        assert all(each.get(digest) == expected.get(digest) for digest, _ in steps)


@given(st.dictionaries(DIGESTS, st.integers(0, 2**32 - 1)), st.dictionaries(DIGESTS, st.integers(0, 2**32 - 1)))
def test_many_at_once_are_what_they_are_one_by_one(old: dict[bytes, int], new: dict[bytes, int]) -> None:
    digests = UniqueDigests()
    assert digests.add_new(old, together_min=1_000) == []
    known = digests.add_new(new, together_min=0)
    assert dict(known) == {digest: number for digest, number in new.items() if digest in old}
    assert {digest: digests.get(digest) for digest in digests} == {**new, **old}
    assert list(digests) == list(dict.fromkeys(digests))


@pytest.mark.parametrize("state", [[[b"\0" * 16, b"\0" * 4]], [[b"\0" * 7, b"\0" * 4]], [[b"\0" * 8, b""]]])
def test_what_does_not_fit_together_is_refused(state: list[list[bytes]]) -> None:
    with pytest.raises(ValueError, match=r"number|multiple"):
        UniqueDigests().restore(state)
