"""Backups of a running registry: one when it is asked for, and one every so often into a directory.

Theory: where several processes are one registry, the keeper makes the scheduled ones. Their directory may be one for
all processes, or each has its own; so each looks into it for the newest one. A keeper that is paused
amid a backup, and goes on when another process is the keeper, has a file of its own, and harms none.

One rule: a scheduled backup gets its name when it is whole and on the disk, so what has such a name can be restored.
"""

import asyncio
import logging
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from rollbook.errors import JournalUnavailable
from rollbook.journal.backups import Manifest, make_backup
from rollbook.journal.interface import DirectoryJournal
from rollbook.registry.feed.duties import Duty

NAME = re.compile(r"rollbook-(\d{8}T\d{6}Z)-r\d+\.backup")
TIME_FORMAT = "%Y%m%dT%H%M%SZ"
RETRY_MS = 60_000
"""How long after one that failed the next one is tried: each copies the whole registry."""

logger = logging.getLogger(__name__)


class Schedule(Struct, frozen=True):
    """Where backups are kept, how many seconds lie between two, and how many stay. ``directory`` None: nowhere."""

    directory: Path | None
    every_seconds: int
    keep: int


class Backups:
    """Makes the backups of the registry in ``directory``, one at a time."""

    def __init__(
        self,
        journal: DirectoryJournal,
        directory: Path,
        schedule: Schedule,
        *,
        now_ms: Callable[[], int],
        duty: Duty | None = None,
    ) -> None:
        self._duty = duty or Duty()
        self._journal = journal
        self._directory = directory
        self._now_ms = now_ms
        self._one_at_a_time = asyncio.Lock()
        self.schedule = schedule
        self._again_ms = 0
        """When to try again after a failure (Unix ms)."""
        self.problem: str | None = None
        """Why the last scheduled backup could not be made; None when it could."""
        self.newest_ms: int | None = None if schedule.directory is None else newest_in(schedule.directory)
        """When the newest scheduled backup was made (Unix ms); None when there is none."""

    async def make(self, path: Path) -> Manifest:
        """Make a backup as the file ``path``. Fails (JournalUnavailable) as disks do."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._make, path)

    async def make_temporary(self) -> tuple[Path, Manifest]:
        """Make a backup as a file that the caller removes."""
        descriptor, name = tempfile.mkstemp(prefix="backup-", dir=self._directory)
        os.close(descriptor)
        try:
            return Path(name), await self.make(Path(name))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    async def look(self) -> None:
        """Make the scheduled backup when it is due, and remove the oldest ones."""
        directory, now_ms = self.schedule.directory, self._now_ms()
        if directory is None:
            return
        try:
            if not self._duty.is_alone:
                self.newest_ms = await asyncio.to_thread(newest_in, directory)
            if not self._duty.is_ours:
                self.problem, self._again_ms = None, now_ms  # the keeper says what is wrong
            elif self._is_due(now_ms):
                await self._make_scheduled(directory, now_ms)
                self.problem, self.newest_ms = None, now_ms
        except (JournalUnavailable, OSError) as failure:
            self.problem, self._again_ms = str(failure), self._now_ms() + RETRY_MS
            logger.error("the backup into %s failed: %s", directory, failure)

    def _is_due(self, now_ms: int) -> bool:
        if self.problem is not None and now_ms < self._again_ms <= now_ms + RETRY_MS:  # unless the clock went back
            return False
        return self.newest_ms is None or now_ms - self.newest_ms >= self.schedule.every_seconds * 1000

    @property
    def age_seconds(self) -> float | None:
        """How old the newest scheduled backup is; None when there is none."""
        return None if self.newest_ms is None else max(0.0, (self._now_ms() - self.newest_ms) / 1000)

    async def _make_scheduled(self, directory: Path, now_ms: int) -> None:
        await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
        part = await asyncio.to_thread(_new_part, directory)
        try:
            manifest = await self.make(part)
            time = datetime.fromtimestamp(now_ms / 1000, UTC).strftime(TIME_FORMAT)
            part.rename(directory / f"rollbook-{time}-r{manifest.revision}.backup")
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        for old in kept_in(directory)[: -self.schedule.keep]:
            old.unlink(missing_ok=True)

    def _make(self, path: Path) -> Manifest:
        with path.open("wb") as file:
            manifest = make_backup(self._journal, self._directory, file, at_ms=self._now_ms())
            file.flush()
            os.fsync(file.fileno())
        return manifest


def _new_part(directory: Path) -> Path:
    """A file for a backup, which no other process writes to. What others have left unfinished is removed."""
    for left in directory.glob("rollbook*.part"):
        left.unlink(missing_ok=True)
    return directory / f"rollbook-{secrets.token_hex(4)}.part"


def kept_in(directory: Path) -> list[Path]:
    """The scheduled backups in a directory, oldest first."""
    return sorted(path for path in directory.glob("rollbook-*.backup") if _time_of(path) is not None)


def newest_in(directory: Path) -> int | None:
    """When the newest backup in a directory was made (Unix ms), by its name; None when there is none."""
    kept = kept_in(directory) if directory.is_dir() else []
    return _time_of(kept[-1]) if kept else None


def _time_of(path: Path) -> int | None:
    """When a scheduled backup was made (Unix ms), by its name; None: it is none of them."""
    found = NAME.fullmatch(path.name)
    if found is None:
        return None
    try:
        return int(datetime.strptime(found[1], TIME_FORMAT).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return None
