"""``rollbook NOUN VERB`` against a real server: what each prints, in which form, and with which exit code."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
import yaml

from tests.cli.conftest import Rollbook
from tests.examples import cluster, node
from tests.serving import ServerProcess
from tests.webhooks.conftest import LOOPBACK_ALLOWED
from tests.webhooks.receiving import Answer, target


@pytest.fixture
def http(fleet: httpx.Client) -> httpx.Client:
    """The server with two clusters, ``west-1`` and ``west-2``, and found by the environment."""
    return fleet


def test_clusters_are_listed_as_a_table(rollbook: Rollbook, http: httpx.Client) -> None:
    lines = rollbook("cluster", "ls").out.splitlines()
    assert lines[0].split() == ["ID", "REGIONID", "STATUS", "LIVENESS", "NODES", "GPUS", "TAGS"]
    assert [line.split() for line in lines[1:]] == [
        ["west-1", "us-west-2", "live", "unknown", "1", "4", "gpu"],
        ["west-2", "us-west-2", "draining", "unknown", "1", "2", "gpu"],
    ]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ([], ["west-1", "west-2"]),
        (["live"], ["west-1"]),
        (["gpus>=2", "draining"], ["west-2"]),
        (["-f", '{"gpus.count": 4}'], ["west-1"]),
        (["--sort", "-id"], ["west-2", "west-1"]),
        (["--limit", "1"], ["west-1"]),
    ],
)
def test_words_and_filters_choose(rollbook: Rollbook, http: httpx.Client, asked: list[str], ids: list[str]) -> None:
    assert rollbook("cluster", "ls", *asked, "-o", "name").out.split() == ids


def test_every_format_holds_the_same(rollbook: Rollbook, http: httpx.Client) -> None:
    documents = sorted(http.post("/clusters/query", json={}).json(), key=lambda each: each["id"])

    assert json.loads(rollbook("cluster", "ls", "-o", "json").out) == documents
    assert list(map(json.loads, rollbook("cluster", "ls", "-o", "jsonl").out.splitlines())) == documents
    assert yaml.safe_load(rollbook("cluster", "ls", "-o", "yaml").out) == documents
    rows = list(csv.DictReader(io.StringIO(rollbook("cluster", "ls", "-o", "csv").out)))
    assert [(row["id"], row["gpus.count"]) for row in rows] == [("west-1", "4"), ("west-2", "2")]
    chosen = rollbook("cluster", "ls", "-o", "columns=id,memory").out.splitlines()
    assert [line.split() for line in chosen] == [["ID", "MEMORY"], ["west-1", "1024"], ["west-2", "1024"]]


def test_an_unknown_format_is_refused_with_those_that_exist(rollbook: Rollbook, http: httpx.Client) -> None:
    ran = rollbook("cluster", "ls", "-o", "xml")
    assert (ran.code, ran.out) == (2, "")
    assert "jsonl" in ran.err


def test_a_prefix_that_one_id_has_is_enough(rollbook: Rollbook, http: httpx.Client) -> None:
    http.post("/clusters", json=cluster("east"))
    assert json.loads(rollbook("cluster", "get", "ea").out)["id"] == "east"
    several = rollbook("cluster", "get", "we")
    assert several.code == 4
    assert "west-1, west-2" in several.err
    assert rollbook("cluster", "get", "nowhere").code == 4


def test_fields_are_set_and_statuses_have_verbs_of_their_own(rollbook: Rollbook, http: httpx.Client) -> None:
    ran = rollbook("cluster", "set", "west-1", "reputation=97", "clusterMetadata.owner=ops", "--reason", "audit")
    assert (ran.code, ran.out) == (0, "")
    document = http.get("/clusters/west-1").json()
    assert (document["reputation"], document["clusterMetadata"]["owner"]) == (97, "ops")
    assert http.get("/clusters/west-1/history").json()[0]["reason"] == "audit"
    for verb, status in (("drain", "draining"), ("maintain", "maintenance"), ("activate", "live")):
        assert rollbook("cluster", verb, "west-1").code == 0
        assert http.get("/clusters/west-1").json()["status"] == status
    assert rollbook("cluster", "set", "west-1", "memory=lots").code == 3
    assert rollbook("cluster", "set", "west-1", "memory").code == 3


def test_files_are_applied_once(rollbook: Rollbook, http: httpx.Client, home: Path) -> None:
    (home / "fleet").mkdir()
    (home / "fleet" / "a.json").write_text(json.dumps(cluster("applied-1", reputation=1)))
    (home / "fleet" / "b.yaml").write_text(yaml.safe_dump(cluster("applied-2", reputation=1)))

    assert rollbook("cluster", "apply", "-f", "fleet", "--diff").code == 6
    assert "created" in rollbook("cluster", "apply", "-f", "fleet").err
    revision = http.get("/clusters/applied-1").headers["etag"]
    assert rollbook("cluster", "apply", "-f", "fleet").err.split("\n")[:2] == [
        "applied-1 unchanged",
        "applied-2 unchanged",
    ]
    assert rollbook("cluster", "apply", "-f", "fleet", "--diff").code == 0
    assert http.get("/clusters/applied-1").headers["etag"] == revision

    (home / "fleet" / "a.json").write_text(json.dumps({"id": "applied-1", "reputation": 2}))
    differing = rollbook("cluster", "apply", "-f", "fleet/a.json", "--diff")
    assert (differing.code, '+  "reputation": 2' in differing.out) == (6, True)
    assert http.get("/clusters/applied-1").json()["reputation"] == 1
    assert rollbook("cluster", "apply", "-f", "fleet/a.json").code == 0
    assert http.get("/clusters/applied-1").json()["reputation"] == 2


def test_two_moments_are_compared(rollbook: Rollbook, http: httpx.Client) -> None:
    revision = http.get("/clusters/west-1").headers["etag"].strip('"')
    http.put("/clusters/west-1", json={"$set": {"reputation": 5}})
    ran = rollbook("cluster", "diff", "west-1", "--from", revision)
    assert (ran.code, '+  "reputation": 5' in ran.out) == (6, True)
    newest = http.get("/clusters/west-1").headers["etag"].strip('"')
    assert rollbook("cluster", "diff", "west-1", "--from", newest).code == 0


def test_more_than_one_is_deleted_when_that_is_meant(rollbook: Rollbook, http: httpx.Client) -> None:
    command = [sys.executable, "-m", "rollbook", "cluster", "rm", "west-1", "west-2"]
    asked = subprocess.run(command, input="n\n", capture_output=True, text=True)
    assert (asked.returncode, "west-1, west-2" in asked.stderr) == (1, True)
    assert http.post("/clusters/count", json={}).json() == {"count": 2}
    assert rollbook("cluster", "rm", "west-1", "west-2", "--yes").code == 0
    assert rollbook("cluster", "restore", "west-1").code == 0
    assert rollbook("cluster", "ls", "-o", "name").out.split() == ["west-1"]


def test_protection_and_history(rollbook: Rollbook, http: httpx.Client) -> None:
    assert rollbook("cluster", "protect", "west-1", "--reason", "in use").code == 0
    assert rollbook("cluster", "rm", "west-1").code == 4
    assert rollbook("cluster", "unprotect", "west-1").code == 0
    events = [line.split()[2] for line in rollbook("cluster", "history", "west-1").out.splitlines()[1:4]]
    assert events == ["unprotected", "protected", "created"]


def test_waiting_ends_when_a_cluster_matches_or_the_time_is_over(rollbook: Rollbook, http: httpx.Client) -> None:
    changing = threading.Timer(0.5, lambda: http.put("/clusters/west-1", json={"$set": {"status": "busy"}}))
    changing.start()
    assert rollbook("cluster", "wait", "west-1", "--for", "status = busy", "--timeout", "20").code == 0
    assert rollbook("cluster", "wait", "west-1", "--for", '{"status": "busy"}', "--timeout", "20").code == 0
    assert rollbook("cluster", "wait", "west-1", "--for", "status = gone", "--timeout", "0.1").code == 4
    changing.join()


def test_a_watch_prints_changes_as_they_happen(http: httpx.Client, fleet_server: ServerProcess) -> None:
    command = [
        sys.executable,
        "-m",
        "rollbook",
        "cluster",
        "watch",
        "--url",
        fleet_server.url,
        "-f",
        '{"status": "busy"}',
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout
        deadline = time.monotonic() + 20
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.append(watching.stdout.readline()), daemon=True)
        reader.start()
        while not lines and time.monotonic() < deadline:
            http.put("/clusters/west-1", json={"$set": {"status": "busy"}})
            http.put("/clusters/west-1", json={"$set": {"status": "live"}})
            time.sleep(0.2)
        watching.terminate()
        reader.join(5)
    event = json.loads(lines[0])
    assert event["id"] == "west-1"
    assert event["event"] in ("entered", "left")  # it began before the first change of a pair, or between both


def test_nodes_join_and_leave(rollbook: Rollbook, http: httpx.Client, home: Path) -> None:
    (home / "node.json").write_text(json.dumps(node("n-2")))
    assert rollbook("node", "join", "west-1", "-f", "node.json").code == 0
    assert rollbook("node", "ls", "west-1", "-o", "name").out.split() == ["n-1", "n-2"]
    assert json.loads(rollbook("node", "get", "west-1", "n-2").out)["id"] == "n-2"
    assert rollbook("node", "leave", "west-1", "n-2").code == 0
    (home / "nodes.json").write_text(json.dumps([node("n-3")]))
    assert rollbook("node", "sync", "west-1", "-f", "nodes.json").code == 0
    assert rollbook("node", "ls", "west-1", "-o", "name").out.split() == ["n-3"]
    assert rollbook("node", "leave", "west-1", "n-9").code == 4


def test_the_fleet_is_counted(rollbook: Rollbook, http: httpx.Client) -> None:
    assert rollbook("fleet", "count", "live").out == "1\n"
    assert [line.split() for line in rollbook("fleet", "status").out.splitlines()] == [
        ["VALUE", "COUNT"],
        ["draining", "1"],
        ["live", "1"],
    ]
    assert rollbook("fleet", "facets", "gpuModels", "-o", "csv").out.splitlines()[1] == "NVIDIA A100,2"
    changes = rollbook("fleet", "changes", "--limit", "2", "-o", "jsonl").out.splitlines()
    assert [json.loads(line)["id"] for line in changes] == ["west-1", "west-2"]


def test_a_heartbeat_is_sent(rollbook: Rollbook, http: httpx.Client) -> None:
    assert json.loads(rollbook("heartbeat", "send", "west-1", "--ttl", "60").out)["ttlSeconds"] == 60
    assert rollbook("heartbeat", "send", "nowhere").code == 4


def test_webhooks_are_managed(rollbook: Rollbook, http: httpx.Client) -> None:
    made = json.loads(rollbook("webhook", "create", "https://example.com/hook", "--id", "alerts").out)
    assert made["secret"].startswith("whsec_")
    assert rollbook("webhook", "set", "alerts", '{"enabled": false}').code == 0
    assert rollbook("webhook", "ls", "-o", "name").out == "alerts\n"
    assert "secret" not in json.loads(rollbook("webhook", "get", "alerts").out)
    assert rollbook("dead-letter", "ls", "alerts").code == 0
    assert rollbook("dead-letter", "retry", "alerts").code == 0
    assert rollbook("dead-letter", "drop", "alerts").code == 0
    assert rollbook("dead-letter", "retry", "alerts", "7").code == 4
    assert rollbook("webhook", "rm", "alerts").code == 0


def test_a_webhook_is_tested(rollbook: Rollbook, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ServerProcess(home / "served", environment=LOOPBACK_ALLOWED) as server, target() as receiver:
        monkeypatch.setenv("ROLLBOOK_URL", server.url)
        assert rollbook("webhook", "create", receiver.url, "--id", "all").code == 0
        ran = rollbook("webhook", "test", "all")
        assert (ran.code, ran.err) == (1, "all: there is no change yet that could be delivered\n")
        httpx.post(f"{server.url}/clusters", json=cluster("west-1")).raise_for_status()
        receiver.wait_for(1)
        while httpx.get(f"{server.url}/webhooks/all").json()["status"]["lag"]:  # the answer has yet to be written down
            time.sleep(0.01)
        ran = rollbook("webhook", "test", "all")
        assert (ran.code, ran.err) == (0, "all accepted revision 1\n")
        assert len(receiver.received) == 2
        receiver.answer = lambda _: Answer(500)
        ran = rollbook("webhook", "test", "all")
        assert (ran.code, "500" in ran.err) == (1, True)
        rollbook("webhook", "create", receiver.url, "--id", "some", "-f", '{"id": "east-1"}')
        ran = rollbook("webhook", "test", "some")
        assert (ran.code, "its filter does not match the newest change, revision 1" in ran.err) == (1, True)
        rollbook("webhook", "set", "some", '{"enabled": false}')
        ran = rollbook("webhook", "test", "some")
        assert (ran.code, ran.err) == (1, "some: it is disabled\n")
        for id in ("east-1", "west-2"):
            httpx.post(f"{server.url}/clusters", json=cluster(id)).raise_for_status()
        receiver.answer = lambda _: Answer(200)
        assert rollbook("webhook", "test", "some").code == 1
        rollbook("webhook", "set", "some", '{"enabled": true, "filter": {}}')
        assert [each.revision for each in receiver.wait_for_revision(3)][-2:] == [2, 3]
        assert rollbook("webhook", "test", "nowhere").code == 4


def test_contexts_name_servers_and_are_private(
    rollbook: Rollbook, http: httpx.Client, home: Path, fleet_server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROLLBOOK_URL")
    (home / "token").write_text("secret-token\n")
    assert rollbook("context", "set", "lab", "--url", str(http.base_url), "--token-file", "token").code == 0
    assert rollbook("context", "set", "away", "--url", "http://127.0.0.1:1").code == 0
    assert stat.S_IMODE(os.stat(home / "config" / "rollbook" / "contexts.toml").st_mode) == 0o600
    assert "secret-token" not in rollbook("context", "ls").out
    assert rollbook("fleet", "count", "--context", "away").code == 5
    assert rollbook("context", "use", "away").code == 0
    assert rollbook("fleet", "count").code == 5
    assert rollbook("context", "use", "lab").code == 0
    assert rollbook("context", "rm", "away").code == 0
    assert rollbook("context", "use", "away").code == 2


def test_fields_are_explained(rollbook: Rollbook, http: httpx.Client) -> None:
    assert "total number of GPUs" in rollbook("schema", "gpus").out
    refused = rollbook("schema", "gpus.cuont")
    assert (refused.code, "count" in refused.err) == (3, True)


def test_any_request_can_be_sent(rollbook: Rollbook, http: httpx.Client) -> None:
    assert rollbook("api", "POST", "/clusters/count", "--body", "{}").out == '{"count":2}\n'
    assert rollbook("version").out.startswith("rollbook ")


def test_what_a_terminal_would_obey_is_escaped(rollbook: Rollbook, http: httpx.Client) -> None:
    http.put("/clusters/west-1", json={"$set": {"tags": ["\x1b[31mred\x07", "two\nlines"]}})
    out = rollbook("cluster", "ls").out
    assert "\x1b" not in out
    assert r"\x1b[31mred\x07,two\nlines" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["cluster", "ls", "-f", "{oops"],
        ["cluster", "ls", "live", "-f", "{}"],
        ["cluster", "update", "west-1", "{oops"],
        ["cluster", "ls", "-f", '{"a": {"$atLeast": 1}}'],
    ],
)
def test_what_is_mistyped_is_refused_in_words(rollbook: Rollbook, http: httpx.Client, arguments: list[str]) -> None:
    ran = rollbook(*arguments)
    assert ran.code == 3
    assert ran.err.count("\n") <= 3
    assert "Traceback" not in ran.err


MISSPELT = '{"gpus.cout": 1}'


@pytest.mark.parametrize(
    "asked",
    [
        ["fleet", "count", "-f", MISSPELT],
        ["fleet", "facets", "status", "-f", MISSPELT],
        ["fleet", "table", "-f", MISSPELT],
        ["fleet", "fit", "-f", MISSPELT, "--gpus", "1"],
        ["fleet", "top", "--once", "-f", MISSPELT],
        ["cluster", "ls", "-f", MISSPELT],
        ["cluster", "ls", "-f", MISSPELT, "-v"],
        ["cluster", "ls", "gpus.cout=1"],
        ["cluster", "explain", "-f", MISSPELT],
        ["webhook", "create", "https://example.com/hook", "--id", "misspelt", "-f", MISSPELT],
    ],
)
def test_what_a_registry_warns_of_a_filter_is_printed_once(rollbook: Rollbook, http: httpx.Client, asked) -> None:
    ran = rollbook(*asked)
    http.delete("/webhooks/misspelt")
    assert ran.err.count("'gpus.cout' is no documented field") == 1
    assert ran.err.count('Did you mean "gpus.count"?') == 1
    assert "gpus.cout" not in ran.out or "explain" in asked or "webhook" in asked


def test_what_a_registry_warns_of_a_write_is_printed_once(rollbook: Rollbook, http: httpx.Client, home: Path) -> None:
    (home / "east.json").write_text(json.dumps(cluster("east", reputaton=1)))
    warning = "warning: "
    for verb in (["apply", "--dry-run"], ["create"], ["apply"]):
        if verb == ["apply"]:
            (home / "east.json").write_text(json.dumps({"id": "east", "reputation_": 2}))
        assert rollbook("cluster", *verb, "-f", "east.json").err.count(warning) == 1, verb


@pytest.mark.parametrize(
    ("path", "is_doubted"),
    [
        ("gpus.cout", True),
        ("gpus.count", False),
        ("nodes.nodeData.0.gpus.count", False),
        ("clusterMetadata.additionalInfo.rack", False),
        ("gpus.modelNames", False),
        ("xyz", False),
    ],
)
def test_a_misspelt_column_is_doubted(rollbook: Rollbook, http: httpx.Client, path: str, is_doubted: bool) -> None:
    ran = rollbook("cluster", "ls", "-o", f"columns=id,{path}")
    doubt = f"warning: {path} is not a documented field; did you mean 'gpus.count'?\n" if is_doubted else ""
    assert (ran.code, ran.err) == (0, doubt)
