"""Retention: the past is kept as far as it is told to be, and given up off the way of writes."""

import asyncio
import logging
import os
import random
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.registry.history.compacting import DAY_MS, Compactor, Retention
from tests.examples import cluster
from tests.journal.contract import body, created, updated
from tests.serving import ServerProcess

SECONDS_MAX = 10.0
WIDE = {"days": 1, "changes": 10**6, "bytes": 10**9}


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    """A journal with 1,000 changes, dated 1,001 to 2,000 ms."""
    journal = SqliteJournal.open(tmp_path / "data")
    journal.append([created(n, f"c{n}") for n in range(1, 1_001)], after=0)
    return journal


@asynccontextmanager
async def compacting(journal: SqliteJournal, *, now_ms: int = 2_000, **bounds: int) -> AsyncIterator[Compactor]:
    async with Compactor(journal, Retention(**{**WIDE, **bounds}), now_ms=lambda: now_ms) as compactor:
        yield compactor


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while not reached():
            await asyncio.sleep(0.005)


async def test_nothing_within_the_retention_is_given_up(journal: SqliteJournal) -> None:
    async with compacting(journal, now_ms=DAY_MS + 1_000) as compactor:
        await asyncio.sleep(0.1)
    assert (compactor.mark, compactor.given_up) == (0, 0)
    assert sum(1 for _ in journal.follow(0)) == 1_000


@pytest.mark.parametrize(
    ("bounds", "mark"),
    [({"changes": 10}, 990), ({"now_ms": DAY_MS + 1_500}, 500), ({"bytes": 250}, 999), ({"bytes": 100_000}, None)],
)
async def test_what_is_beyond_the_retention_is_given_up_and_reported(
    journal: SqliteJournal, bounds: dict[str, int], mark: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with compacting(journal, **bounds) as compactor:
        await until(lambda: "history goes back to" in caplog.text)
    assert compactor.mark == compactor.given_up == journal.compaction.mark()
    assert mark in (None, compactor.mark)
    assert f"gave up {compactor.mark} changes" in caplog.text
    assert len(list(journal.load())) == 1_000
    assert journal.inspection.problems() == []


async def test_it_stops_between_two_steps(journal: SqliteJournal) -> None:
    async with compacting(journal, changes=1) as compactor:
        await until(lambda: compactor.mark > 0)
    assert compactor.mark == journal.compaction.mark() < 999
    journal.close()


async def test_trouble_is_told_and_does_not_end_it(journal: SqliteJournal, caplog: pytest.LogCaptureFixture) -> None:
    async with compacting(journal, changes=1) as compactor:
        journal.close()
        await until(lambda: compactor.problem is not None)
    assert compactor.problem == "the journal is closed"
    assert "will be tried again" in caplog.text


async def test_writes_go_on_while_it_works(journal: SqliteJournal) -> None:
    async with compacting(journal, changes=1) as compactor:
        for revision in range(1_001, 1_051):
            n = revision - 1_001
            change = updated(revision, "c1", body("c1", n=n - 1) if n else body("c1"), body("c1", n=n))
            await asyncio.to_thread(journal.append, [change], after=revision - 1)
        await until(lambda: compactor.mark >= 999)
    assert journal.newest() == 1_050
    assert journal.inspection.problems() == []


def test_kill_9_while_a_server_compacts_leaves_it_sound(tmp_path: Path) -> None:
    """Each start finds the changes of the round before, far beyond the retention, and dies while it gives them up."""
    data, chance = tmp_path / "data", random.Random(5)
    few = {"ROLLBOOK_HISTORY_CHANGES": "5"}
    acknowledged = mark = 0
    for _ in range(3):
        server = ServerProcess(data, environment=few).start()
        killed = threading.Event()
        writer = threading.Thread(target=write, args=(server.url, killed))
        writer.start()
        killed.wait(chance.uniform(0.3, 1.0))
        acknowledged = httpx.get(f"{server.url}/readyz").json()["revision"]
        server.kill()
        killed.set()
        writer.join()
        check = [sys.executable, "-m", "rollbook", "check", "--data", str(data)]
        sound = subprocess.run(check, capture_output=True, text=True, check=False, env=dict(os.environ))
        assert sound.returncode == 0, sound.stdout + sound.stderr
        journal = SqliteJournal.open(data)
        assert journal.newest() >= acknowledged
        assert mark <= journal.compaction.mark() < journal.newest()
        mark = journal.compaction.mark()
        journal.close()
    assert mark > 0


def write(url: str, stopped: threading.Event) -> None:
    """Change one cluster until the server goes away."""
    try:
        with httpx.Client(base_url=url, timeout=10) as http:
            http.post("/clusters", json=cluster("west"))
            while not stopped.is_set():
                http.put("/clusters/west", json={"$inc": {"reputation": 1}})
    except httpx.TransportError:
        return
