"""Numbers in rows and in lists are what a dict of them would be."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from rollbook.view.index.numbering import Numbering

ROWS = st.builds(lambda first, count: range(first, first + count), st.integers(0, 20), st.integers(0, 5))
LISTS = st.lists(st.integers(0, 2**32 - 1), max_size=5)


@given(st.lists(st.tuples(st.integers(0, 20), st.none() | ROWS | LISTS)))
def test_they_are_what_a_dict_would_be(steps: list[tuple[int, Sequence[int] | None]]) -> None:
    numbering, expected = Numbering(), dict[int, list[int]]()
    for document, numbers in steps:
        if numbers is None:
            assert list(numbering.take(document)) == expected.pop(document, [])
        else:
            numbering.set(document, numbers)
            expected[document] = list(numbers)
    restored = Numbering()
    restored.restore(*numbering.state())
    for each in (numbering, restored):
        assert [list(each.get(document)) for document in range(25)] == [expected.get(one, []) for one in range(25)]


@given(st.lists(st.tuples(st.integers(0, 20), ROWS | LISTS)), st.sets(st.integers(0, 25)))
def test_the_numbers_of_many_documents_are_those_of_each(
    steps: list[tuple[int, Sequence[int]]], documents: set[int]
) -> None:
    numbering = Numbering()
    for document, numbers in steps:
        numbering.set(document, numbers)
    expected = {number for document in documents for number in numbering.get(document)}
    assert set(numbering.of_all(BitMap(documents))) == expected
