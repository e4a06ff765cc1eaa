"""The fleet as a whole, moments, watches, errors as JSON, ``doctor`` and ``login``, against a real server."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import yaml

from rollbook.cli.nouns.judging import BY_METRICS
from tests.cli.conftest import Rollbook
from tests.serving import ServerProcess


def test_tables_are_made_of_columns(rollbook: Rollbook, fleet: httpx.Client) -> None:
    ran = rollbook("fleet", "table", "--columns", "id,gpus.count", "--sort", "-gpus.count", "-o", "csv")
    assert ran.out.splitlines() == ["id,gpus.count", "west-1,4", "west-2,2"]
    assert len(rollbook("fleet", "table", "live").out.splitlines()) == 2


def test_fits_are_found_or_the_exit_code_says_that_there_is_none(rollbook: Rollbook, fleet: httpx.Client) -> None:
    assert rollbook("fleet", "fit", "--gpus", "3", "-o", "name").out.split() == ["west-1"]
    none = rollbook("fleet", "fit", "--gpus", "300")
    assert none.code == 4
    assert json.loads(rollbook("fleet", "fit", "--gpus", "300", "-o", "json").out)["matches"] == []


def test_the_picture_of_the_fleet_is_printed_once_without_a_terminal(rollbook: Rollbook, fleet: httpx.Client) -> None:
    fleet.put("/clusters/west-1", json={"regionId": "\x1b[31mred"})
    lines = rollbook("fleet", "top").out.splitlines()
    assert lines[1].startswith("2 clusters   2 nodes   6 GPUs")
    assert any(line.startswith("west-1") and r"\x1b[31mred" in line for line in lines)
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in "".join(lines)


def test_clusters_are_listed_as_of_a_moment(rollbook: Rollbook, fleet: httpx.Client) -> None:
    moment = fleet.get("/clusters/west-1/history").json()[0]["time"]
    fleet.put("/clusters/west-1", json={"status": "busy"})
    assert rollbook("cluster", "ls", "status = live", "--at", moment, "-o", "name").out.split() == ["west-1"]
    assert rollbook("cluster", "ls", "status = live", "-o", "name").out == ""
    assert rollbook("cluster", "ls", "--at", moment, "--watch").code == 3


def test_a_list_goes_on_with_changes(fleet: httpx.Client) -> None:
    command = [sys.executable, "-m", "rollbook", "cluster", "ls", "gpus>=4", "--watch", "-o", "name"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listing:
        assert listing.stdout
        assert listing.stdout.readline() == "west-1\n"
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.append(listing.stdout.readline()))  # type: ignore[union-attr]
        reader.start()
        while reader.is_alive():
            fleet.put("/clusters/west-1", json={"$inc": {"reputation": 1}})
            reader.join(0.2)
        listing.terminate()
    assert lines == ["west-1\n"]


def test_errors_are_json_where_results_are(rollbook: Rollbook, fleet: httpx.Client) -> None:
    missing = rollbook("cluster", "get", "nowhere", "-o", "json")
    assert (missing.code, json.loads(missing.err)["code"]) == (4, "cluster-not-found")
    refused = json.loads(rollbook("cluster", "update", "west-1", '{"memory": "lots"}', "-o", "json").err)
    assert refused["errors"][0]["at"] == "/memory"
    assert not rollbook("cluster", "get", "nowhere").err.startswith("{")


def test_a_request_is_shown_as_curl_without_its_token(
    rollbook: Rollbook, fleet: httpx.Client, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "token").write_text("secret-token")
    ran = rollbook("fleet", "count", "-v", "--token-file", "token")
    assert "curl -X POST" in ran.err
    assert "secret-token" not in ran.err
    assert "Bearer ***" in ran.err


TIMED = {"latency", "answers", "commits", "syncs", "event loop"}
"""The checks that a busy machine may fail."""


@pytest.mark.parametrize("options", [(), ("--over", "0.2")])
def test_the_doctor_examines_a_server(
    rollbook: Rollbook, fleet: httpx.Client, home: Path, options: tuple[str, ...]
) -> None:
    rows = json.loads(rollbook("doctor", "-o", "json", *options).out)
    checks = ["contexts", "server", "ready", "caller", "latency", "clock", "requests", "webhooks"]
    assert [row["check"] for row in rows] == [*checks, *(name for name, _ in BY_METRICS)]
    assert {row["result"] for row in rows if row["check"] not in TIMED} == {"ok"}, rows
    assert {row["result"] for row in rows} <= {"ok", "note"}, rows


def test_the_doctor_sees_a_file_of_contexts_that_others_can_read(
    rollbook: Rollbook, fleet: httpx.Client, home: Path
) -> None:
    rollbook("context", "set", "lab", "--url", str(fleet.base_url))
    os.chmod(home / "config" / "rollbook" / "contexts.toml", 0o644)
    ran = rollbook("doctor")
    assert (ran.code, "chmod 600" in ran.out) == (1, True)


def test_what_a_caller_may_not_see_is_nothing_bad(rollbook: Rollbook, tmp_path: Path, home: Path) -> None:
    environment = {"ROLLBOOK_ANONYMOUS": "reader@127.0.0.0/8"}
    with ServerProcess(tmp_path / "data", environment=environment) as server:
        ran = rollbook("doctor", "--url", server.url, "-o", "json")
    results = {row["check"]: row["result"] for row in json.loads(ran.out)}
    assert (ran.code, results["requests"], results["webhooks"]) == (0, "note", "note")


def test_the_doctor_notes_webhooks_that_do_not_deliver(rollbook: Rollbook, fleet: httpx.Client) -> None:
    fleet.post("/webhooks", json={"id": "nobody", "url": "https://nobody.invalid/hook"}).raise_for_status()
    fleet.put("/clusters/west-1", json={"$inc": {"reputation": 1}}).raise_for_status()
    while fleet.get("/webhooks/nobody").json()["status"]["state"] != "retrying":
        pass
    rows = {row["check"]: row for row in json.loads(rollbook("doctor", "-o", "json").out)}
    fleet.delete("/webhooks/nobody").raise_for_status()
    assert (rows["webhooks"]["result"], "nobody" in rows["webhooks"]["found"]) == ("note", True)


def test_the_doctor_reports_a_server_that_is_away(rollbook: Rollbook, home: Path) -> None:
    ran = rollbook("doctor", "--url", "http://127.0.0.1:9", "-o", "csv")
    assert ran.code == 1
    assert ran.out.count("registry-unreachable") >= 6


def test_a_login_is_kept_once_it_was_accepted(
    rollbook: Rollbook, fleet: httpx.Client, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(fleet.base_url)
    monkeypatch.delenv("ROLLBOOK_URL")
    (home / "token").write_text("\n")
    assert rollbook("login", url, "--name", "here", "--token-file", "token").code == 0
    assert stat.S_IMODE((home / "config" / "rollbook" / "contexts.toml").stat().st_mode) == 0o600
    assert rollbook("fleet", "count").out == "2\n"
    assert rollbook("login", "http://127.0.0.1:9", "--token-file", "token").code == 5
    (home / "token").write_text("two\x07bells")
    refused = rollbook("login", url, "--name", "other", "--token-file", "token")
    assert (refused.code, "other" in rollbook("context", "ls").out) == (2, False)


@pytest.mark.parametrize("help", ["-h", "--help"])
def test_help_is_written_at_every_level(rollbook: Rollbook, help: str) -> None:
    for words in ([], ["cluster"], ["cluster", "ls"], ["backup"], ["doctor"], ["token", "create"]):
        ran = rollbook(*words, help)
        assert (ran.code, "Usage: rollbook" in ran.out) == (0, True)


LISTS = [
    ["cluster", "ls"],
    ["cluster", "history", "west-1"],
    ["node", "ls", "west-1"],
    ["fleet", "status"],
    ["fleet", "facets", "status"],
    ["fleet", "table"],
    ["fleet", "changes"],
    ["webhook", "ls"],
    ["token", "ls"],
    ["role", "ls"],
    ["schema", "gpus"],
    ["doctor"],
    ["context", "ls"],
]
READERS: dict[str, Callable[[str], int]] = {
    "table": lambda text: len(text.splitlines()) - 1,
    "wide": lambda text: len(text.splitlines()) - 1,
    "json": lambda text: len(json.loads(text)),
    "jsonl": lambda text: len([json.loads(line) for line in text.splitlines()]),
    "yaml": lambda text: len(yaml.safe_load(text)),
    "csv": lambda text: len(list(csv.DictReader(io.StringIO(text)))),
    "name": lambda text: len(text.splitlines()),
}


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_every_list_holds_the_same_in_every_format(rollbook: Rollbook, fleet: httpx.Client, command: list[str]) -> None:
    counts = {name: read(rollbook(*command, "-o", name).out) for name, read in READERS.items()}
    assert len(set(counts.values())) == 1, counts


def test_an_apply_is_tried_first_and_done_once(rollbook: Rollbook, fleet: httpx.Client, home: Path) -> None:
    (home / "west.yaml").write_text("id: west-1\nreputation: '7'\n")
    before = fleet.get("/clusters/west-1").headers["etag"]
    dry = rollbook("cluster", "apply", "-f", "west.yaml", "--dry-run")
    assert (dry.code, "would be changed" in dry.err) == (0, True)
    assert fleet.get("/clusters/west-1").headers["etag"] == before
    assert rollbook("cluster", "apply", "-f", "west.yaml").code == 0
    assert fleet.get("/clusters/west-1").json()["reputation"] == 7
    after = fleet.get("/clusters/west-1").headers["etag"]
    assert "unchanged" in rollbook("cluster", "apply", "-f", "west.yaml").err  # "7" is cast to 7
    assert rollbook("cluster", "apply", "-f", "west.yaml", "--diff").code == 0
    assert fleet.get("/clusters/west-1").headers["etag"] == after
