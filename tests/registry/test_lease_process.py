"""A server process that is stopped, goes on, is killed and starts again: it never takes its own absence for theirs.

``ROLLBOOK_PAUSE_SECONDS`` sets for how long it is stopped (4 unless told; 60 in the full check), and leases are half as
long.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from tests.examples import cluster
from tests.serving import ServerProcess

Told = TypeVar("Told")

PAUSE_SECONDS = float(os.environ.get("ROLLBOOK_PAUSE_SECONDS", "4"))
TTL_SECONDS = max(2, int(PAUSE_SECONDS / 2))
FLEET = [f"c{number:03d}" for number in range(max(40, int(PAUSE_SECONDS * 4)))]
GONE, RETURNING, STEADY = FLEET[:4], FLEET[4 : len(FLEET) // 2], FLEET[len(FLEET) // 2 :]


@contextmanager
def beating(server: ServerProcess, ids: list[str], *, ttl: int, every: float) -> Iterator[None]:
    """Heartbeats of these clusters for the length of the block; those that get no answer are tried again."""
    stopped = threading.Event()

    def run() -> None:
        with httpx.Client(base_url=server.url, timeout=1) as http:
            while not stopped.wait(every):
                for id in ids:
                    with suppress(httpx.TransportError):
                        http.post(f"/clusters/{id}/heartbeat", json={"ttlSeconds": ttl})

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def wait_for(ask: Callable[[], Told], *, seconds_max: float) -> Told:
    """What is told, once it is something."""
    deadline = time.monotonic() + seconds_max
    while not (told := ask()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return told


def holds(http: httpx.Client) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = http.get("/readyz").json()["liveness"]["holds"]
    return told


def statuses(http: httpx.Client) -> set[str]:
    return {each["status"] for each in http.post("/clusters/query", json={}).json()}


def facts(http: httpx.Client, id: str) -> dict[str, Any]:
    told: dict[str, Any] = http.get(f"/clusters/{id}", params={"include": "registry"}).json()["_registry"]
    return told


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that was stopped while its fleet was sending heartbeats, and has just been told to go on.

    The steady ones have sent theirs all the while; those that return and those that are gone stopped with it.
    """
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        for id in FLEET:
            assert http.post("/clusters", json=cluster(id)).status_code == 201
        with beating(server, STEADY, ttl=TTL_SECONDS, every=TTL_SECONDS / 6):
            with beating(server, RETURNING + GONE, ttl=TTL_SECONDS, every=TTL_SECONDS / 6):
                time.sleep(max(1.0, TTL_SECONDS / 4))
            assert server.process is not None
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(PAUSE_SECONDS)
            server.process.send_signal(signal.SIGCONT)
            yield server


def test_a_process_that_was_stopped_takes_only_those_for_silent_who_stay_away(stopped: ServerProcess) -> None:
    went_on = time.monotonic()
    with httpx.Client(base_url=stopped.url, timeout=30) as http:
        hold = wait_for(lambda: next(iter(holds(http)), None), seconds_max=2)
        assert (hold["cause"], hold["detail"][:28]) == ("paused", "the registry was paused for ")
        while time.monotonic() < went_on + TTL_SECONDS * 0.6:
            assert [each["cause"] for each in holds(http)] == ["paused"]
            assert http.post("/clusters/count", json={"_registry.liveness": "silent"}).json() == {"count": 0}
            assert http.get("/readyz").json()["revision"] == len(FLEET)
            time.sleep(0.1)
        assert {facts(http, id)["liveness"] for id in RETURNING + GONE} == {"unknown"}
        with beating(stopped, RETURNING, ttl=TTL_SECONDS, every=TTL_SECONDS / 6):
            wait_for(lambda: "unreachable" in statuses(http), seconds_max=TTL_SECONDS + 2)
            assert time.monotonic() >= went_on + TTL_SECONDS
            wait_for(lambda: not holds(http), seconds_max=3)
            time.sleep(1.5)
            unreachable = http.post("/clusters/query", json={"status": "unreachable"}).json()
            assert [each["id"] for each in unreachable] == GONE
            assert http.get("/readyz").json()["revision"] == len(FLEET) + len(GONE)
    assert "the registry was paused for" in stopped.log.read_text()


def test_a_process_that_was_killed_remembers_beats_and_restores_what_it_had_written(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=30) as http:
        for id in ("west", "east"):
            http.post("/clusters", json=cluster(id))
        with beating(server, ["east"], ttl=3, every=0.1):
            http.post("/clusters/west/heartbeat", json={"ttlSeconds": 1})
            while http.get("/clusters/west").json()["status"] == "live":
                time.sleep(0.005)
            before = facts(http, "east")
            server.kill()  # before what became of west can have been stored with the leases
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=30) as http:
        lost = datetime.fromisoformat(before["observedAt"]) - datetime.fromisoformat(facts(http, "east")["observedAt"])
        assert 0 <= lost.total_seconds() < 2.5
        assert facts(http, "east")["liveness"] in ("alive", "late", "unknown")
        assert [hold["cause"] for hold in http.get("/readyz").json()["liveness"]["holds"]] == ["started"]
        http.post("/clusters/west/heartbeat")
        assert http.get("/clusters/west").json()["status"] == "live"
        time.sleep(1.5)
        assert statuses(http) == {"live"}
        http.post("/clusters/east/heartbeat")
        assert http.get("/readyz").json()["liveness"]["holds"] == []
