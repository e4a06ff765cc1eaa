"""A running registry keeps its snapshot young, without waiting for it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rollbook.documents.codec import encode_json
from rollbook.journal.changes import Change
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.limits import Limits
from rollbook.view.keeping import SnapshotKeeper
from rollbook.view.opening import open_view
from rollbook.view.snapshots import FILE_NAME, read_snapshot
from rollbook.view.views import View


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal.open(tmp_path)
    yield journal
    journal.close()


def grow(journal: SqliteJournal, view: View, count: int) -> None:
    first = journal.newest() + 1
    changes = [
        Change(revision, f"c{revision}", "created", 1, None, encode_json({"id": f"c{revision}"}))
        for revision in range(first, first + count)
    ]
    journal.append(changes, after=first - 1)
    view.apply(changes)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def revision_kept(directory: Path) -> int:
    read = read_snapshot(directory, limits=Limits())
    return 0 if read is None else read[0].revision


def test_a_snapshot_is_written_when_it_is_due(journal: SqliteJournal, tmp_path: Path) -> None:
    view = open_view(journal, tmp_path)
    keeper = SnapshotKeeper(view, journal, tmp_path, changes_min=10)
    grow(journal, view, 9)
    keeper.keep()
    assert not (tmp_path / FILE_NAME).exists()
    grow(journal, view, 1)
    keeper.keep()
    grow(journal, view, 5)

    def seen() -> bool:
        keeper.keep()
        return view.snapshot_revision == 10

    wait_until(seen)
    assert revision_kept(tmp_path) == 10, "the snapshot is of the moment when it was begun"
    assert len(open_view(journal, tmp_path)) == 15
    keeper.close()


def test_the_child_holds_neither_the_lock_nor_the_files(journal: SqliteJournal, tmp_path: Path) -> None:
    view = open_view(journal, tmp_path)
    keeper = SnapshotKeeper(view, journal, tmp_path, changes_min=1)
    grow(journal, view, 2_000)
    keeper.keep()
    journal.close()
    SqliteJournal.open(tmp_path).close()
    keeper.close()


def test_closing_ends_a_snapshot_that_is_being_written(journal: SqliteJournal, tmp_path: Path) -> None:
    view = open_view(journal, tmp_path)
    keeper = SnapshotKeeper(view, journal, tmp_path, changes_min=1)
    grow(journal, view, 2_000)
    keeper.keep()
    keeper.close()
    keeper.close()
    assert revision_kept(tmp_path) in (0, 2_000)
    open_view(journal, tmp_path)
    assert not list(tmp_path.glob("*.new"))


def test_a_disk_that_refuses_is_tried_again_when_the_next_is_due(journal: SqliteJournal, tmp_path: Path) -> None:
    view = open_view(journal, tmp_path)
    keeper = SnapshotKeeper(view, journal, tmp_path, changes_min=10)
    (tmp_path / FILE_NAME).mkdir()
    grow(journal, view, 10)
    keeper.keep()
    wait_until(lambda: keeper.keep() or keeper._child is None)
    assert view.snapshot_revision == 0
    (tmp_path / FILE_NAME).rmdir()
    keeper.keep()
    assert keeper._child is None, "not at once"
    grow(journal, view, 10)
    keeper.keep()
    wait_until(lambda: keeper.keep() or view.snapshot_revision == 20)
    keeper.close()
