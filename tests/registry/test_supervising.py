"""A task that must not end is started again, or its end stops the whole registry; neither goes unnoticed."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from rollbook.assembly import open_registry
from rollbook.registry.supervising import Supervisor
from rollbook.settings import Settings
from tests.examples import cluster
from tests.serving import ServerProcess, free_port


async def test_a_task_that_fails_is_started_again_and_named() -> None:
    supervisor, runs, is_over = Supervisor(first_pause_seconds=0.001), 0, asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs <= 3:
            raise OSError(f"fault {runs}")
        is_over.set()
        await asyncio.Event().wait()

    task = supervisor.run("worker", work)
    await asyncio.wait_for(is_over.wait(), 10)
    assert supervisor.restarts == {"worker": 3}
    assert supervisor.problems == {"worker": "it was started again after OSError: fault 3"}
    assert supervisor.failure is None
    task.cancel()


async def test_a_task_that_ends_by_itself_is_not_started_again() -> None:
    supervisor = Supervisor()

    async def work() -> None:
        return

    await asyncio.wait_for(supervisor.run("worker", work), 10)
    assert (supervisor.restarts, supervisor.problems, supervisor.failure) == ({}, {}, None)


async def test_the_end_of_a_task_that_cannot_go_on_is_a_failure() -> None:
    supervisor = Supervisor()

    async def work() -> None:
        raise OSError("a fault")

    with pytest.raises(OSError, match="a fault"):
        await supervisor.run("worker", work, restarts=False)
    assert await asyncio.wait_for(supervisor.failed(), 10) == "the task worker has ended: a fault"


async def test_a_task_that_waits_for_its_restart_does_not_hold_up_a_stop() -> None:
    supervisor = Supervisor(first_pause_seconds=600)

    async def work() -> None:
        raise OSError("a fault")

    task = supervisor.run("worker", work)
    while not supervisor.restarts:
        await asyncio.sleep(0.001)
    supervisor.close()
    await asyncio.wait_for(task, 10)


async def test_every_task_of_a_registry_is_watched(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with open_registry(Settings(data=tmp_path / "data")) as registry:
        registry.liveness.start()
        registry.webhooks.start()
        unwatched = [
            task.get_name()
            for task in asyncio.all_tasks() - before
            if "Supervisor." not in repr(task.get_coro()) and not task.get_name().startswith("Task-")
        ]
        assert unwatched == []
    assert registry.supervisor.failure is None


POISONED = """
import sys
from rollbook.view import views
apply = views.View.apply
def poisoned(view, changes, *rest):
    if any(change.id == "poison" for change in changes):
        raise RuntimeError("the index is broken")
    return apply(view, changes, *rest)
views.View.apply = poisoned
from rollbook.cli import main
sys.argv = ["rollbook", "serve", "--port", sys.argv[1], "--data", sys.argv[2]]
main()
"""


def test_a_server_that_can_write_no_more_answers_stops_and_starts_again_with_what_was_durable(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-c", POISONED, str(port), str(tmp_path / "data")]
        process = subprocess.Popen(command, stdout=output, stderr=output)
    transport = httpx.HTTPTransport(retries=100)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, transport=transport) as http:
            assert http.post("/clusters", json=cluster("west")).status_code == 201
            assert http.post("/clusters", json=cluster("poison")).status_code == 500
        assert process.wait(30) == 1
    finally:
        process.kill()
    assert "the task rollbook-committer has ended" in log.read_text()
    with ServerProcess(tmp_path / "data") as server:
        found = json.loads(httpx.post(server.url + "/clusters/query", json={}).text)
    assert [each["id"] for each in found] == ["west", "poison"]
