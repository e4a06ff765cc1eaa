"""What every journal does. A journal's own test module inherits ``JournalContract`` and says how one is opened."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.errors import JournalConflict
from rollbook.journal.changes import Change, Kept
from rollbook.journal.interface import Journal


def body(id: str, **members: object) -> bytes:
    """A small document's JSON; members in the order given."""
    inner = "".join(f',"{name}":"{value}"' for name, value in members.items())
    return f'{{"id":"{id}"{inner}}}'.encode()


def created(revision: int, id: str, after: bytes | None = None, **facts: str) -> Change:
    return Change(revision, id, "created", 1_000 + revision, None, after or body(id), **facts)


def updated(revision: int, id: str, before: bytes, after: bytes, **facts: str) -> Change:
    return Change(revision, id, "updated", 1_000 + revision, before, after, **facts)


def deleted(revision: int, id: str, before: bytes, **facts: str) -> Change:
    return Change(revision, id, "deleted", 1_000 + revision, before, None, **facts)


class JournalContract:
    """The suite. Heirs say how an empty journal is opened, and how one is closed and opened again."""

    def opened(self) -> Journal:
        raise NotImplementedError

    def reopened(self, journal: Journal) -> Journal:
        raise NotImplementedError

    @pytest.fixture
    def journal(self) -> Iterator[Journal]:
        journal = self.opened()
        yield journal
        journal.close()

    def test_a_new_journal_is_empty_and_sound(self, journal: Journal) -> None:
        assert journal.newest() == 0
        assert list(journal.load()) == []
        assert list(journal.follow(0)) == []
        assert list(journal.history("west")) == []
        assert journal.problems() == []

    def test_what_was_appended_is_loaded_followed_and_told(self, journal: Journal) -> None:
        first, second = body("west", status="live"), body("west", status="down")
        changes = [
            created(1, "west", first, actor="alice", reason="on-boarding"),
            created(2, "east"),
            updated(3, "west", first, second, actor="bob"),
        ]
        journal.append(changes, after=0)
        assert journal.newest() == 3
        assert list(journal.load()) == [
            Kept("west", second, 3, 1, 1_001, 1_003),
            Kept("east", body("east"), 2, 2, 1_002, 1_002),
        ]
        assert list(journal.follow(0)) == changes
        assert list(journal.follow(2)) == changes[2:]
        assert list(journal.history("west")) == [changes[0], changes[2]]
        assert journal.problems() == []

    def test_everything_is_there_after_opening_again(self, journal: Journal) -> None:
        changes = [created(1, "west"), updated(2, "west", body("west"), body("west", a="é"))]
        journal.append(changes, after=0)
        journal = self.reopened(journal)
        assert journal.newest() == 2
        assert list(journal.load()) == [Kept("west", body("west", a="é"), 2, 1, 1_001, 1_002)]
        assert list(journal.follow(0)) == changes
        journal.append([created(3, "east")], after=2)
        assert journal.newest() == 3
        journal.close()

    def test_a_second_life_has_a_new_creation_and_the_old_history(self, journal: Journal) -> None:
        changes = [created(1, "west"), deleted(2, "west", body("west")), created(3, "west", body("west", a="again"))]
        for revision, change in enumerate(changes):
            journal.append([change], after=revision)
        assert list(journal.history("west")) == changes
        assert list(journal.load()) == [Kept("west", body("west", a="again"), 3, 3, 1_003, 1_003)]
        assert list(journal.follow(1)) == changes[1:]

    def test_protection_is_kept_until_it_is_taken_away_or_the_document_goes(self, journal: Journal) -> None:
        west, later = body("west"), body("west", a="b")
        told = [
            created(1, "west"),
            Change(2, "west", "protected", 1_002, west, west),
            updated(3, "west", west, later),
            Change(4, "west", "unprotected", 1_004, later, later),
        ]
        for revision, expected in enumerate([False, True, True, False]):
            journal.append([told[revision]], after=revision)
            assert [kept.protected for kept in journal.load()] == [expected]
        assert list(journal.history("west")) == list(journal.follow(0)) == told
        again = [Change(5, "west", "protected", 1_005, later, later), deleted(6, "west", later), created(7, "west")]
        journal.append(again, after=4)
        assert list(journal.load()) == [Kept("west", west, 7, 7, 1_007, 1_007)]
        assert journal.problems() == []

    def test_one_batch_may_create_change_and_delete_the_same_document(self, journal: Journal) -> None:
        later = body("west", a="b")
        batch = [created(1, "west"), updated(2, "west", body("west"), later), deleted(3, "west", later)]
        journal.append(batch, after=0)
        assert list(journal.load()) == []
        assert list(journal.follow(0)) == batch

    @pytest.mark.parametrize("after", [0, 2, 99])
    def test_an_append_after_another_revision_is_a_conflict(self, journal: Journal, after: int) -> None:
        journal.append([created(1, "west")], after=0)
        with pytest.raises(JournalConflict):
            journal.append([created(after + 1, "east")], after=after)
        assert journal.newest() == 1
        assert [kept.id for kept in journal.load()] == ["west"]

    @pytest.mark.parametrize(
        "wrong",
        [
            created(3, "west"),
            created(5, "south"),
            updated(3, "north", body("north"), body("north", a="b")),
            updated(3, "west", body("west", a="never was"), body("west", a="b")),
            deleted(3, "north", body("north")),
        ],
        ids=["creates what is there", "skips a revision", "updates nothing", "updates another past", "deletes nothing"],
    )
    def test_nothing_of_a_batch_with_one_wrong_change_is_there(self, journal: Journal, wrong: Change) -> None:
        journal.append([created(1, "west")], after=0)
        with pytest.raises(ValueError, match="revision"):
            journal.append([created(2, "east"), wrong], after=1)
        assert journal.newest() == 1
        assert [kept.id for kept in journal.load()] == ["west"]
        journal = self.reopened(journal)
        assert [kept.id for kept in journal.load()] == ["west"]
        journal.close()

    def test_an_empty_batch_changes_nothing(self, journal: Journal) -> None:
        journal.append([], after=0)
        assert journal.newest() == 0

    def test_a_batch_of_a_thousand_and_a_body_of_a_megabyte_are_kept(self, journal: Journal) -> None:
        big = body("big", filler="x" * 1_000_000)
        batch = [created(revision, f"c{revision}") for revision in range(1, 1_001)]
        journal.append([*batch, created(1_001, "big", big)], after=0)
        assert [change.id for change in journal.follow(990)] == [*(f"c{n}" for n in range(991, 1_001)), "big"]
        assert next(journal.history("big")).after == big

    def test_a_follower_meets_changes_appended_while_it_walks(self, journal: Journal) -> None:
        journal.append([created(1, "west"), created(2, "east")], after=0)
        walk = journal.follow(0)
        seen = [next(walk).revision]
        journal.append([deleted(3, "west", body("west"))], after=2)
        seen += [change.revision for change in walk]
        seen += [change.revision for change in journal.follow(seen[-1])]
        assert seen == [1, 2, 3]

    def test_closing_twice_is_harmless(self, journal: Journal) -> None:
        journal.close()
        journal.close()

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(data=st.data())
    def test_any_lives_are_told_as_they_were(self, data: st.DataObject) -> None:
        journal = self.opened()
        try:
            told = write_lives(journal, data)
            assert list(journal.follow(0)) == told
            split = data.draw(st.integers(0, len(told)))
            assert list(journal.follow(split)) == told[split:]
            for id in "abc":
                own = [change for change in told if change.id == id]
                assert list(journal.history(id)) == own
                assert all(one.after == other.before for one, other in pairwise(own))
            assert {kept.id: kept.body for kept in journal.load()} == live_after(told)
            assert journal.problems() == []
        finally:
            journal.close()


def write_lives(journal: Journal, data: st.DataObject) -> list[Change]:
    """Append random creations, updates and deletions of three ids, in random batches."""
    texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), max_size=6)
    live: dict[str, bytes] = {}
    told: list[Change] = []
    for batch_size in data.draw(st.lists(st.integers(1, 4), max_size=8)):
        batch = []
        for _ in range(batch_size):
            id, revision = data.draw(st.sampled_from("abc")), len(told) + len(batch) + 1
            before, after = live.get(id), body(id, text=data.draw(texts), more=data.draw(texts))
            if before is None:
                batch.append(created(revision, id, after))
            elif data.draw(st.booleans()):
                kind, after = data.draw(st.sampled_from([("updated", after), ("protected", before)]))
                batch.append(Change(revision, id, kind, 1_000 + revision, before, after))
            else:
                batch.append(deleted(revision, id, before))
            live[id] = batch[-1].after or b""
            if batch[-1].after is None:
                del live[id]
        journal.append(batch, after=len(told))
        told += batch
    return told


def live_after(changes: list[Change]) -> dict[str, bytes]:
    live: dict[str, bytes] = {}
    for change in changes:
        live.pop(change.id, None)
        if change.after is not None:
            live[change.id] = change.after
    return live
