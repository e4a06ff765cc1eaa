"""What can't be written is read: a full disk, a read-only directory, a file of somebody else."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbook.errors import JournalForbidden, JournalUnavailable
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.journal.sqlite.schema import FILE_NAME
from tests.journal.contract import created
from tests.journal.test_sqlite import tampered
from tests.journal.test_sqlite_disk_errors import small_disk

__all__ = ["small_disk"]  # the fixture

SOURCE = str(Path(__file__).parents[2] / "src")

AS_AN_ORDINARY_USER = """
import os, pathlib, sys
from rollbook.errors import JournalUnavailable
from rollbook.journal.sqlite.journal import SqliteJournal
from tests.journal.contract import created
if os.getuid() == 0:
    os.setuid(65534)
try:
    journal = SqliteJournal.open(pathlib.Path(sys.argv[1]))
except JournalUnavailable as error:
    print(type(error).__name__, error.message)
    raise SystemExit
problems = journal.inspection.problems()
print([kept.id for kept in journal.load()], [change.id for change in journal.past.history("west")], problems)
try:
    journal.append([created(3, "north")], after=2)
except JournalUnavailable as error:
    print(type(error).__name__, error.message)
journal.close()
"""


@pytest.fixture
def data() -> Iterator[Path]:
    """A data directory that everybody can reach."""
    above = Path(tempfile.mkdtemp())
    above.chmod(0o755)
    yield above / "data"
    shutil.rmtree(above)


@pytest.mark.parametrize("state", ["closed", "killed", "killed, without the index of its log"])
def test_a_directory_that_may_not_be_written_is_read(data: Path, state: str) -> None:
    journal = SqliteJournal.open(data)
    journal.append([created(1, "west"), created(2, "east")], after=0)
    copy = data.parent / "copy"
    if state == "closed":
        journal.close()
    shutil.copytree(data, copy)
    journal.close()
    if state.endswith("log"):
        (copy / f"{FILE_NAME}-shm").unlink()
    said = read_only(copy)
    assert said[0] == "['west', 'east'] ['west'] []"
    assert said[1] == (
        f"JournalForbidden can't open {copy / FILE_NAME} for writing: Permission denied ({copy / FILE_NAME})"
    )


def test_a_file_of_a_former_format_is_read_where_it_can_not_be_migrated(data: Path) -> None:
    of_a_former_format(data)
    assert read_only(data)[0] == "['west', 'east'] ['west'] []"


def test_where_nothing_is_there_nor_can_be_made_it_says_so(data: Path) -> None:
    data.mkdir()
    assert read_only(data)[0].startswith(f"JournalForbidden can't open {data / FILE_NAME} for writing: Permission")


def test_a_full_disk_is_read_and_written_again_when_there_is_room(small_disk: Path) -> None:
    data = small_disk / "data"
    journal = SqliteJournal.open(data)
    journal.append([created(1, "west")], after=0)
    journal.close()
    filler = filled(small_disk)
    journal = SqliteJournal.open(data)
    assert journal.problem is not None
    assert "the disk is full" in journal.problem
    assert [kept.id for kept in journal.load()] == ["west"]
    with pytest.raises(JournalUnavailable, match="the disk is full") as refused:
        journal.append([created(2, "east")], after=1)
    assert not isinstance(refused.value, JournalForbidden)

    filler.unlink()
    journal.look()
    assert journal.problem is None
    journal.append([created(2, "east")], after=1)
    assert [kept.id for kept in journal.load()] == ["west", "east"]
    assert journal.inspection.problems() == []
    journal.close()


def test_a_first_start_on_a_full_disk_says_that_it_is_full(small_disk: Path) -> None:
    filled(small_disk)
    with pytest.raises(JournalUnavailable, match="the disk is full"):
        SqliteJournal.open(small_disk / "data")


def filled(disk: Path) -> Path:
    """A file that takes all the room that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return filler


def read_only(data: Path) -> list[str]:
    """What an ordinary user finds who may only read."""
    for path in (*data.iterdir(), data):
        path.chmod(0o555)
    said = subprocess.run(
        [sys.executable, "-c", AS_AN_ORDINARY_USER, str(data)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": f"{SOURCE}:{Path(__file__).parents[2]}"},
    )
    data.chmod(0o755)
    assert said.stdout, said.stderr
    return said.stdout.splitlines()


def of_a_former_format(data: Path, version: int = 2) -> None:
    """A journal as a former version left it: 4 is before statuses, 3 before large rows lag, 2 before checksums."""
    journal = SqliteJournal.open(data)
    journal.append([created(1, "west"), created(2, "east")], after=0)
    journal.close()
    take_back_to(data, version)


def take_back_to(data: Path, version: int) -> None:
    """Take away from a journal what came after a version of its format."""
    tampered(data, f"PRAGMA user_version = {version}")
    for came_with, statement in (
        (5, "DROP TABLE statuses"),
        (4, "ALTER TABLE changes DROP COLUMN more"),
        (3, "ALTER TABLE clusters DROP COLUMN checksum"),
        (3, "ALTER TABLE changes DROP COLUMN checksum"),
        (3, "ALTER TABLE changes DROP COLUMN was_checksum"),
    ):
        if came_with > version:
            tampered(data, statement)
