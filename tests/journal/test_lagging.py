"""Rows of large documents lag behind, and nobody who reads the journal can tell."""

import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.errors import DataDirectoryUnsound
from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.journal.sqlite.lagging import LAG_CHANGES_MAX
from rollbook.journal.sqlite.rebuilding import LARGE_BODY_BYTES
from rollbook.journal.sqlite.schema import FILE_NAME
from tests.journal.contract import compact, created, deleted, protected, unprotected, updated
from tests.journal.test_frozen import of_a_former_format
from tests.journal.test_sqlite import tampered

NODE = {"gpus": {"count": 8, "models": ["A100", "é"]}, "note": "x" * 400}


def large(*numbers: int, id: str = "west") -> bytes:
    """A document with 800 nodes, some of them as ``numbers`` say, and totals around them."""
    nodes = [{"id": f"node-{number}", "memory": number % 7, **NODE} for number in range(800)]
    for number in numbers:
        if number % 3 == 0:
            nodes.insert(number % len(nodes), {"id": f"joined-{number}", **NODE})
        elif number % 3 == 1:
            del nodes[number % len(nodes)]
        else:
            nodes[number % len(nodes)] = {"id": f"changed-{number}", "memory": number}
    return orjson.dumps({"id": id, "count": len(nodes), "nodes": nodes, "memory": 512 * len(nodes)})


assert len(large()) > LARGE_BODY_BYTES

SMALL = orjson.dumps({"id": "west", "count": 0})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def row_of(directory: Path, id: str = "west") -> tuple[int, bytes]:
    with closing(sqlite3.connect(f"file:{directory / FILE_NAME}?mode=ro", uri=True)) as other:
        revision, body = other.execute("SELECT revision, body FROM clusters WHERE id = ?", (id,)).fetchone()
    return revision, body.encode()


def written_bytes() -> int:
    return int(Path("/proc/self/io").read_text().split("wchar: ")[1].split()[0])


def test_a_change_of_a_large_document_writes_what_it_changes(data: Path) -> None:
    journal = SqliteJournal.open(data)
    bodies = [large(), large(300), large(300, 603)]
    journal.append([created(1, "west", bodies[0])], after=0)
    before = written_bytes()
    journal.append([updated(2, "west", bodies[0], bodies[1])], after=1)
    journal.append([updated(3, "west", bodies[1], bodies[2])], after=2)
    assert written_bytes() - before < 2 * 24_000
    assert row_of(data) == (1, bodies[0])
    assert [kept.body for kept in journal.load()] == [bodies[2]]
    assert journal.inspection.problems() == []
    journal.close()
    assert row_of(data) == (3, bodies[2]), "a journal that was closed is what it says"


Walk = Sequence[tuple[str, int]]
walks: st.SearchStrategy[Walk] = st.lists(
    st.tuples(
        st.sampled_from(["edit", "edit", "edit", "shrink", "protect", "delete", "reopen", "kill", "compact"]),
        st.integers(0, 799),
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None)
@given(walks)
def test_whatever_happens_history_and_documents_are_what_was_written(walk: Walk) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "data"
        journal = SqliteJournal.open(directory)
        done: list[Change] = []
        kept: StoredVersion | None = None
        mark, numbers = 0, [1]
        for what, number in walk:
            revision = len(done) + 1
            if what == "reopen":
                journal.close()
                journal = SqliteJournal.open(directory)
            elif what == "kill":
                copy = Path(tempfile.mkdtemp(dir=folder)) / "data"
                shutil.copytree(directory, copy)
                journal.close()
                journal, directory = SqliteJournal.open(copy), copy
            elif what == "compact" and done:
                mark = max(mark, compact(journal, number % revision))
            if what in ("reopen", "kill", "compact"):
                continue
            numbers.append(number)
            change = _change(what, revision, kept, large(*numbers[-5:]))
            journal.append([change], after=revision - 1)
            done.append(change)
            kept = _kept_after(kept, change)
        assert list(journal.load()) == ([] if kept is None else [kept])
        assert list(journal.follow(mark)) == done[mark:]
        assert list(journal.past.history("west")) == done[mark:][::-1]
        assert journal.inspection.problems() == []
        journal.close()


def _change(what: str, revision: int, kept: StoredVersion | None, edited: bytes) -> Change:
    if kept is None:
        return created(revision, "west", edited)
    if what == "protect":
        return (unprotected if kept.protected else protected)(revision, "west", kept.body)
    if what == "delete" and not kept.protected:
        return deleted(revision, "west", kept.body)
    return updated(revision, "west", kept.body, SMALL if what == "shrink" and kept.body != SMALL else edited)


def _kept_after(kept: StoredVersion | None, change: Change) -> StoredVersion | None:
    if change.after is None:
        return None
    born = (change.revision, change.at_ms) if kept is None else (kept.created_revision, kept.created_at_ms)
    times = (*born, change.at_ms, change.at_ms if kept is None else kept.status_since_ms)
    was = kept is not None and kept.protected
    is_protected = change.kind == "protected" or (change.kind == "updated" and was)
    return StoredVersion(change.id, change.after, change.revision, *times, is_protected)


def test_a_row_lags_by_a_bounded_number_of_changes(data: Path) -> None:
    journal = SqliteJournal.open(data)
    bodies = [large(), large(3)]
    journal.append([created(1, "west", bodies[0])], after=0)
    changes = [updated(n + 2, "west", bodies[n % 2], bodies[(n + 1) % 2]) for n in range(LAG_CHANGES_MAX + 5)]
    journal.append(changes, after=1)
    assert 1 < row_of(data)[0] <= LAG_CHANGES_MAX + 1
    assert journal.inspection.problems() == []
    journal.close()


def test_a_batch_that_fails_leaves_what_stood(data: Path) -> None:
    journal = SqliteJournal.open(data)
    bodies = [large(), large(3), large(3, 6)]
    journal.append([created(1, "west", bodies[0]), updated(2, "west", *bodies[:2])], after=0)
    with pytest.raises(ValueError, match="revision 4"):
        journal.append([updated(3, "west", *bodies[1:]), updated(4, "west", bodies[0], bodies[1])], after=2)
    with pytest.raises(ValueError, match="revision 3"):
        journal.append([updated(3, "west", bodies[0], bodies[2])], after=2)
    journal.append([updated(3, "west", *bodies[1:])], after=2)
    assert [kept.body for kept in journal.load()] == [bodies[2]]
    journal.close()


LAGGING = [large(), large(300), large(300, 603), large(300, 603, 7)]


@pytest.fixture
def lagging(data: Path, tmp_path: Path) -> Path:
    """A directory as a kill leaves it: the row of a large document is three changes behind."""
    journal = SqliteJournal.open(data)
    journal.append([created(1, "west", LAGGING[0]), created(2, "east")], after=0)
    for revision in (3, 4, 5):
        journal.append([updated(revision, "west", LAGGING[revision - 3], LAGGING[revision - 2])], after=revision - 1)
    left = tmp_path / "left"
    shutil.copytree(data, left)
    journal.close()
    assert row_of(left) == (1, LAGGING[0])
    return left


def test_after_a_kill_the_document_is_the_newest_and_the_next_stop_writes_it(lagging: Path) -> None:
    journal = SqliteJournal.open(lagging)
    assert [kept.body for kept in journal.load()] == [LAGGING[3], b'{"id":"east"}']
    journal.close()
    assert row_of(lagging) == (5, LAGGING[3])


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE changes SET inserted = 'odd' WHERE revision = 4",
        "UPDATE changes SET more = more || ' ' WHERE revision = 4",
        "UPDATE clusters SET body = replace(body, 'node-5', 'node-6') WHERE id = 'west'",
    ],
)
def test_damage_of_a_row_that_lags_is_found_and_repaired(lagging: Path, damage: str) -> None:
    tampered(lagging, damage)
    journal = SqliteJournal.open(lagging)
    assert any("'west'" in problem for problem in journal.inspection.problems())
    with pytest.raises(DataDirectoryUnsound):
        list(journal.load())
    journal.repair("west", drop=True)
    assert journal.inspection.problems() == []
    assert "east" in [kept.id for kept in journal.load()]
    list(journal.follow(0))
    journal.close()


def test_a_damaged_row_that_lags_is_rebuilt(lagging: Path) -> None:
    tampered(lagging, "UPDATE clusters SET body = replace(body, 'node-5', 'node-6') WHERE id = 'west'")
    journal = SqliteJournal.open(lagging)
    assert "rebuilt from its history" in journal.repair("west", drop=False)
    assert next(kept.body for kept in journal.load()) == LAGGING[3]
    assert journal.inspection.problems() == []
    journal.close()


@pytest.mark.parametrize("version", [2, 3])
def test_files_of_former_formats_are_read_and_go_on(data: Path, version: int) -> None:
    of_a_former_format(data, version)
    journal = SqliteJournal.open(data)
    journal.append([created(3, "large", large(id="large"))], after=2)
    journal.append([updated(4, "large", large(id="large"), large(3, id="large"))], after=3)
    assert journal.inspection.problems() == []
    assert len(list(journal.follow(0))) == 4
    journal.close()
