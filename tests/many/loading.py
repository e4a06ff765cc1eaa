"""Clients that write and read through several processes under faults, and remember everything they saw."""

import random
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

import httpx

from tests.many.checking import Read, Write
from tests.many.proxies import Proxy
from tests.serving import ServerProcess

CLUSTERS = [f"drill{number}" for number in range(12)]


class Place:
    """One process, and its own way to the engines."""

    def __init__(self, directory: Path, engines: Sequence[int], **variables: str) -> None:
        """``engines``: the ports of the engines; ``variables``: of its environment."""
        self.proxies = [Proxy(port) for port in engines]
        hosts = ",".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies)
        journal = f"postgresql://postgres@{hosts}/postgres?connect_timeout=2"
        environment = {"ROLLBOOK_JOURNAL": journal, "ROLLBOOK_JOURNAL_SECONDS": "2", **variables}
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


def everything(place: Place) -> dict[str, list[str]]:
    """What a process holds of all clusters in the end."""
    until = time.monotonic() + 40
    while True:
        with suppress(httpx.TransportError):
            answer = httpx.get(f"{place.server.url}/clusters?limit=100&consistency=strong", timeout=20)
            if answer.status_code == 200:
                return {each["id"]: each["names"] for each in answer.json() if each["id"] in CLUSTERS}
        assert time.monotonic() < until, "it does not answer"
        time.sleep(0.2)
