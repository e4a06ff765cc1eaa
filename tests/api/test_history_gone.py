"""The past that retention has given up, over HTTP: said to be gone (410), and never guessed."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.examples import cluster
from tests.serving import ServerProcess

SECONDS_MAX = 20.0


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A registry that keeps 3 changes. Revisions 1 to 9: west lives and dies, east lives, north changes 4 times."""
    data: Path = tmp_path_factory.mktemp("served") / "data"
    with (
        ServerProcess(data, environment={"ROLLBOOK_HISTORY_CHANGES": "3"}) as server,
        httpx.Client(base_url=server.url, timeout=20) as client,
    ):
        client.post("/clusters", json=cluster("west"))
        client.delete("/clusters/west")
        for id in ("east", "north"):
            client.post("/clusters", json=cluster(id, reputation=0))
        for reputation in range(1, 6):
            client.put("/clusters/north", json={"reputation": reputation})
        deadline = time.monotonic() + SECONDS_MAX
        while client.get("/readyz").json()["compacted"] != 6:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield client


@pytest.mark.parametrize(
    ("id", "revision", "status"),
    [
        ("north", 9, 200),
        ("north", 6, 200),
        ("north", 5, 410),
        ("north", 3, 410),
        ("east", 6, 200),
        ("east", 3, 200),
        ("east", 2, 410),
        ("west", 6, 404),
        ("west", 2, 404),
        ("west", 1, 410),
        ("never-was", 1, 404),
    ],
)
def test_a_version_is_told_wherever_it_is_certain(http: httpx.Client, id: str, revision: int, status: int) -> None:
    reply = http.get(f"/clusters/{id}", params={"revision": revision})
    assert reply.status_code == status
    if status == 410:
        assert reply.json()["code"] == "compacted"


def test_the_oldest_moment_that_is_kept_can_be_asked(http: httpx.Client) -> None:
    oldest = http.post("/clusters/query", json={}, params={"revision": 6}).json()
    assert [(document["id"], document["reputation"]) for document in oldest] == [("east", 0), ("north", 2)]
    for moment in ({"revision": 5}, {"at": "2020-01-01"}):
        for route in ("query", "count"):
            assert http.post(f"/clusters/{route}", json={}, params=moment).status_code == 410
    assert http.get("/clusters/north", params={"at": "2020-01-01"}).status_code == 410


def test_history_ends_where_it_is_no_longer_kept(http: httpx.Client) -> None:
    north = http.get("/clusters/north/history")
    assert [change["revision"] for change in north.json()] == [9, 8, 7]
    assert north.headers["x-registry-compacted"] == "6"
    assert http.get("/clusters/north/history?before=7").json() == []
    assert http.get("/clusters/north/history?before=6").status_code == 410
    assert http.get("/clusters/west/history").json() == []
    assert http.get("/clusters/never-was/history").status_code == 404


def test_changes_begin_where_they_are_kept(http: httpx.Client) -> None:
    assert [change["revision"] for change in http.get("/changes").json()] == [7, 8, 9]
    assert [change["revision"] for change in http.get("/changes?since=6").json()] == [7, 8, 9]
    assert http.get("/changes?since=5").status_code == 410


def test_only_what_is_kept_can_be_restored(http: httpx.Client) -> None:
    assert http.post("/clusters/west/restore", json={}).status_code == 410
    assert http.post("/clusters/west/restore", json={"revision": 1}).status_code == 410
    assert http.post("/clusters/north/restore", json={"revision": 5}).status_code == 410


@pytest.mark.parametrize("revision", [6, 7, 9])
def test_what_was_surely_not_there_is_not_found_though_its_deletion_is_gone(http: httpx.Client, revision: int) -> None:
    assert http.get("/clusters/west", params={"revision": revision}).status_code == 404
    reply = http.post("/clusters/west/restore", json={"revision": revision})
    assert (reply.status_code, reply.json()["code"]) == (404, "cluster-not-found")
