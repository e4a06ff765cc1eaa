"""The past over HTTP: who changed what, any moment, restoring, protection."""

import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.engines import NOT_YET
from tests.examples import cluster


def revision_of(reply: httpx.Response) -> int:
    """The revision of a written document."""
    return int(reply.headers["etag"].strip('"'))


@pytest.fixture
def lives(http: httpx.Client, fresh_id: str) -> list[int]:
    """The revisions of a cluster that was enrolled (reputation 0), changed (1), deleted, and enrolled again (3)."""
    address = f"/clusters/{fresh_id}"
    first = revision_of(http.post("/clusters", json=cluster(fresh_id, reputation=0)))
    second = revision_of(http.put(address, json={"reputation": 1}, headers={"x-reason": "tested%20well"}))
    http.delete(address, headers={"x-reason": "moved"})
    fourth = revision_of(http.post("/clusters", json=cluster(fresh_id, reputation=3)))
    return [first, second, fourth - 1, fourth]


@pytest.fixture
def address(fresh_id: str) -> str:
    return f"/clusters/{fresh_id}"


def test_history_tells_who_changed_what_when_and_why(http: httpx.Client, address: str, lives: list[int]) -> None:
    reply = http.get(f"{address}/history")

    changes = reply.json()
    assert [(change["event"], change["revision"]) for change in changes] == [
        ("created", lives[3]),
        ("deleted", lives[2]),
        ("updated", lives[1]),
        ("created", lives[0]),
    ]
    change = changes[2]
    assert change.keys() == {"event", "revision", "id", "time", "actor", "reason", "patch"}
    assert (change["id"], change["actor"], change["reason"]) == (
        address.removeprefix("/clusters/"),
        "anonymous@127.0.0.1",
        "tested well",
    )
    assert change["patch"] == [{"op": "replace", "path": "/reputation", "value": 1}]
    assert abs(datetime.fromisoformat(change["time"]).timestamp() - time.time()) < 60
    assert changes[1]["patch"] == [{"op": "replace", "path": "", "value": None}]
    assert changes[3]["patch"][0]["value"]["reputation"] == 0
    assert "link" not in reply.headers
    assert reply.headers["x-registry-compacted"] == "0"


def test_history_in_documents_and_in_lines(http: httpx.Client, address: str, lives: list[int]) -> None:
    lines = http.get(f"{address}/history?as=document", headers={"accept": "application/x-ndjson"})
    assert lines.headers["content-type"] == "application/x-ndjson"
    changes = [json.loads(line) for line in lines.text.splitlines()]
    assert [change["document"] and change["document"]["reputation"] for change in changes] == [3, None, 1, 0]
    assert all("patch" not in change for change in changes)
    both = http.get(f"{address}/history?as=both").json()
    assert all({"patch", "document"} <= change.keys() for change in both)


def test_the_history_of_a_deleted_cluster_is_there_and_of_an_unknown_one_not(
    http: httpx.Client, address: str, lives: list[int]
) -> None:
    http.delete(address)
    assert http.get(f"{address}/history").json()[0]["event"] == "deleted"
    assert http.get(address).status_code == 404
    never = http.get("/clusters/never-was/history")
    assert (never.status_code, never.json()["code"]) == (404, "cluster-not-found")


def test_following_the_links_gives_the_whole_history(http: httpx.Client, address: str, lives: list[int]) -> None:
    seen: list[int] = []
    following: str | None = f"{address}/history?limit=3"
    pages = 0
    while following:
        reply = http.get(following)
        seen += [change["revision"] for change in reply.json()]
        link = reply.links.get("next")
        following = link["url"] if link else None
        pages += 1
    assert seen == lives[::-1]
    assert pages == 2


@pytest.mark.parametrize(("before", "expected"), [(3, [3]), (2, [2, 3]), (0, [0, 1, 2, 3])])
def test_before_is_exclusive(
    http: httpx.Client, address: str, lives: list[int], before: int, expected: list[int]
) -> None:
    """``expected`` counts from the newest."""
    backward = lives[::-1]
    older = http.get(f"{address}/history", params={"before": backward[before] if before else lives[3] + 1}).json()
    skipped = 0 if not before else before + 1
    assert [change["revision"] for change in older] == backward[skipped:]


def test_changes_of_the_fleet_come_oldest_first_after_a_revision(
    http: httpx.Client, address: str, lives: list[int]
) -> None:
    changes = http.get("/changes", params={"since": lives[0], "as": "document"}).json()
    assert [change["revision"] for change in changes] == list(range(lives[0] + 1, lives[3] + 1))
    assert changes[-1]["document"]["reputation"] == 3
    assert http.get("/changes", params={"since": lives[3]}).json() == []
    first = http.get("/changes?limit=1")
    assert [change["revision"] for change in first.json()] == [1]
    assert first.links["next"]["url"] == "/changes?limit=1&since=1"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=-1", "limit=many", "limit=", "before=-1", "before=new", "before=", "as=xml"],
)
def test_a_malformed_question_about_history_is_400(
    http: httpx.Client, address: str, lives: list[int], query: str
) -> None:
    reply = http.get(f"{address}/history?{query}")
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
    assert http.get(f"/changes?{query.replace('before', 'since')}").status_code == 400


def test_changes_that_have_not_come_are_refused(http: httpx.Client, lives: list[int]) -> None:
    assert http.get("/changes", params={"since": lives[3] + 1}).status_code == NOT_YET


def test_a_revision_is_the_newest_version_that_is_not_newer(http: httpx.Client, address: str, lives: list[int]) -> None:
    newest = revision_of(http.post("/clusters", json=cluster(f"{address.removeprefix('/clusters/')}-b")))

    def reputation(revision: int) -> Any:
        reply = http.get(address, params={"revision": revision})
        return reply.json()["reputation"] if reply.status_code == 200 else reply.status_code

    first, second, deletion, fourth = lives
    asked = (first - 1, first, second, deletion, fourth, newest, newest + 1)
    assert [reputation(revision) for revision in asked] == [404, 0, 1, 404, 3, 3, NOT_YET]
    assert revision_of(http.get(address, params={"revision": second})) == second
    assert revision_of(http.get(address, params={"revision": newest})) == fourth
    seen = http.get(address, params={"revision": second}, headers={"if-none-match": f'"{second}"'})
    assert seen.status_code == 304


def test_a_version_comes_with_what_the_registry_knew_then(http: httpx.Client, address: str, lives: list[int]) -> None:
    told = http.get(f"{address}/history").json()
    facts = http.get(address, params={"revision": lives[1], "include": "registry"}).json()["_registry"]
    assert facts == {
        "revision": lives[1],
        "createdAt": told[3]["time"],
        "updatedAt": told[2]["time"],
        "statusSince": told[3]["time"],
        "protected": False,
    }


def test_a_time_is_what_was_then(http: httpx.Client, address: str) -> None:
    id = address.removeprefix("/clusters/")
    http.post("/clusters", json=cluster(id, reputation=0))
    time.sleep(0.01)
    http.put(address, json={"reputation": 1})
    changed, made = [datetime.fromisoformat(change["time"]) for change in http.get(f"{address}/history").json()]
    unix_ms = int(changed.timestamp() * 1000)

    def at(moment: object) -> Any:
        reply = http.get(address, params={"at": str(moment)})
        return reply.json()["reputation"] if reply.status_code == 200 else reply.status_code

    assert at(made.isoformat()) == 0
    assert at(changed.isoformat()) == 1
    assert at(unix_ms) == 1
    assert at(unix_ms - 1) == 0
    assert at(unix_ms / 1000) == 1
    assert at(datetime.fromtimestamp(0, UTC).isoformat()) == 404
    assert at("2999-01-01") == 400
    assert at(unix_ms + 3_600_000) == 400


def test_the_fleet_is_queried_counted_and_aggregated_as_of_then(
    http: httpx.Client, address: str, lives: list[int]
) -> None:
    own = {"id": address.removeprefix("/clusters/")}

    def reputations(**moment: object) -> list[int]:
        found = http.post("/clusters/query", json=own, params=moment)
        return [document["reputation"] for document in found.json()]

    def counts(**moment: object) -> tuple[int, list[Any]]:
        count = http.post("/clusters/count", json={"query": own}, params=moment).json()["count"]
        stages = [{"$match": own}, {"$group": {"_id": None, "sum": {"$sum": "$reputation"}}}]
        return count, [each["sum"] for each in http.post("/clusters/aggregate", json=stages, params=moment).json()]

    first, second, deletion, fourth = lives
    assert [reputations(revision=revision) for revision in (first - 1, first, second, deletion, fourth)] == [
        [],
        [0],
        [1],
        [],
        [3],
    ]
    assert counts(revision=second) == (1, [1])
    assert counts(revision=deletion) == (0, [])
    changed = http.get(f"{address}/history").json()[2]["time"]
    assert reputations(at=changed) in ([1], [])  # the deletion may be of the same millisecond
    assert http.post("/clusters/query", json={}, params={"revision": fourth + 1}).status_code == NOT_YET
    assert http.post("/clusters/query", json={}, params={"at": "soon"}).status_code == 400
    explained = http.post("/clusters/explain", json={}, params={"revision": first}).json()
    assert "not indexed" in explained["summary"]


def test_a_filter_on_what_the_registry_knew_then(http: httpx.Client, address: str, lives: list[int]) -> None:
    query = {"query": {"_registry.revision": lives[1]}, "include": "registry"}
    found = http.post("/clusters/query", json=query, params={"revision": lives[1]}).json()
    assert [document["_registry"]["revision"] for document in found] == [lives[1]]


def test_a_deleted_cluster_comes_back_as_it_was(http: httpx.Client, address: str, lives: list[int]) -> None:
    http.put(address, json={"$set": {"config.urlMap": {}, "reputation": 7}})
    last = http.get(address).content
    http.delete(address)

    restored = http.post(f"{address}/restore", json={})

    assert restored.status_code == 200
    assert restored.content == http.get(address).content == last
    change = http.get(f"{address}/history?limit=1").json()[0]
    assert (change["event"], change["reason"]) == ("created", "restored after its deletion")
    again = http.post(f"{address}/restore", json={})
    assert (again.status_code, again.json()["code"]) == (409, "cluster-exists")


def test_a_cluster_becomes_again_what_it_was_even_in_an_earlier_life(
    http: httpx.Client, address: str, lives: list[int]
) -> None:
    then = http.get(address, params={"revision": lives[1]}).content

    restored = http.post(f"{address}/restore", json={"revision": lives[1]}, headers={"x-reason": "by mistake"})

    assert (restored.status_code, restored.content) == (200, then)
    change = http.get(f"{address}/history?limit=1").json()[0]
    assert (change["event"], change["reason"]) == ("updated", "by mistake")
    assert change["patch"] == [{"op": "replace", "path": "/reputation", "value": 1}]
    same = http.post(f"{address}/restore", json={"revision": lives[1]})
    assert revision_of(same) == revision_of(restored), "what it is already changes nothing"


def test_a_deleted_cluster_can_come_back_as_an_earlier_version(
    http: httpx.Client, address: str, lives: list[int]
) -> None:
    http.delete(address)
    restored = http.post(f"{address}/restore", json={"revision": lives[0]})
    assert (restored.status_code, restored.json()["reputation"]) == (200, 0)


def test_restoring_is_judged_like_any_write(http: httpx.Client, address: str, lives: list[int]) -> None:
    stale = {"if-match": f'"{lives[0]}"'}
    assert http.post(f"{address}/restore", json={"revision": lives[1]}, headers=stale).status_code == 412
    current = {"if-match": f'"{lives[3]}"'}
    assert http.post(f"{address}/restore", json={"revision": lives[1]}, headers=current).status_code == 200
    odd = revision_of(http.put(address, json={"$set": {"colour": "red"}}))
    http.put(address, json={"$unset": {"colour": ""}})
    strict = http.post(f"{address}/restore?fieldValidation=strict", json={"revision": odd})
    assert (strict.status_code, strict.json()["errors"][0]["at"]) == (422, "/colour")


def test_restoring_what_was_not_there_is_404(http: httpx.Client, address: str, lives: list[int]) -> None:
    assert http.post(f"{address}/restore", json={"revision": lives[2]}).status_code == 404
    assert http.post(f"{address}/restore", json={"revision": lives[0] - 1}).status_code == 404
    assert http.post("/clusters/never-was/restore", json={}).status_code == 404
    assert http.post("/clusters/never-was/restore", json={"revision": lives[0]}).status_code == 404


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"revision": "1"}, "/revision"),
        ({"revision": 1.5}, "/revision"),
        ({"revision": -1}, "/revision"),
        ({"revision": None}, "/revision"),
        ({"revision": True}, "/revision"),
        ({"revision": 999_999}, None),
        ({"at": "2026-01-01"}, "/at"),
        ([], None),
        (7, None),
    ],
)
def test_a_malformed_restore_is_400(
    http: httpx.Client, address: str, lives: list[int], body: Any, at: str | None
) -> None:
    reply = http.post(f"{address}/restore", json=body)
    assert reply.status_code == 400
    assert [error["at"] for error in reply.json().get("errors", [])] == ([at] if at else [])


def test_a_protected_cluster_is_changed_but_not_deleted(http: httpx.Client, address: str, lives: list[int]) -> None:
    protected = http.put(f"{address}/protection", json={"reason": "in production"})
    assert (protected.status_code, protected.json()) == (200, {"protected": True})
    tag = protected.headers["etag"]
    for headers in ({}, {"if-match": tag}, {"if-match": "*"}, {"if-match": '"1"'}):
        refused = http.delete(address, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "cluster-protected")
    assert http.put(address, json={"reputation": 9}).status_code == 200
    assert http.post(f"{address}/restore", json={"revision": lives[1]}).status_code == 200
    assert http.get(f"{address}?include=registry").json()["_registry"]["protected"] is True
    assert http.delete(address).status_code == 409
    freed = http.delete(f"{address}/protection", headers={"x-reason": "retired"})
    assert (freed.status_code, freed.json()) == (200, {"protected": False})
    assert http.delete(address).status_code == 200


def test_protection_is_in_the_history_and_can_be_asked_for(http: httpx.Client, address: str, lives: list[int]) -> None:
    document = http.get(address).content
    http.put(f"{address}/protection", json={"reason": "in production"})
    http.put(f"{address}/protection")
    http.delete(f"{address}/protection", headers={"x-reason": "retired"})
    http.delete(f"{address}/protection")
    changes = http.get(f"{address}/history?limit=2").json()
    assert [(change["event"], change["reason"], change["patch"]) for change in changes] == [
        ("unprotected", "retired", []),
        ("protected", "in production", []),
    ]
    assert http.get(address).content == document
    query = {"query": {"_registry.protected": True, "id": address.removeprefix("/clusters/")}}
    found = [
        len(http.post("/clusters/query", json=query, params={"revision": change["revision"]}).json())
        for change in changes
    ]
    assert found == [0, 1]


def test_a_watcher_is_told_of_protection_as_an_update_without_a_difference(
    http: httpx.Client, address: str, lives: list[int]
) -> None:
    http.put(f"{address}/protection")
    told = http.get("/clusters/watch", params={"since": lives[3], "wait": "5s", "as": "patch"}).json()["events"]
    assert [(event["event"], event["patch"]) for event in told] == [("updated", [])]


@pytest.mark.parametrize("body", [{"reason": 7}, {"why": "x"}, [], "x"])
def test_a_malformed_protection_is_400_and_an_unknown_cluster_404(
    http: httpx.Client, address: str, lives: list[int], body: Any
) -> None:
    assert http.put(f"{address}/protection", json=body).status_code == 400
    assert http.put("/clusters/never-was/protection").status_code == 404
    assert http.delete("/clusters/never-was/protection").status_code == 404
    assert http.put(f"{address}/protection", headers={"if-match": '"1"'}).status_code == 412


@pytest.mark.parametrize("length", [500, 501])
def test_a_reason_is_kept_whole_or_refused(http: httpx.Client, fresh_id: str, length: int) -> None:
    reason, address = "é" * length, f"/clusters/{fresh_id}"
    http.post("/clusters", json=cluster(fresh_id))
    header = {"x-reason": quote(reason)}
    replies = [
        http.put(address, json={"reputation": 1}, headers=header),
        http.put(f"{address}/protection", headers=header),
        http.request("DELETE", f"{address}/protection", json={"reason": reason}),
        http.delete(address, headers=header),
    ]
    assert [reply.status_code for reply in replies] == [200 if length == 500 else 400] * 4
    reasons = [change["reason"] for change in http.get(f"{address}/history").json()]
    assert reasons == ([reason] * 4 if length == 500 else []) + [None]


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("PUT", "", {"reputation": 1}),
        ("DELETE", "", None),
        ("PUT", "/protection", None),
        ("PUT", "/nodes", []),
        ("PATCH", "/nodes/none", {"memory": 1}),
    ],
)
def test_what_is_not_there_is_not_found_before_a_condition_fails(
    http: httpx.Client, fresh_id: str, method: str, address: str, body: Any
) -> None:
    reply = http.request(method, f"/clusters/{fresh_id}{address}", json=body, headers={"if-match": '"99"'})
    assert reply.status_code == 404
