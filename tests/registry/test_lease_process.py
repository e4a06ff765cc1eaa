"""A server process that is stopped, goes on, is killed and starts again: it never takes its own absence for theirs.

``ROLLBOOK_PAUSE_SECONDS`` sets for how long it is stopped (4 unless told; 60 in the full check).
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests.examples import cluster
from tests.serving import ServerProcess

PAUSE_SECONDS = float(os.environ.get("ROLLBOOK_PAUSE_SECONDS", "4"))


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


def statuses(http: httpx.Client) -> set[str]:
    return {each["status"] for each in http.post("/clusters/query", json={}).json()}


def facts(http: httpx.Client, id: str) -> dict[str, Any]:
    told: dict[str, Any] = http.get(f"/clusters/{id}", params={"include": "registry"}).json()["_registry"]
    return told


def test_a_process_that_was_stopped_takes_nobody_for_silent(tmp_path: Path) -> None:
    ids = [f"c{n}" for n in range(12)]
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=30) as http:
        for id in ids:
            http.post("/clusters", json=cluster(id))
        with beating(server, ids[:6], ttl=2, every=0.3), beating(server, ids[6:], ttl=1, every=0.2):
            time.sleep(1)
            assert server.process is not None
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(PAUSE_SECONDS)
            server.process.send_signal(signal.SIGCONT)
            assert statuses(http) == {"live"}
            time.sleep(3)
            assert statuses(http) == {"live"}
            ready = http.get("/readyz").json()
            assert (ready["revision"], ready["liveness"]["holds"]) == (len(ids), [])
        assert "the registry was paused for" in server.log.read_text()


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
