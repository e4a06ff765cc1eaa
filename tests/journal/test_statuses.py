"""Since when a document has its status, in the file of the embedded journal: kept, checked, and found in old files."""

import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.errors import DataDirectoryUnsound
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.journal.sqlite.schema import FILE_NAME
from rollbook.journal.statuses import StatusChange
from tests.journal.contract import body, compact, created, deleted, updated, write_lives
from tests.journal.test_frozen import take_back_to
from tests.journal.test_sqlite import tampered

LIVE, DOWN = body("west", status="live"), body("west", status="down")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A journal with a cluster that was given another status, and then changed in another field."""
    journal = SqliteJournal.open(tmp_path / "data")
    later = body("west", status="down", a="b")
    journal.append([created(1, "west", LIVE), updated(2, "west", LIVE, DOWN), updated(3, "west", DOWN, later)], after=0)
    journal.close()
    return tmp_path / "data"


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_an_old_file_comes_to_know_what_it_would_have_kept(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as directory:
        journal = SqliteJournal.open(Path(directory))
        write_lives(journal, data)
        known = {kept.id: (kept, journal.past.status(kept.id)) for kept in journal.load()}
        journal.close()
        take_back_to(Path(directory), data.draw(st.sampled_from([2, 3, 4])))
        journal = SqliteJournal.open(Path(directory))
        assert journal.inspection.problems() == []
        assert {kept.id: (kept, journal.past.status(kept.id)) for kept in journal.load()} == known
        journal.close()


def test_an_old_file_whose_changes_are_gone_knows_the_oldest_version(data: Path) -> None:
    journal = SqliteJournal.open(data)
    compact(journal, 2)
    journal.close()
    take_back_to(data, 4)
    journal = SqliteJournal.open(data)
    assert journal.past.status("west") == StatusChange(2, 1_002, None, None)
    compact(journal, 3)
    journal.close()
    take_back_to(data, 4)
    journal = SqliteJournal.open(data)
    assert [kept.status_since_ms for kept in journal.load()] == [1_003]
    assert journal.inspection.problems() == []
    journal.close()


def test_an_old_file_with_a_damaged_history_opens(data: Path) -> None:
    take_back_to(data, 4)
    tampered(data, "UPDATE changes SET inserted = 'dawn' WHERE revision = 2")
    journal = SqliteJournal.open(data)
    assert [kept.id for kept in journal.load()] == ["west"]
    journal.close()


@pytest.mark.parametrize("column", ["at_ms = at_ms + 1", "actor = 'registry'", "former = '\"gone\"'"])
def test_a_damaged_status_is_never_handed_on(data: Path, column: str) -> None:
    tampered(data, f"UPDATE statuses SET {column}")
    journal = SqliteJournal.open(data)
    with pytest.raises(DataDirectoryUnsound, match=r"rollbook repair .*'west'"):
        journal.past.status("west")
    with pytest.raises(DataDirectoryUnsound, match="the status of 'west' since revision 2 is not what was written"):
        list(journal.load())
    assert any("the status of 'west'" in problem for problem in journal.inspection.problems())
    journal.close()


@pytest.mark.parametrize("damage", ["DELETE FROM statuses", "UPDATE statuses SET at_ms = 1000"])
def test_damaged_statuses_are_made_again_from_the_changes(data: Path, damage: str) -> None:
    tampered(data, damage)
    journal = SqliteJournal.open(data)
    assert journal.inspection.problems() != []
    assert "made again" in journal.repair("west", drop=False)
    assert journal.inspection.problems() == []
    assert journal.past.status("west") == StatusChange(2, 1_002, "anonymous", b'"live"')
    journal.close()


def test_compaction_gives_up_the_statuses_that_nothing_needs(data: Path) -> None:
    journal = SqliteJournal.open(data)
    later = body("west", status="down", a="b")
    changes = [updated(4, "west", later, LIVE), created(5, "east"), deleted(6, "west", LIVE), created(7, "west", LIVE)]
    journal.append(changes, after=3)
    compact(journal, 7)
    journal.close()
    with sqlite3.connect(data / FILE_NAME) as other:
        assert other.execute("SELECT id, revision FROM statuses").fetchall() == [("west", 7)]
