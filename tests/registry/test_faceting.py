"""Facets: what the index tells is what looking at every document tells."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.clusters.gpu_aliases import GPU_PATHS
from rollbook.documents.codec import encode_json
from rollbook.errors import LanguageRefused, WorkExceeded
from rollbook.limits import DEFAULT_LIMITS, RequestBudget
from rollbook.registry.reading.facet_requests import FacetAsked, FacetQuery, facet_named, parse_facets
from rollbook.registry.reading.faceting import facets_as_json, facets_in_documents, facets_in_index
from rollbook.registry.reading.requests import parse_query
from rollbook.view.index.indexes import Index
from tests.examples import cluster, node
from tests.view import grammar

EVERYTHING = parse_query({}, limits=DEFAULT_LIMITS)
PATHS = ("a", "b", "n.d", "n.d.a", "n.e", "a.b", "z", "b.a", "n")


def both_ways(documents: list[Any], *facets: FacetAsked, values_max: int = 100) -> tuple[Any, Any]:
    """What the index says, as far as it can tell, and what the documents say of the same."""
    asked = FacetQuery(EVERYTHING, facets, values_max)
    index = Index()
    for number, document in enumerate(documents):
        index.insert(number, document)
    told = facets_in_index(asked, index, None)
    _, counted = facets_in_documents(facets, documents, values_max=values_max, work=RequestBudget())
    return told, {name: facet for name, facet in counted.items() if name in told}


@settings(deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_index_and_the_documents_tell_the_same(random: Random, values_max: int) -> None:
    documents = [grammar.document(random) for _ in range(random.randint(0, 6))]
    told, counted = both_ways(documents, *map(facet_named, PATHS), values_max=values_max)
    assert told == counted


MODELS = ("A100", "NVIDIA A100-SXM4-80GB", "Tesla T4", "nvidia-tesla-t4", "Made here 1")


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(MODELS), max_size=3), max_size=5))
def test_gpus_are_counted_by_their_one_name_both_ways(fleet: list[list[str]]) -> None:
    documents = [cluster("c", *(node(model=model) for model in models)) if models else {} for models in fleet]
    told, counted = both_ways(documents, facet_named("gpuModels"), facet_named("nodes.nodeData.gpus.modelNames"))
    assert told == counted


def counted(documents: list[Any], *names: str) -> Any:
    """The facets of documents, as they are answered."""
    asked = FacetQuery(EVERYTHING, tuple(map(facet_named, names)), 100)
    found = facets_in_documents(asked.facets, documents, values_max=100, work=RequestBudget())
    return facets_as_json(asked, *found)


def test_a_document_counts_once_for_each_value() -> None:
    documents = [{"tags": ["x", "y", "x"]}, {"tags": ["y", None]}, {"tags": []}, {"tags": {"x": 1}}, {}]

    assert counted(documents, "tags") == {
        "count": 5,
        "facets": {
            "tags": {
                "values": [{"value": "y", "count": 2}, {"value": None, "count": 1}, {"value": "x", "count": 1}],
                "distinct": 3,
                "missing": 1,
                "unlisted": 2,
            }
        },
    }


def test_one_gpu_under_two_names_counts_once() -> None:
    named = node(model="NVIDIA A100-SXM4-80GB")
    named["gpus"]["modelNames"] = ["A100", "a100 80gb"]

    told = counted([cluster("c", named, gpus={"count": 2, "memory": 1, "modelNames": ["NVIDIA A100"]})], "gpuModels")

    assert told["facets"]["gpuModels"]["values"] == [{"value": "NVIDIA A100", "count": 1}]


def test_values_count_against_the_budget() -> None:
    documents = ({"id": str(number)} for number in range(1000))
    with pytest.raises(WorkExceeded):
        facets_in_documents([facet_named("id")], documents, values_max=1, work=RequestBudget(bytes_left=10_000))


@pytest.mark.parametrize("body", [{}, {"status": "live"}, {"query": {"status": "live"}}, {"facets": ["tags"]}])
def test_a_body_is_a_filter_or_holds_one(body: Any) -> None:
    asked = parse_facets(body, limits=DEFAULT_LIMITS)
    assert asked.query.filter == parse_query(body if "facets" not in body else {}, limits=DEFAULT_LIMITS).filter
    assert [facet.name for facet in asked.facets][:2] == (["tags"] if "facets" in body else ["regionId", "status"])
    assert any(facet.paths == GPU_PATHS for facet in asked.facets) == ("facets" not in body)


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"facets": []}, "/facets"),
        ({"facets": "tags"}, "/facets"),
        ({"facets": ["a"] * 21}, "/facets"),
        ({"facets": ["a", 5]}, "/facets/1"),
        ({"facets": ["a..b"]}, "/facets/0"),
        ({"facets": ["$a"]}, "/facets/0"),
        ({"query": {}, "limit": 0}, "/limit"),
        ({"query": {}, "limit": 1001}, "/limit"),
        ({"query": {}, "limit": True}, "/limit"),
        ({"query": {}, "sort": {}}, "/sort"),
        ([], ""),
    ],
)
def test_what_is_no_request_for_facets_is_refused(body: Any, at: str) -> None:
    with pytest.raises(LanguageRefused) as refused:
        parse_facets(body, limits=DEFAULT_LIMITS)
    assert refused.value.at == at


def test_a_facet_is_answered_as_json() -> None:
    assert encode_json(counted([{"n": 1}, {"n": 1.0}, {"n": True}], "n"))
