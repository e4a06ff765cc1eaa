"""Collations: which texts are equal, which comes first, and that every language here asks the collation."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.errors import LanguageRefused
from rollbook.language.collating import collated
from rollbook.language.collation import Collation, parse_collation
from rollbook.language.filters import compile_filter, parse_filter
from rollbook.language.pipelines import parse_pipeline, run_pipeline
from rollbook.language.projections import compile_projection, parse_projection
from rollbook.language.sorting import compile_sort, parse_sort
from rollbook.limits import RequestBudget
from tests.language.filters.values import DOCUMENTS, VALUES

BASE, ACCENTS = Collation(1), Collation(2)
TEXTS = st.text(st.sampled_from("aAáÁbBßæœøİıΣσς é-_ 1\0\n²ﬀ"), max_size=6)

EQUAL_AT_1 = ["west", "WEST", "wést", "Wëst", "we\u0301st", "ｗｅｓｔ", "we\u200dst"]
EQUAL_AT_2 = ["wést", "WÉST", "we\u0301st"]


@pytest.mark.parametrize(("collation", "texts"), [(BASE, EQUAL_AT_1), (ACCENTS, EQUAL_AT_2), (ACCENTS, ["a", "A"])])
def test_texts_are_equal_where_only_what_does_not_count_differs(collation: Collation, texts: list[str]) -> None:
    assert len({collation.key(text) for text in texts}) == 1


@pytest.mark.parametrize(
    ("collation", "left", "right"),
    [(BASE, "west", "wests"), (BASE, "a b", "ab"), (BASE, "a-b", "a_b"), (ACCENTS, "west", "wést"), (BASE, "1", "2")],
)
def test_other_texts_are_not(collation: Collation, left: str, right: str) -> None:
    assert collation.key(left) != collation.key(right)


@pytest.mark.parametrize(
    ("collation", "texts"),
    [
        (BASE, ["", " ", "_", "-", ",", "a$", "a1", "aa", "B", "c", "Z", "zz", "β", "д"]),
        (BASE, ["straße", "strasses", "stray"]),
        (ACCENTS, ["cote", "coté", "côte", "côté", "Cotes"]),
        (ACCENTS, ["o", "Ø", "p"]),
        (BASE, ["²", "3", "Ⅳ"]),
    ],
)
def test_texts_come_in_the_order_of_letters(collation: Collation, texts: list[str]) -> None:
    assert all(one < other for one, other in pairwise(map(collation.key, texts)))


@given(TEXTS, st.sampled_from([BASE, ACCENTS]))
def test_case_never_counts(text: str, collation: Collation) -> None:
    assert collation.key(text) == collation.key(text.casefold())


@given(TEXTS, TEXTS)
def test_what_accents_do_not_tell_apart_base_letters_do_not_either(left: str, right: str) -> None:
    if ACCENTS.key(left) == ACCENTS.key(right):
        assert BASE.key(left) == BASE.key(right)
    elif BASE.key(left) != BASE.key(right):
        assert (ACCENTS.key(left) < ACCENTS.key(right)) == (BASE.key(left) < BASE.key(right))


OPERATORS = st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"])
WORDS = st.sampled_from(["a", "A", "á", "b", "B", ["A", "b"], {"a": "Á"}, None, 1, [["A"]]])
PATHS = st.sampled_from(["a", "b", "a.b", "a.0"])
ROWS = st.dictionaries(st.sampled_from("ab"), st.one_of(WORDS, st.lists(WORDS), st.fixed_dictionaries({"b": WORDS})))
LEAVES = st.builds(lambda path, operator, word: {path: {operator: word}}, PATHS, OPERATORS, WORDS) | st.builds(
    lambda path, operator, words: {path: {operator: words}},
    PATHS,
    st.sampled_from(["$in", "$nin", "$all"]),
    st.lists(WORDS),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(
            lambda name, clauses: {name: clauses},
            st.sampled_from(["$and", "$or", "$nor"]),
            st.lists(inner, min_size=1, max_size=2),
        )
        | st.builds(lambda path, clause: {path: {"$elemMatch": clause}}, PATHS, inner)
    ),
    max_leaves=4,
)


def folded(json: Any, collation: Collation) -> Any:
    return (
        {name: folded(value, collation) for name, value in json.items()}
        if isinstance(json, dict)
        else ([folded(value, collation) for value in json] if isinstance(json, list) else collation.fold(json))
    )


@given(FILTERS, ROWS, st.sampled_from([BASE, ACCENTS]))
def test_a_filter_with_a_collation_is_the_filter_of_keys_on_documents_of_keys(
    json: Any, document: Any, collation: Collation
) -> None:
    with_collation = compile_filter(collated(parse_filter(json), collation))
    on_keys = compile_filter(parse_filter(folded(json, collation)))
    assert with_collation(document) == on_keys(folded(document, collation))


@given(st.dictionaries(PATHS, st.sampled_from([1, -1]), max_size=2), st.lists(DOCUMENTS, max_size=5))
def test_a_sort_with_a_collation_is_the_sort_of_documents_of_keys(sort: Any, documents: Any) -> None:
    key = compile_sort(collated(parse_sort(sort), BASE))
    plain = compile_sort(parse_sort(sort))
    assert sorted(documents, key=key) == sorted(documents, key=lambda document: plain(folded(document, BASE)))


@given(VALUES)
def test_without_texts_nothing_changes(value: Any) -> None:
    filter = parse_filter({"a": {"$exists": True}, "b": 5, "c": {"$regex": "A"}})
    assert collated(filter, BASE) is filter
    assert collated(filter, None) is filter


def ran(stages: Any, *documents: Any) -> list[Any]:
    pipeline = collated(parse_pipeline(stages), BASE)
    return run_pipeline(pipeline, documents, work=RequestBudget())


def test_a_pipeline_compares_by_it_throughout() -> None:
    rows = [{"s": "b"}, {"s": "LIVE"}, {"s": "live"}, {"s": "Á"}]
    assert ran([{"$match": {"s": "Live"}}], *rows) == [{"s": "LIVE"}, {"s": "live"}]
    assert ran([{"$sort": {"s": 1}}, {"$limit": 2}], *rows) == [{"s": "Á"}, {"s": "b"}]
    assert ran([{"$group": {"_id": "$s", "n": {"$sum": 1}}}], *rows[1:3]) == [{"_id": "LIVE", "n": 2}]
    assert ran([{"$sortByCount": "$s"}], *rows)[0] == {"_id": "LIVE", "count": 2}
    assert ran([{"$match": {"$expr": {"$eq": ["$s", "a"]}}}], *rows) == [{"s": "Á"}]
    assert ran([{"$facet": {"x": [{"$match": {"s": "B"}}]}}], *rows) == [{"x": [{"s": "b"}]}]
    compared = {"$map": {"input": ["A", "b"], "in": {"$in": ["$$this", ["a", "c"]]}}}
    assert ran([{"$project": {"_id": 0, "x": compared}}], {}) == [{"x": [True, False]}]
    assert ran([{"$project": {"_id": 0, "x": {"$cmp": ["a", {"$toUpper": "$s"}]}}}], {"s": "a"}) == [{"x": 0}]


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        ({"$project": {"x": {"$max": ["$a", "$b"]}}}, "$max"),
        ({"$project": {"x": {"$cond": [True, {"$setUnion": ["$a"]}, 1]}}}, "$setUnion"),
        ({"$project": {"x": {"$sortArray": {"input": "$a", "sortBy": 1}}}}, "$sortArray"),
        ({"$group": {"_id": None, "x": {"$addToSet": "$a"}}}, "$addToSet"),
        ({"$group": {"_id": None, "x": {"$min": "$a"}}}, "$min"),
        ({"$bucket": {"groupBy": "$a", "boundaries": ["a", "b"]}}, "$bucket"),
        ({"$facet": {"x": [{"$bucketAuto": {"groupBy": "$a", "buckets": 2}}]}}, "$bucketAuto"),
    ],
)
def test_what_would_compare_by_code_point_is_refused(stage: Any, name: str) -> None:
    with pytest.raises(LanguageRefused, match=rf"^\{name} compares texts by code point") as refusal:
        collated(parse_pipeline([stage]), BASE)
    assert refusal.value.mongo_code == 115


def test_a_projection_takes_it_for_its_conditions() -> None:
    projection = collated(parse_projection({"tags": {"$elemMatch": {"$eq": "WEST"}}, "id": 0}), BASE)
    assert compile_projection(projection)({"id": "x", "tags": ["east", "west"]}) == {"tags": ["west"]}


@pytest.mark.parametrize(
    ("json", "at"),
    [
        ([], ""),
        ("en", ""),
        ({"strength": 1}, "/locale"),
        ({"locale": "de", "strength": 1}, "/locale"),
        ({"locale": "simple"}, "/locale"),
        ({"locale": "en"}, "/strength"),
        ({"locale": "en", "strength": 3}, "/strength"),
        ({"locale": "en", "strength": True}, "/strength"),
        ({"locale": "en", "strength": 1.5}, "/strength"),
        ({"locale": "en", "strength": [1]}, "/strength"),
        ({"locale": "en", "strength": 1, "caseLevel": True}, "/caseLevel"),
    ],
)
def test_other_collations_are_refused(json: Any, at: str) -> None:
    with pytest.raises(LanguageRefused) as refusal:
        parse_collation(json, at="")
    assert refusal.value.at == at


def test_a_collation_is_parsed() -> None:
    assert parse_collation({"locale": "en", "strength": 2.0}, at="") == ACCENTS
    assert parse_collation(None, at="") is None
