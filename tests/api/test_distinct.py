"""The distinct values of a field, from the index and from documents alike."""

from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.documents.ordering import sort_key
from rollbook.limits import RequestBudget
from rollbook.registry.reading.distinct import distinct_in_documents, distinct_in_index
from tests.examples import cluster
from tests.view.grammar import document
from tests.view.test_sorting_and_facets import index_of


def test_values_come_once_and_in_order(http: httpx.Client, fresh_id: str) -> None:
    for number, tags in enumerate([["b", "a"], ["c", ["d"]], [], ["a"]]):
        made = cluster(f"{fresh_id}-{number}", clusterMetadata={"name": fresh_id, "description": "d", "owner": "o"})
        assert http.post("/clusters", json=made).status_code == 201
        update = {"$set": {"clusterMetadata.additionalInfo.marks": tags, "reputation": number // 2}}
        assert http.put(f"/clusters/{fresh_id}-{number}", json=update).status_code == 200
    query = {"clusterMetadata.name": fresh_id}
    assert values(http, "reputation", query) == [0, 1]
    assert values(http, "clusterMetadata.additionalInfo.marks", query) == ["a", "b", "c", ["d"]]
    assert values(http, "clusterMetadata.additionalInfo.nothing", query) == []
    assert values(http, "_registry.liveness", query) == ["unknown"]


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, "/key"),
        ({"key": 5}, "/key"),
        ({"key": ""}, "/key"),
        ({"key": "a..b"}, "/key"),
        ({"key": "$a"}, "/key"),
        ({"key": "a", "filter": {}}, "/filter"),
        ({"key": "a", "query": {"$nothing": 1}}, "/query/$nothing"),
        ({"key": "_registry.livenes"}, "/key/_registry.livenes"),
    ],
)
def test_a_refused_request_says_where(http: httpx.Client, body: dict[str, Any], at: str) -> None:
    reply = http.post("/clusters/distinct", json=body)
    assert (reply.status_code, reply.json()["errors"][0]["at"]) == (400, at)


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_index_gives_what_the_documents_give_or_nothing(random: Any) -> None:
    documents = [document(random) for _ in range(random.randint(0, 6))]
    index = index_of(documents)
    for path in ("a", "b", "n.d", "n.d.a", "n.e", "a.b", "z"):
        found = distinct_in_index(tuple(path.split(".")), index, None)
        expected = distinct_in_documents(tuple(path.split(".")), documents, work=RequestBudget())
        assert found is None or list(map(sort_key, found)) == list(map(sort_key, expected)), path


def values(http: httpx.Client, key: str, query: dict[str, Any]) -> Any:
    reply = http.post("/clusters/distinct", json={"key": key, "query": query})
    assert reply.status_code == 200, reply.text
    return reply.json()
