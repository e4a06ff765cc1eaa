"""What is surely not meant is refused, wherever filters and updates are taken, and says what was probably meant."""

from typing import Any

import httpx
import pytest

from tests.api.test_refusals import JSON, refusal
from tests.examples import cluster, node

STRAY_FILTERS = [
    ({"filter": {"regionId": "x"}}, "/filter", '{"query": {...}}'),
    ({"regionId": "x", "limit": 5}, "/limit", '"limit": ...'),
    ({"limit": 5}, "/limit", '"limit": ...'),
    ({"sort": {"id": 1}}, "/sort", '"sort": ...'),
    ({"or": [{"regionId": "x"}]}, "/or", '"$or"'),
    ({"gte": 2}, "/gte", '"$gte"'),
    ({"update": {}}, "/update", "PUT /clusters/{id}"),
    ({"nodes.count": {"gte": 2}}, "/nodes.count", '"$gte"'),
    ({"$or": [{"id": "a"}, {"nodes.count": {"gte": 2, "lt": 5}}]}, "/$or/1/nodes.count", '"$gte", "$lt"'),
    ({"_registry.livenes": "alive"}, "/_registry.livenes", '"liveness"'),
    ({"_registry.nodes.livenes": "alive"}, "/_registry.nodes.livenes", '"liveness"'),
    ({"$expr": {"$eq": ["$_registry.livenes", "alive"]}}, "/$expr/$eq/0", '"liveness"'),
]
MEANT_FILTERS = [
    {"$and": [{"limit": 5}]},
    {"$and": [{"or": 1}, {"filter": {"$exists": False}}]},
    {"clusterMetadata.additionalInfo": {"$eq": {"type": "a", "size": 2}}},
    {"clusterMetadata.additionalInfo": {"type": "a", "other": 2}},
    {"limit.of.gpus": 2},
    {"tags": "_registry.livenes"},
]


@pytest.mark.parametrize("route", ["query", "count", "explain", "facets"])
@pytest.mark.parametrize(("filter", "at", "meant"), STRAY_FILTERS)
def test_a_stray_word_in_a_filter_is_refused(
    http: httpx.Client, route: str, filter: dict[str, Any], at: str, meant: str
) -> None:
    for body, place in ((filter, at), ({"query": filter}, f"/query{at}")):
        problem = refusal(http.post(f"/clusters/{route}", json=body), 400, "filter-refused")
        assert meant in problem["detail"]
        assert problem["errors"][0]["at"] == place


@pytest.mark.parametrize(("filter", "at", "meant"), STRAY_FILTERS)
def test_a_stray_word_is_refused_in_a_pipeline_and_a_condition(
    http: httpx.Client, fresh_id: str, filter: dict[str, Any], at: str, meant: str
) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    for reply, place in (
        (http.post("/clusters/aggregate", json=[{"$sort": {"id": 1}}, {"$match": filter}]), f"/1/$match{at}"),
        (http.put(f"/clusters/{fresh_id}", json={"update": {"$set": {"a": 1}}, "filter": filter}), f"/filter{at}"),
    ):
        assert reply.status_code == 400, reply.text
        assert meant in reply.json()["detail"]
        assert reply.json()["errors"][0]["at"] == place
    assert "a" not in http.get(f"/clusters/{fresh_id}").json()


@pytest.mark.parametrize("filter", MEANT_FILTERS)
def test_fields_with_such_names_are_asked_for_all_the_same(http: httpx.Client, filter: dict[str, Any]) -> None:
    assert http.post("/clusters/query", json=filter).status_code == 200


def test_computed_fields_of_a_pipeline_may_have_any_name(http: httpx.Client) -> None:
    stages = [{"$group": {"_id": None, "size": {"$sum": 1}}}, {"$match": {"size": 0}}]
    assert http.post("/clusters/aggregate", json=stages).json() == []


@pytest.mark.parametrize(
    ("body", "at", "meant"),
    [
        ({"$set": {"reputation": 9}, "filter": {"reputation": 1}}, "/filter", '{"update": {...}, "filter": ...}'),
        ({"set": {"reputation": 9}}, "/set", '"$set"'),
        ({"inc": {"reputation": 9}, "status": "live"}, "/inc", '"$inc"'),
        ({"rename": {"a": "b"}}, "/rename", '"$rename"'),
        ({"query": {"id": 1}, "$set": {"reputation": 9}}, "/query", '"filter"'),
        ({"$set": {"reputation": 9}, "upsert": True}, "/upsert", "?upsert=true"),
        ({"update": {"set": {"reputation": 9}}}, "/update/set", '"$set"'),
        ({"$unset": {"_registry.revision": ""}}, "/$unset/_registry.revision", "filter"),
        ([{"$set": {"reputation": "$_registry.revision"}}], "/0/$set/reputation", "filter"),
    ],
)
def test_a_stray_word_in_an_update_is_refused_and_nothing_is_written(
    http: httpx.Client, fresh_id: str, body: Any, at: str, meant: str
) -> None:
    created = http.post("/clusters", json=cluster(fresh_id))

    problem = refusal(http.put(f"/clusters/{fresh_id}", json=body), 400, "update-refused")

    assert meant in problem["detail"]
    assert problem["errors"][0]["at"] == at
    assert http.get(f"/clusters/{fresh_id}").headers["etag"] == created.headers["etag"]


@pytest.mark.parametrize(
    ("body", "at", "meant"),
    [
        ({"set": {"memory": 1}}, "/set", '"$set"'),
        ({"memory": 1, "inc": {"swap": 1}}, "/inc", '"$inc"'),
        ({"filter": {"memory": 1}}, "/filter", '{"update": {...}, "filter": {...}}'),
        ({"$set": {"memory": 1}, "filter": {"memory": 2}}, "/filter", "If-Match"),
        ({"$set": {"memory": 1}, "query": {"memory": 2}}, "/query", "If-Match"),
        ({"update": {"$set": {"memory": 1}}}, "/update", '{"$set": {...}}'),
        ({"update": {"$set": {"memory": 1}}, "filter": {}}, "/update", '{"$set": {...}}'),
        ({"$set": {"memory": 1}, "arrayFilters": []}, "/arrayFilters", "PUT /clusters/{id}"),
        ({"$set": {"memory": 1}, "upsert": True}, "/upsert", "POST /clusters/{id}/nodes"),
        ({"$set": {"memory": 1}, "comment": "x"}, "/comment", "X-Reason"),
    ],
)
def test_a_stray_word_in_a_patch_of_a_node_is_refused_and_nothing_is_written(
    http: httpx.Client, fresh_id: str, body: Any, at: str, meant: str
) -> None:
    created = http.post("/clusters", json=cluster(fresh_id, node("n-1")))

    problem = refusal(http.patch(f"/clusters/{fresh_id}/nodes/n-1", json=body), 400, "update-refused")

    assert meant in problem["detail"]
    assert problem["errors"][0]["at"] == at
    assert http.get(f"/clusters/{fresh_id}").headers["etag"] == created.headers["etag"]


@pytest.mark.parametrize(
    ("body", "at", "meant"),
    [
        ({"set": {"reputation": 1}}, "/set", '"$set"'),
        ({"reputation": 1, "filter": {"status": "live"}}, "/filter", "by PUT to the same address"),
        ({"update": {"$set": {"reputation": 1}}}, "/update", "by PUT to the same address"),
    ],
)
def test_a_stray_word_in_a_patch_of_a_cluster_is_refused(
    http: httpx.Client, fresh_id: str, body: Any, at: str, meant: str
) -> None:
    created = http.post("/clusters", json=cluster(fresh_id))
    problem = refusal(http.patch(f"/clusters/{fresh_id}", json=body), 400, "update-refused")
    assert meant in problem["detail"]
    assert problem["errors"][0]["at"] == at
    assert http.get(f"/clusters/{fresh_id}").headers["etag"] == created.headers["etag"]
    headers = {"content-type": "application/merge-patch+json"}
    assert http.patch(f"/clusters/{fresh_id}", content='{"set": 1}', headers=headers).json()["set"] == 1


def test_members_of_a_node_with_such_names_are_written_all_the_same(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id, node("n-1")))
    at = f"/clusters/{fresh_id}/nodes/n-1"
    http.patch(at, json={"$set": {"set": 1}})
    headers = {"content-type": "application/merge-patch+json"}
    after = http.patch(at, content='{"filter": {"a": 1}}', headers=headers).json()
    assert (after["set"], after["filter"]) == (1, {"a": 1})


def test_fields_with_such_names_are_set_all_the_same(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    after = http.put(f"/clusters/{fresh_id}", json={"$set": {"set": 1, "filter": {"a": 1}}}).json()
    assert (after["set"], after["filter"]) == (1, {"a": 1})


@pytest.mark.parametrize(
    ("method", "path", "body", "at"),
    [
        ("POST", "/clusters/query", '{"regionId": "a", "regionId": "b"}', "/regionId"),
        ("POST", "/clusters/query", '{"query": {}, "limit": 1, "limit": 0}', "/limit"),
        ("POST", "/clusters/count", '{"query": {"gpus.count": {"$gte": 1, "$gte": 2}}}', "/query/gpus.count/$gte"),
        ("POST", "/clusters/aggregate", '[{"$match": {"id": 1}, "$match": {}}]', "/0/$match"),
        ("POST", "/clusters/facets", '{"facets": ["status"], "facets": ["tags"]}', "/facets"),
        ("PUT", "/clusters/{id}", '{"$set": {"reputation": 1}, "$set": {"status": "live"}}', "/$set"),
        ("PUT", "/clusters/{id}", '{"$set": {"reputation": 1, "reputation": 2}}', "/$set/reputation"),
        ("POST", "/clusters", '{"id": "a", "id": "b"}', "/id"),
        ("POST", "/clusters/{id}/heartbeat", '{"ttlSeconds": 60, "ttlSeconds": 5}', "/ttlSeconds"),
    ],
)
def test_a_name_that_stands_twice_is_refused(
    http: httpx.Client, fresh_id: str, method: str, path: str, body: str, at: str
) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    reply = http.request(method, path.format(id=fresh_id), content=body, headers=JSON)
    problem = refusal(reply, 400, "malformed-json")
    assert problem["errors"][0]["at"] == at


@pytest.mark.parametrize("route", ["query", "count", "explain", "facets"])
def test_a_comment_stands_beside_a_query_and_means_nothing(http: httpx.Client, route: str) -> None:
    body = {"query": {"id": "nobody"}, "comment": {"by": "a report"}}
    assert http.post(f"/clusters/{route}", json=body).status_code == 200
    assert http.post("/clusters/aggregate", json={"pipeline": [], "comment": "x"}).status_code == 200
