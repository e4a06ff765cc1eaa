"""kill -9 under load: whatever was acknowledged is there afterwards, whole, and the data directory is sound.

``ROLLBOOK_KILL_ROUNDS`` sets the number of rounds (5 unless told; 200 in the full check).
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.examples import cluster
from tests.serving import ServerProcess

ROUNDS = int(os.environ.get("ROLLBOOK_KILL_ROUNDS", "5"))
WRITERS = 8
SEED = 20260
WRITES_SECONDS_MAX = 30.0


class Writer:
    """One client that enrols, updates and deletes clusters of its own, and remembers what was acknowledged.

    ``known`` maps an id to the step that was acknowledged last (None: deleted); ``asked`` to the one that was under way
    when the server died, whose fate is open.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.known: dict[str, int | None] = {}
        self.asked: tuple[str, int | None] | None = None
        self.acknowledged = 0
        self._random = random.Random(SEED + number)
        self._step = 0

    def run(self, url: str, stopped: Callable[[], bool]) -> None:
        """Write until the server goes away."""
        with httpx.Client(base_url=url, timeout=10) as http:
            try:
                while not stopped():
                    self._write(http)
            except httpx.TransportError:
                return

    def _write(self, http: httpx.Client) -> None:
        self._step += 1
        id = f"w{self.number}-{self._random.randrange(6)}"
        if self.known.get(id) is None:
            self.asked = (id, self._step)
            reply = http.post("/clusters", json=cluster(id, reputation=self._step, note="x" * 3000))
        elif self._random.random() < 0.15:
            self.asked = (id, None)
            reply = http.delete(f"/clusters/{id}")
        else:
            self.asked = (id, self._step)
            reply = http.put(f"/clusters/{id}", json={"$set": {"reputation": self._step}, "$inc": {"writes": 1}})
        assert reply.status_code in (200, 201), reply.text
        self.known[id], self.asked = self.asked[1], None
        self.acknowledged += 1

    def check(self, found: dict[str, dict[str, Any]]) -> None:
        """Every acknowledged write is there; the open one is there or not, and then counts as known."""
        if self.asked is not None:
            id, step = self.asked
            there = found[id]["reputation"] if id in found else None
            assert there in (step, self.known.get(id)), (id, there, self.asked, self.known.get(id))
            self.known[id], self.asked = there, None
        for id, step in self.known.items():
            assert (found[id]["reputation"] if id in found else None) == step, id


def test_no_acknowledged_write_is_lost_to_kill_9(tmp_path: Path) -> None:
    data = tmp_path / "data"
    writers = [Writer(number) for number in range(WRITERS)]
    chance = random.Random(SEED)
    for _ in range(ROUNDS):
        server = ServerProcess(data).start()
        check_all(server, writers)
        killed = threading.Event()
        threads = [threading.Thread(target=each.run, args=(server.url, killed.is_set)) for each in writers]
        for thread in threads:
            thread.start()
        wait_for_writes(writers)
        killed.wait(chance.uniform(0, 0.3))
        server.kill()
        killed.set()
        for thread in threads:
            thread.join()
        sound = subprocess.run(
            [sys.executable, "-m", "rollbook", "check", "--data", str(data)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert sound.returncode == 0, sound.stdout + sound.stderr
    with ServerProcess(data) as server:
        check_all(server, writers)
    assert sum(writer.acknowledged for writer in writers) >= ROUNDS * WRITERS


def wait_for_writes(writers: list[Writer]) -> None:
    """Until the writers have had as many more writes acknowledged as they are."""
    enough = sum(writer.acknowledged for writer in writers) + WRITERS
    deadline = time.monotonic() + WRITES_SECONDS_MAX
    while sum(writer.acknowledged for writer in writers) < enough:
        assert time.monotonic() < deadline, "the server acknowledges nothing"
        time.sleep(0.005)


def check_all(server: ServerProcess, writers: list[Writer]) -> None:
    """Hold what the server has against what every writer knows."""
    documents = httpx.post(f"{server.url}/clusters/query", json={"query": {}}).json()
    for document in documents:
        assert document["note"] == "x" * 3000
        assert document["nodes"]["count"] == len(document["nodes"]["nodeData"])
    for writer in writers:
        writer.check({document["id"]: document for document in documents})
