"""A view opened from a snapshot and the journal's tail is the one that walking every document makes; in doubt it is."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.documents.codec import decode_stored, encode_json
from rollbook.journal.changes import Change
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.limits import Limits
from rollbook.view import opening
from rollbook.view.opening import open_view, save_snapshot
from rollbook.view.snapshots import FILE_NAME, read_snapshot
from rollbook.view.views import View
from tests.view.grammar import changed, document
from tests.view.test_planning import counts_of, postings_of

ROOMY = Limits()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal.open(tmp_path)
    yield journal
    journal.close()


@settings(max_examples=25, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_a_restored_view_is_the_one_that_loading_makes(random: Random) -> None:
    with TemporaryDirectory() as directory:
        journal = SqliteJournal.open(Path(directory))
        try:
            change_much(journal, random, 8)
            view = open_view(journal, Path(directory))
            change_much(journal, random, 3, view)
            save_snapshot(view, journal, Path(directory))
            change_much(journal, random, random.randint(0, 6), view)
            opened = open_view(journal, Path(directory))
            assert_same(opened, loaded(journal))
            assert_same(opened, view)
            change_much(journal, random, 4, opened)
            assert_same(opened, loaded(journal))
        finally:
            journal.close()


def test_a_snapshot_is_used_and_not_made_again(
    journal: SqliteJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(journal, 10)
    assert save_snapshot(loaded(journal), journal, tmp_path)
    monkeypatch.setattr(View, "load", None)
    assert len(open_view(journal, tmp_path)) == 10


def test_a_snapshot_altered_or_cut_anywhere_is_not_used(journal: SqliteJournal, tmp_path: Path) -> None:
    enrol(journal, 5)
    save_snapshot(loaded(journal), journal, tmp_path)
    sound = (tmp_path / FILE_NAME).read_bytes()
    assert read_snapshot(tmp_path, limits=ROOMY) is not None
    random = Random(1)
    for place in random.sample(range(len(sound)), 150):
        (tmp_path / FILE_NAME).write_bytes(sound[:place] + bytes([sound[place] ^ 0x55]) + sound[place + 1 :])
        assert read_snapshot(tmp_path, limits=ROOMY) is None
        (tmp_path / FILE_NAME).write_bytes(sound[:place])
        assert read_snapshot(tmp_path, limits=ROOMY) is None
    assert_same(open_view(journal, tmp_path), loaded(journal))


def test_a_snapshot_of_other_settings_is_not_used(journal: SqliteJournal, tmp_path: Path) -> None:
    enrol(journal, 5)
    save_snapshot(loaded(journal), journal, tmp_path)
    assert read_snapshot(tmp_path, limits=Limits(indexed_text_length_max=3)) is None


def test_a_snapshot_of_another_journal_is_not_used(journal: SqliteJournal, tmp_path: Path) -> None:
    enrol(journal, 5, note="one")
    save_snapshot(loaded(journal), journal, tmp_path)
    other = SqliteJournal.open(tmp_path / "other")
    enrol(other, 5, note="two")
    os.rename(tmp_path / FILE_NAME, tmp_path / "other" / FILE_NAME)
    assert_same(open_view(other, tmp_path / "other"), loaded(other))
    other.close()


def test_a_snapshot_newer_than_the_journal_is_not_used(journal: SqliteJournal, tmp_path: Path) -> None:
    enrol(journal, 5)
    save_snapshot(loaded(journal), journal, tmp_path)
    other = SqliteJournal.open(tmp_path / "other")
    enrol(other, 3)
    os.rename(tmp_path / FILE_NAME, tmp_path / "other" / FILE_NAME)
    assert_same(open_view(other, tmp_path / "other"), loaded(other))
    other.close()


def test_an_empty_registry_has_no_snapshot(journal: SqliteJournal, tmp_path: Path) -> None:
    assert not save_snapshot(loaded(journal), journal, tmp_path)
    assert len(open_view(journal, tmp_path)) == 0


def test_a_disk_that_refuses_the_snapshot_stops_nothing(journal: SqliteJournal, tmp_path: Path) -> None:
    enrol(journal, 5)
    (tmp_path / FILE_NAME).mkdir()
    assert not save_snapshot(loaded(journal), journal, tmp_path)


def enrol(journal: SqliteJournal, count: int, note: str = "") -> None:
    for number in range(1, count + 1):
        body = encode_json({"id": f"c{number}", "note": note, "n": number})
        journal.append([Change(number, f"c{number}", "created", 1, None, body)], after=number - 1)


def change_much(journal: SqliteJournal, random: Random, count: int, view: View | None = None) -> None:
    """Append creations, updates and deletions of a few ids; the view, if given, follows."""
    bodies = {kept.id: kept.body for kept in journal.load()}
    for _ in range(count):
        revision, id = journal.newest() + 1, f"c{random.randint(0, 5)}"
        before = bodies.get(id)
        if before is None:
            change = Change(revision, id, "created", revision, None, body_of(id, document(random)))
        elif random.random() < 0.2:
            change = Change(revision, id, "deleted", revision, before, None)
        else:
            after = body_of(id, changed(random, document_of(before)))
            change = Change(revision, id, "updated", revision, before, after)
        journal.append([change], after=revision - 1)
        bodies.pop(id, None)
        if change.after is not None:
            bodies[id] = change.after
        if view is not None:
            view.apply([change])


def body_of(id: str, document: dict[str, object]) -> bytes:
    """The grammar's ``n.d`` stands at ``nodes.nodeData``, where elements have an index of their own."""
    return encode_json({"id": id, "nodes": renamed(document.get("n"), "d", "nodeData"), **document})


def document_of(body: bytes) -> dict[str, object]:
    return {name: member for name, member in decode_stored(body).items() if name not in ("id", "nodes")}


def renamed(value: object, old: str, new: str) -> object:
    return (
        {new if name == old else name: member for name, member in value.items()} if isinstance(value, dict) else value
    )


def loaded(journal: SqliteJournal) -> View:
    view = View()
    view.load(journal.load(), journal.newest())
    return view


def assert_same(one: View, other: View) -> None:
    """The same documents in the same order, and an index that says the same of them."""
    assert one.revision == other.revision
    assert [entry.id for entry in one.entries()] == [entry.id for entry in other.entries()]
    assert [facts(one, entry.id) for entry in one.entries()] == [facts(other, entry.id) for entry in other.entries()]
    assert by_id(one) == by_id(other)
    for mine, its in zip(one.index.elements.values(), other.index.elements.values(), strict=True):
        assert counts_of(mine.root) == counts_of(its.root)


def facts(view: View, id: str) -> tuple[object, ...]:
    entry = view.entry(id)
    assert entry is not None
    return entry.revision, entry.created_revision, entry.created_at_ms, entry.updated_at_ms, entry.body, entry.protected


def by_id(view: View) -> dict[tuple[str, ...], dict[str, set[str]]]:
    """The postings with ids in place of numbers."""
    ids = {entry.number: entry.id for entry in view.entries()}
    return {
        path: {key: {ids[number] for number in numbers} for key, numbers in keys.items()}
        for path, keys in postings_of(view.index.root).items()
    }


def test_without_an_index_there_are_the_documents_and_no_snapshot(journal: SqliteJournal, tmp_path: Path) -> None:
    enrol(journal, 3)
    view = open_view(journal, tmp_path, indexed=False)
    change_much(journal, Random(1), 20, view)
    assert [(entry.id, entry.body) for entry in view.entries()] == [(kept.id, kept.body) for kept in journal.load()]
    assert not save_snapshot(view, journal, tmp_path)
    assert not (tmp_path / FILE_NAME).exists()


def test_what_was_written_without_an_index_is_indexed_at_the_next_start(journal: SqliteJournal, tmp_path: Path) -> None:
    enrol(journal, 10)
    assert save_snapshot(loaded(journal), journal, tmp_path)
    change_much(journal, Random(2), 8, open_view(journal, tmp_path, indexed=False))
    assert_same(open_view(journal, tmp_path), loaded(journal))


def test_an_index_of_many_documents_is_written_down_as_soon_as_it_is_made(
    journal: SqliteJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(journal, 10)
    monkeypatch.setattr(opening, "SAVED_AT_ONCE_MIN", 11)
    assert open_view(journal, tmp_path).snapshot_revision == 0
    monkeypatch.setattr(opening, "SAVED_AT_ONCE_MIN", 10)
    made = open_view(journal, tmp_path)
    assert made.snapshot_revision == made.revision == journal.newest()
    assert read_snapshot(tmp_path, limits=ROOMY) is not None
    assert_same(open_view(journal, tmp_path), made)
