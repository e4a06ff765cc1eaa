"""A stored version that nobody can read is an event with a problem for each of its readers, and stops none of them."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from rollbook.journal.changes import Change
from tests.engines import journal_of
from tests.examples import cluster
from tests.serving import ServerProcess
from tests.webhooks.receiving import Target, target

POISONS = {
    "no-json": b'{"id": "west", ',
    "no-object": b"[1]",
    "no-utf-8": b'{"id":"west","regionId":"\xff\xfe"}',
}
FORMS = ["document", "patch", "both"]
ONLY_LOCAL = {"ROLLBOOK_WEBHOOKS_PRIVATE": "127.0.0.0/8"}


def write_poison(directory: Path) -> None:
    """Each poison is a version of its own cluster, and stands between two good ones."""
    journal = journal_of(directory)
    changes: list[Change] = []
    for id, poison in POISONS.items():
        versions = [None, orjson.dumps(cluster(id)), poison, orjson.dumps(cluster(id, regionId="good"))]
        for before, after in pairwise(versions):
            kind = "updated" if before else "created"
            changes.append(Change(len(changes) + 1, id, kind, 10**12 + len(changes), before, after))
    journal.append(changes, after=0)
    journal.close()


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server with poisoned versions."""
    directory = tmp_path_factory.mktemp("poisoned") / "data"
    write_poison(directory)
    with (
        ServerProcess(directory, environment=ONLY_LOCAL) as server,
        httpx.Client(base_url=server.url, timeout=20) as client,
    ):
        yield client


def check(events: list[dict[str, Any]], *, form: str) -> None:
    """Every version has its event; those that can't be read hold a problem, and the others their documents."""
    assert len(events) == 3 * len(POISONS)
    for event in events:
        nth = event["revision"] % 3
        if event["id"] != "no-object":  # which a patch can describe
            assert ("problem" in event) is (nth == 2 or (form != "document" and nth == 0))
        if "problem" in event:
            assert "document" not in event
        elif form != "patch" and event["id"] != "no-object":
            assert event["document"]["id"] == event["id"]


@pytest.mark.parametrize("form", FORMS)
def test_histories_and_changes_show_a_problem(http: httpx.Client, form: str) -> None:
    events = [
        event
        for id in POISONS
        for event in reversed(http.get(f"/clusters/{id}/history", params={"as": form}).raise_for_status().json())
    ]
    check(events, form=form)
    assert http.get("/changes", params={"since": 0, "as": form, "limit": 1000}).raise_for_status().json() == events


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("filter", ["{}", '{"clusterMetadata.name": {"$exists": true}}', '{"$expr": {"$eq": [1, 1]}}'])
def test_watches_go_past_it(http: httpx.Client, form: str, filter: str) -> None:
    events: list[dict[str, Any]] = []
    since = 0
    while len(events) < 3 * len(POISONS):
        params: dict[str, Any] = {"since": since, "as": form, "filter": filter, "wait": "1s"}
        answer = http.get("/clusters/watch", params=params).raise_for_status().json()
        assert answer["revision"] > since
        events, since = events + answer["events"], answer["revision"]
    assert [event["revision"] for event in events] == list(range(1, 3 * len(POISONS) + 1))
    for event in events:
        if event["id"] != "no-object":
            assert ("problem" in event) is (event["revision"] % 3 != 1)


@pytest.fixture
def receiver() -> Iterator[Target]:
    """A target that accepts everything."""
    with target() as opened:
        yield opened


@pytest.mark.parametrize("form", FORMS)
def test_webhooks_go_past_it(http: httpx.Client, receiver: Target, form: str) -> None:
    hook = {"url": receiver.url, "since": 0, "as": form, "filter": {}}
    id = http.post("/webhooks", json=hook).raise_for_status().json()["id"]
    deadline = time.monotonic() + 20
    while len(receiver.received) < 3 * len(POISONS) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [each.revision for each in receiver.received] == list(range(1, 3 * len(POISONS) + 1))
    http.delete(f"/webhooks/{id}")


@pytest.mark.parametrize("id", POISONS)
def test_a_version_that_is_no_json_is_never_sent_as_json(http: httpx.Client, id: str) -> None:
    (poisoned,) = [
        event["revision"] for event in http.get(f"/clusters/{id}/history").json() if event["revision"] % 3 == 2
    ]
    for reply in (
        http.get(f"/clusters/{id}", params={"revision": poisoned}),
        http.get(f"/clusters/{id}/nodes", params={"revision": poisoned}),
        http.post("/clusters/query", params={"revision": poisoned}, json={}),
    ):
        assert reply.status_code == 503
        assert reply.json()["code"] == "journal-damaged"
        assert repr(id) in reply.json()["detail"]
    assert http.get(f"/clusters/{id}").json()["regionId"] == "good"
