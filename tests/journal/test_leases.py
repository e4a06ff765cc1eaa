"""The file of leases: batches whole or not at all, uptime added up, and a file that can't be read set aside."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from rollbook.clusters.uptime import Spent
from rollbook.errors import JournalUnavailable
from rollbook.journal.lease_store import LeaseBatch, LeaseRow
from rollbook.journal.sqlite.leases import FILE_NAME, SqliteLeaseStore, problems_in_leases


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteLeaseStore]:
    opened = SqliteLeaseStore.open(tmp_path)
    yield opened
    opened.close()


def row(id: str = "west", **fields: object) -> LeaseRow:
    given = LeaseRow(id, 1, 30, 1_000, False, None, "[]", "{}", 7, Spent(1.5, 2.0, 0.0))
    return given._replace(**fields)  # type: ignore[arg-type]


def batch(
    *leases: LeaseRow, gone: tuple[str, ...] = (), finished: dict[str, dict[int, Spent]] | None = None
) -> LeaseBatch:
    return LeaseBatch(gone, leases, finished or {})


def test_leases_are_kept_as_they_are(store: SqliteLeaseStore, tmp_path: Path) -> None:
    rows = [row("east", noted=True, mark='{"written":"gone"}'), row("west", nodes='{"a":5}', turns="[1,2]")]
    store.save(batch(*rows))
    store.close()
    again = SqliteLeaseStore.open(tmp_path)
    assert again.load() == rows
    again.close()


def test_a_lease_is_stored_over_what_it_was(store: SqliteLeaseStore) -> None:
    store.save(batch(row(observed_at_ms=1)))
    store.save(batch(row(observed_at_ms=2)))
    assert [kept.observed_at_ms for kept in store.load()] == [2]


def test_what_is_gone_is_gone_before_it_begins_again(store: SqliteLeaseStore) -> None:
    store.save(batch(row(), finished={"west": {7: Spent(1, 1, 1)}}))
    store.save(batch(row(life=5), gone=("west",)))
    assert [kept.life for kept in store.load()] == [5]
    assert store.uptime("west", slot=0, day=0) == ([], [])


def test_finished_slots_are_added_up_and_added_to_their_day(store: SqliteLeaseStore) -> None:
    store.save(batch(finished={"west": {95: Spent(1, 2, 3), 96: Spent(10, 0, 0)}, "east": {95: Spent(9, 9, 9)}}))
    store.save(batch(finished={"west": {95: Spent(1, 1, 1), 97: Spent(0.5, 0, 0)}}))
    slots, days = store.uptime("west", slot=95, day=0)
    assert slots == [(95, (2, 3, 4)), (96, (10, 0, 0)), (97, (0.5, 0, 0))]
    assert days == [(0, (2, 3, 4)), (1, (10.5, 0, 0))]
    assert store.uptime("west", slot=96, day=1)[0] == slots[1:]


def test_old_slots_and_days_are_dropped(store: SqliteLeaseStore) -> None:
    store.save(batch(finished={"west": {95: Spent(1, 0, 0), 96: Spent(2, 0, 0)}}))
    store.forget_before(slot=96, day=1)
    assert store.uptime("west", slot=0, day=0) == ([(96, (2, 0, 0))], [(1, (2, 0, 0))])


def test_a_batch_is_stored_whole_or_not_at_all(store: SqliteLeaseStore, tmp_path: Path) -> None:
    store.save(batch(row()))
    other = apsw.Connection(str(tmp_path / FILE_NAME))
    with other:
        other.execute("DELETE FROM leases")  # the lock of another writer
        with pytest.raises(JournalUnavailable, match="leases can't be stored"):
            store.save(batch(row("east"), gone=("west",)))
    other.close()
    store.save(batch(row("east")))
    assert [kept.id for kept in store.load()] == ["east"]


@pytest.mark.parametrize("content", [b"no database" * 500, b"", "another's"])
def test_a_file_that_is_none_of_ours_is_set_aside(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / FILE_NAME
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        other = apsw.Connection(str(path))
        other.execute("CREATE TABLE theirs (a)")
        other.close()
    store = SqliteLeaseStore.open(tmp_path)
    store.save(batch(row()))
    assert store.load() == [row()]
    store.close()
    assert (tmp_path / (FILE_NAME + ".damaged")).exists() == bool(content)


def test_what_is_wrong_with_the_file_is_told(store: SqliteLeaseStore, tmp_path: Path) -> None:
    store.save(batch(*(row(f"cluster-{n}", nodes='{"a":5}' * 100) for n in range(100))))
    store.close()
    assert problems_in_leases(tmp_path) == []
    path = tmp_path / FILE_NAME
    body = bytearray(path.read_bytes())
    body[8192:12288] = b"x" * 4096
    path.write_bytes(body)
    assert problems_in_leases(tmp_path)
    assert problems_in_leases(tmp_path / "nowhere") == []
