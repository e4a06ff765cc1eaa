"""Scheduled backups fail, and go on, without harm to what is there."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.registry.backups import Backups, Schedule, newest_in
from rollbook.registry.feed.duties import Duty

NOW_MS = 1_800_000_000_000


class Kept:
    """Backups of an empty registry, every 100 seconds into the directory ``kept``, by a clock of its own."""

    def __init__(self, journal: SqliteJournal, home: Path, duty: Duty) -> None:
        self.now_ms, self.directory = NOW_MS, home / "kept"
        schedule = Schedule(self.directory, 100, 2)
        self.backups = Backups(journal, home, schedule, now_ms=lambda: self.now_ms, duty=duty)

    def look(self, *, seconds: float = 0) -> list[str]:
        """What is in the directory when it was looked at, later."""
        self.now_ms += round(seconds * 1000)
        asyncio.run(self.backups.look())
        return sorted(path.name for path in self.directory.iterdir()) if self.directory.is_dir() else []


@pytest.fixture
def duty() -> Duty:
    duty = Duty(is_alone=False)
    duty.is_ours = True
    return duty


@pytest.fixture
def kept(tmp_path: Path, duty: Duty) -> Iterator[Kept]:
    journal = SqliteJournal.open(tmp_path)
    yield Kept(journal, tmp_path, duty)
    journal.close()


def test_what_failed_is_tried_again_after_a_minute(kept: Kept) -> None:
    kept.directory.write_text("in the way")
    kept.look()
    assert kept.backups.problem is not None
    kept.directory.unlink()
    assert kept.look(seconds=1) == []
    assert len(kept.look(seconds=60)) == 1
    assert kept.backups.problem is None


def test_what_failed_is_tried_again_though_the_clock_went_back(kept: Kept) -> None:
    kept.directory.write_text("in the way")
    kept.look()
    kept.directory.unlink()
    assert len(kept.look(seconds=-86_400)) == 1


def test_a_process_that_is_not_the_keeper_any_more_has_no_trouble_with_backups(kept: Kept, duty: Duty) -> None:
    kept.directory.write_text("in the way")
    kept.look()
    duty.is_ours = False
    kept.look()
    assert kept.backups.problem is None
    kept.directory.unlink()
    duty.is_ours = True
    assert len(kept.look()) == 1


def test_a_backup_that_fails_leaves_nothing(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "audit.ndjson").mkdir()  # which can't be read as a file
    assert kept.look() == []
    assert kept.backups.problem is not None


def test_only_scheduled_backups_are_counted_and_removed(kept: Kept) -> None:
    kept.directory.mkdir()
    others = ["rollbook-20261332T000000Z-r1.backup", "rollbook-mine.backup", "by-hand.backup"]
    for name in others:
        (kept.directory / name).touch()
    assert newest_in(kept.directory) is None
    for _ in range(3):
        kept.look(seconds=100)
    assert len(kept.look()) == len(others) + 2
    assert all((kept.directory / name).exists() for name in others)
