"""Three processes behind a faulty network, a primary and its standby: mixed load, faults, and at last a failover.

``ROLLBOOK_MANY_SECONDS`` says for how long; ``make test-many`` takes five minutes.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import httpx
import pytest

from rollbook.journal.postgresql.journal import PostgresqlJournal
from tests.examples import cluster
from tests.many.checking import Read, Write, problems_in
from tests.many.proxies import Proxy
from tests.postgresql import WITH_STANDBY, PostgresqlServer, postgresql_directory
from tests.serving import ServerProcess

SECONDS = float(os.environ.get("ROLLBOOK_MANY_SECONDS", "20"))
FAULT_SECONDS = 8.0 if SECONDS >= 60 else 3.0
CLUSTERS = [f"drill{number}" for number in range(12)]


class Place:
    """One process, and its own way to the engines."""

    def __init__(self, directory: Path, engines: list[PostgresqlServer]) -> None:
        self.proxies = [Proxy(engine.port) for engine in engines]
        hosts = ",".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies)
        journal = f"postgresql://postgres@{hosts}/postgres?connect_timeout=2"
        environment = {"ROLLBOOK_JOURNAL": journal, "ROLLBOOK_JOURNAL_SECONDS": "2"}
        self.server = ServerProcess(directory, environment=environment)

    def close(self) -> None:
        """End it, however it is."""
        if self.server.process is not None:
            self.server.process.send_signal(signal.SIGCONT)
            self.server.kill()
        for proxy in self.proxies:
            proxy.close()


class Load:
    """Clients that write and read until they are stopped, and remember everything."""

    def __init__(self, places: list[Place]) -> None:
        self.writes: list[Write] = []
        self.reads: list[Read] = []
        self.stopping = threading.Event()
        self._numbers = count()
        self._threads = [
            threading.Thread(target=self._run, args=(place, number)) for number in range(2) for place in places
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let all requests come to their end."""
        self.stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self, place: Place, seed: int) -> None:
        chance = random.Random(seed)
        with httpx.Client(base_url=place.server.url, timeout=20) as client:
            while not self.stopping.is_set():
                id = chance.choice(CLUSTERS)
                try:
                    if chance.random() < 0.6:
                        self._write(client, id)
                    else:
                        self._read(client, id, strong=chance.random() < 0.3)
                except httpx.TransportError:
                    time.sleep(0.1)

    def _write(self, client: httpx.Client, id: str) -> None:
        name, sent = f"w{next(self._numbers)}", time.monotonic()
        outcome, revision = "unknown", 0
        try:
            answer = client.put(f"/clusters/{id}", json={"$push": {"names": name}})
            if answer.status_code == 200:
                outcome, revision = "done", int(answer.headers["etag"].strip('"'))
            elif answer.json()["code"] != "outcome-unknown":
                outcome = "refused"
        finally:
            self.writes.append(Write(id, name, sent, time.monotonic(), outcome, revision))  # type: ignore[arg-type]

    def _read(self, client: httpx.Client, id: str, *, strong: bool) -> None:
        sent = time.monotonic()
        answer = client.get(f"/clusters/{id}", params={"consistency": "strong"} if strong else {})
        if answer.status_code == 200:
            self.reads.append(Read(id, answer.json().get("names", []), sent, strong))


@pytest.fixture
def engines() -> Iterator[list[PostgresqlServer]]:
    with postgresql_directory() as directory:
        primary = PostgresqlServer(directory / "one").create().start()
        standby = primary.standby(directory / "other").start()
        primary.stop()
        primary.settings = WITH_STANDBY
        primary.start()
        yield [primary, standby]
        for engine in (primary, standby):
            with suppress(AssertionError):
                engine.stop("immediate")


def do_harm(chance: random.Random, places: list[Place], primary: PostgresqlServer) -> str:
    """One fault, and its end; what it was."""
    place = chance.choice(places)
    fault = chance.choice(["kill", "pause", "cut", "half-close", "swallow", "slow", "crash"])
    assert place.server.process is not None
    if fault == "kill":
        place.server.kill()
        place.server.start()
    elif fault == "pause":
        place.server.process.send_signal(signal.SIGSTOP)
        time.sleep(FAULT_SECONDS * 0.75)
        place.server.process.send_signal(signal.SIGCONT)
    elif fault == "crash":
        primary.stop("immediate")
        primary.start()
    elif fault in ("cut", "half-close"):
        for proxy in place.proxies:
            proxy.cut() if fault == "cut" else proxy.half_close()
    else:
        for proxy in place.proxies:
            proxy.swallows, proxy.delay_seconds = fault == "swallow", 0.2
        time.sleep(FAULT_SECONDS / 2)
        for proxy in place.proxies:
            proxy.swallows, proxy.delay_seconds = False, 0.0
    return fault


def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(
    engines: list[PostgresqlServer], tmp_path: Path
) -> None:
    primary, standby = engines
    chance = random.Random(14)
    with ExitStack() as undo:
        places = [Place(tmp_path / f"cache{number}", engines) for number in range(3)]
        for place in places:
            undo.callback(place.close)
            place.server.start()
        for id in CLUSTERS:
            httpx.post(f"{places[0].server.url}/clusters", json=cluster(id, names=[]), timeout=20).raise_for_status()
        load = Load(places)
        undo.callback(load.stop)
        until = time.monotonic() + SECONDS
        faults = []
        while time.monotonic() < until:
            begun = time.monotonic()
            faults.append(do_harm(chance, places, primary))
            time.sleep(max(0.0, begun + FAULT_SECONDS - time.monotonic()))
        primary.stop("immediate")
        standby.promote()
        time.sleep(FAULT_SECONDS)
        load.stop()
        exports = [everything(place) for place in places]
        done = sum(write.outcome == "done" for write in load.writes)
        print(f"{done} of {len(load.writes)} writes done, {len(load.reads)} reads; {faults}, failover")
        assert done > SECONDS
        assert problems_in(load.writes, load.reads, exports[0]) == []
        assert exports[0] == exports[1] == exports[2]
    journal = PostgresqlJournal.open(standby.url)
    assert journal.problems() == []
    journal.close()


def everything(place: Place) -> dict[str, list[str]]:
    """What a process holds of all clusters in the end."""
    until = time.monotonic() + 40
    while True:
        with suppress(httpx.TransportError):
            answer = httpx.get(f"{place.server.url}/clusters?limit=100&consistency=strong", timeout=20)
            if answer.status_code == 200:
                return {each["id"]: each["names"] for each in answer.json()}
        assert time.monotonic() < until, "it does not answer"
        time.sleep(0.2)
