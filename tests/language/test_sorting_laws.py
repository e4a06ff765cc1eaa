"""Laws of sorting, on random documents."""

from functools import reduce
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.ordering import compare
from rollbook.language.sorting import compile_sort, parse_sort
from tests.language.filters.values import DOCUMENTS, VALUES

PATHS = st.lists(st.sampled_from(["a", "b", "0"]), min_size=1, max_size=3).map(".".join)
SORTS = st.dictionaries(PATHS, st.sampled_from([1, -1]), max_size=3)


@given(SORTS, DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_the_order_is_total(sort, first, second, third):
    one, two, three = map(compile_sort(parse_sort(sort)), (first, second, third))
    assert not one < one
    assert (one < two) + (two < one) + (one == two) == 1
    if one < two < three:
        assert one < three


@given(SORTS, st.lists(DOCUMENTS, max_size=6))
def test_sorting_keeps_the_order_of_equals_and_is_done_once(sort, documents):
    key = compile_sort(parse_sort(sort))
    ordered = sorted(documents, key=key)
    assert sorted(ordered, key=key) == ordered
    assert all(not key(later) < key(earlier) for earlier, later in pairwise(ordered))


@given(PATHS, VALUES, VALUES)
def test_descending_turns_single_values_round(path, left, right):
    def documents(value):
        return reduce(lambda inner, name: {name: inner}, reversed(path.split(".")), value)

    up, down = compile_sort(parse_sort({path: 1})), compile_sort(parse_sort({path: -1}))
    if not isinstance(left, list) and not isinstance(right, list):
        assert (up(documents(left)) < up(documents(right))) is (compare(left, right) < 0)
        assert (down(documents(left)) < down(documents(right))) is (compare(left, right) > 0)


@given(st.lists(VALUES, min_size=1, max_size=4), st.lists(VALUES, min_size=1, max_size=4))
def test_an_array_is_sorted_by_one_of_its_elements(left, right):
    up, down = compile_sort(parse_sort({"a": 1})), compile_sort(parse_sort({"a": -1}))
    assert up({"a": left}) in [up({"a": [element]}) for element in left]
    assert (up({"a": left + right})) == min(up({"a": left}), up({"a": right}))
    assert (down({"a": left + right})) == min(down({"a": left}), down({"a": right}))
