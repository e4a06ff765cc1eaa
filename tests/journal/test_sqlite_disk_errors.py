"""When the disk refuses, the append fails with the reason, nothing of it is there, and the next one may succeed."""

import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from rollbook.errors import JournalUnavailable
from rollbook.journal.sqlite import copying
from rollbook.journal.sqlite.copying import list_earlier, turn_back_journal
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.journal.sqlite.transactions import transaction
from tests.journal.contract import body, created, updated


class Disk:
    """What the disk refuses now: the name of a VFS file method, and SQLite's code for it."""

    refuses: tuple[str, int] | None = None

    def touch(self, method: str) -> None:
        if self.refuses is not None and self.refuses[0] == method:
            raise apsw.exception_for(self.refuses[1])


class TroubledFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: object, flags: list[int]) -> None:
        self.disk = disk
        super().__init__("unix", name, flags)

    def xWrite(self, content: bytes, offset: int) -> None:
        self.disk.touch("write")
        super().xWrite(content, offset)

    def xSync(self, flags: int) -> None:
        self.disk.touch("sync")
        super().xSync(flags)


class TroubledFiles(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        super().__init__("troubled", "unix", makedefault=True)

    def xOpen(self, name: object, flags: list[int]) -> TroubledFile:
        return TroubledFile(self.disk, name, flags)


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    files = TroubledFiles(disk)
    yield disk
    files.unregister()


@pytest.mark.parametrize(
    ("refuses", "reason"),
    [
        (("write", apsw.SQLITE_FULL), "the disk is full"),
        (("write", apsw.SQLITE_IOERR_WRITE), "input/output error"),
        (("sync", apsw.SQLITE_IOERR_FSYNC), "input/output error"),
        (("write", apsw.SQLITE_READONLY), "read-only"),
    ],
)
def test_a_refused_append_leaves_nothing_now_or_after_a_crash(
    tmp_path: Path, disk: Disk, refuses: tuple[str, int], reason: str
) -> None:
    journal = SqliteJournal.open(tmp_path / "data")
    journal.append([created(1, "west")], after=0)
    disk.refuses = refuses
    with pytest.raises(JournalUnavailable, match=reason):
        journal.append([created(2, "east"), created(3, "north")], after=1)
    assert journal.newest() == 1
    assert [kept.id for kept in journal.load()] == ["west"]
    disk.refuses = None
    journal.append([created(2, "south")], after=1)
    shutil.copytree(tmp_path / "data", tmp_path / "crashed")
    journal.close()
    crashed = SqliteJournal.open(tmp_path / "crashed")
    assert [kept.id for kept in crashed.load()] == ["west", "south"]
    assert crashed.inspection.problems() == []
    crashed.close()


def test_a_refused_step_of_compaction_gives_up_nothing_and_may_be_tried_again(tmp_path: Path, disk: Disk) -> None:
    journal = SqliteJournal.open(tmp_path / "data")
    journal.append([created(1, "west"), created(2, "east")], after=0)
    disk.refuses = ("sync", apsw.SQLITE_IOERR_FSYNC)
    with pytest.raises(JournalUnavailable, match="input/output error"):
        journal.compaction.step(1)
    assert journal.compaction.mark() == 0
    assert [change.revision for change in journal.follow(0)] == [1, 2]
    disk.refuses = None
    assert journal.compaction.step(1) == 1
    assert journal.inspection.problems() == []
    journal.close()


def test_a_batch_whose_sync_failed_is_not_found_by_a_restart(tmp_path: Path, disk: Disk) -> None:
    journal = SqliteJournal.open(tmp_path / "data")
    journal.append([created(1, "west")], after=0)
    synced = iter([apsw.SQLITE_IOERR_FSYNC])
    disk.touch = lambda method: _raise_next(synced) if method == "sync" else None  # type: ignore[method-assign]
    with pytest.raises(JournalUnavailable):
        journal.append([created(2, "east")], after=1)
    shutil.copytree(tmp_path / "data", tmp_path / "crashed")
    journal.close()
    crashed = SqliteJournal.open(tmp_path / "crashed")
    assert [kept.id for kept in crashed.load()] == ["west"]
    crashed.close()


def test_a_file_that_may_not_grow_refuses_and_recovers(tmp_path: Path) -> None:
    journal = SqliteJournal.open(tmp_path / "data")
    journal.append([created(1, "west")], after=0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(JournalUnavailable, match="nothing was written"):
            journal.append([created(2, "big", body("big", pad="x" * 1_000_000))], after=1)
        journal.append([created(2, "east")], after=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    journal.append([created(3, "big", body("big", pad="x" * 1_000_000))], after=2)
    assert journal.inspection.problems() == []
    journal.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True)
    if not made or made.returncode:
        pytest.skip("a small disk can't be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_refuses_and_a_freed_one_goes_on(small_disk: Path) -> None:
    journal = SqliteJournal.open(small_disk / "data")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1_500_000))
    with pytest.raises(JournalUnavailable, match="the disk is full"):
        append_until_refused(journal)
    newest = journal.newest()
    assert sum(1 for _ in journal.load()) == newest
    filler.unlink()
    journal.append([created(newest + 1, "after")], after=newest)
    assert journal.inspection.problems() == []
    journal.close()


def test_a_place_where_nothing_can_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalUnavailable, match=r"can't open the journal in .*file/data"):
        SqliteJournal.open(tmp_path / "file" / "data")


def append_until_refused(journal: SqliteJournal) -> None:
    for newest in range(100):
        id = f"c{newest + 1}"
        journal.append([created(newest + 1, id, body(id, pad="x" * 9_000))], after=newest)


def _raise_next(codes: Iterator[int]) -> None:
    for code in codes:
        raise apsw.exception_for(code)


@pytest.mark.parametrize("code", [apsw.SQLITE_FULL, apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_NOMEM])
def test_a_transaction_that_sqlite_took_back_fails_for_its_reason(tmp_path: Path, disk: Disk, code: int) -> None:
    connection = apsw.Connection(str(tmp_path / "file"))
    connection.execute("PRAGMA cache_size = 1; CREATE TABLE texts (text TEXT)")
    rows = "WITH RECURSIVE rows(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM rows WHERE n < 100)"
    more_than_the_cache_holds = f"{rows} INSERT INTO texts SELECT hex(randomblob(2000)) FROM rows"
    disk.refuses = ("write", code)
    with pytest.raises(type(apsw.exception_for(code))), transaction(connection):
        connection.execute(more_than_the_cache_holds)
    disk.refuses = None
    assert not connection.in_transaction
    assert connection.execute("SELECT count(*) FROM texts").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("code", "reason"),
    [(apsw.SQLITE_FULL, "the disk is full"), (apsw.SQLITE_NOMEM, "there is not enough memory")],
)
def test_a_journal_that_can_not_be_turned_back_says_why(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, code: int, reason: str
) -> None:
    journal = SqliteJournal.open(tmp_path)
    ids = [f"c{number}" for number in range(20)]
    former = body("x", note="x" * 200_000)  # in all more than SQLite's cache holds, which writes pages before the end
    journal.append([created(number, id, former) for number, id in enumerate(ids, 1)], after=0)
    journal.append([updated(number, id, former, body(id)) for number, id in enumerate(ids, 21)], after=20)
    journal.close()

    def list_while_the_disk_fails(*asked: Any) -> Any:
        disk.refuses = ("write", code)
        return list_earlier(*asked)

    monkeypatch.setattr(copying, "list_earlier", list_while_the_disk_fails)
    with pytest.raises(JournalUnavailable, match=f"left as it is: {reason}"):
        turn_back_journal(tmp_path, revision=20, at_ms=None)
    monkeypatch.undo()
    disk.refuses = None
    assert turn_back_journal(tmp_path, revision=20, at_ms=None) == 20
