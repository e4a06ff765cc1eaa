"""What the registry knows beside a document means the same wherever it is asked about, or is refused by name."""

from typing import Any

import httpx
import pytest

from tests.api.test_refusals import refusal
from tests.examples import cluster, node


@pytest.fixture
def address(http: httpx.Client, fresh_id: str) -> str:
    """The address of a cluster that sends heartbeats, and is protected."""
    address = f"/clusters/{fresh_id}"
    assert http.post("/clusters", json=cluster(fresh_id, node("n"))).status_code == 201
    assert http.post(f"{address}/heartbeat", json={"ttlSeconds": 600}).status_code == 200
    assert http.put(f"{address}/protection").status_code == 200
    return address


def conditions(http: httpx.Client, address: str) -> list[tuple[dict[str, Any], bool]]:
    """Conditions on the cluster as it is, and whether it meets them."""
    known = http.get(f"{address}?include=registry").json()["_registry"]
    return [
        ({"_registry.liveness": {"$ne": "alive"}}, False),
        ({"_registry.liveness": "alive"}, True),
        ({"_registry.revision": known["revision"]}, True),
        ({"_registry.revision": {"$lt": known["revision"]}}, False),
        ({"_registry.createdAt": known["createdAt"], "_registry.updatedAt": known["updatedAt"]}, True),
        ({"_registry.protected": True, "id": {"$exists": True}}, True),
        ({"_registry.protected": False}, False),
        ({"_registry.ageSeconds": {"$lt": 500}}, True),
        ({"$expr": {"$eq": ["$_registry.liveness", "alive"]}}, True),
        ({"$nor": [{"_registry.liveness": "alive"}]}, False),
    ]


def test_a_condition_beside_an_update_means_what_it_means_in_a_query(http: httpx.Client, address: str) -> None:
    id = address.removeprefix("/clusters/")
    for turn in range(10):
        condition, met = conditions(http, address)[turn]
        assert http.post("/clusters/count", json={"query": {"id": id, **condition}}).json() == {"count": int(met)}
        update = {"update": {"$set": {"reputation": turn}}, "filter": condition}
        reply = http.put(address, json=update)
        assert reply.status_code == (200 if met else 412), (condition, reply.text)
        assert (http.get(address).json().get("reputation") == turn) is met


def test_the_position_of_an_element_comes_from_the_rest_of_the_condition(http: httpx.Client, address: str) -> None:
    http.put(address, json={"$set": {"tags": ["a", "b"]}})
    body = {"update": {"$set": {"tags.$": "c"}}, "filter": {"_registry.liveness": "alive", "tags": "b"}}
    assert http.put(address, json=body).json()["tags"] == ["a", "c"]


LEASE_QUESTIONS: list[tuple[str, Any]] = [
    ("query", {"_registry.liveness": "alive"}),
    ("query", {"query": {}, "sort": {"_registry.ageSeconds": 1}}),
    ("query", {"query": {}, "projection": {"_registry.liveness": 1}}),
    ("query", {"$expr": {"$ne": ["$_registry.liveness", "alive"]}}),
    ("count", {"_registry.observedAt": None}),
    ("explain", {"_registry.liveness": "alive"}),
    ("facets", {"query": {}, "facets": ["_registry.liveness"]}),
    ("aggregate", [{"$match": {"_registry.liveness": {"$ne": "alive"}}}]),
    ("aggregate", [{"$group": {"_id": "$_registry.liveness"}}]),
]


@pytest.mark.parametrize(("route", "body"), LEASE_QUESTIONS)
def test_what_nobody_knows_of_the_past_is_refused_by_name(
    http: httpx.Client, address: str, route: str, body: Any
) -> None:
    revision = http.get(address).headers["x-registry-revision"]
    problem = refusal(http.post(f"/clusters/{route}?revision={revision}", json=body), 400, "language-refused")
    assert "_registry." in problem["detail"]
    assert http.post(f"/clusters/{route}", json=body).status_code == 200


def test_what_is_known_of_the_past_is_asked_for(http: httpx.Client, address: str) -> None:
    revision = http.get(address).headers["x-registry-revision"]
    body = {"query": {"_registry.protected": True, "id": address.removeprefix("/clusters/")}, "include": "registry"}
    (found,) = http.post(f"/clusters/query?revision={revision}", json=body).json()
    assert found["_registry"].keys() == {"revision", "createdAt", "updatedAt", "statusSince", "protected"}


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("query", {"query": {"_registry.statusSince": {"$gt": ""}}, "sort": {"_registry.statusSince": -1}}),
        ("query", {"query": {}, "projection": {"_registry.statusSince": 1}}),
        ("count", {"_registry.statusSince": {"$type": "string"}}),
        ("facets", {"query": {}, "facets": ["_registry.statusSince"]}),
        ("distinct", {"key": "_registry.statusSince"}),
        ("aggregate", [{"$group": {"_id": "$_registry.statusSince"}}]),
    ],
)
def test_since_when_a_status_stands_is_a_field_like_the_others(
    http: httpx.Client, address: str, route: str, body: Any
) -> None:
    assert http.post(f"/clusters/{route}", json=body).status_code == 200


@pytest.mark.parametrize("filter", [{"_registry.revision": 1}, {"$expr": {"$gt": ["$_registry.revision", 1]}}])
def test_a_watch_can_not_ask_about_it(http: httpx.Client, filter: dict[str, Any]) -> None:
    refusal(http.post("/clusters/watch", json={"query": filter}), 400, "filter-refused")


def test_a_watch_may_name_it_as_a_value(http: httpx.Client) -> None:
    body = {"query": {"tags": "image_registry"}, "since": 0}
    with http.stream("POST", "/clusters/watch", json=body) as reply:
        assert reply.status_code == 200


def test_every_fact_has_a_name_that_can_be_asked_for(http: httpx.Client, address: str) -> None:
    http.post(f"{address}/heartbeat", json={"ttlSeconds": 600, "nodes": ["n"]})
    known = http.get(f"{address}?include=registry").json()["_registry"]
    names = [f"_registry.{name}" for name in known] + [f"_registry.nodes.{name}" for name in known["nodes"][0]]
    for name in names:
        assert http.post("/clusters/count", json={name: {"$exists": True}}).status_code == 200, name


def test_the_document_before_an_update_answers_it(http: httpx.Client, address: str) -> None:
    http.put(address, json={"reputation": 1})
    body = {"update": {"$inc": {"reputation": 1}}, "returnDocument": "before", "comment": "a turn"}
    reply = http.put(address, json=body)
    assert (reply.status_code, reply.json()["reputation"]) == (200, 1)
    assert "etag" not in reply.headers
    assert http.get(address).json()["reputation"] == 2
    unchanged = http.put(address, json={**body, "update": {"$set": {"reputation": 2}}})
    assert unchanged.json() == http.get(address).json()


def test_a_part_of_the_document_answers_an_update(http: httpx.Client, address: str) -> None:
    id = address.removeprefix("/clusters/")
    http.put(address, json={"tags": ["a", "b"], "reputation": 1})
    body = {"update": {"$inc": {"reputation": 1}}, "projection": {"reputation": 1}}
    assert http.put(address, json=body).json() == {"id": id, "reputation": 2}
    body["returnDocument"] = "before"
    assert http.put(address, json=body).json() == {"id": id, "reputation": 2}
    matched = {"update": {"$set": {"tags.$": "c"}}, "filter": {"tags": "b"}, "projection": {"tags.$": 1, "id": 0}}
    assert http.put(address, json={**matched, "returnDocument": "before"}).json() == {"tags": ["b"]}


@pytest.mark.parametrize(
    ("options", "at"),
    [
        ({"returnDocument": "old"}, "/returnDocument"),
        ({"returnDocument": None}, "/returnDocument"),
        ({"projection": {"reputation": 1, "tags": 0}}, "/projection"),
        ({"projection": {"_registry": 1}}, "/projection"),
        ({"returnNewDocument": True}, "/returnNewDocument"),
    ],
)
def test_a_bad_option_of_the_answer_writes_nothing(
    http: httpx.Client, address: str, options: dict[str, Any], at: str
) -> None:
    before = http.get(address).headers["etag"]
    reply = http.put(address, json={"update": {"$inc": {"reputation": 1}}, **options})
    assert reply.status_code == 400, reply.text
    assert reply.json()["errors"][0]["at"].startswith(at)
    assert http.get(address).headers["etag"] == before
