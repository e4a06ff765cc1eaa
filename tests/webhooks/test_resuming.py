"""Stops, crashes and a past that is gone: nothing is lost, or a dead letter says what is."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.examples import cluster
from tests.serving import ServerProcess
from tests.webhooks.conftest import LOOPBACK_ALLOWED
from tests.webhooks.receiving import Answer, Target, first_told, is_signed, target

KILLS = 3
SEED = 20_263
PATIENT = {"firstSeconds": 0.1, "longestSeconds": 0.2, "attempts": 100}


@pytest.fixture
def receiver() -> Iterator[Target]:
    with target() as opened:
        yield opened


def register(server: ServerProcess, url: str, **members: Any) -> dict[str, Any]:
    """A webhook that is not given up soon."""
    reply = httpx.post(f"{server.url}/webhooks", json={"url": url, "retry": PATIENT, **members})
    assert reply.status_code == 201, reply.text
    made: dict[str, Any] = reply.json()
    return made


def told(server: ServerProcess, filter: str) -> list[dict[str, Any]]:
    """What a watch from the beginning tells."""
    events: list[dict[str, Any]] = []
    since = 0
    while True:
        parameters = {"since": since, "filter": filter, "wait": "0s"}
        page = httpx.get(f"{server.url}/clusters/watch", params=parameters, timeout=20).json()
        if page["revision"] == since:
            return events
        events += page["events"]
        since = page["revision"]


class Writer:
    """Writes until the server goes away; ``enough`` is set after a random number of writes."""

    def __init__(self, server: ServerProcess, seed: int) -> None:
        self._server = server
        self._chance = random.Random(seed)
        self._left = self._chance.randrange(100, 200)
        self.enough = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        with httpx.Client(base_url=self._server.url, timeout=10) as http:
            try:
                while True:
                    id = f"c{self._chance.randrange(5)}"
                    region = self._chance.choice(["north", "south"])
                    if http.put(f"/clusters/{id}", json={"$set": {"regionId": region}, "$inc": {"n": 1}}).is_error:
                        http.post("/clusters", json=cluster(id, regionId=region, n=0))
                    elif self._chance.random() < 0.1:
                        http.delete(f"/clusters/{id}")
                    self._left -= 1
                    if not self._left:
                        self.enough.set()
            except httpx.TransportError:
                return


def test_kill_9_loses_no_delivery_and_disorders_none(tmp_path: Path, receiver: Target) -> None:
    chance = random.Random(SEED)
    receiver.answer = lambda _: Answer(500 if chance.random() < 0.1 else 200)
    server = ServerProcess(tmp_path / "data", environment=LOOPBACK_ALLOWED).start()
    made = register(server, receiver.url, filter={"regionId": "north"}, since=0)
    server.kill()
    for each in range(KILLS):
        server.start()
        writer = Writer(server, SEED + each)
        assert writer.enough.wait(60)
        server.kill()
        writer.join()

    with server:
        expected = told(server, '{"regionId": "north"}')
        accepted = receiver.wait_for_revision(expected[-1]["revision"])
        shown = httpx.get(f"{server.url}/webhooks/{made['id']}").json()

    assert len(expected) > 100
    assert first_told(accepted) == [event["revision"] for event in expected]
    events = {event["revision"]: event for event in expected}
    assert all(each.event == events[each.revision] for each in accepted)
    assert all(is_signed(each, made["secret"]) for each in accepted)
    assert shown["status"]["deadLetters"] == 0
    assert shown["filter"] == {"regionId": "north"}


def test_a_restart_goes_on_where_it_stopped_and_repeats_nothing(tmp_path: Path, receiver: Target) -> None:
    server = ServerProcess(tmp_path / "data", environment=LOOPBACK_ALLOWED)
    with server:
        register(server, receiver.url)
        for step in range(5):
            httpx.post(f"{server.url}/clusters", json=cluster(f"c{step}"))
        receiver.wait_for(5)
    with server:
        httpx.post(f"{server.url}/clusters", json=cluster("last"))
        received = receiver.wait_for_revision(6)
    assert [each.revision for each in received] == [1, 2, 3, 4, 5, 6]


def test_a_pause_outlasts_a_restart_and_so_does_the_count_of_attempts(tmp_path: Path, receiver: Target) -> None:
    server = ServerProcess(tmp_path / "data", environment=LOOPBACK_ALLOWED)
    receiver.answer = lambda _: Answer(500)
    with server:
        made = register(server, receiver.url, retry={"firstSeconds": 600, "longestSeconds": 600, "attempts": 2})
        httpx.post(f"{server.url}/clusters", json=cluster("c"))
        receiver.wait_for(1)
    with server:
        time.sleep(0.3)
        status = httpx.get(f"{server.url}/webhooks/{made['id']}").json()["status"]
        assert (status["state"], status["attempts"], status["lastError"]["revision"]) == ("retrying", 1, 1)
        assert len(receiver.received) == 1


def test_a_dead_letter_outlasts_kill_9_and_can_be_delivered_then(tmp_path: Path, receiver: Target) -> None:
    server = ServerProcess(tmp_path / "data", environment=LOOPBACK_ALLOWED).start()
    receiver.answer = lambda received: Answer(500 if received.revision == 1 else 200)
    made = register(server, receiver.url, retry={**PATIENT, "attempts": 1})
    for step in range(2):
        httpx.post(f"{server.url}/clusters", json=cluster(f"c{step}"))
    receiver.wait_for_revision(2)
    server.kill()

    receiver.answer = lambda _: Answer()
    with server:
        at = f"{server.url}/webhooks/{made['id']}/dead-letters"
        assert [letter["revision"] for letter in httpx.get(at).json()] == [1]
        receiver.received.clear()
        httpx.post(f"{at}/retry")
        assert 1 in first_told(receiver.wait_for_revision(1))


def test_nothing_is_delivered_by_a_command_that_opens_the_directory(tmp_path: Path, receiver: Target) -> None:
    server = ServerProcess(tmp_path / "data", environment=LOOPBACK_ALLOWED)
    with server:
        register(server, receiver.url)
    lines = tmp_path / "fleet.ndjson"
    lines.write_bytes(
        b"".join(httpx.Request("POST", "http://x", json=cluster(f"c{n}")).content + b"\n" for n in (1, 2))
    )
    command = [sys.executable, "-m", "rollbook", "import", "--data", str(tmp_path / "data"), str(lines)]
    subprocess.run(command, check=True, capture_output=True)
    assert receiver.received == []
    with server:
        assert [each.revision for each in receiver.wait_for(2)] == [1, 2]
