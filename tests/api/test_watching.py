"""Watching over HTTP: events in order, resumed where they were left, as server-sent events, lines, or by waiting."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.engines import NOT_YET
from tests.examples import cluster
from tests.serving import ServerProcess

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
    return int(reply.headers["etag"].strip('"').partition("-")[0])


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


def test_the_head_of_the_answer_says_from_where_the_watch_began(http: httpx.Client, fresh_id: str) -> None:
    revision = revision_of(http.post("/clusters", json=cluster(fresh_id)))

    with http.stream("GET", "/clusters/watch") as stream:
        lines = stream.iter_lines()
        assert stream.headers["x-registry-revision"] == str(revision)
        assert [next(lines) for _ in range(3)] == ["retry: 1000", f"id: {revision}", ""]


def test_who_has_not_seen_a_document_is_given_all_of_it_as_a_patch(http: httpx.Client, fresh_id: str) -> None:
    seen = revision_of(http.post("/clusters", json=cluster(fresh_id, status="offline")))
    after = http.put(f"/clusters/{fresh_id}", json={"status": "live"}).json()
    http.put(f"/clusters/{fresh_id}", json={"status": "offline"})

    asked = {"query": {"status": "live", "id": fresh_id}, "since": seen}
    told = http.post("/clusters/watch", params={"wait": "5s", "as": "both"}, json=asked).json()["events"]

    assert [event["event"] for event in told] == ["entered", "left"]
    assert told[0]["patch"] == [{"op": "replace", "path": "", "value": after}]
    assert told[0]["document"] == after
    assert told[1]["patch"] == [{"op": "replace", "path": "/status", "value": "offline"}]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("replaced a disk", "replaced a disk"),
        (quote("Störung 50% ✓"), "Störung 50% ✓"),
        ("100% sure", "100% sure"),
        ("%FF is no UTF-8", "%FF is no UTF-8"),
        ("line%0Aline%00", "line line"),
        ("x" * 500, "x" * 500),
        ("%20", None),
    ],
)
def test_the_reason_of_a_change_is_told(http: httpx.Client, fresh_id: str, header: str, reason: str | None) -> None:
    revision = revision_of(http.post("/clusters", json=cluster(fresh_id), headers={"x-reason": header}))

    (told,) = http.get("/clusters/watch", params={"since": revision - 1, "wait": "5s"}).json()["events"]

    assert (told["reason"], told["actor"]) == (reason, "anonymous@127.0.0.1")


def test_a_wait_is_answered_as_soon_as_something_happens(http: httpx.Client, server: ServerProcess) -> None:
    def later() -> None:
        time.sleep(0.2)
        httpx.post(f"{server.url}/clusters", json=cluster("late"))

    writing = threading.Thread(target=later)
    writing.start()
    began = time.monotonic()
    waited = http.get("/clusters/watch", params={"filter": '{"id": "late"}', "wait": "15s"}).json()
    writing.join()

    assert [event["id"] for event in waited["events"]] == ["late"]
    assert time.monotonic() - began < 10
    assert waited["revision"] >= waited["events"][-1]["revision"]


def test_bookmarks_come_while_nothing_does(http: httpx.Client, fresh_id: str) -> None:
    revision = revision_of(http.post("/clusters", json=cluster(fresh_id)))
    with http.stream("GET", "/clusters/watch", params={"filter": '{"id": "nobody"}'}) as stream:
        assert next(server_sent(stream.iter_lines())) == (
            "bookmark",
            revision,
            {"event": "bookmark", "revision": revision},
        )


def test_a_filter_that_can_not_be_evaluated_ends_the_stream_and_says_why(http: httpx.Client, fresh_id: str) -> None:
    seen = revision_of(http.post("/clusters", json=cluster(fresh_id, reputation=0)))
    divides = {"id": fresh_id, "$expr": {"$gt": [{"$divide": [1, "$reputation"]}, 0]}}

    with http.stream("POST", "/clusters/watch", json={"query": divides, "since": seen - 1}) as stream:
        ((name, id, data),) = server_sent(stream.iter_lines())

    assert (name, id, data["code"]) == ("overflow", seen - 1, "expression-refused")


def test_a_past_that_is_gone_is_410(tmp_path: Path) -> None:
    few = {"ROLLBOOK_HISTORY_CHANGES": "2"}
    with ServerProcess(tmp_path / "data") as server:
        for number in range(5):
            httpx.post(f"{server.url}/clusters", json=cluster(f"west-{number}"))
    with ServerProcess(tmp_path / "data", environment=few) as server:
        wait_for_compaction(server, up_to=3)
        gone = httpx.get(f"{server.url}/clusters/watch?since=2")
        assert (gone.status_code, gone.json()["code"]) == (410, "compacted")
        kept = httpx.get(f"{server.url}/clusters/watch?since=3&wait=1s").json()
        assert [event["revision"] for event in kept["events"]] == [4, 5]


def wait_for_compaction(server: ServerProcess, *, up_to: int) -> None:
    """Return when the server has given up the changes up to a revision."""
    deadline = time.monotonic() + 10
    while httpx.get(f"{server.url}/readyz").json()["compacted"] < up_to:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_there_are_only_so_many_watchers_and_a_stop_ends_them(tmp_path: Path) -> None:
    two = {"ROLLBOOK_WATCHERS_MAX": "2"}
    with (
        ServerProcess(tmp_path / "data", environment=two) as server,
        httpx.Client(base_url=server.url) as http,
        http.stream("GET", "/clusters/watch") as first,
        http.stream("GET", "/clusters/watch"),
    ):
        third = http.get("/clusters/watch")
        assert (third.status_code, third.json()["code"]) == (503, "too-many-watchers")
        assert third.headers["retry-after"] == "1"
        http.post("/clusters", json=cluster("west"))
        events = server_sent(first.iter_lines())
        assert next(events)[0] == "created"
        began = time.monotonic()
        assert server.stop() == 0
        assert {name for name, _, _ in events} <= {"bookmark"}
        assert time.monotonic() - began < 10


def test_a_reader_that_stands_still_is_told_so_and_resumes_without_a_loss(http: httpx.Client, fresh_id: str) -> None:
    here = {"id": fresh_id}
    with http.stream("POST", "/clusters/watch", json={"query": here}) as stream:
        written = [revision_of(http.post("/clusters", json=cluster(fresh_id, note="x" * 200_000)))]
        changes = ({"reputation": number} for number in range(150))
        written += [revision_of(http.put(f"/clusters/{fresh_id}", json=change)) for change in changes]
        *told, (last, seen, _) = server_sent(stream.iter_lines())
    assert last == "overflow"
    assert len(told) < len(written)

    with http.stream("POST", "/clusters/watch", json={"query": here, "since": seen}) as stream:
        events = server_sent(stream.iter_lines())
        told += [next(events) for _ in range(len(written) - len(told))]
    assert [id for _, id, _ in told] == written


def test_a_watcher_that_leaves_makes_room_for_another(tmp_path: Path) -> None:
    one = {"ROLLBOOK_WATCHERS_MAX": "1"}
    with ServerProcess(tmp_path / "data", environment=one) as server:
        for parameters in ({}, {"wait": "60s"}, {}):
            try:
                with httpx.stream("GET", f"{server.url}/clusters/watch", params=parameters, timeout=0.5) as stream:
                    assert stream.status_code == 200
            except httpx.ReadTimeout:
                assert parameters
            time.sleep(0.2)


def test_the_head_alone_of_a_watch_can_be_asked_for(http: httpx.Client) -> None:
    assert http.head("/clusters/watch").headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize(
    "query",
    [
        "since=-1",
        "since=soon",
        "since=%C2%B2",
        "as=xml",
        "wait=long",
        "wait=1h",
        "filter=%7B",
        "filter=[]",
        "fliter=%7B%7D",
        "filter=%7B%22_registry.revision%22:1%7D",
    ],
)
def test_a_malformed_watch_is_400(http: httpx.Client, query: str) -> None:
    reply = http.get(f"/clusters/watch?{query}")
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")


def test_a_watch_from_a_revision_to_come_is_refused(http: httpx.Client) -> None:
    assert http.get("/clusters/watch?since=999999999").status_code == NOT_YET


def test_a_refused_filter_in_the_address_is_called_by_its_name(http: httpx.Client) -> None:
    cut_off = http.get("/clusters/watch", params={"filter": '{"id"'}).json()
    unknown = http.get("/clusters/watch", params={"filter": '{"id": {"$like": "w"}}'}).json()
    assert cut_off["detail"].startswith("the parameter filter is not JSON")
    assert unknown["errors"][0]["at"] == "/id/$like"


@pytest.mark.parametrize(
    "body",
    [[], {"query": None}, {"filter": {}}, {"since": "1"}, {"since": -1}, {"query": {"id": {"$in": ["x" * 9] * 9_000}}}],
)
def test_a_malformed_body_of_a_watch_is_400(http: httpx.Client, body: Any) -> None:
    reply = http.post("/clusters/watch", json=body)
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
