"""``--data DIR`` on verbs: the registry of a directory, through the server that uses it, or opened by the command."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Rollbook
from tests.examples import cluster, node
from tests.serving import ServerProcess

DATA = ("--data", "kept")


@pytest.fixture(params=["stopped", "served"])
def kept(request: pytest.FixtureRequest, rollbook: Rollbook, home: Path) -> Iterator[Path]:
    """A directory with two clusters, that no server uses, or one that closes after the test."""
    make(rollbook, home)
    if request.param == "stopped":
        yield home / "kept"
        return
    with ServerProcess(home / "kept"):
        yield home / "kept"


def make(rollbook: Rollbook, home: Path) -> None:
    fleet = [cluster("west-1", node("n-1", gpus=4)), cluster("west-2", status="draining")]
    (home / "fleet.ndjson").write_text("".join(json.dumps(each) + "\n" for each in fleet))
    assert rollbook("import", *DATA, "fleet.ndjson").code == 0


def test_every_kind_of_verb_works_on_a_directory(rollbook: Rollbook, kept: Path, home: Path) -> None:
    assert rollbook("cluster", "ls", "-o", "name", *DATA).out.split() == ["west-1", "west-2"]
    assert rollbook("cluster", "ls", "draining", "-o", "name", *DATA).out.split() == ["west-2"]
    assert json.loads(rollbook("cluster", "get", "west-1", "-o", "jsonl", *DATA).out)["id"] == "west-1"
    assert rollbook("fleet", "count", "gpus>=4", *DATA).out == "1\n"
    (home / "n-2.json").write_text(json.dumps(node("n-2")))
    assert rollbook("node", "join", "west-1", "-f", "n-2.json", *DATA).code == 0
    assert rollbook("node", "ls", "west-1", "-o", "name", *DATA).out.split() == ["n-1", "n-2"]
    assert rollbook("webhook", "create", "https://example.com/hook", "--id", "w", *DATA).code == 0
    assert rollbook("webhook", "ls", "-o", "name", *DATA).out == "w\n"
    refused = rollbook("cluster", "get", "east", *DATA)
    assert (refused.code, "[cluster-not-found]" in refused.err) == (4, True)


def test_what_was_written_beside_no_server_is_there_at_the_next_start(rollbook: Rollbook, home: Path) -> None:
    make(rollbook, home)
    assert rollbook("cluster", "set", "west-1", "reputation=61", "--reason", "audited", *DATA).code == 0
    assert rollbook("cluster", "rm", "west-2", *DATA).code == 0
    assert rollbook("check", *DATA).code == 0
    with ServerProcess(home / "kept") as server:
        (left,) = httpx.post(server.url + "/clusters/query", json={}).json()
        assert (left["id"], left["reputation"]) == ("west-1", 61)
        newest = httpx.get(server.url + "/clusters/west-1/history").json()[0]
        assert (newest["event"], newest["reason"]) == ("updated", "audited")


def test_a_directory_in_use_by_a_server_without_a_socket_is_refused(rollbook: Rollbook, home: Path) -> None:
    make(rollbook, home)
    with ServerProcess(home / "kept"):
        (home / "kept" / "admin.sock").unlink()
        refused = rollbook("cluster", "ls", *DATA)
        assert (refused.code, "[data-directory-locked]" in refused.err, refused.out) == (5, True, "")


def test_a_directory_without_a_registry_is_refused_and_not_made(rollbook: Rollbook, home: Path) -> None:
    refused = rollbook("cluster", "ls", "--data", "nowhere")
    assert (refused.code, "there is no registry in nowhere" in refused.err) == (2, True)
    assert not (home / "nowhere").exists()


@pytest.mark.parametrize("there", [("--url", "http://localhost:1"), ("--context", "lab")])
def test_a_directory_and_a_server_exclude_each_other(rollbook: Rollbook, home: Path, there: tuple[str, str]) -> None:
    refused = rollbook("cluster", "ls", *DATA, *there)
    assert (refused.code, f"--data and {there[0]} exclude each other" in refused.err) == (2, True)


def test_asking_keeps_the_history_whatever_the_environment_says(
    rollbook: Rollbook, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(rollbook, home)
    for reputation in range(3):
        assert rollbook("cluster", "set", "west-1", f"reputation={reputation}", *DATA).code == 0
    monkeypatch.setenv("ROLLBOOK_HISTORY_CHANGES", "1")
    monkeypatch.setenv("ROLLBOOK_BACKUP_DIR", str(home / "backups"))
    assert rollbook("cluster", "ls", *DATA).code == 0
    assert rollbook("import", *DATA, "--replace", "fleet.ndjson").code == 0
    history = rollbook("cluster", "history", "west-1", "-o", "jsonl", *DATA).out.splitlines()
    assert len(history) == 5
    assert not (home / "backups").exists()


def test_an_engine_in_the_environment_is_no_directory(
    rollbook: Rollbook, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(rollbook, home)
    monkeypatch.setenv("ROLLBOOK_JOURNAL", "postgresql://127.0.0.1:1/x")
    refused = rollbook("cluster", "rm", "west-1", "--yes", *DATA)
    assert (refused.code, "ROLLBOOK_JOURNAL names an engine" in refused.err) == (2, True)


def test_a_token_is_not_passed_over_where_nobody_judges_it(rollbook: Rollbook, home: Path) -> None:
    make(rollbook, home)
    (home / "token").write_text("rbk_x")
    for command in (("cluster", "ls"), ("token", "ls")):
        refused = rollbook(*command, "--token-file", "token", *DATA)
        assert (refused.code, "no server uses kept" in refused.err) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_directory_is_free_after_a_signal(rollbook: Rollbook, home: Path, number: signal.Signals) -> None:
    make(rollbook, home)
    with (
        tempfile.TemporaryDirectory() as scratch,  # the path of a socket has to be short
        subprocess.Popen(
            [sys.executable, "-m", "rollbook", "cluster", "watch", "--since", "0", *DATA],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "TMPDIR": scratch},
        ) as watching,
    ):
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["id"] == "west-1"
        assert rollbook("cluster", "ls", *DATA).code == 5
        watching.send_signal(number)
        assert (watching.wait(20), watching.communicate()[1].decode()) == (130, f"stopped by {number.name}\n")
        assert list(Path(scratch).iterdir()) == []
    assert rollbook("check", *DATA).code == 0
