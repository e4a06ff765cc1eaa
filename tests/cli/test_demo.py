"""``rollbook demo``: the fleet that it makes, how that lives, and that nothing of it is left."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rollbook.cli.demo.happenings import Changed, Failed, Happenings, Joined, Left
from rollbook.cli.demo.marking import MARK, marked_cluster
from rollbook.clusters.acceptance import SchemaRules, accept_new
from tests.cli.conftest import Rollbook
from tests.examples import cluster
from tests.serving import ServerProcess

SIZE = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all of these."""
    with ServerProcess(tmp_path_factory.mktemp("demo") / "data") as started:
        yield started


@pytest.fixture
def http(server: ServerProcess, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[httpx.Client]:
    """The server with one cluster that is not the demo's, though its id looks like it."""
    monkeypatch.setenv("ROLLBOOK_URL", server.url)
    with httpx.Client(base_url=server.url) as client:
        client.post("/clusters", json=cluster("demo-of-mine"))
        yield client


def ids(http: httpx.Client) -> list[str]:
    return [each["id"] for each in http.post("/clusters/query", json={"query": {}, "sort": {"id": 1}}).json()]


def webhooks(http: httpx.Client) -> list[str]:
    return sorted(each["id"] for each in http.get("/webhooks").json())


def test_the_same_seed_makes_the_same_clusters_and_happenings() -> None:
    def first(seed: int) -> list[Any]:
        happenings = Happenings(seed)
        return [marked_cluster(3, seed=seed), *(happenings.next(["a", "b", "c"]) for _ in range(50))]

    assert first(7) == first(7)
    assert first(7) != first(8)


def test_its_clusters_are_accepted_without_a_warning() -> None:
    for number in range(50):
        assert accept_new(marked_cluster(number, seed=1), rules=SchemaRules()).warnings == ()


def test_everything_happens_sooner_or_later_and_spares_leave_where_they_joined() -> None:
    happenings = Happenings(1)
    drawn = [happenings.next(["a", "b", "c", "d"]) for _ in range(400)]

    assert {type(each) for each in drawn} == {Changed, Failed, Joined, Left}
    assert {each.id for each in drawn if isinstance(each, Left)} <= {
        each.id for each in drawn if isinstance(each, Joined)
    }


def test_a_demo_lives_and_removes_what_it_made_and_nothing_else(rollbook: Rollbook, http: httpx.Client) -> None:
    before = http.post("/clusters/count", json={}).headers["x-registry-revision"]
    run = rollbook("demo", "--clusters", str(SIZE), "--seconds", "4")

    assert run.code == 0
    assert ids(http) == ["demo-of-mine"]
    changes = http.get("/changes", params={"since": before, "limit": 1000}).json()
    events = [each["event"] for each in changes if each["id"] != "demo-of-mine"]
    assert events.count("created") == events.count("deleted") == SIZE
    assert "updated" in events
    assert all(each["reason"] for each in changes if each["event"] == "created")


def test_what_is_kept_sends_heartbeats_and_is_removed_later(rollbook: Rollbook, http: httpx.Client) -> None:
    rollbook("demo", "--clusters", str(SIZE), "--seconds", "0", "--keep")
    mine = {"id": "demo-of-mine", "url": "https://mine.example.invalid"}
    http.post("/webhooks", json=mine).raise_for_status()
    assert webhooks(http) == ["demo-capacity-board", "demo-of-mine", "demo-pager"]
    assert http.get("/tokens").json() == []
    (facet,) = http.post("/clusters/facets", json={"facets": ["_registry.liveness"]}).json()["facets"].values()
    counts = {each["value"]: each["count"] for each in facet["values"]}
    again = rollbook("demo", "--clusters", str(SIZE), "--seconds", "0", "--keep")

    assert counts["alive"] == SIZE - SIZE // 20
    assert again.code == 0
    assert len(ids(http)) == SIZE + 1
    found = http.post("/clusters/query", json={f"clusterMetadata.additionalInfo.{MARK}": 1}).json()
    assert len(found) == SIZE

    protected = found[0]["id"]
    http.put(f"/clusters/{protected}/protection")
    refused = rollbook("demo", "--remove")
    assert refused.code == 1
    assert protected in refused.err
    assert ids(http) == sorted([protected, "demo-of-mine"])
    assert webhooks(http) == ["demo-capacity-board", "demo-of-mine", "demo-pager"]

    http.delete(f"/clusters/{protected}/protection")
    assert rollbook("demo", "stop").code == 0
    assert ids(http) == webhooks(http) == ["demo-of-mine"]


def test_a_registry_that_asks_for_tokens_gets_two_for_the_time_of_the_demo(
    rollbook: Rollbook, tmp_path: Path, home: Path
) -> None:
    file = tmp_path / "admin"
    file.write_text("t" * 40)
    with ServerProcess(tmp_path / "data", environment={"ROLLBOOK_ADMIN_TOKEN_FILE": str(file)}) as guarded:
        headers = {"authorization": f"Bearer {'t' * 40}"}
        place = ("--url", guarded.url, "--token-file", str(file))

        def roles() -> list[list[str]]:
            tokens = httpx.get(f"{guarded.url}/tokens", headers=headers).json()
            return sorted(each["roles"] for each in tokens if each["name"].startswith("demo-"))

        for _ in range(2):
            assert rollbook("demo", "--clusters", "2", "--seconds", "0", "--keep", *place).code == 0
            assert roles() == [["controller"], ["reader"]]
        assert rollbook("demo", "stop", *place).code == 0
        assert roles() == []


def test_ctrl_c_ends_it(http: httpx.Client, server: ServerProcess) -> None:
    command = [sys.executable, "-m", "rollbook", "demo", "--clusters", str(SIZE)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "60 clusters" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert "60 clusters removed" in process.stderr.read()
    assert process.returncode == 0
    assert ids(http) == ["demo-of-mine"]


def test_a_demo_is_stopped_from_elsewhere(rollbook: Rollbook, http: httpx.Client) -> None:
    command = [sys.executable, "-m", "rollbook", "demo", "--clusters", "3"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "3 clusters" in process.stderr.readline()
        stopped = rollbook("demo", "stop")
        assert "3 clusters removed" in stopped.err
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert "somebody else has removed the fleet" in process.stderr.read()
    assert process.returncode == 0


def test_a_server_that_is_not_there_is_named(rollbook: Rollbook, home: Path) -> None:
    run = rollbook("demo", "--url", "http://127.0.0.1:1", "--clusters", "1")
    assert run.code != 0
    assert "127.0.0.1:1" in run.err
    assert "Traceback" not in run.err
