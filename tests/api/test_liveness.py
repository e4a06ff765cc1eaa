"""Heartbeats, liveness and uptime over HTTP."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.examples import cluster
from tests.serving import ServerProcess


@pytest.fixture
def id(http: httpx.Client, fresh_id: str) -> str:
    """A cluster that never sent a heartbeat."""
    assert http.post("/clusters", json=cluster(fresh_id)).status_code == 201
    return fresh_id


def beat(http: httpx.Client, id: str, **body: Any) -> httpx.Response:
    return http.post(f"/clusters/{id}/heartbeat", json=body)


def facts(http: httpx.Client, id: str) -> dict[str, Any]:
    told: dict[str, Any] = http.get(f"/clusters/{id}", params={"include": "registry"}).json()["_registry"]
    return told


def unix_seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_a_beat_is_answered_with_the_lease(http: httpx.Client, id: str) -> None:
    reply = http.post(f"/clusters/{id}/heartbeat")
    lease = reply.json()
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert lease.keys() == {"id", "ttlSeconds", "observedAt", "expiresAt", "liveness"}
    assert (lease["id"], lease["ttlSeconds"], lease["liveness"]) == (id, 30, "alive")
    assert unix_seconds(lease["expiresAt"]) - unix_seconds(lease["observedAt"]) == pytest.approx(30)
    assert unix_seconds(lease["observedAt"]) == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize("body", [{}, {"ttlSeconds": 1}, {"ttlSeconds": 86_400}, {"ttlSeconds": 30.0}, {"nodes": []}])
def test_every_member_of_a_beat_may_be_left_out(http: httpx.Client, id: str, body: dict[str, Any]) -> None:
    reply = beat(http, id, **body)
    assert (reply.status_code, reply.json()["ttlSeconds"]) == (200, body.get("ttlSeconds", 30))


def test_each_beat_stands_for_itself(http: httpx.Client, id: str) -> None:
    beat(http, id, ttlSeconds=100)
    assert beat(http, id).json()["ttlSeconds"] == 30


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"ttlSeconds": 0}, "/ttlSeconds"),
        ({"ttlSeconds": 86_401}, "/ttlSeconds"),
        ({"ttlSeconds": -1}, "/ttlSeconds"),
        ({"ttlSeconds": 0.5}, "/ttlSeconds"),
        ({"ttlSeconds": 1.5}, "/ttlSeconds"),
        ({"ttlSeconds": "30"}, "/ttlSeconds"),
        ({"ttlSeconds": True}, "/ttlSeconds"),
        ({"ttlSeconds": None}, "/ttlSeconds"),
        ({"ttlSeconds": 1e300}, "/ttlSeconds"),
        ({"status": 5}, "/status"),
        ({"status": None}, "/status"),
        ({"nodes": {}}, "/nodes"),
        ({"nodes": ["a", 5]}, "/nodes/1"),
        ({"nodes": [""]}, "/nodes/0"),
        ({"nodes": ["n"] * 10_001}, "/nodes"),
        ({"ttlSecond": 30}, "/ttlSecond"),
        ([], None),
        ("beat", None),
    ],
)
def test_a_malformed_beat_is_400_and_none(http: httpx.Client, id: str, body: Any, at: str | None) -> None:
    reply = http.post(f"/clusters/{id}/heartbeat", json=body)
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
    assert reply.json()["code"] == "heartbeat-refused"
    assert [each["at"] for each in reply.json().get("errors", [])] == ([at] if at else [])
    assert facts(http, id)["liveness"] == "unknown"


@pytest.mark.parametrize(("content", "status"), [(b"{", 400), (b"null", 400), (b'{"ttlSeconds": 5}', 415)])
def test_a_beat_that_is_no_json_is_refused_as_any_body(
    http: httpx.Client, id: str, content: bytes, status: int
) -> None:
    headers = {"content-type": "application/json"} if status == 400 else {}
    assert http.post(f"/clusters/{id}/heartbeat", content=content, headers=headers).status_code == status


def test_a_beat_for_nobody_is_404_and_for_a_deleted_cluster_410(http: httpx.Client, id: str) -> None:
    assert (beat(http, f"{id}-never").status_code, beat(http, id).status_code) == (404, 200)
    http.delete(f"/clusters/{id}")
    late = beat(http, id)
    assert (late.status_code, late.json()["code"]) == (410, "cluster-deleted")
    http.post("/clusters", json=cluster(id))
    assert beat(http, id).status_code == 200


def test_only_posts_are_beats(http: httpx.Client, id: str) -> None:
    reply = http.get(f"/clusters/{id}/heartbeat")
    assert (reply.status_code, reply.headers["allow"]) == (405, "OPTIONS, POST")


def test_liveness_is_told_on_request_only(http: httpx.Client, id: str) -> None:
    told = facts(http, id)
    assert (told["liveness"], told["observedAt"], told["ageSeconds"]) == ("unknown", None, None)
    lease = beat(http, id).json()
    told = facts(http, id)
    assert (told["liveness"], told["observedAt"]) == ("alive", lease["observedAt"])
    assert 0 <= told["ageSeconds"] < 5
    assert "_registry" not in http.get(f"/clusters/{id}").json()
    by_body = http.post("/clusters/query", json={"query": {"id": id}, "include": "registry"}).json()
    by_address = http.post("/clusters/query?include=registry", json={"id": id}).json()
    assert by_body[0]["_registry"]["liveness"] == by_address[0]["_registry"]["liveness"] == "alive"


@pytest.fixture(scope="module")
def region(http: httpx.Client) -> str:
    """Three clusters: ``old`` was heard before ``new``, ``never`` was not heard."""
    region = "region-of-queries"
    for name in ("new", "never", "old"):
        http.post("/clusters", json=cluster(f"queried-{name}", regionId=region))
    for name in ("old", "new"):
        beat(http, f"queried-{name}", ttlSeconds=1_000)
        time.sleep(0.02)
    return region


class TestQueries:
    """What the registry knows is asked for as any field of the documents."""

    def found(self, http: httpx.Client, region: str, **body: Any) -> list[str]:
        query = {"regionId": region, **body.pop("query", {})}
        reply = http.post("/clusters/query", json={"query": query, **body})
        assert reply.status_code == 200, reply.text
        return [each["id"].removeprefix("queried-") for each in reply.json()]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ({"_registry.liveness": "alive"}, ["new", "old"]),
            ({"_registry.liveness": {"$ne": "alive"}}, ["never"]),
            ({"_registry.liveness": {"$in": ["silent", "unknown"]}}, ["never"]),
            ({"_registry.observedAt": None}, ["never"]),
            ({"_registry.observedAt": {"$gte": "2020-01-01"}}, ["new", "old"]),
            ({"_registry.ageSeconds": {"$lte": 500}}, ["new", "old"]),
            ({"_registry.ageSeconds": {"$gt": 500}}, []),
            ({"_registry.flapping": True}, []),
            ({"$or": [{"_registry.liveness": "unknown"}, {"id": "queried-old"}]}, ["never", "old"]),
            ({"$expr": {"$eq": ["$_registry.liveness", "alive"]}}, ["new", "old"]),
            ({"_registry": {"$exists": True}}, ["new", "never", "old"]),
            ({"_registry.liveness": "alive", "status": "live", "tags": "gpu"}, ["new", "old"]),
        ],
    )
    def test_liveness_is_filtered_as_any_field(self, http, region, query: dict[str, Any], names: list[str]) -> None:
        assert self.found(http, region, query=query) == names
        count = http.post("/clusters/count", json={"query": {"regionId": region, **query}}).json()
        assert count == {"count": len(names)}
        pipeline = [{"$match": {"regionId": region, **query}}, {"$count": "n"}]
        assert http.post("/clusters/aggregate", json=pipeline).json() == ([{"n": len(names)}] if names else [])

    def test_it_is_sorted_by(self, http: httpx.Client, region: str) -> None:
        assert self.found(http, region, sort={"_registry.ageSeconds": -1}) == ["old", "new", "never"]
        assert self.found(http, region, sort={"_registry.observedAt": -1}, limit=1) == ["new"]

    def test_it_is_projected(self, http: httpx.Client, region: str) -> None:
        body = {"query": {"id": "queried-old"}, "projection": {"_registry.liveness": 1}}
        assert http.post("/clusters/query", json=body).json() == [
            {"id": "queried-old", "_registry": {"liveness": "alive"}}
        ]
        body = {"query": {"id": "queried-old", "_registry.liveness": "alive"}, "projection": {"regionId": 1}}
        assert http.post("/clusters/query", json=body).json() == [{"id": "queried-old", "regionId": region}]
        told = http.post("/clusters/query", json={**body, "include": "registry"}).json()[0]
        assert told.keys() == {"id", "regionId", "_registry"}

    def test_it_is_grouped_by(self, http: httpx.Client, region: str) -> None:
        pipeline = [{"$match": {"regionId": region}}, {"$sortByCount": "$_registry.liveness"}]
        assert http.post("/clusters/aggregate", json=pipeline).json() == [
            {"_id": "alive", "count": 2},
            {"_id": "unknown", "count": 1},
        ]

    def test_it_narrows_what_is_looked_at_as_other_conditions_do(self, http: httpx.Client, region: str) -> None:
        body = {"query": {"regionId": region, "_registry.liveness": "alive"}}
        assert http.post("/clusters/explain", json=body).json()["candidates"] == 2


def test_a_silence_is_written_within_a_second_after_the_lease_and_ends_with_a_beat(http: httpx.Client, id: str) -> None:
    before = time.monotonic()
    beat(http, id, ttlSeconds=1)
    after = time.monotonic()
    while time.monotonic() < before + 1:
        assert http.get(f"/clusters/{id}").json()["status"] == "live"
        time.sleep(0.02)
    while http.get(f"/clusters/{id}").json()["status"] == "live":
        assert time.monotonic() < after + 2
        time.sleep(0.02)
    assert (http.get(f"/clusters/{id}").json()["status"], facts(http, id)["liveness"]) == ("unreachable", "silent")
    beat(http, id)
    assert (http.get(f"/clusters/{id}").json()["status"], facts(http, id)["liveness"]) == ("live", "alive")
    told = http.get(f"/clusters/{id}/history").json()
    assert [change["actor"] for change in told[:2]] == ["registry", "registry"]
    assert "no heartbeat for" in told[1]["reason"]


def test_the_status_of_a_beat_is_written_by_its_sender(http: httpx.Client, id: str) -> None:
    headers = {"x-reason": "maintenance window"}
    reply = http.post(f"/clusters/{id}/heartbeat", json={"status": "draining"}, headers=headers)
    assert (reply.status_code, http.get(f"/clusters/{id}").json()["status"]) == (200, "draining")
    newest = http.get(f"/clusters/{id}/history").json()[0]
    assert (newest["actor"], newest["reason"]) == ("anonymous@127.0.0.1", "maintenance window")


def test_uptime_has_slots_for_a_day_and_days_for_ninety(http: httpx.Client, id: str) -> None:
    beat(http, id)
    time.sleep(0.05)
    told = http.get(f"/clusters/{id}/uptime").json()
    assert (told["id"], told["slotSeconds"], len(told["slots"]), len(told["days"])) == (id, 900, 96, 90)
    newest, today = told["slots"][-1], told["days"][-1]
    assert unix_seconds(newest["begins"]) % 900 == 0
    assert newest["begins"].startswith(today["date"])
    assert newest["alive"] > 0
    for share in (*told["slots"], *told["days"]):
        assert sum(share[state] for state in ("alive", "late", "silent", "unknown")) == pytest.approx(1, abs=1e-5)


def test_uptime_without_beats_is_unknown_and_without_a_cluster_404(http: httpx.Client, id: str) -> None:
    told = http.get(f"/clusters/{id}/uptime").json()
    assert {share["unknown"] for share in (*told["slots"], *told["days"])} == {1}
    assert http.get(f"/clusters/{id}-never/uptime").status_code == 404


def test_readiness_tells_of_leases_and_holds(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        for n in range(10):
            http.post("/clusters", json=cluster(f"c{n}"))
            beat(http, f"c{n}", ttlSeconds=1)
        assert http.get("/readyz").json()["liveness"] == {"leases": 10, "silent": 0, "holds": []}
        time.sleep(2.5)
        ready = http.get("/readyz").json()
        (hold,) = ready["liveness"]["holds"]
        assert (ready["status"], hold["cause"], hold["waiting"]) == ("ready", "mass-silence", 10)
        assert ready["liveness"]["silent"] == 10
        assert hold["detail"].endswith("of 10 clusters under lease fell silent within one window")
        assert http.post("/clusters/count", json={"status": "live"}).json() == {"count": 10}
        assert "mass-silence" in server.log.read_text()
