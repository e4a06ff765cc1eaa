"""What every store of leases does. A body inherits these tests and says how it is opened and made to fail."""

from contextlib import AbstractContextManager

import pytest

from rollbook.clusters.uptime import Spent
from rollbook.errors import JournalUnavailable
from rollbook.journal.lease_store import LeaseBatch, LeaseRow, LeaseStore
from rollbook.journal.memory.leases import MemoryLeaseStore
from rollbook.journal.store_transfers import copy_leases

FILLER = '{"a":5}' * 20_000
"""More than a full disk has room for."""


def row(id: str = "west", **fields: object) -> LeaseRow:
    given = LeaseRow(id, 1, 30, 1_000, False, None, "[]", "{}", 7, Spent(1.5, 2.0, 0.0))
    return given._replace(**fields)  # type: ignore[arg-type]


def batch(
    *leases: LeaseRow, gone: tuple[str, ...] = (), finished: dict[str, dict[int, Spent]] | None = None
) -> LeaseBatch:
    return LeaseBatch(gone, leases, finished or {})


def ids(store: LeaseStore) -> set[str]:
    return {kept.id for kept in store.load()}


class LeaseStoreContract:
    """The fixture ``store`` gives an empty one."""

    def reopened(self, store: LeaseStore) -> LeaseStore:
        """The store after a restart. One that ends with its process is the same."""
        raise NotImplementedError

    def failing(self, store: LeaseStore) -> AbstractContextManager[None]:
        """A block in which the disk has no room."""
        raise NotImplementedError

    def test_a_new_store_is_empty(self, store: LeaseStore) -> None:
        assert store.load() == []
        assert store.uptime("west", slot=0, day=0) == ([], [])

    def test_a_copy_has_the_same_leases_and_uptime(self, store: LeaseStore) -> None:
        slots = {90: Spent(9.0), 95: Spent(1.0, 2.0), 96: Spent(0.5), 200: Spent(0.0, 0.0, 3.5), 300: Spent(7.0)}
        store.save(batch(row("east"), row("west"), row("gone"), finished={"west": slots, "east": {300: Spent(2.0)}}))
        store.forget_before(slot=95, day=0)
        copy = MemoryLeaseStore()
        copy.save(batch(row("other"), row("west", life=7), finished={"west": {200: Spent(60.0)}}))
        assert copy_leases(store, copy) == 3
        for id in ("west", "east", "gone"):
            assert copy.uptime(id, slot=0, day=0) == store.uptime(id, slot=0, day=0)
        store.save(batch(gone=("west", "gone")))
        assert copy_leases(copy, store) == 3
        assert sorted(store.load()) == sorted(copy.load())
        assert store.uptime("west", slot=0, day=0) == copy.uptime("west", slot=0, day=0)

    def test_leases_come_back_as_they_were_saved(self, store: LeaseStore) -> None:
        rows = [row("east", noted=True, mark='{"written":"gone"}'), row("west", nodes='{"a":5}', turns="[1,2]")]
        store.save(batch(*rows))
        again = self.reopened(store)
        assert sorted(again.load()) == rows
        assert [each.noted for each in sorted(again.load())] == [True, False]
        assert all(type(each.noted) is bool for each in again.load())
        again.close()

    def test_numbers_keep_their_precision(self, store: LeaseStore) -> None:
        large = row(life=2**53, observed_at_ms=2**53 - 1, slot=2**31, spent=Spent(0.1, 1e-9, 86_399.999999))
        store.save(batch(large, finished={"west": {2**31: Spent(0.1, 0.2, 0.3)}}))
        assert store.load() == [large]
        assert store.uptime("west", slot=0, day=0)[0] == [(2**31, Spent(0.1, 0.2, 0.3))]

    def test_a_lease_takes_the_place_of_the_one_with_its_id(self, store: LeaseStore) -> None:
        store.save(batch(row(observed_at_ms=1)))
        store.save(batch(row(observed_at_ms=2)))
        assert [kept.observed_at_ms for kept in store.load()] == [2]

    def test_what_is_gone_is_gone_before_it_begins_again(self, store: LeaseStore) -> None:
        store.save(batch(row(), row("east"), finished={id: {7: Spent(1, 1, 1)} for id in ("west", "east")}))
        store.save(batch(row(life=5), gone=("west", "nowhere"), finished={"west": {8: Spent(2, 0, 0)}}))
        assert {kept.id: kept.life for kept in store.load()} == {"west": 5, "east": 1}
        assert store.uptime("west", slot=0, day=0) == ([(8, Spent(2, 0, 0))], [(0, Spent(2, 0, 0))])
        assert store.uptime("east", slot=0, day=0) == ([(7, Spent(1, 1, 1))], [(0, Spent(1, 1, 1))])

    def test_finished_slots_are_added_up_and_added_to_their_day(self, store: LeaseStore) -> None:
        store.save(batch(finished={"west": {96: Spent(10, 0, 0), 95: Spent(1, 2, 3)}, "east": {95: Spent(9, 9, 9)}}))
        store.save(batch(finished={"west": {97: Spent(0.5, 0, 0), 95: Spent(1, 1, 1)}}))
        slots, days = store.uptime("west", slot=95, day=0)
        assert slots == [(95, (2, 3, 4)), (96, (10, 0, 0)), (97, (0.5, 0, 0))]
        assert days == [(0, (2, 3, 4)), (1, (10.5, 0, 0))]
        assert store.uptime("west", slot=96, day=1) == (slots[1:], days[1:])

    def test_old_slots_and_days_are_forgotten(self, store: LeaseStore) -> None:
        store.save(batch(finished={"west": {95: Spent(1, 0, 0), 96: Spent(2, 0, 0)}}))
        store.forget_before(slot=96, day=1)
        assert store.uptime("west", slot=0, day=0) == ([(96, (2, 0, 0))], [(1, (2, 0, 0))])
        store.forget_before(slot=97, day=1)
        assert store.uptime("west", slot=0, day=0) == ([], [(1, (2, 0, 0))])

    def test_a_batch_is_stored_whole_or_not_at_all(self, store: LeaseStore) -> None:
        store.save(batch(row(), finished={"west": {7: Spent(1, 1, 1)}}))
        lost = batch(row("east"), row("south", nodes=FILLER), gone=("west",), finished={"east": {7: Spent(1, 1, 1)}})
        with self.failing(store), pytest.raises(JournalUnavailable):
            store.save(lost)
        assert ids(store) == {"west"}
        assert store.uptime("west", slot=0, day=0)[0] == [(7, Spent(1, 1, 1))]
        assert store.uptime("east", slot=0, day=0) == ([], [])
        store.save(lost)
        assert ids(store) == {"east", "south"}

    def test_an_empty_batch_changes_nothing(self, store: LeaseStore) -> None:
        store.save(batch(row()))
        store.save(batch())
        assert store.load() == [row()]

    def test_closing_twice_is_harmless(self, store: LeaseStore) -> None:
        store.close()
        store.close()
