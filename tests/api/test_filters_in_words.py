"""``where``, a filter in words, stands wherever a filter does: in watches, webhooks, updates and bulk lines."""

import json
from typing import Any

import httpx
import pytest

from tests.api.test_refusals import refusal
from tests.examples import cluster

LINES = {"content-type": "application/x-ndjson"}


@pytest.fixture
def id(http: httpx.Client, fresh_id: str) -> str:
    """A cluster with 8 GPUs in its documentation, and none in use."""
    assert http.post("/clusters", json=cluster(fresh_id, rack=fresh_id, reputation=8)).status_code == 201
    return fresh_id


def test_a_watch_takes_words(http: httpx.Client, id: str) -> None:
    since = http.get("/readyz").json()["revision"] - 1
    other = f'rack = "{id}" and reputation > 8'
    mine = f'rack = "{id}" and reputation >= 8'
    for words, count in ((mine, 1), (other, 0)):
        parameters = {"since": since, "wait": "0s", "where": words}
        assert len(http.get("/clusters/watch", params=parameters).json()["events"]) == count
        body = {"where": words, "since": since}
        assert len(http.post("/clusters/watch", json=body, params={"wait": "0s"}).json()["events"]) == count
    both = {"where": mine, "filter": "{}", "wait": "0s"}
    refusal(http.get("/clusters/watch", params=both), 400, "request-refused")
    for body in ({"where": mine, "query": {}}, {"where": "status = "}, {"where": "liveness = alive"}):
        refused = http.post("/clusters/watch", json=body, params={"wait": "0s"})
        assert refusal(refused, 400, "filter-refused")["errors"][0]["at"] == "/where"
    refusal(http.get("/clusters/watch", params={"where": "status = ", "wait": "0s"}), 400, "filter-refused")


def test_a_webhook_takes_words_and_shows_what_they_became(http: httpx.Client, fresh_id: str) -> None:
    hook: dict[str, Any] = {"id": fresh_id, "url": "https://example.net/", "enabled": False}
    made = http.post("/webhooks", json={**hook, "where": "status = live"})
    assert (made.status_code, made.json()["filter"]) == (201, {"status": "live"})
    patched = http.patch(f"/webhooks/{fresh_id}", json={"where": "gpus >= 8"})
    assert patched.json()["filter"] == {"gpus.count": {"$gte": 8}}
    put = http.put(f"/webhooks/{fresh_id}", json={**hook, "where": "tags has ml"})
    assert put.json()["filter"] == {"tags": "ml"}
    both = http.patch(f"/webhooks/{fresh_id}", json={"where": "gpus >= 8", "filter": {}})
    assert refusal(both, 400, "filter-refused")["errors"][0]["at"] == "/where"
    http.delete(f"/webhooks/{fresh_id}")


def test_the_condition_of_an_update_may_be_in_words(http: httpx.Client, id: str) -> None:
    update = {"$set": {"tags": ["seen"]}}
    refused = http.put(f"/clusters/{id}", json={"update": update, "where": "reputation > 8"})
    refusal(refused, 412, "precondition-failed")
    assert http.put(f"/clusters/{id}", json={"update": update, "where": "reputation >= 8"}).status_code == 200
    both = http.put(f"/clusters/{id}", json={"update": update, "where": "live", "filter": {}})
    assert refusal(both, 400, "filter-refused")["errors"][0]["at"] == "/where"
    line = {"op": "update", "id": id, "update": update, "where": "reputation > 8"}
    answer = http.post("/clusters/bulk", content=json.dumps(line), headers=LINES)
    assert json.loads(answer.text)["status"] == 412
