"""Numbers in rows and in lists are what a dict of them would be."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from rollbook.view.numbering import Numbering

ROWS = st.builds(lambda first, count: range(first, first + count), st.integers(0, 1000), st.integers(0, 5))
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
