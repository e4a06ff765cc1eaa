"""Parts are constructed without effect, run for the length of their blocks, and leave nothing running."""

import asyncio
import threading
from pathlib import Path

from rollbook.assembly import assembled, open_data, open_registry, parts_of
from rollbook.registry.feed.times import read_clocks
from rollbook.registry.liveness.lease_saving import load_leases
from rollbook.settings import Settings
from tests.registry.writing import create


def running() -> set[str]:
    """The names of all tasks and threads of ours."""
    names = {task.get_name() for task in asyncio.all_tasks()} | {thread.name for thread in threading.enumerate()}
    return {name for name in names if name.startswith("rollbook")}


async def test_parts_that_are_assembled_do_nothing_until_they_are_entered(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    async with open_data(settings, indexed=True) as data:
        opened = running(), {path.name for path in settings.data.iterdir()}
        leases = load_leases(data.leases, data.view, read_clocks())
        registry = assembled(settings, data, leases, read_clocks)
        parts = parts_of(registry, data)
        await asyncio.sleep(0)
        assert (running(), {path.name for path in settings.data.iterdir()}) == opened
        for part in parts:
            async with part:
                pass
        await asyncio.sleep(0)
        assert running() == opened[0], "each part ends what it has begun, whether or not the others run"


async def test_nothing_runs_after_a_registry_is_closed(tmp_path: Path) -> None:
    before = running()
    async with open_registry(Settings(data=tmp_path / "data")) as registry:
        registry.liveness.start()
        registry.webhooks.start()
        await create(registry, "west")
        assert running() - before
    assert running() == before
