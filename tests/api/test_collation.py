"""Texts that differ only in case or accents, found, sorted, counted and grouped over HTTP."""

from typing import Any

import httpx
import pytest

from tests.api.test_refusals import refusal
from tests.examples import cluster

BASE = {"locale": "en", "strength": 1}
NAMES = ["Zürich", "zurich", "ZURICH", "Aarau"]


@pytest.fixture
def owner(http: httpx.Client, fresh_id: str) -> str:
    """Four clusters of this owner, with the names above."""
    for number, name in enumerate(NAMES):
        made = cluster(f"{fresh_id}-{number}", clusterMetadata={"name": name, "description": "d", "owner": fresh_id})
        assert http.post("/clusters", json=made).status_code == 201
    return fresh_id


def asked(http: httpx.Client, route: str, **body: Any) -> Any:
    reply = http.post(f"/clusters/{route}", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_a_collation_stands_beside_each_read(http: httpx.Client, owner: str) -> None:
    zurich = {"clusterMetadata.owner": owner, "clusterMetadata.name": "zürich"}
    assert asked(http, "count", query=zurich, collation=BASE) == {"count": 3}
    assert asked(http, "count", query=zurich, collation={**BASE, "strength": 2}) == {"count": 1}
    assert asked(http, "count", query=zurich, collation=None) == {"count": 0}
    everyone = {"clusterMetadata.owner": owner}
    names = asked(
        http,
        "query",
        query=everyone,
        sort={"clusterMetadata.name": -1, "id": -1},
        projection={"clusterMetadata.name": 1},
        collation=BASE,
        limit=2,
    )
    assert [each["clusterMetadata"]["name"] for each in names] == ["ZURICH", "zurich"]
    assert asked(http, "distinct", key="clusterMetadata.name", query=everyone, collation=BASE) == ["Aarau", "Zürich"]
    stages = [{"$match": everyone}, {"$group": {"_id": "$clusterMetadata.name", "n": {"$sum": 1}}}, {"$sort": {"n": 1}}]
    groups = asked(http, "aggregate", pipeline=stages, collation=BASE)
    assert groups == [{"_id": "Aarau", "n": 1}, {"_id": "Zürich", "n": 3}]
    assert len(asked(http, "aggregate", pipeline=stages)) == 4


def test_the_index_narrows_by_the_other_conditions(http: httpx.Client, owner: str) -> None:
    assert http.put(f"/clusters/{owner}-1", json={"reputation": 987654321}).status_code == 200
    query = {"reputation": 987654321, "clusterMetadata.name": "ZÜRICH"}
    plan = asked(http, "explain", query=query, collation=BASE)
    assert plan["candidates"] == 1
    assert plan["exact"] is False
    assert len(asked(http, "query", query=query, collation=BASE)) == 1
    by_name = asked(http, "explain", query={"clusterMetadata.name": "ZÜRICH"}, collation=BASE)
    assert "the indexes hold texts as they are" in str(by_name)


def test_pages_are_in_its_order(http: httpx.Client, owner: str) -> None:
    body: dict[str, Any] = {
        "query": {"clusterMetadata.owner": owner.upper()},
        "sort": {"clusterMetadata.name": 1, "id": -1},
        "collation": BASE,
        "projection": {"clusterMetadata.name": 1, "id": 0},
        "limit": 1,
        "cursor": None,
    }
    names = []
    for _ in NAMES:
        reply = http.post("/clusters/query", json=body)
        names += [each["clusterMetadata"]["name"] for each in reply.json()]
        body["cursor"] = reply.links["next"]["url"].rpartition("cursor=")[2] if "next" in reply.links else None
    assert names == ["Aarau", "ZURICH", "zurich", "Zürich"]
    other = {**body, "cursor": http.post("/clusters/query", json={**body, "cursor": None}).links["next"]["url"]}
    other["cursor"] = other["cursor"].rpartition("cursor=")[2]
    assert http.post("/clusters/query", json={**other, "collation": None}).status_code == 400


def test_the_past_is_asked_with_it_too(http: httpx.Client, owner: str) -> None:
    revision = http.get(f"/clusters/{owner}-1").headers["x-registry-revision"]
    body = {"query": {"clusterMetadata.owner": owner, "clusterMetadata.name": "ZÜRICH"}, "collation": BASE}
    assert http.post(f"/clusters/count?revision={revision}", json=body).json()["count"] == 3


@pytest.mark.parametrize(
    ("route", "body", "at"),
    [
        ("query", {"query": {}, "collation": {"locale": "fr", "strength": 1}}, "/collation/locale"),
        ("count", {"query": {}, "collation": {"locale": "en", "strength": 3}}, "/collation/strength"),
        ("distinct", {"key": "id", "collation": {**BASE, "numericOrdering": True}}, "/collation/numericOrdering"),
        ("aggregate", {"pipeline": [], "collation": "en"}, "/collation"),
        ("query", {"query": {"$expr": {"$max": ["$a", "b"]}}, "collation": BASE}, "/query/$expr/$max"),
    ],
)
def test_what_it_can_not_be_is_refused(http: httpx.Client, route: str, body: dict[str, Any], at: str) -> None:
    assert refusal(http.post(f"/clusters/{route}", json=body), 400, "language-refused")["errors"][0]["at"] == at
