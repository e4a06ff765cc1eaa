"""A journal that ends before what other files know of is refused; one that has not begun is not."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from rollbook.clusters.uptime import Spent
from rollbook.errors import ChangesLost
from rollbook.journal.lease_store import LeaseBatch, LeaseRow
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.journal.sqlite.leases import SqliteLeaseStore
from rollbook.journal.sqlite.schema import FILE_NAME
from rollbook.journal.sqlite.webhooks import SqliteWebhookStore
from rollbook.journal.webhook_store import Progress, WebhookRow
from rollbook.view.opening import open_view, save_snapshot
from rollbook.view.upkeep import go_on_without_what_is_lost, open_checked_journal, problems_in
from tests.view.test_opening import enrol, loaded


def with_a_snapshot(data: Path) -> None:
    journal = SqliteJournal.open(data)
    enrol(journal, 5)
    save_snapshot(loaded(journal), journal, data)
    journal.close()


def with_leases(data: Path) -> None:
    journal = SqliteJournal.open(data)
    enrol(journal, 5)
    journal.close()
    store = SqliteLeaseStore.open(data)
    store.save(LeaseBatch((), [LeaseRow("c5", 5, 30, 1, False, None, "[]", "{}", 0, Spent(0, 0, 0))], {}))
    store.close()


def with_webhooks(data: Path) -> None:
    journal = SqliteJournal.open(data)
    enrol(journal, 5)
    journal.close()
    store = SqliteWebhookStore.open(data)
    store.save(WebhookRow("hook", 1, 1, "{}", "secret"), Progress(5))
    store.close()


def missing(journal: Path) -> None:
    journal.unlink()


def empty(journal: Path) -> None:
    journal.write_bytes(b"")


def older(journal: Path) -> None:
    journal.unlink()
    other = SqliteJournal.open(journal.parent / "other")
    enrol(other, 3)
    other.close()
    (other.directory / FILE_NAME).rename(journal)


@pytest.mark.parametrize("loss", [missing, empty, older])
@pytest.mark.parametrize("evidence", [with_a_snapshot, with_leases, with_webhooks])
def test_a_journal_that_has_lost_changes_is_refused_until_that_is_accepted(tmp_path: Path, evidence, loss) -> None:
    data = tmp_path / "data"
    evidence(data)
    loss(data / FILE_NAME)
    before = contents(data)
    for _ in range(2):
        with pytest.raises(ChangesLost, match=r"knows of revision 5.*rollbook repair --data .* --accept-loss"):
            open_checked_journal(data)
        assert any("changes are lost" in problem for problem in problems_in(data))
    assert contents(data) == before

    go_on_without_what_is_lost(data)
    journal = open_checked_journal(data)
    assert journal.newest() == (3 if loss is older else 0)
    assert len(open_view(journal, data)) == journal.newest()
    journal.close()
    assert problems_in(data) == []


def test_a_removed_log_that_held_writes_is_a_loss(tmp_path: Path) -> None:
    data, killed = tmp_path / "data", tmp_path / "killed"
    journal = SqliteJournal.open(data)
    enrol(journal, 5)
    save_snapshot(loaded(journal), journal, data)
    shutil.copytree(data, killed)
    journal.close()
    (killed / f"{FILE_NAME}-wal").unlink()
    with pytest.raises(ChangesLost, match="ends at revision 0"):
        open_checked_journal(killed)


def test_a_log_without_its_journal_is_a_loss(tmp_path: Path) -> None:
    data, killed = tmp_path / "data", tmp_path / "killed"
    journal = SqliteJournal.open(data)
    enrol(journal, 5)
    shutil.copytree(data, killed)
    journal.close()
    (killed / FILE_NAME).unlink()
    with pytest.raises(ChangesLost, match=r"its log .* is not empty"):
        open_checked_journal(killed)


def test_a_log_that_another_program_folded_in_is_no_loss(tmp_path: Path) -> None:
    data, killed = tmp_path / "data", tmp_path / "killed"
    journal = SqliteJournal.open(data)
    enrol(journal, 5)
    save_snapshot(loaded(journal), journal, data)
    shutil.copytree(data, killed)
    journal.close()
    with sqlite3.connect(killed / FILE_NAME) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    assert not (killed / f"{FILE_NAME}-wal").exists()
    journal = open_checked_journal(killed)
    assert journal.newest() == 5
    journal.close()


@pytest.mark.parametrize("journal_file", [None, b""])
def test_a_first_start_that_was_killed_half_way_is_no_loss(tmp_path: Path, journal_file: bytes | None) -> None:
    data = tmp_path / "data"
    SqliteJournal.open(data).close()
    SqliteLeaseStore.open(data).close()
    SqliteWebhookStore.open(data).close()
    (data / FILE_NAME).unlink()
    if journal_file is not None:
        (data / FILE_NAME).write_bytes(journal_file)
    journal = open_checked_journal(data)
    assert journal.newest() == 0
    journal.close()


def contents(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in data.iterdir() if path.is_file() and path.name != "lock"}
