"""Counting from postings is what ``$group`` does, or it is not done."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from rollbook.documents.values import Document
from rollbook.language.pipelines import leading_tally, parse_pipeline, run_pipeline
from rollbook.limits import RequestBudget
from rollbook.view.index.indexes import Index
from rollbook.view.tallies import tally_of

COUNTS = {"clusters": {"$sum": 1}, "again": {"$count": {}}}

TEXTS = st.sampled_from(["west", "east", "", "north"])
OTHERS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.sampled_from([5, 5.0, "x" * 200]), st.lists(TEXTS, max_size=2), st.just({"c": "west"})
)


def documents_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Document]]:
    """Documents with such values at ``a`` and at ``b.c``, or with nothing there."""
    within = st.one_of(values, st.fixed_dictionaries({}, optional={"c": values}))
    document: st.SearchStrategy[Document] = st.fixed_dictionaries({}, optional={"a": values, "b": within})
    return st.lists(document, max_size=8)


def counted(documents: list[Document], path: str, candidates: BitMap) -> list[Document] | None:
    """What the index counts."""
    index = Index()
    for number, document in enumerate(documents):
        index.insert(number, document)
    tally = leading_tally(parse_pipeline([{"$group": {"_id": f"${path}", **COUNTS}}]))
    assert tally is not None
    counts = tally_of(index.root, tally.path, candidates & index.live)
    return None if counts is None else list(tally.documents(counts))


def grouped(documents: list[Document], path: str, candidates: BitMap) -> list[Document]:
    """What ``$group`` counts."""
    pipeline = parse_pipeline([{"$group": {"_id": f"${path}", **COUNTS}}])
    return run_pipeline(
        pipeline, [documents[number] for number in candidates if number < len(documents)], work=RequestBudget()
    )


@given(documents_of(TEXTS | OTHERS), st.sampled_from(["a", "b.c", "d"]), st.sets(st.integers(0, 7)))
def test_what_the_index_counts_is_what_group_counts(documents: list[Document], path: str, numbers: set[int]) -> None:
    candidates = BitMap(numbers)
    found = counted(documents, path, candidates)
    assert found is None or found == grouped(documents, path, candidates)


@given(documents_of(TEXTS | st.none()))
def test_texts_are_counted_by_the_index(documents: list[Document]) -> None:
    assert counted(documents, "a", BitMap(range(8))) == grouped(documents, "a", BitMap(range(8)))


@pytest.mark.parametrize("value", [5, 5.0, True, {"c": 1}, ["west"], [], "x" * 200], ids=str)
def test_what_is_no_text_is_left_to_the_documents(value: Any) -> None:
    assert counted([{"a": "west"}, {"a": value}], "a", BitMap([0, 1])) is None
    assert counted([{"a": "west"}, {"a": value}], "a", BitMap([0])) == [{"_id": "west", "clusters": 1, "again": 1}]


@pytest.mark.parametrize(
    "stage",
    [
        {"$group": {"_id": "$a", "total": {"$sum": "$b"}}},
        {"$group": {"_id": "$a", "total": {"$sum": 2}}},
        {"$group": {"_id": "$a", "total": {"$sum": True}}},
        {"$group": {"_id": "$a", "total": {"$sum": 1.0}}},
        {"$group": {"_id": {"a": "$a"}, "total": {"$sum": 1}}},
        {"$group": {"_id": None, "total": {"$sum": 1}}},
        {"$group": {"_id": "$$ROOT", "total": {"$sum": 1}}},
        {"$sort": {"a": 1}},
    ],
    ids=str,
)
def test_what_is_more_than_counting_is_not_taken_for_it(stage: Any) -> None:
    assert leading_tally(parse_pipeline([stage])) is None


def test_a_match_before_it_and_stages_after_it_are_kept_apart() -> None:
    group = {"$group": {"_id": "$a.b", "n": {"$sum": 1}}}
    tally = leading_tally(parse_pipeline([{"$match": {"a": 1}}, group, {"$sort": {"n": -1}}]))
    assert tally is not None
    assert (tally.path, tally.names, len(tally.rest.stages)) == (("a", "b"), ("n",), 1)
