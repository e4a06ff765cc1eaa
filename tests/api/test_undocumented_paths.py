"""A filter on a path that no schema documents and no cluster has is answered with a note, on every route."""

import itertools
import json
from typing import Any

import httpx
import pytest

from tests.examples import cluster

ids = (f"noted-{number}" for number in itertools.count())

MISSPELT = {"clusterMetadata.ownr": "ops"}
NOTE = "'clusterMetadata.ownr' is no documented field, and no cluster has it"
MEANT = 'Did you mean "clusterMetadata.owner"?'


def ask_with(http: httpx.Client, operation: str, filter: dict[str, Any]) -> httpx.Response:
    """The answer of an operation that is given the filter."""
    match operation:
        case "queryClusters":
            return http.post("/clusters/query", json=filter)
        case "fitClusters":
            return http.post("/clusters/fit", json={"gpus": 1, "query": filter})
        case "tableClusters":
            return http.post("/clusters/table", json={"columns": ["id"], "query": filter})
        case "tableNodes":
            return http.post("/nodes/table", json={"columns": ["id"], "query": filter})
        case "listClusters":
            return http.get("/clusters", params={"filter": json.dumps(filter)})
        case "explained":
            return http.post("/clusters/query", json={"query": filter, "explain": True})
        case "countClusters" | "explainQuery" | "facetClusters":
            route = {"countClusters": "count", "explainQuery": "explain", "facetClusters": "facets"}[operation]
            return http.post(f"/clusters/{route}", json={"query": filter})
        case "distinctValues":
            return http.post("/clusters/distinct", json={"key": "regionId", "query": filter})
        case "aggregateClusters":
            return http.post("/clusters/aggregate", json=[{"$match": filter}, {"$count": "n"}])
        case "aggregated later":
            return http.post("/clusters/aggregate", json=[{"$sort": {"id": 1}}, {"$match": filter}])
        case "watchClusters":
            return http.get("/clusters/watch", params={"filter": json.dumps(filter), "wait": "0s"})
        case "watchClustersByBody":
            return http.post("/clusters/watch", params={"wait": "0s"}, json={"query": filter})
        case "createWebhook":
            return http.post("/webhooks", json={"url": "https://example.net/hooks", "filter": filter, "enabled": False})
        case "replaceWebhook" | "patchWebhook":
            method = "PUT" if operation == "replaceWebhook" else "PATCH"
            hook = {"url": "https://example.net/hooks", "enabled": False}
            id = http.post("/webhooks", json=hook).json()["id"]
            return http.request(method, f"/webhooks/{id}", json={**hook, "filter": filter})
        case "updateCluster":
            http.post("/clusters", json=cluster(id := next(ids)))
            body = {"update": {"$set": {"reputation": 3}}, "filter": {"$nor": [filter]}}
            return http.put(f"/clusters/{id}", json=body)
        case "search" | "searchWithEnvelope" | "searchRanked":
            ((path, value),) = filter.items()
            condition = {"variable": path, "operator": "==", "value": value}
            search = {"matchType": "cluster", "filter": {"clusterQuery": condition}}
            if operation == "search":
                return http.post("/api/no-ir/filter", json=search)
            path = "/api/search" if operation == "searchRanked" else "/api/filter"
            return http.post(path, json={"header": {}, "body": {"values": search}})
    raise AssertionError(operation)


OPERATIONS_WITH_FILTERS = [
    "queryClusters",
    "listClusters",
    "tableClusters",
    "tableNodes",
    "fitClusters",
    "countClusters",
    "explainQuery",
    "facetClusters",
    "distinctValues",
    "aggregateClusters",
    "watchClusters",
    "watchClustersByBody",
    "createWebhook",
    "replaceWebhook",
    "patchWebhook",
    "updateCluster",
    "search",
    "searchWithEnvelope",
    "searchRanked",
]


def remove_webhooks(http: httpx.Client) -> None:
    for webhook in http.get("/webhooks").json():
        http.delete(f"/webhooks/{webhook['id']}")


@pytest.mark.parametrize("operation", [*OPERATIONS_WITH_FILTERS, "explained", "aggregated later"])
def test_a_misspelt_path_is_noted(http: httpx.Client, operation: str) -> None:
    http.post("/clusters", json=cluster(next(ids)))

    noted, silent = ask_with(http, operation, MISSPELT), ask_with(http, operation, {"clusterMetadata.owner": "nobody"})

    assert noted.status_code in (200, 201), noted.text
    assert NOTE in noted.headers["warning"]
    assert MEANT in noted.headers["warning"].replace("\\", "")
    assert "warning" not in silent.headers
    remove_webhooks(http)


def test_an_explanation_holds_the_notes(http: httpx.Client) -> None:
    assert http.post("/clusters/explain", json={"regionId": "x"}).json()["notes"] == []
    (note,) = http.post("/clusters/explain", json=MISSPELT).json()["notes"]
    assert note.startswith(NOTE)
    assert note.endswith(MEANT)


def test_a_condition_that_is_not_met_says_that_its_path_is_misspelt(http: httpx.Client) -> None:
    http.post("/clusters", json=cluster(id := next(ids)))
    reply = http.put(f"/clusters/{id}", json={"update": {"$set": {"reputation": 3}}, "filter": MISSPELT})
    assert reply.status_code == 412
    assert NOTE in reply.json()["detail"]


@pytest.mark.parametrize(
    "filter",
    [
        {"nodes.nodeData": {"$elemMatch": {"gpus.cuont": {"$gte": 1}}}},
        {"nodes.nodeData.0.memroy": 1},
        {"$or": [{"status": "live"}, {"$nor": [{"nobodyHasIt": None}]}]},
        {"status.name": "live"},
        {"$expr": {"$gt": ["$gpus.cuont", 1]}},
        {"$expr": {"$in": [1, {"$map": {"input": {"$ifNull": ["$$ROOT.nobodyHasIt", []]}, "in": "$$this"}}]}},
    ],
)
def test_paths_are_found_wherever_a_filter_names_them(http: httpx.Client, filter: dict[str, Any]) -> None:
    assert "is no documented field" in http.post("/clusters/query", json=filter).headers["warning"]


@pytest.mark.parametrize(
    "filter",
    [
        {"config.actionsPolicyMap.anything.below": 1},
        {"clusterMetadata.additionalInfo.rack": "r"},
        {"nodes.nodeData.nodeMetadata.rack": "r"},
        {"nodes.nodeData.0.gpus.gpus.1.memory": 1},
        {"nodes.nodeData": {"$elemMatch": {"nodeMetadata.x": 1, "tags.0": "a"}}},
        {"tags": {"$elemMatch": {"$eq": "a"}}},
        {"_registry.nodes.liveness": "alive"},
        {"$expr": {"$gt": ["$gpus.count", "$nodes.count"]}},
    ],
)
def test_documented_paths_are_not_noted(http: httpx.Client, filter: dict[str, Any]) -> None:
    reply = http.post("/clusters/query", json=filter)
    assert reply.status_code == 200
    assert "warning" not in reply.headers


def test_a_path_that_some_cluster_has_is_not_noted_while_it_has_it(http: httpx.Client) -> None:
    filter = {"costCenter.code": 7}
    http.post("/clusters", json=cluster(id := next(ids), costCenter=[{"code": 8}]))
    revision = http.get(f"/clusters/{id}").headers["etag"].strip('"')
    assert "warning" not in http.post("/clusters/query", json=filter).headers

    http.delete(f"/clusters/{id}")

    assert "'costCenter.code'" in http.post("/clusters/query", json=filter).headers["warning"]
    then = {"revision": revision}
    assert "warning" not in http.post("/clusters/query", params=then, json=filter).headers
    assert NOTE in http.post("/clusters/query", params=then, json=MISSPELT).headers["warning"]
    assert len(http.post("/clusters/explain", params=then, json=MISSPELT).json()["notes"]) == 1


def test_the_note_on_an_odd_path_can_be_sent(http: httpx.Client) -> None:
    for name in ("a\r\nSet-Cookie: x=1", "é€", "x" * 5000, '"\\'):
        warning = http.post("/clusters/count", json={name: 1}).headers["warning"]
        assert warning.isascii()
        assert len(warning) < 400
