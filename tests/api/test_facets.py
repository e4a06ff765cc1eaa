"""Facets and searches over HTTP: what there is in a fleet, and GPUs found by any of their names."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.examples import cluster, node
from tests.serving import ServerProcess

FLEET = (
    cluster("c1", node(model="NVIDIA A100-SXM4-80GB"), regionId="eu"),
    cluster("c2", node(model="A100 40GB"), node("node-2", model="Tesla T4"), regionId="eu", tags=["gpu", "spare"]),
    cluster("c3", node(model="nvidia-tesla-t4"), regionId="us", status="offline", tags=[]),
    cluster("c4", node(model="Made here 1")),
)


@pytest.fixture(scope="module")
def fleet(server: ServerProcess) -> Iterator[httpx.Client]:
    """A client of a server that has FLEET."""
    with httpx.Client(base_url=server.url) as http:
        for document in FLEET:
            assert http.post("/clusters", json=document).status_code == 201
        yield http


def values_of(facet: Any) -> dict[Any, int]:
    """The values of a facet with their counts, in their order."""
    return {each["value"]: each["count"] for each in facet["values"]}


def test_a_value_of_one_cluster_alone_is_counted_by_a_number(fleet: httpx.Client) -> None:
    facet = fleet.post("/clusters/facets", json={"query": {}, "facets": ["status"]}).json()["facets"]["status"]
    assert [(each["value"], type(each["count"])) for each in facet["values"]] == [("live", int), ("offline", int)]


def test_the_usual_facets_say_what_there_is(fleet: httpx.Client) -> None:
    reply = fleet.post("/clusters/facets", json={})

    assert reply.status_code == 200
    told = reply.json()
    assert (told["count"], list(told["facets"])) == (
        4,
        [
            "regionId",
            "status",
            "tags",
            "clusterMetadata.owner",
            "clusterMetadata.countries",
            "gpuModels",
            "config.useGateway",
            "config.policyExecutionMode",
        ],
    )
    assert values_of(told["facets"]["gpuModels"]) == {"NVIDIA A100": 2, "NVIDIA T4": 2, "Made here 1": 1}
    assert told["facets"]["tags"] == {
        "values": [{"value": "gpu", "count": 3}, {"value": "spare", "count": 1}],
        "distinct": 2,
        "missing": 0,
        "unlisted": 1,
    }
    assert told["facets"]["clusterMetadata.countries"]["missing"] == 4


@pytest.mark.parametrize("filter", [{"regionId": "eu"}, {"$expr": {"$eq": ["$regionId", "eu"]}}])
def test_facets_are_of_the_clusters_that_match(fleet: httpx.Client, filter: Any) -> None:
    asked = {"query": filter, "facets": ["nodes.nodeData.id", "nodes.nodeData.gpus.modelNames"], "limit": 1}

    told = fleet.post("/clusters/facets", json=asked).json()

    assert told == {
        "count": 2,
        "facets": {
            "nodes.nodeData.id": {
                "values": [{"value": "node-1", "count": 2}],
                "distinct": 2,
                "missing": 0,
                "unlisted": 0,
            },
            "nodes.nodeData.gpus.modelNames": {
                "values": [{"value": "NVIDIA A100", "count": 2}],
                "distinct": 2,
                "missing": 0,
                "unlisted": 0,
            },
        },
    }


def test_what_the_registry_knows_can_be_a_facet(fleet: httpx.Client) -> None:
    told = fleet.post("/clusters/facets", json={"facets": ["_registry.revision"]}).json()
    assert told["facets"]["_registry.revision"]["distinct"] == 4


@pytest.mark.parametrize(
    ("body", "status"), [({"facets": "tags"}, 400), ({"query": {}, "limt": 1}, 400), ([], 400), ({"$x": 1}, 400)]
)
def test_malformed_requests_for_facets_are_refused(fleet: httpx.Client, body: Any, status: int) -> None:
    assert fleet.post("/clusters/facets", json=body).status_code == status


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("==", "NVIDIA A100", ["c1", "c2"]),
        ("==", "a100-80gb", ["c1"]),
        ("!=", "T4", ["c1", "c4"]),
        ("IN", ["Tesla T4", "Made here 1"], ["c2", "c3", "c4"]),
        ("==", "made here 1", []),
        ("LIKE", "*T4", ["c2"]),
    ],
)
def test_a_search_finds_a_gpu_by_any_of_its_names(
    fleet: httpx.Client, operator: str, value: Any, expected: list[str]
) -> None:
    condition = {"variable": "nodes.nodeData.gpus.modelNames", "operator": operator, "value": value}
    search = {"matchType": "cluster", "filter": {"clusterQuery": condition}}

    found = fleet.post("/api/no-ir/filter", json=search).json()["data"]

    assert [each["id"] for each in found] == expected


def test_a_filter_in_mongodb_s_language_stays_exact(fleet: httpx.Client) -> None:
    assert fleet.post("/clusters/query", json={"nodes.nodeData.gpus.modelNames": "NVIDIA A100"}).json() == []
