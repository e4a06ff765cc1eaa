"""What became of commands and batches is counted."""

import apsw
import pytest

from rollbook.errors import ClusterExists, JournalUnavailable
from rollbook.registry.registry import Registry
from tests.journal.test_sqlite_disk_errors import Disk, disk
from tests.registry.writing import TESTER, create, delete, update

__all__ = ["disk"]  # the fixture


async def test_a_batch_that_the_disk_refuses_is_a_failure_and_no_commit(disk: Disk, registry: Registry) -> None:
    counts = registry.committer.counts
    await create(registry, "west")
    disk.refuses = ("write", apsw.SQLITE_FULL)
    with pytest.raises(JournalUnavailable):
        await create(registry, "east")
    disk.refuses = None
    assert (counts.commits, counts.failures, counts.changes["created"]) == (1, 1, 1)
    assert counts.commands == {"changed": 1, "unchanged": 0, "refused": 0, "failed": 1}


async def test_a_refusal_is_no_commit(registry: Registry) -> None:
    counts = registry.committer.counts
    await create(registry, "west")
    with pytest.raises(ClusterExists):
        await create(registry, "west")
    assert (counts.commits, counts.commands["refused"], registry.committer.waiting) == (1, 1, 0)


async def test_the_view_knows_how_large_its_documents_are(registry: Registry) -> None:
    for id in ("west", "east"):
        await create(registry, id)
    await update(registry, "west", {"tags": ["one", "two"]})
    assert registry.view.body_bytes == sum(map(len, registry.bodies(TESTER)))
    await delete(registry, "east")
    assert registry.view.body_bytes == sum(map(len, registry.bodies(TESTER))) > 0
