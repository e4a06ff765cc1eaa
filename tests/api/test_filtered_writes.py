"""Writes on all clusters that match a filter: all of them or none, and deletions only of what was shown."""

import threading
from typing import Any

import httpx
import pytest

from tests.api.test_refusals import refusal
from tests.examples import cluster, node

KEY = "idempotency-key"
COUNT = 5


@pytest.fixture
def mine(http: httpx.Client, fresh_id: str) -> dict[str, Any]:
    """A filter that matches COUNT clusters."""
    for number in range(COUNT):
        made = cluster(f"{fresh_id}-{number}", node("n-1"), rack=fresh_id, reputation=number)
        assert http.post("/clusters", json=made).status_code == 201
    return {"rack": fresh_id}


def update(http: httpx.Client, filter: Any, update: Any, **options: Any) -> httpx.Response:
    return http.post("/clusters/update", json={"filter": filter, "update": update}, **options)


def delete(http: httpx.Client, filter: Any, confirm: str | None = None, **options: Any) -> httpx.Response:
    body = {"filter": filter} if confirm is None else {"filter": filter, "confirm": confirm}
    return http.post("/clusters/delete", json=body, **options)


def count(http: httpx.Client, filter: Any) -> int:
    return int(http.post("/clusters/count", json=filter).json()["count"])


def test_an_update_is_of_all_that_match(http: httpx.Client, fresh_id: str, mine: dict[str, Any]) -> None:
    newest = http.get("/readyz").json()["revision"]
    answer = update(http, {**mine, "reputation": {"$gte": 2}}, {"$max": {"reputation": 3}}).json()
    assert answer == {"matched": 3, "changed": 1, "revision": newest + 1, "ids": [f"{fresh_id}-2"]}
    assert count(http, {**mine, "reputation": 3}) == 2
    options: Any = {"params": {"fieldValidation": "ignore"}, "headers": {"x-reason": "none of them"}}
    nothing = update(http, {"rack": "none"}, {"$set": {"reputation": 3}}, **options).json()
    assert nothing == {"matched": 0, "changed": 0, "revision": None, "ids": []}


def test_a_filter_may_be_in_words_and_gives_positions(http: httpx.Client, fresh_id: str, mine: dict[str, Any]) -> None:
    body = {"where": f'rack = "{fresh_id}" and reputation < 2', "update": {"$set": {"tags": ["few"]}}}
    assert http.post("/clusters/update", json=body).json()["changed"] == 2
    by_node = {**mine, "nodes.nodeData.id": "n-1"}
    assert update(http, by_node, {"$set": {"nodes.nodeData.$.rack": "r-1"}}).json()["changed"] == COUNT
    assert count(http, {**mine, "nodes.nodeData.rack": "r-1"}) == COUNT


def test_what_the_registry_knows_selects_too(http: httpx.Client, fresh_id: str, mine: dict[str, Any]) -> None:
    http.put(f"/clusters/{fresh_id}-0/protection")
    answer = update(http, {**mine, "_registry.protected": False}, {"$set": {"tags": ["free"]}})
    assert answer.json()["changed"] == COUNT - 1
    http.delete(f"/clusters/{fresh_id}-0/protection")


def test_one_refused_cluster_leaves_all_as_they_are(http: httpx.Client, fresh_id: str, mine: dict[str, Any]) -> None:
    newest = http.get("/readyz").json()["revision"]
    answer = update(http, mine, [{"$set": {"memory": {"$subtract": [2, "$reputation"]}}}])
    detail = refusal(answer, 422, "document-invalid")["detail"]
    assert f"{fresh_id}-3" in detail
    assert "nothing was done" in detail
    refusal(update(http, mine, {"$set": {"id": "other"}}), 422, "id-immutable")
    assert http.get("/readyz").json()["revision"] == newest


def test_more_than_expected_are_refused(http: httpx.Client, mine: dict[str, Any]) -> None:
    body = {"filter": mine, "update": {"$set": {"tags": []}}, "atMost": COUNT - 1}
    refused = refusal(http.post("/clusters/update", json=body), 400, "language-refused")
    assert f"{COUNT} clusters match" in refused["detail"]
    assert http.post("/clusters/update", json={**body, "atMost": COUNT}).json()["matched"] == COUNT


@pytest.mark.parametrize(
    ("path", "body", "at"),
    [
        ("update", {"update": {"$set": {}}}, "/filter"),
        ("update", {"filter": {"a": {"$in": 5}}, "update": {"$set": {"b": 1}}}, "/filter/a/$in"),
        ("update", {"where": "status = ", "update": {"$set": {"b": 1}}}, "/where"),
        ("update", {"filter": {}, "where": "live", "update": {"$set": {"b": 1}}}, "/where"),
        ("update", {"filter": {}, "update": {"$sett": {"b": 1}}}, "/update/$sett"),
        ("update", {"filter": {}, "update": {"$set": {"b": 1}}, "atMost": 10_001}, "/atMost"),
        ("update", {"filter": {}, "update": {"$set": {"b": 1}}, "limit": 1}, "/limit"),
        ("update", {"query": {}, "update": {"$set": {"b": 1}}}, "/query"),
        ("delete", {}, "/filter"),
        ("delete", {"filter": {}, "confirm": 5}, "/confirm"),
        ("delete", {"filter": {}, "confirm": "made-up"}, "/confirm"),
        ("delete", {"filter": {}, "update": {}}, "/update"),
    ],
)
def test_a_body_is_refused_with_its_place(http: httpx.Client, path: str, body: Any, at: str) -> None:
    answer = http.post(f"/clusters/{path}", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["at"] == at
    if "query" in body:
        assert "is named 'filter'" in answer.json()["detail"]
    refusal(http.post(f"/clusters/{path}", json=[]), 400, "language-refused")


def test_a_dry_run_of_an_update_shows_what_it_does(http: httpx.Client, fresh_id: str, mine: dict[str, Any]) -> None:
    shown = update(http, mine, {"$set": {"reputation": 3}}, params={"dryRun": "true"}).json()
    assert (shown["dryRun"], shown["matched"], shown["changed"]) == (True, COUNT, COUNT - 1)
    assert [each["id"] for each in shown["clusters"]] == [f"{fresh_id}-{number}" for number in range(COUNT)]
    assert shown["clusters"][0]["diff"] == [{"op": "replace", "path": "/reputation", "value": 3}]
    assert count(http, {**mine, "reputation": 3}) == 1
    strict = update(http, mine, {"$set": {"odd": 1}}, params={"fieldValidation": "strict"})
    refusal(strict, 422, "document-invalid")


def test_a_deletion_is_shown_first_and_confirmed(http: httpx.Client, fresh_id: str, mine: dict[str, Any]) -> None:
    shown = delete(http, mine).json()
    assert (shown["dryRun"], shown["matched"]) == (True, COUNT)
    expected = {(f"{fresh_id}-{number}", "deleted") for number in range(COUNT)}
    assert {(each["id"], each["event"]) for each in shown["clusters"]} == expected
    assert count(http, mine) == COUNT
    rehearsed = delete(http, mine, shown["confirm"], params={"dryRun": "true"})
    assert rehearsed.json()["matched"] == COUNT
    done = delete(http, mine, shown["confirm"], headers={"x-reason": "the rack is empty"}).json()
    assert http.get(f"/clusters/{fresh_id}-0/history").json()[0]["reason"] == "the rack is empty"
    assert (done["matched"], done["deleted"], len(done["ids"])) == (COUNT, COUNT, COUNT)
    assert count(http, mine) == 0


def test_a_confirmation_is_of_one_filter_and_of_the_clusters_shown(
    http: httpx.Client, fresh_id: str, mine: dict[str, Any]
) -> None:
    confirm = delete(http, mine).json()["confirm"]
    refusal(delete(http, {"rack": "none"}, confirm), 400, "request-refused")
    http.post("/clusters", json=cluster(f"{fresh_id}-new", rack=fresh_id))
    refusal(delete(http, mine, confirm), 412, "precondition-failed")
    assert count(http, mine) == COUNT + 1
    assert delete(http, mine, params={"dryRun": "false"}).json()["deleted"] == COUNT + 1


def test_a_protected_cluster_keeps_all_of_them(http: httpx.Client, fresh_id: str, mine: dict[str, Any]) -> None:
    http.put(f"/clusters/{fresh_id}-2/protection")
    assert f"{fresh_id}-2" in refusal(delete(http, mine), 409, "cluster-protected")["detail"]
    refusal(delete(http, mine, params={"dryRun": "false"}), 409, "cluster-protected")
    assert count(http, mine) == COUNT
    http.delete(f"/clusters/{fresh_id}-2/protection")


def test_with_a_key_each_is_done_once(http: httpx.Client, fresh_id: str, mine: dict[str, Any]) -> None:
    """Though the filter no longer matches what was changed, and the confirmed clusters are gone."""
    low, raised = {**mine, "reputation": {"$lt": 3}}, {"$inc": {"reputation": 10}}
    first = update(http, low, raised, headers={KEY: f"update-{fresh_id}"})
    again = update(http, low, raised, headers={KEY: f"update-{fresh_id}"})
    assert (first.json()["changed"], again.json()) == (3, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    confirm = delete(http, mine).json()["confirm"]
    gone = delete(http, mine, confirm, headers={KEY: f"delete-{fresh_id}"})
    again = delete(http, mine, confirm, headers={KEY: f"delete-{fresh_id}"})
    assert (gone.json()["deleted"], again.json()) == (COUNT, gone.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = update(http, mine, raised, headers={KEY: f"update-{fresh_id}"})
    refusal(other, 422, "idempotency-key-reused")


def test_updates_that_meet_each_other_are_done_after_each_other(http: httpx.Client, mine: dict[str, Any]) -> None:
    """Each of them takes the clusters that match when its turn comes: nothing is counted twice, and nothing lost."""
    changed: list[int] = []

    def take() -> None:
        answer = update(http, {**mine, "taken": {"$exists": False}}, {"$set": {"taken": True}})
        changed.append(answer.json()["changed"])

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(changed) == COUNT
