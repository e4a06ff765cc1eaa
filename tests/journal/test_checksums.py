"""What was written is what is read; damage is refused with file, cluster and remedy, and can be repaired."""

import re
from pathlib import Path

import pytest

from rollbook.errors import ClusterNotFound, DataDirectoryUnsound
from rollbook.journal.changes import Change
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.journal.sqlite.schema import FILE_NAME, FORMAT
from tests.journal.contract import body, created, deleted, protected, updated
from tests.journal.test_frozen import of_a_former_format
from tests.journal.test_sqlite import tampered

BEFORE, AFTER = body("west", status="live"), body("west", status="down")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A journal with two clusters, one of them updated; its third revision is the newest."""
    journal = SqliteJournal.open(tmp_path / "data")
    journal.append([created(1, "west", BEFORE), created(2, "east"), updated(3, "west", BEFORE, AFTER)], after=0)
    journal.close()
    return tmp_path / "data"


DAMAGED_DOCUMENTS = [
    "UPDATE clusters SET body = replace(body, 'down', 'dawn') WHERE id = 'west'",
    "UPDATE clusters SET body = 'no JSON' WHERE id = 'west'",
    "UPDATE clusters SET body = '' WHERE id = 'west'",
    "UPDATE clusters SET body = CAST(x'ff00' AS TEXT) WHERE id = 'west'",
    "UPDATE clusters SET revision = 2 WHERE id = 'west'",
    "UPDATE clusters SET updated_at_ms = 7 WHERE id = 'west'",
    "UPDATE clusters SET checksum = checksum + 1 WHERE id = 'west'",
]


@pytest.mark.parametrize("damage", DAMAGED_DOCUMENTS)
def test_a_damaged_document_is_never_handed_on(data: Path, damage: str) -> None:
    tampered(data, damage)
    journal = SqliteJournal.open(data)
    refused = rf"{re.escape(str(data / FILE_NAME))} is damaged: .*'west'.*rollbook repair --data {data} 'west'"
    for read in (
        lambda: list(journal.load()),
        lambda: list(journal.past.history("west")),
        lambda: journal.past.version("west", 3),
        lambda: journal.past.version("west", 1),
        lambda: list(journal.past.earlier(1)),
    ):
        with pytest.raises(DataDirectoryUnsound, match=refused):
            read()
    assert any("'west' at revision" in problem for problem in journal.inspection.problems())
    assert [change.id for change in journal.past.history("east")] == ["east"]
    journal.close()


DAMAGED_CHANGES = [
    "UPDATE changes SET actor = 'somebody else' WHERE revision = 3",
    "UPDATE changes SET reason = 'another' WHERE revision = 3",
    "UPDATE changes SET start = start + 1 WHERE revision = 3",
    "UPDATE changes SET removed = 'love' WHERE revision = 3",
    "UPDATE changes SET inserted = 'dawn' WHERE revision = 3",
    "UPDATE changes SET kind = 'deleted' WHERE revision = 3",
]


@pytest.mark.parametrize("damage", DAMAGED_CHANGES)
def test_a_damaged_change_is_never_handed_on(data: Path, damage: str) -> None:
    tampered(data, damage)
    journal = SqliteJournal.open(data)
    assert {kept.id for kept in journal.load()} == {"west", "east"}
    with pytest.raises(DataDirectoryUnsound, match=r"rollbook repair .*'west'"):
        list(journal.past.history("west"))
    with pytest.raises(DataDirectoryUnsound, match=r"rollbook repair .*'west'"):
        list(journal.follow(0))
    assert journal.inspection.problems() != []
    journal.close()


def test_a_version_that_is_not_what_stood_then_is_refused(data: Path) -> None:
    # The walk backward finds nothing wrong with a text that was removed: only the checksum of the result can.
    tampered(data, "UPDATE changes SET removed = 'lave' WHERE revision = 3")
    journal = SqliteJournal.open(data)
    with pytest.raises(DataDirectoryUnsound, match="at revision 1 is not what was written"):
        journal.past.version("west", 2)
    journal.close()


def test_the_former_format_is_migrated_and_gets_checksums_as_it_is_written(tmp_path: Path) -> None:
    data = tmp_path / "data"
    of_a_former_format(data)
    journal = SqliteJournal.open(data)
    assert journal.inspection.problems() == []
    journal.append([updated(3, "west", body("west"), AFTER)], after=2)
    assert [change.after for change in journal.past.history("west")] == [AFTER, body("west")]
    assert journal.inspection.problems() == []
    journal.close()
    tampered(data, "UPDATE clusters SET body = replace(body, 'down', 'dawn')")
    journal = SqliteJournal.open(data)
    with pytest.raises(DataDirectoryUnsound, match="'west' at revision 3 is not what was written"):
        list(journal.load())
    journal.close()


@pytest.mark.parametrize(("damage", "problem"), [("'{'", "is not JSON"), ('\'{"id":"x"}\'', "does not carry that id")])
def test_a_document_without_a_checksum_is_at_least_json_with_its_id(tmp_path: Path, damage: str, problem: str) -> None:
    data = tmp_path / "data"
    of_a_former_format(data)
    tampered(data, f"UPDATE clusters SET body = {damage} WHERE id = 'west'")
    journal = SqliteJournal.open(data)
    with pytest.raises(DataDirectoryUnsound, match=problem):
        list(journal.load())
    journal.close()


@pytest.mark.parametrize("damage", DAMAGED_DOCUMENTS[:4])
def test_a_damaged_document_is_rebuilt_byte_for_byte(data: Path, damage: str) -> None:
    tampered(data, damage)
    journal = SqliteJournal.open(data)
    assert "rebuilt" in journal.repair("west", drop=False)
    assert next(kept for kept in journal.load() if kept.id == "west").body == AFTER
    assert journal.inspection.problems() == []
    assert journal.newest() == 3
    journal.close()


@pytest.mark.parametrize("is_protected", [False, True])
def test_a_document_whose_beginning_is_gone_can_only_be_dropped(data: Path, is_protected: bool) -> None:
    journal = SqliteJournal.open(data)
    if is_protected:
        journal.append([protected(4, "west", AFTER)], after=3)
    journal.compaction.step(2)
    journal.close()
    tampered(data, DAMAGED_DOCUMENTS[0])
    journal = SqliteJournal.open(data)
    with pytest.raises(DataDirectoryUnsound, match="--drop"):
        journal.repair("west", drop=False)
    assert "dropped" in journal.repair("west", drop=True)
    assert [kept.id for kept in journal.load()] == ["east"]
    assert next(iter(journal.past.history("west"))).kind == "deleted"
    assert journal.inspection.problems() == []
    newest = journal.newest()
    journal.append([created(newest + 1, "west")._replace(at_ms=journal.newest_ms())], after=newest)
    assert journal.inspection.problems() == []
    journal.close()


@pytest.mark.parametrize("damage", DAMAGED_CHANGES[:5])
def test_a_damaged_history_is_given_up_and_the_document_is_kept(data: Path, damage: str) -> None:
    tampered(data, damage)
    journal = SqliteJournal.open(data)
    assert "its document is kept" in journal.repair("west", drop=True)
    assert {kept.id: kept.body for kept in journal.load()} == {"west": AFTER, "east": body("east")}
    assert [(change.revision, change.kind) for change in journal.past.history("west")] == [
        (4, "updated"),
        (3, "updated"),
        (1, "created"),
    ]
    assert [change.revision for change in journal.follow(0)] == [1, 2, 3, 4]
    assert journal.inspection.problems() == []
    journal.close()


def test_the_damaged_history_of_a_deleted_cluster_is_given_up(data: Path) -> None:
    journal = SqliteJournal.open(data)
    journal.append([deleted(4, "west", AFTER)], after=3)
    journal.close()
    tampered(data, "UPDATE changes SET removed = 'x' WHERE revision = 4")
    journal = SqliteJournal.open(data)
    assert "were dropped" in journal.repair("west", drop=True)
    assert journal.inspection.problems() == []
    assert len(list(journal.follow(0))) == 4
    journal.close()


def test_what_is_intact_is_left_alone(data: Path) -> None:
    journal = SqliteJournal.open(data)
    assert journal.repair("west", drop=True) == "nothing is wrong with 'west'"
    with pytest.raises(ClusterNotFound):
        journal.repair("nobody", drop=True)
    assert journal.newest() == 3
    journal.close()


def test_the_file_says_its_format(data: Path) -> None:
    assert FORMAT == 5
    journal = SqliteJournal.open(data)
    change: Change = next(iter(journal.follow(2)))
    assert change.after == AFTER
    journal.close()
