"""Laws of pipelines, on documents of any shape."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.ordering import sort_key
from tests.language.pipelines.running import results

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, "", "x", "y"])
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.sampled_from("ab"), SCALARS, max_size=2)
DOCUMENTS = st.lists(st.dictionaries(st.sampled_from("abn"), VALUES, max_size=3), max_size=8).map(
    lambda documents: [{"id": place, **document} for place, document in enumerate(documents)]
)
STAGES = st.sampled_from(
    [
        {"$match": {"a": {"$gte": 0}}},
        {"$sort": {"a": 1, "b": -1}},
        {"$limit": 3},
        {"$skip": 1},
        {"$unwind": "$a"},
        {"$project": {"a": 1, "n": {"$ifNull": ["$b", 0]}}},
        {"$unset": "b"},
        {"$set": {"b.c": "$a"}},
        {"$group": {"_id": "$a", "n": {"$sum": 1}}},
        {"$count": "n"},
        {"$sortByCount": "$b"},
        {"$bucketAuto": {"groupBy": "$a", "buckets": 2}},
    ]
)
PIPELINES = st.lists(STAGES, max_size=4)


@given(DOCUMENTS, st.dictionaries(st.sampled_from("xyz"), PIPELINES, min_size=1))
def test_a_facet_is_the_pipelines_apart(documents, facets):
    apart = {name: results(pipeline, documents) for name, pipeline in facets.items()}
    assert results([{"$facet": facets}], documents) == [apart]


@given(DOCUMENTS, PIPELINES, PIPELINES)
def test_a_pipeline_is_its_parts_one_after_the_other(documents, first, then):
    assert results([*first, *then], documents) == results(then, results(first, documents))


@given(DOCUMENTS, st.sampled_from(["$a", "$b", {"$isNumber": "$a"}]))
def test_sort_by_count_is_group_and_sort(documents, value):
    group = {"$group": {"_id": value, "count": {"$sum": 1}}}
    assert results([{"$sortByCount": value}], documents) == results([group, {"$sort": {"count": -1}}], documents)


@given(DOCUMENTS, st.integers(0, 4), st.integers(1, 4))
def test_a_bounded_sort_is_the_beginning_of_the_whole_one(documents, skip, limit):
    order = {"$sort": {"a": -1, "b": 1}}
    whole = results([order], documents)
    assert results([order, {"$skip": skip}, {"$limit": limit}], documents) == whole[skip : skip + limit]


@given(DOCUMENTS, st.lists(st.integers(-5, 5), min_size=2, max_size=5, unique=True).map(sorted))
def test_the_counts_of_buckets_add_up(documents, boundaries):
    stage = {"$bucket": {"groupBy": "$a", "boundaries": boundaries, "default": "other"}}
    buckets = results([stage], documents)
    assert sum(bucket["count"] for bucket in buckets) == len(documents)
    keys = [sort_key(bucket["_id"]) for bucket in buckets]
    assert keys == sorted(set(keys))


@given(DOCUMENTS, st.integers(1, 5))
def test_automatic_buckets_hold_all_documents_and_share_their_edges(documents, number):
    buckets = results([{"$bucketAuto": {"groupBy": "$a", "buckets": number}}], documents)
    assert len(buckets) <= number
    assert sum(bucket["count"] for bucket in buckets) == len(documents)
    for left, right in pairwise(buckets):
        assert left["_id"]["max"] == right["_id"]["min"]


@given(DOCUMENTS)
def test_groups_part_the_documents(documents):
    groups = results([{"$group": {"_id": "$a", "ids": {"$push": "$id"}}}], documents)
    assert sorted(id for group in groups for id in group["ids"]) == [document["id"] for document in documents]
    assert len({sort_key(group["_id"]) for group in groups}) == len(groups)
