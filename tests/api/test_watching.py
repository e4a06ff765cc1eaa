"""Watching over HTTP: events in order, resumed where they were left, as server-sent events, lines, or by waiting."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.examples import cluster

Event = tuple[str, int, dict[str, Any]]


def server_sent(lines: Iterator[str]) -> Iterator[Event]:
    """The events of a stream of lines: name, id, data."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields["event"], int(fields["id"]), json.loads(fields["data"])
            fields = {}
        else:
            fields = {}


def revision_of(reply: httpx.Response) -> int:
    """The revision of a written document."""
    return int(reply.headers["etag"].strip('"'))


def test_a_filtered_watch_tells_what_enters_changes_and_leaves(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id, regionId="elsewhere"))
    here = {"regionId": f"region-of-{fresh_id}"}
    with http.stream("POST", "/clusters/watch", json={"query": here}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        http.put(f"/clusters/{fresh_id}", json=here, headers={"x-reason": "moved"})
        http.put(f"/clusters/{fresh_id}", json={"reputation": 1})
        http.put(f"/clusters/{fresh_id}", json={"regionId": "away"})
        http.put(f"/clusters/{fresh_id}", json={"reputation": 2})
        http.post("/clusters", json=cluster(f"{fresh_id}-b", **here))
        http.delete(f"/clusters/{fresh_id}-b")
        events = server_sent(stream.iter_lines())
        told = [next(events) for _ in range(5)]

    assert [name for name, _, _ in told] == ["entered", "updated", "left", "created", "deleted"]
    assert [id for _, id, _ in told] == [data["revision"] for _, _, data in told]
    first = told[0][2]
    assert (first["id"], first["reason"], first["actor"]) == (fresh_id, "moved", "anonymous@127.0.0.1")
    assert first["document"]["regionId"] == here["regionId"]
    assert told[4][2]["document"] is None


@pytest.mark.parametrize("header", [True, False])
def test_a_watch_resumes_after_the_last_event_that_was_seen(http: httpx.Client, fresh_id: str, header: bool) -> None:
    seen = revision_of(http.post("/clusters", json=cluster(fresh_id)))
    second = revision_of(http.put(f"/clusters/{fresh_id}", json={"reputation": 1}))

    asked = {"headers": {"last-event-id": str(seen)}} if header else {"params": {"since": seen}}
    with http.stream("GET", "/clusters/watch", **asked) as stream:
        name, id, _ = next(server_sent(stream.iter_lines()))

    assert (name, id) == ("updated", second)


def test_a_patch_leads_from_the_document_before_to_the_one_after(http: httpx.Client, fresh_id: str) -> None:
    seen = revision_of(http.post("/clusters", json=cluster(fresh_id)))
    http.put(f"/clusters/{fresh_id}", json={"$set": {"nodes.nodeData.0.swap": 5}})

    told = http.get("/clusters/watch", params={"since": seen, "wait": "5s", "as": "patch"}).json()["events"][0]

    assert "document" not in told
    assert {"op": "replace", "path": "/nodes/nodeData/0/swap", "value": 5} in told["patch"]


def test_lines_of_json_carry_the_same_events(http: httpx.Client, fresh_id: str) -> None:
    seen = revision_of(http.post("/clusters", json=cluster(fresh_id))) - 1

    lines = {"accept": "application/x-ndjson"}
    with http.stream("GET", f"/clusters/watch?since={seen}", headers=lines) as stream:
        event = json.loads(next(stream.iter_lines()))

    assert (event["event"], event["id"], event["revision"]) == ("created", fresh_id, seen + 1)


def test_a_wait_ends_without_events_and_says_where_to_resume(http: httpx.Client, fresh_id: str) -> None:
    revision = revision_of(http.post("/clusters", json=cluster(fresh_id)))

    waited = http.get("/clusters/watch", params={"filter": json.dumps({"id": "nobody"}), "wait": "100ms"}).json()

    assert waited == {"revision": revision, "events": []}


@pytest.mark.parametrize(
    "query",
    ["since=-1", "since=soon", "since=999999999", "as=xml", "wait=long", "wait=1h", "filter=%7B", "filter=[]"],
)
def test_a_malformed_watch_is_400(http: httpx.Client, query: str) -> None:
    reply = http.get(f"/clusters/watch?{query}")
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
