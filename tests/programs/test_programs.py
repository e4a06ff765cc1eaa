"""The programs in ``examples/``, each as a process, against a real server."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.pages import ROOT
from tests.examples import cluster, node
from tests.serving import ServerProcess

WAIT = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("programs") / "data") as started:
        yield started


@pytest.fixture
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        for found in client.post("/clusters/query", json={}).json():
            client.delete(f"/clusters/{found['id']}")
        yield client


def program(name: str, *arguments: str | Path, path: str | None = None) -> subprocess.Popen[str]:
    environment = os.environ | ({} if path is None else {"PATH": path})
    command = [sys.executable, str(ROOT / "examples" / name), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """SIGTERM, the exit code, and what was written."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=WAIT)
    return process.returncode, out + err


def test_two_schedulers_never_give_away_the_same_gpus(
    server: ServerProcess, http: httpx.Client, tmp_path: Path
) -> None:
    for number in range(3):
        http.post("/clusters", json=cluster(f"c-{number}", node(gpus=4)))
    http.post("/clusters", json=cluster("away", node(gpus=64), status="draining"))
    schedulers = []
    for name in ("a", "b"):
        jobs = tmp_path / f"{name}.ndjson"
        jobs.write_text("".join(json.dumps({"id": f"{name}-{each}", "gpus": 2}) + "\n" for each in range(4)))
        schedulers.append(program("scheduler.py", server.url, "--jobs", jobs))
    results = [(*each.communicate(timeout=WAIT), each.returncode) for each in schedulers]
    placed = [line for out, _, _ in results for line in out.splitlines()]
    assert len(placed) == 6, results
    assert sorted(code for _, _, code in results) in ([0, 1], [1, 1])
    for found in http.post("/clusters/query", json={"status": "live"}).json():
        assert sum(found["reservations"].values()) == 4
    assert "reservations" not in http.get("/clusters/away").json()


def test_a_controller_joins_beats_and_leaves(server: ServerProcess, http: httpx.Client, tmp_path: Path) -> None:
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho 'NVIDIA A100, 81920'\necho 'NVIDIA A100, 81920'\n")
    smi.chmod(0o755)
    controller = program("controller.py", server.url, "edge", "--node", "n-1", path=f"{tmp_path}:{os.environ['PATH']}")
    wait_until(
        lambda: http.get("/clusters/edge?include=registry").json().get("_registry", {}).get("liveness") == "alive"
    )
    document = http.get("/clusters/edge").json()
    [joined] = document["nodes"]["nodeData"]
    assert (joined["id"], joined["gpus"]["count"], joined["gpus"]["modelNames"]) == ("n-1", 2, ["NVIDIA A100"])
    assert document["gpus"] == {"count": 2, "memory": 163840}
    assert document["vcpus"]["count"] == os.cpu_count()
    code, said = ended(controller)
    assert (code, "n-1 left edge" in said) == (0, True), said
    assert http.get("/clusters/edge").json()["nodes"]["nodeData"] == []


def test_an_exporter_goes_on_where_it_stopped(server: ServerProcess, http: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "changes.ndjson"
    http.post("/clusters", json=cluster("exported"))
    exporter = program("exporter.py", server.url, file, "--filter", '{"id": "exported"}')
    wait_until(lambda: file.exists() and file.read_text().endswith("\n"))
    assert ended(exporter)[0] == 0
    with file.open("a") as half:
        half.write('{"event": "upda')
    http.put("/clusters/exported", json={"reputation": 1})
    http.put("/clusters/exported", json={"reputation": 2})
    exporter = program("exporter.py", server.url, file, "--filter", '{"id": "exported"}')
    wait_until(lambda: file.read_text().count("\n") >= 3)
    assert ended(exporter)[0] == 0
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert [each["event"] for each in events[-3:]] == ["created", "updated", "updated"]
    revisions = [each["revision"] for each in events]
    assert revisions == sorted(set(revisions))
