"""Processes that are killed and paused, and an engine that is away: writes are refused in time, and nothing stops."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from rollbook.journal.postgresql.link import TICK_SECONDS
from tests.examples import cluster
from tests.many_processes import Fleet, fleet_of
from tests.postgresql import FAST, PostgresqlServer, postgresql_directory, shared_schemas
from tests.serving import ServerProcess
from tests.webhooks.receiving import target

SECONDS_MAX = 40.0
ADMIN = "an-admin-token-of-thirty-two-letters"


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def engine() -> Iterator[PostgresqlServer]:
    with postgresql_directory() as directory:
        server = PostgresqlServer(directory, settings=FAST).create()
        yield server
        with suppress(AssertionError):
            server.stop("immediate")


def test_a_process_that_is_earlier_than_its_engine_waits_for_it(engine: PostgresqlServer, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "cache", environment={"ROLLBOOK_JOURNAL": engine.url})

    def answers(path: str) -> httpx.Response | None:
        with suppress(httpx.TransportError):
            return httpx.get(server.url + path)
        return None

    with ThreadPoolExecutor(1) as threads:
        starting = threads.submit(server.start)
        eventually(lambda: answers("/readyz") is not None)
        waiting = httpx.get(server.url + "/readyz")
        assert (waiting.status_code, waiting.json()["code"]) == (503, "journal-unavailable")
        assert "retry-after" in waiting.headers
        assert httpx.get(server.url + "/healthz").status_code == 200
        engine.start()
        starting.result(SECONDS_MAX)
    assert server.stop() == 0


def test_while_the_engine_is_lost_writes_are_refused_and_reads_go_on(engine: PostgresqlServer, tmp_path: Path) -> None:
    environment = {"ROLLBOOK_JOURNAL": engine.url, "ROLLBOOK_JOURNAL_SECONDS": "1"}
    with (
        ServerProcess(tmp_path / "cache", environment=environment) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        assert client.post("/clusters", json=cluster("west")).status_code == 201
        engine.stop("immediate")
        begun = time.monotonic()
        refused = client.put("/clusters/west", json={"$set": {"a": 1}})
        assert time.monotonic() - begun < 10
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["code"] in {"journal-unavailable", "outcome-unknown"}
        eventually(lambda: "age" in client.get("/clusters/west").headers)
        state = client.get("/readyz").json()
        assert (state["writable"], state["keeper"], client.get("/clusters/west").status_code) == (False, False, 200)
        assert state["engine"] != "heard"
        assert state["lagMs"] > 0
        engine.start()
        eventually(lambda: client.put("/clusters/west", json={"$set": {"a": 2}}).status_code == 200)
        eventually(lambda: client.get("/readyz").json()["keeper"])
        assert "age" not in client.get("/clusters/west").headers


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Fleet]:
    (tmp_path / "admin").write_text(ADMIN)
    environment = {
        "ROLLBOOK_ADMIN_TOKEN_FILE": str(tmp_path / "admin"),
        "ROLLBOOK_WEBHOOKS_PRIVATE": "127.0.0.0/8",
    }
    with fleet_of(2, shared_schemas().new(), tmp_path, **environment) as fleet:
        for client in fleet.clients:
            client.headers["authorization"] = f"Bearer {ADMIN}"
        eventually(lambda: fleet.keeper >= 0)
        yield fleet


def test_a_token_is_revoked_in_every_process_within_a_second(pair: Fleet) -> None:
    one, other = pair.clients
    one.post("/clusters", json=cluster("west"))
    token = one.post("/tokens", json={"name": "ci", "roles": ["reader"]}).json()
    headers = {"authorization": f"Bearer {token['token']}"}
    read = lambda: other.get("/clusters/west", params={"minRevision": 1}, headers=headers).status_code  # noqa: E731
    eventually(lambda: read() == 200)
    assert one.delete(f"/tokens/{token['id']}").status_code < 300
    first = heard_after(other, time.monotonic())
    heard_after(other, first + TICK_SECONDS / 2)  # what it heard first is known when it hears the engine again
    assert read() == 401
    assert 2 * TICK_SECONDS < 1  # the time that this takes where nothing else holds the processes up


def heard_after(client: httpx.Client, time_seconds: float) -> float:
    """When a process has heard the engine, later than a time of ``time.monotonic``; waits for it."""
    heard_at = float("-inf")

    def is_later() -> bool:
        nonlocal heard_at
        asked_at = time.monotonic()
        heard_at = asked_at - client.get("/readyz").json()["lagMs"] / 1000
        return heard_at > time_seconds

    eventually(is_later)
    return heard_at


def test_all_processes_keep_one_audit_log(pair: Fleet) -> None:
    for number, client in enumerate(pair.clients):
        assert client.post("/tokens", json={"name": f"audited{number}", "roles": ["reader"]}).status_code == 201
    one, other = (client.get("/audit").json() for client in pair.clients)
    assert one == other
    assert len(one) >= 2
    assert [entry["seq"] for entry in one] == sorted(entry["seq"] for entry in one)


def test_when_the_keeper_is_killed_another_writes_silences_down_and_delivers(pair: Fleet) -> None:
    with target() as receiver:
        keeper = pair.keeper
        kept, left = pair.clients[keeper], pair.clients[1 - keeper]
        hook = {"url": receiver.url}
        made = left.post("/webhooks", json=hook)
        assert made.status_code == 201, made.text
        kept.post("/clusters", json=cluster("west", status="live"))
        assert left.post("/clusters/west/heartbeat", json={"ttlSeconds": 2}).status_code == 200
        eventually(lambda: {each.revision for each in receiver.received} == {1})
        pair.processes[keeper].kill()
        eventually(lambda: bool(left.get("/readyz").json()["keeper"]))
        eventually(lambda: left.get("/clusters/west").json()["status"] == "unreachable")
        eventually(lambda: {each.revision for each in receiver.received} == {1, 2})


def test_a_keeper_that_is_paused_is_replaced_and_knows_it_afterwards(pair: Fleet) -> None:
    keeper = pair.keeper
    paused = pair.processes[keeper].process
    assert paused is not None
    paused.send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: bool(pair.clients[1 - keeper].get("/readyz").json()["keeper"]))
    finally:
        paused.send_signal(signal.SIGCONT)
    eventually(lambda: not pair.clients[keeper].get("/readyz").json()["keeper"])
    assert pair.clients[1 - keeper].get("/readyz").json()["keeper"]
