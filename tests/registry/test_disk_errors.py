"""When the disk refuses, whoever reads the log is told: once when it begins, once when it is over."""

import logging
from pathlib import Path

import apsw
import pytest

from rollbook.assembly import open_registry
from rollbook.errors import JournalUnavailable
from rollbook.settings import Settings
from tests.journal.test_sqlite_disk_errors import Disk, disk
from tests.registry.writing import create

__all__ = ["disk"]  # the fixture


async def test_the_log_tells_when_writes_fail_and_when_they_succeed_again(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_registry(Settings(data=tmp_path)) as registry:
        caplog.set_level(logging.WARNING, "rollbook.registry.writing.committing")
        disk.refuses = ("write", apsw.SQLITE_FULL)
        for id in ("east", "west"):
            with pytest.raises(JournalUnavailable):
                await create(registry, id)
        disk.refuses = None
        await create(registry, "west")

    begun, over = caplog.messages
    assert "the disk is full" in begun
    assert over == "writes reach the disk again"


async def test_a_registry_closes_though_the_disk_refuses(tmp_path: Path, disk: Disk) -> None:
    async with open_registry(Settings(data=tmp_path)) as registry:
        await create(registry, "west")
        disk.refuses = ("write", apsw.SQLITE_FULL)
    disk.refuses = None
    async with open_registry(Settings(data=tmp_path)) as registry:
        assert len(registry.view) == 1
