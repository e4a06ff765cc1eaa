"""A whole registry moves to another place with all that it knows; a move that was cut off goes on."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Rollbook
from tests.examples import cluster
from tests.serving import ServerProcess

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def fill(url: str) -> None:
    """A registry with a past: creations, updates, a deletion and a second life, protection, a heartbeat, a webhook."""
    with httpx.Client(base_url=url) as http:
        for id in ("west", "east", "gone", "again"):
            http.post("/clusters", json=cluster(id)).raise_for_status()
        http.put("/clusters/west", json={"$set": {"status": "draining"}}, headers={"X-Reason": "maintenance"})
        http.delete("/clusters/gone").raise_for_status()
        http.delete("/clusters/again").raise_for_status()
        http.post("/clusters", json=cluster("again", tags=["second"])).raise_for_status()
        http.put("/clusters/east/protection").raise_for_status()
        http.post("/clusters/west/heartbeat", json={"ttlSeconds": 3600}).raise_for_status()
        webhook = {"id": "hook", "url": "http://127.0.0.1:1/", "secret": SECRET}
        http.post("/webhooks", json=webhook).raise_for_status()


def answers(url: str) -> dict[str, Any]:
    """What the registry at an address knows."""
    paths = [
        "/clusters/west/history",
        "/clusters/again/history",
        "/clusters/gone/history",
        "/clusters/west",
        "/clusters/east?include=registry",
        "/clusters/west?revision=1",
    ]
    with httpx.Client(base_url=url) as http:
        found: dict[str, Any] = {path: http.get(path).json() for path in paths}
        found["query"] = http.post("/clusters/query", json={}).json()
        found["hook"] = [each["id"] for each in http.get("/webhooks").json()]
        found["lease"] = http.get("/clusters/west?include=registry").json()["_registry"]["ttlSeconds"]
    return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The data directory of a registry, and what it answered."""
    data = tmp_path_factory.mktemp("filled") / "data"
    with ServerProcess(data, environment={"ROLLBOOK_WEBHOOKS_PRIVATE": "allow"}) as server:
        fill(server.url)
        return data, answers(server.url)


def test_a_registry_that_was_moved_answers_as_before(rollbook: Rollbook, home: Path, filled) -> None:
    data, before = filled
    ran = rollbook("move", "--from", str(data), "--to", "moved")
    assert (ran.code, ran.out) == (0, ""), ran.err
    lines = ran.err.splitlines()
    assert lines[0].startswith(
        "moved 3 documents at revision 9; 9 changes, 1 lease, 1 webhook, 0 tokens, 1 audit entry"
    )
    assert lines[1].startswith("verified: both places hold the same documents and changes, SHA-256 ")
    assert rollbook("check", "--data", "moved").code == 0
    with ServerProcess(home / "moved", environment={"ROLLBOOK_WEBHOOKS_PRIVATE": "allow"}) as server:
        assert answers(server.url) == before
        assert httpx.get(f"{server.url}/clusters/west", headers={}).headers["x-registry-revision"] == "9"


def test_what_is_new_comes_over_when_it_is_run_again(rollbook: Rollbook, home: Path, filled) -> None:
    shutil.copytree(filled[0], home / "source")
    rollbook("move", "--from", "source", "--to", "moved")
    with ServerProcess(home / "source") as server:
        httpx.post(f"{server.url}/clusters", json=cluster("new")).raise_for_status()
    ran = rollbook("move", "--from", "source", "--to", "moved")
    assert (ran.code, ran.err.startswith("moved 4 documents at revision 10")) == (0, True)
    back = rollbook("move", "--from", "moved", "--to", "source")
    assert (back.code, back.err.splitlines()[-1]) == (0, ran.err.splitlines()[-1])


def test_a_registry_moves_into_a_database_and_back(rollbook: Rollbook, home: Path, filled, postgresql_url: str) -> None:
    data, before = filled
    there = rollbook("move", "--from", str(data), "--to", postgresql_url)
    assert (there.code, there.out) == (0, ""), there.err
    served = {"ROLLBOOK_JOURNAL": postgresql_url, "ROLLBOOK_WEBHOOKS_PRIVATE": "allow"}
    with ServerProcess(home / "cache", environment=served) as server:
        assert answers(server.url) == before
        httpx.post(f"{server.url}/clusters", json=cluster("new")).raise_for_status()
    back = rollbook("move", "--from", postgresql_url, "--to", "back")
    assert (back.code, back.err.startswith("moved 4 documents at revision 10; 10 changes")) == (0, True), back.err
    assert rollbook("check", "--data", "back").code == 0
    assert (home / "back" / "audit.ndjson").read_bytes() == (data / "audit.ndjson").read_bytes()
    again = rollbook("move", "--from", "back", "--to", postgresql_url)
    assert (again.code, again.err.splitlines()[-1]) == (0, back.err.splitlines()[-1])


def test_a_database_without_a_registry_or_an_engine_is_said_in_words(
    rollbook: Rollbook, home: Path, filled, postgresql_url: str
) -> None:
    ran = rollbook("move", "--from", postgresql_url, "--to", "moved")
    assert (ran.code, "there is no registry in the database" in ran.err) == (2, True)
    ran = rollbook("move", "--from", str(filled[0]), "--to", "postgresql://me:secret@127.0.0.1:1/x")
    assert (ran.code, "secret" in ran.err, "Traceback" in ran.err) == (5, False, False), ran.err


def test_a_move_that_is_killed_goes_on(home: Path, tmp_path: Path) -> None:
    lines = "".join(f'{{"id": "c{number}", "tags": ["x"]}}\n' for number in range(3000))
    (home / "fleet.ndjson").write_text(lines)
    command = [sys.executable, "-m", "rollbook"]
    environment = {"ROLLBOOK_SCHEMA": "lenient", "PATH": ""}
    subprocess.run([*command, "import", "--data", "data", "fleet.ndjson"], check=True, env=environment)
    moving = [*command, "move", "--from", "data", "--to", "moved"]
    with subprocess.Popen(moving, stderr=subprocess.DEVNULL) as first:
        while not (home / "moved" / "rollbook.sqlite3").exists():
            assert first.poll() is None
        first.send_signal(signal.SIGKILL)
    done = subprocess.run(moving, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "moved 3000 documents at revision 3000" in done.stderr


def test_what_can_not_be_moved_is_said_in_words(rollbook: Rollbook, home: Path, filled) -> None:
    ran = rollbook("move", "--from", "nowhere", "--to", "moved")
    assert (ran.code, "there is no registry in nowhere" in ran.err) == (2, True)
    assert not (home / "moved").exists()
    ran = rollbook("move", "--from", "x", "--to", "x")
    assert (ran.code, "name the same place" in ran.err) == (2, True)
    with ServerProcess(home / "other") as server:
        httpx.post(f"{server.url}/clusters", json=cluster("stranger")).raise_for_status()
        ran = rollbook("move", "--from", "other", "--to", "moved")
        assert (ran.code, "[data-directory-locked]" in ran.err) == (5, True)
    ran = rollbook("move", "--from", str(filled[0]), "--to", "other")
    assert (ran.code, "there is another registry already, at revision 1" in ran.err) == (1, True)


@pytest.mark.parametrize("place", ["mysql://db/x", "mongodb://db/blocks", "http://localhost:3000", "postgresql:/db"])
def test_an_address_of_something_else_is_no_place(
    rollbook: Rollbook, filled: tuple[Path, dict[str, Any]], home: Path, place: str
) -> None:
    for ran in (
        rollbook("move", "--from", str(filled[0]), "--to", place),
        rollbook("move", "--from", place, "--to", "x"),
    ):
        assert ran.code == 2
        assert "is no place of a registry" in ran.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("other", ["here/", "./here", "there/../here"])
def test_a_place_is_not_copied_to_itself(rollbook: Rollbook, home: Path, other: str) -> None:
    ran = rollbook("move", "--from", "here", "--to", other)
    assert (ran.code, ran.err) == (2, "--from and --to name the same place [setting-refused]\n")
