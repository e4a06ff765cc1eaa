"""What every journal does. A journal's own test module inherits ``JournalContract`` and says how one is opened."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.errors import Compacted, DataDirectoryUnsound, JournalConflict, RegistryError
from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.interface import Journal
from rollbook.journal.kept_results import KEPT_MS, KeptResult
from rollbook.journal.memory.journal import MemoryJournal
from rollbook.journal.statuses import StatusChange, formers_in
from rollbook.journal.transfers import CopyableJournal, copy_journal, verify_copy


def body(id: str, **members: object) -> bytes:
    """A small document's JSON; members in the order given."""
    inner = "".join(f',"{name}":"{value}"' for name, value in members.items())
    return f'{{"id":"{id}"{inner}}}'.encode()


def created(revision: int, id: str, after: bytes | None = None, **facts: str) -> Change:
    return Change(revision, id, "created", 1_000 + revision, None, after or body(id), **facts)


def updated(revision: int, id: str, before: bytes, after: bytes, **facts: str) -> Change:
    return Change(revision, id, "updated", 1_000 + revision, before, after, **facts)


def protected(revision: int, id: str, before: bytes) -> Change:
    return Change(revision, id, "protected", 1_000 + revision, before, before)


def unprotected(revision: int, id: str, before: bytes) -> Change:
    return Change(revision, id, "unprotected", 1_000 + revision, before, before)


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
        assert (journal.newest(), journal.newest_ms()) == (0, 0)
        assert list(journal.load()) == []
        assert list(journal.follow(0)) == []
        assert list(journal.past.history("west")) == []
        assert journal.inspection.problems() == []

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
            StoredVersion("west", second, 3, 1, 1_001, 1_003, 1_003),
            StoredVersion("east", body("east"), 2, 2, 1_002, 1_002, 1_002),
        ]
        assert journal.inspection.count() == 2
        assert list(journal.follow(0)) == changes
        assert list(journal.follow(2)) == changes[2:]
        assert list(journal.past.history("west")) == [changes[2], changes[0]]
        assert journal.inspection.problems() == []

    def test_results_are_kept_with_the_write_that_they_are_of(self, journal: Journal) -> None:
        first, second = KeptResult(b"k1", b"f1", 1_001, b"r1"), KeptResult(b"k2", b"f2", 1_001, b"")
        assert journal.past.result(b"k1") is None
        journal.append([created(1, "west")], after=0, results=[first])
        journal.append([], after=1, results=[second])  # what changed nothing has a result too
        with pytest.raises(JournalConflict):
            journal.append([], after=0, results=[KeptResult(b"k3", b"f3", 1_001, b"")])
        with pytest.raises(ValueError, match="west"):
            journal.append([created(2, "west")], after=1, results=[KeptResult(b"k4", b"f4", 1_001, b"")])
        journal = self.reopened(journal)
        assert [journal.past.result(key) for key in (b"k1", b"k2", b"k3", b"k4")] == [first, second, None, None]
        replaced = first._replace(result=b"r2")
        journal.append([], after=1, results=[replaced])
        assert journal.past.result(b"k1") == replaced
        assert journal.inspection.problems() == []

    def test_results_are_forgotten_after_a_day(self, journal: Journal) -> None:
        old, young = KeptResult(b"old", b"", 1_000, b""), KeptResult(b"young", b"", 2_000, b"")
        journal.append([], after=0, results=[old, young])
        journal.append([], after=0, results=[KeptResult(b"new", b"", 1_000 + KEPT_MS, b"")])
        assert journal.past.result(b"old") == old
        journal.append([], after=0, results=[KeptResult(b"newer", b"", 1_001 + KEPT_MS, b"")])
        assert (journal.past.result(b"old"), journal.past.result(b"young")) == (None, young)

    def test_everything_is_there_after_opening_again(self, journal: Journal) -> None:
        changes = [created(1, "west"), updated(2, "west", body("west"), body("west", a="é"))]
        journal.append(changes, after=0)
        journal = self.reopened(journal)
        assert (journal.newest(), journal.newest_ms()) == (2, 1_002)
        assert list(journal.load()) == [StoredVersion("west", body("west", a="é"), 2, 1, 1_001, 1_002, 1_001)]
        assert list(journal.follow(0)) == changes
        journal.append([created(3, "east")], after=2)
        assert journal.newest() == 3
        journal.close()

    def test_a_second_life_has_a_new_creation_and_the_old_history(self, journal: Journal) -> None:
        changes = [created(1, "west"), deleted(2, "west", body("west")), created(3, "west", body("west", a="again"))]
        for revision, change in enumerate(changes):
            journal.append([change], after=revision)
        assert list(journal.past.history("west")) == changes[::-1]
        assert list(journal.load()) == [StoredVersion("west", body("west", a="again"), 3, 3, 1_003, 1_003, 1_003)]
        assert list(journal.follow(1)) == changes[1:]

    def test_one_batch_may_create_change_and_delete_the_same_document(self, journal: Journal) -> None:
        later = body("west", a="b")
        batch = [created(1, "west"), updated(2, "west", body("west"), later), deleted(3, "west", later)]
        journal.append(batch, after=0)
        assert list(journal.load()) == []
        assert list(journal.follow(0)) == batch

    def test_who_gave_a_status_is_known_when_the_change_is_gone(self, journal: Journal) -> None:
        first, second, third = (
            body("west", status="live"),
            body("west", status="down"),
            body("west", status="down", a=""),
        )
        changes = [created(1, "west", first), updated(2, "west", first, second, actor="bob")]
        journal.append([*changes, updated(3, "west", second, third), created(4, "east")], after=0)
        compact(journal, 4)
        journal = self.reopened(journal)
        assert journal.past.status("west") == journal.past.status("west", 3) == StatusChange(2, 1_002, "bob", b'"live"')
        assert [kept.status_since_ms for kept in journal.load()] == [1_002, 1_004]
        assert (journal.past.status("east"), journal.past.status("north")) == (None, None)
        journal.close()

    def test_a_status_that_was_none_is_no_former_status(self, journal: Journal) -> None:
        journal.append([created(1, "west"), updated(2, "west", body("west"), body("west", status="live"))], after=0)
        assert journal.past.status("west") == StatusChange(2, 1_002, "anonymous", None)

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
            updated(3, "west", body("west"), body("west", a="b"))._replace(at_ms=1_001),
            unprotected(3, "west", body("west")),
            protected(3, "west", body("west"))._replace(after=body("west", a="b")),
        ],
        ids=[
            "creates what is there",
            "skips a revision",
            "updates nothing",
            "updates another past",
            "deletes nothing",
            "goes back in time",
            "ends no protection",
            "protects and changes",
        ],
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

    def test_protection_leaves_the_document_and_forbids_its_deletion(self, journal: Journal) -> None:
        changes = [created(1, "west"), protected(2, "west", body("west"))]
        journal.append(changes, after=0)
        with pytest.raises(ValueError, match="revision 3"):
            journal.append([deleted(3, "west", body("west"))], after=2)
        later = body("west", a="b")
        changes += [updated(3, "west", body("west"), later), unprotected(4, "west", later), deleted(5, "west", later)]
        journal.append(changes[2:3], after=2)
        journal = self.reopened(journal)
        assert list(journal.load()) == [StoredVersion("west", later, 3, 1, 1_001, 1_003, 1_001, protected=True)]
        journal.append(changes[3:], after=3)
        assert list(journal.follow(0)) == changes
        assert list(journal.past.history("west")) == changes[::-1]
        assert journal.inspection.problems() == []
        journal.close()

    def test_an_empty_batch_changes_nothing(self, journal: Journal) -> None:
        journal.append([], after=0)
        assert journal.newest() == 0

    def test_a_batch_of_a_thousand_and_a_body_of_a_megabyte_are_kept(self, journal: Journal) -> None:
        big = body("big", filler="x" * 1_000_000)
        batch = [created(revision, f"c{revision}") for revision in range(1, 1_001)]
        journal.append([*batch, created(1_001, "big", big)], after=0)
        assert [change.id for change in journal.follow(990)] == [*(f"c{n}" for n in range(991, 1_001)), "big"]
        assert next(journal.past.history("big")).after == big

    def test_a_follower_meets_changes_appended_while_it_walks(self, journal: Journal) -> None:
        journal.append([created(1, "west"), created(2, "east")], after=0)
        walk = journal.follow(0)
        seen = [next(walk).revision]
        journal.append([deleted(3, "west", body("west"))], after=2)
        seen += [change.revision for change in walk]
        seen += [change.revision for change in journal.follow(seen[-1])]
        assert seen == [1, 2, 3]

    def test_its_size_is_that_of_what_it_holds(self, journal: Journal) -> None:
        small = journal.inspection.size()
        incompressible = Random(1).randbytes(500_000).hex()
        journal.append([created(1, "big", body("big", filler=incompressible))], after=0)
        large = journal.inspection.size()
        assert large.data_bytes + large.log_bytes - (small.data_bytes + small.log_bytes) >= 1_000_000

    def test_closing_twice_is_harmless(self, journal: Journal) -> None:
        journal.close()
        journal.close()

    def test_a_step_of_compaction_gives_up_the_oldest_changes_only(self, journal: Journal) -> None:
        journal.append([created(revision, f"c{revision}") for revision in range(1, 6)], after=0)
        assert journal.compaction.mark() == 0
        assert compact(journal, 3) == 3
        assert [change.revision for change in journal.follow(3)] == [4, 5]
        with pytest.raises(Compacted):
            next(journal.follow(2))
        assert compact(journal, 2) == 3
        assert len(list(journal.load())) == 5
        assert journal.inspection.problems() == []

    def test_when_all_changes_are_gone_the_registry_goes_on(self, journal: Journal) -> None:
        journal.append([created(1, "west"), created(2, "east"), deleted(3, "east", body("east"))], after=0)
        assert compact(journal, 3) == 3
        journal = self.reopened(journal)
        assert (journal.newest(), journal.newest_ms(), journal.compaction.mark()) == (3, 1_003, 3)
        assert journal.past.revision_at(1_003) == 3
        assert journal.past.version("west", 2) == StoredVersion("west", body("west"), 1, 1, 1_001, 1_001, 1_001)
        assert journal.past.version("east", 3) is None
        journal.append([created(4, "east")], after=3)
        assert [change.revision for change in journal.follow(3)] == [4]
        assert journal.inspection.problems() == []
        journal.close()

    def test_an_id_stays_known_when_all_that_it_did_is_gone(self, journal: Journal) -> None:
        journal.append([created(1, "west"), deleted(2, "west", body("west")), created(3, "east")], after=0)
        compact(journal, 3)
        assert [journal.past.knows(id) for id in ("west", "east", "north")] == [True, True, False]
        assert list(journal.past.history("west")) == []

    @pytest.mark.parametrize(
        ("bounds", "goal"),
        [
            ({}, 0),
            ({"until_ms": 1_001}, 1),
            ({"until_ms": 1_002}, 2),
            ({"until_ms": 9_999}, 3),
            ({"changes_max": 4}, 0),
            ({"changes_max": 3}, 1),
            ({"changes_max": 1}, 3),
            ({"changes_max": 0}, 3),
            ({"bytes_max": 0}, 3),
            ({"bytes_max": 10_500}, 2),
            ({"changes_max": 3, "until_ms": 1_002}, 2),
        ],
    )
    def test_the_goal_is_the_strictest_of_age_count_and_size_and_spares_the_newest(
        self, journal: Journal, bounds: dict[str, int], goal: int
    ) -> None:
        pads = {"a": 10, "b": 10_000, "c": 10_000, "d": 10}
        ids = enumerate(pads, 1)
        journal.append([created(revision, id, body(id, pad="x" * pads[id])) for revision, id in ids], after=0)
        wide = {"until_ms": 0, "changes_max": 100, "bytes_max": 10**9}
        assert journal.compaction.goal(**{**wide, **bounds}) == goal

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
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
                assert list(journal.past.history(id)) == own[::-1]
                assert all(one.after == other.before for one, other in pairwise(own))
            assert list(journal.load()) == sorted_by_creation(replay(told))
            assert journal.inspection.problems() == []
        finally:
            journal.close()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(data=st.data())
    def test_the_past_is_what_a_replay_gives_however_much_is_compacted(self, data: st.DataObject) -> None:
        journal = self.opened()
        try:
            told = write_lives(journal, data)
            mark = compact(journal, data.draw(st.integers(0, len(told))))
            told += write_lives(journal, data, told)
            assert journal.inspection.problems() == []
            for revision in range(len(told) + 1):
                check_moment(journal, told, revision, mark)
            for id in "abcd":
                kept = [change for change in told if change.id == id and change.revision > mark]
                before = data.draw(st.integers(0, len(told) + 1))
                assert list(journal.past.history(id)) == kept[::-1]
                older = [change for change in kept if change.revision < before]
                assert list(journal.past.history(id, before=before)) == older[::-1]
                assert journal.past.knows(id) == any(change.id == id for change in told)
        finally:
            journal.close()


class CopyContract:
    """What every journal does that can be copied. Heirs say how an empty one is opened."""

    def opened(self) -> CopyableJournal:
        raise NotImplementedError

    @pytest.fixture
    def journal(self) -> Iterator[CopyableJournal]:
        journal = self.opened()
        yield journal
        journal.close()

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(data=st.data())
    def test_a_copy_holds_the_same_and_one_that_was_cut_off_goes_on(self, data: st.DataObject) -> None:
        source, between, copy = self.opened(), MemoryJournal(), self.opened()
        try:
            written = write_lives(source, data)
            mark = compact(source, data.draw(st.integers(0, len(written))))
            source.append([], after=len(written), results=[KeptResult(b"key", b"f", 1_001, b"r")])
            copy_journal(source, between)
            copied = copy_journal(between, copy)
            assert (copied.revision, copied.documents) == (len(written), source.inspection.count())
            written += write_lives(source, data, written)
            assert copy_journal(source, between) == copy_journal(between, copy)
            assert [each.inspection.problems() for each in (source, between, copy)] == [[], [], []]
            assert copy.past.result(b"key") == source.past.result(b"key")
            for revision in range(len(written) + 1):
                check_moment(copy, written, revision, mark)
            for id in "abcd":
                assert copy.past.knows(id) == source.past.knows(id)
            assert list(copy.follow(mark)) == written[mark:]
            write_lives(copy, data, written)
        finally:
            source.close()
            copy.close()

    def test_a_copy_is_not_made_into_another_registry(self, journal: CopyableJournal) -> None:
        other = MemoryJournal()
        other.append([created(1, "east")], after=0)
        journal.append([created(1, "west"), created(2, "north")], after=0)
        with pytest.raises(DataDirectoryUnsound, match="another registry"):
            copy_journal(other, journal)
        with pytest.raises(DataDirectoryUnsound, match="another registry"):
            copy_journal(journal, other)
        assert [version.id for version in journal.load()] == ["west", "north"]
        with pytest.raises(DataDirectoryUnsound):
            journal.transfer.begin(other.transfer.beginning(), [])

    def test_a_copy_that_is_written_to_is_found_out(self, journal: CopyableJournal) -> None:
        journal.append([created(1, "west")], after=0)
        copy = MemoryJournal()
        copy_journal(journal, copy)
        copy.append([created(2, "east")], after=1)
        with pytest.raises(RegistryError, match="2 documents at revision 2 of 1 at 1"):
            verify_copy(journal, copy)


def compact(journal: Journal, goal: int) -> int:
    """Take steps until the mark moves no more; where it is then."""
    mark = -1
    while mark != (mark := journal.compaction.step(goal)):
        assert mark == journal.compaction.mark()
    return mark


def check_moment(journal: Journal, written: list[Change], revision: int, mark: int) -> None:
    """Hold what the journal reports of a revision against a replay; below the mark it may also say that it is gone."""
    then, now = replay(written[:revision]), replay(written)
    for id in "abcd":
        try:
            assert journal.past.version(id, revision) == then.get(id)
            if id in then:
                given, changed_by = journal.past.status(id, revision), status_given(written[:revision], id)
                assert given == changed_by or (changed_by is None and given.revision == then[id].created_revision)
        except Compacted:
            assert any(change.id == id and revision < change.revision <= mark for change in written)
    if revision < mark:
        with pytest.raises(Compacted):
            list(journal.past.earlier(revision))
    else:
        earlier = dict(journal.past.earlier(revision))
        assert earlier.keys() == {change.id for change in written[revision:]}
        known = {**now, **earlier}
        assert {id: kept for id, kept in known.items() if kept is not None} == then
    if revision:
        check_time(journal, written, written[revision - 1].at_ms, mark)


def check_time(journal: Journal, written: list[Change], at_ms: int, mark: int) -> None:
    newest = max((change.revision for change in written if change.at_ms <= at_ms), default=0)
    if newest < mark:
        with pytest.raises(Compacted):
            journal.past.revision_at(at_ms)
    else:
        assert journal.past.revision_at(at_ms) == newest


def write_lives(journal: Journal, data: st.DataObject, past: Sequence[Change] = ()) -> list[Change]:
    """Append random changes of three ids, in random batches, after ``past``."""
    live, newest = replay(past), len(past)
    at_ms = past[-1].at_ms if past else 1_000
    written: list[Change] = []
    for batch_size in data.draw(st.lists(st.integers(1, 4), max_size=8)):
        at_ms += data.draw(st.integers(0, 2))
        batch: list[Change] = []
        for _ in range(batch_size):
            revision = newest + len(written) + len(batch) + 1
            change = any_change(data, revision, live)._replace(at_ms=at_ms)
            follow(live, change)
            batch.append(change)
        formers = data.draw(st.sampled_from([None, formers_in(batch)]))
        journal.append(batch, after=newest + len(written), formers=formers)
        written += batch
    return written


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), max_size=6)
STATUSES = st.sampled_from([{}, {"status": "live"}, {"status": "down"}])


def any_change(data: st.DataObject, revision: int, live: dict[str, StoredVersion]) -> Change:
    """A change that may come next."""
    id, status = data.draw(st.sampled_from("abc")), data.draw(STATUSES)
    after, kept = body(id, text=data.draw(TEXTS), **status, more=data.draw(TEXTS)), live.get(id)
    if kept is None:
        return created(revision, id, after)
    match data.draw(st.sampled_from(["update", "delete", "protection"])):
        case "protection":
            return (unprotected if kept.protected else protected)(revision, id, kept.body)
        case "delete" if not kept.protected:
            return deleted(revision, id, kept.body)
    return updated(revision, id, kept.body, after)


def replay(changes: Sequence[Change]) -> dict[str, StoredVersion]:
    """What is live after the changes, by id."""
    live: dict[str, StoredVersion] = {}
    for change in changes:
        follow(live, change)
    return live


def follow(live: dict[str, StoredVersion], change: Change) -> None:
    was = live.pop(change.id, None)
    if change.after is not None:
        creation = (was.created_revision, was.created_at_ms) if was else (change.revision, change.at_ms)
        keeps_status = was is not None and status_of(was.body) == status_of(change.after)
        times = (*creation, change.at_ms, was.status_since_ms if was and keeps_status else change.at_ms)
        is_protected = change.kind == "protected" or (change.kind == "updated" and was is not None and was.protected)
        live[change.id] = StoredVersion(change.id, change.after, change.revision, *times, is_protected)


def status_of(document: bytes) -> str | None:
    status: str | None = json.loads(document).get("status")
    return status


def status_given(written: Sequence[Change], id: str) -> StatusChange | None:
    """The update that gave a live document its status; None: it has it since its creation."""
    for change in reversed([change for change in written if change.id == id]):
        if change.before is None or change.after is None:
            return None
        former = status_of(change.before)
        if former != status_of(change.after):
            return StatusChange(change.revision, change.at_ms, change.actor, former and json.dumps(former).encode())
    return None


def sorted_by_creation(live: dict[str, StoredVersion]) -> list[StoredVersion]:
    return sorted(live.values(), key=lambda kept: kept.created_revision)


class TwoOpen:
    """What two journals on one engine do. Heirs say how a second one is opened on the engine of the first."""

    def opened(self) -> Journal:
        raise NotImplementedError

    def opened_beside(self, journal: Journal) -> Journal:
        raise NotImplementedError

    @pytest.fixture
    def pair(self) -> Iterator[tuple[Journal, Journal]]:
        one = self.opened()
        other = self.opened_beside(one)
        yield one, other
        one.close()
        other.close()

    def test_what_one_appends_the_other_follows(self, pair: tuple[Journal, Journal]) -> None:
        one, other = pair
        one.append([created(1, "west"), created(2, "east")], after=0)
        assert other.sharing.confirm(0) == 2
        assert [change.id for change in other.follow(0)] == ["west", "east"]
        other.append([deleted(3, "west", body("west"))], after=2)
        assert [change.revision for change in one.follow(2)] == [3]
        assert (one.sharing.confirm(3), other.sharing.confirm(3)) == (3, 3)
        assert one.inspection.problems() == []

    def test_of_two_that_append_after_the_same_revision_one_is_refused(self, pair: tuple[Journal, Journal]) -> None:
        one, other = pair
        one.append([created(1, "west")], after=0)
        with pytest.raises(JournalConflict):
            other.append([created(1, "east")], after=0)
        assert [change.id for change in other.follow(0)] == ["west"]
        other.append([created(2, "east")], after=1)
        assert one.past.knows("east")
        assert other.inspection.problems() == []

    def test_appends_take_turns_and_nothing_is_lost_or_doubled(self, pair: tuple[Journal, Journal]) -> None:
        newest = 0
        for turn in range(20):
            journal = pair[turn % 2]
            newest = max([newest, *(change.revision for change in journal.follow(newest))])
            journal.append([created(newest + 1, f"c{turn}")], after=newest)
            newest += 1
        assert [change.id for change in pair[0].follow(0)] == [f"c{turn}" for turn in range(20)]
        assert list(pair[0].load()) == list(pair[1].load())

    def test_a_writer_in_a_place_that_was_compacted_is_refused(self, pair: tuple[Journal, Journal]) -> None:
        one, other = pair
        one.append([created(1, "west")], after=0)
        one.append([created(2, "east")], after=1)
        one.append([created(3, "south")], after=2)
        compact(one, 3)
        with pytest.raises(JournalConflict):
            other.append([created(1, "north")], after=0)
        with pytest.raises(Compacted):
            list(other.follow(0))
        assert [kept.id for kept in other.load()] == ["west", "east", "south"]
        other.append([created(4, "north")], after=3)
        assert other.inspection.problems() == []

    def test_a_load_is_of_one_moment_whatever_is_written_meanwhile(self, pair: tuple[Journal, Journal]) -> None:
        one, other = pair
        one.append([created(1, "west"), created(2, "east")], after=0)
        documents = other.load()
        as_of = other.newest()
        one.append([deleted(3, "west", body("west"))], after=2)
        assert (as_of, [kept.id for kept in documents]) == (2, ["west", "east"])
        assert [change.revision for change in other.follow(as_of)] == [3]

    def test_what_was_asked_twice_is_done_once(self, pair: tuple[Journal, Journal]) -> None:
        one, other = pair
        result = KeptResult(b"k", b"f", 1_001, b"r")
        one.append([created(1, "west")], after=0, results=[result])
        assert other.past.result(b"k") == result
        with pytest.raises(JournalConflict):
            other.append([], after=0, results=[KeptResult(b"l", b"f", 1_001, b"")])
        assert other.past.result(b"l") is None

    def test_nothing_is_undecided_where_every_append_was_answered(self, pair: tuple[Journal, Journal]) -> None:
        one, _ = pair
        assert one.sharing.settle() is None
        one.append([created(1, "west")], after=0)
        assert one.sharing.settle() is None
