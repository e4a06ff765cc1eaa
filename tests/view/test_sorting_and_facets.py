"""Orders and counts that the index gives are those that looking at every document gives, or none."""

from collections import Counter
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from rollbook.documents.ordering import sort_key
from rollbook.language.sorting import compile_sort, parse_sort
from rollbook.limits import Limits
from rollbook.view.facets import Bucket, Facet, facet_of
from rollbook.view.index.indexes import Index
from rollbook.view.merged_facets import merged_facet_of
from rollbook.view.sorting import first_numbers
from tests.view.grammar import document

SCALARS = [None, True, False, 0, 1, 1.0, -2.5, 10, "", "a", "b", "ab"]


def index_of(documents: list[Any]) -> Index:
    index = Index()
    for number, one in enumerate(documents):
        index.insert(number, one)
    return index


@settings(deadline=None)
@given(
    values=st.lists(st.sampled_from(["absent", *SCALARS]), max_size=12),
    descending=st.booleans(),
    count=st.integers(1, 12),
    kept=st.sets(st.integers(0, 11)),
)
def test_the_order_of_scalars_is_that_of_a_sort(
    values: list[Any], descending: bool, count: int, kept: set[int]
) -> None:
    documents = [{} if value == "absent" else {"a": {"b": value}} for value in values]
    index = index_of(documents)
    candidates = index.live & type(index.live)(kept)
    key_of = compile_sort(parse_sort({"a.b": -1 if descending else 1}))
    expected = sorted(candidates, key=lambda number: key_of(documents[number]))[:count]
    assert first_numbers(index.root, ("a", "b"), candidates, count, descending=descending) == expected


@settings(deadline=None)
@given(random=st.randoms(use_true_random=False), descending=st.booleans())
def test_any_order_is_that_of_a_sort_or_none(random: Random, descending: bool) -> None:
    documents = [document(random) for _ in range(random.randint(0, 6))]
    index = index_of(documents)
    for path in ("a", "b", "n.d", "n.d.a", "n.e", "a.b", "a.0", "z"):
        key_of = compile_sort(parse_sort({path: -1 if descending else 1}))
        expected = sorted(range(len(documents)), key=lambda number: key_of(documents[number]))
        found = first_numbers(index.root, tuple(path.split(".")), index.live, 99, descending=descending)
        assert found in (None, expected)


def test_an_array_among_the_candidates_leaves_the_order_to_a_sort() -> None:
    index = index_of([{"a": 1}, {"a": [0]}, {"a": 0}])
    assert first_numbers(index.root, ("a",), index.live, 3) is None
    assert first_numbers(index.root, ("a",), index.live - type(index.live)([1]), 3) == [2, 0]


def test_a_facet_lists_the_most_frequent_values_first() -> None:
    index = index_of([{"a": "x"}, {"a": ["x", "y", "x"]}, {"a": None}, {}, {"a": [{}, 1]}, {"a": True}, {"a": 1.0}])
    assert facet_of(index.root, ("a",), index.live, buckets_max=3) == Facet(
        (Bucket(1, 2), Bucket("x", 2), Bucket(None, 1)), distinct=5, missing=1, unlisted=1
    )
    assert facet_of(index.root, ("z",), index.live, buckets_max=3) == Facet((), distinct=0, missing=7, unlisted=0)
    assert facet_of(index.root, ("a", "0"), index.live, buckets_max=3) is None


@settings(deadline=None)
@given(values=st.lists(st.sampled_from(SCALARS) | st.lists(st.sampled_from(SCALARS), max_size=3), max_size=12))
def test_a_facet_counts_each_document_once_for_each_value(values: list[Any]) -> None:
    index = index_of([{"a": value} for value in values])
    expected = Counter(key for value in values for key in {sort_key(one) for one in one_or_many(value)})
    facet = facet_of(index.root, ("a",), index.live, buckets_max=99)
    assert facet is not None
    assert {sort_key(bucket.value): bucket.documents for bucket in facet.buckets} == expected
    assert facet.distinct == len(expected)


def one_or_many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_a_facet_with_an_array_of_many_values_among_the_candidates_is_left_to_the_documents() -> None:
    index = Index(limits=Limits(indexed_array_values_max=2))
    for number, one in enumerate([{"a": 1, "b": [{"c": 1}]}, {"a": [1, 2, 3], "b": [{"c": 1}, {"c": 2}]}]):
        index.insert(number, one)
    for path in (("a",), ("b", "c")):
        assert facet_of(index.root, path, BitMap([0, 1]), buckets_max=5) is None
        assert facet_of(index.root, path, BitMap([0]), buckets_max=5) is not None
        assert merged_facet_of(index.root, [path], BitMap([0, 1]), name_of=str, buckets_max=5) is None
