"""The embedded journal keeps the contract, and its promises when processes die and other programs come."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from rollbook.errors import Compacted, DataDirectoryLocked, DataDirectoryUnsound, JournalUnavailable
from rollbook.journal.interface import Journal
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.journal.sqlite.schema import FILE_NAME, FORMAT
from tests.journal.contract import CopyContract, JournalContract, body, created, deleted, updated

WRITING_PROCESS = Path(__file__).with_name("writing_process.py")
SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


class TestSqliteJournal(JournalContract):
    @pytest.fixture(autouse=True)
    def _directories(self, tmp_path: Path) -> None:
        self.directory = tmp_path

    def opened(self) -> SqliteJournal:
        return SqliteJournal.open(Path(tempfile.mkdtemp(dir=self.directory)) / "data")

    def reopened(self, journal: Journal) -> SqliteJournal:
        assert isinstance(journal, SqliteJournal)
        journal.close()
        return SqliteJournal.open(journal.directory)


class TestSqliteCopies(CopyContract):
    @pytest.fixture(autouse=True)
    def _directories(self, tmp_path: Path) -> None:
        self.directory = tmp_path

    def opened(self) -> SqliteJournal:
        return SqliteJournal.open(Path(tempfile.mkdtemp(dir=self.directory)) / "data")


def test_a_second_process_is_told_who_holds_the_directory(data: Path) -> None:
    holder = writing_process(data, 1)
    with pytest.raises(DataDirectoryLocked) as refused:
        SqliteJournal.open(data)
    assert str(data) in refused.value.message
    assert f"pid {holder.pid}" in refused.value.message
    killed(holder)
    SqliteJournal.open(data).close()


def test_the_same_process_cannot_open_a_directory_twice(data: Path) -> None:
    journal = SqliteJournal.open(data)
    with pytest.raises(DataDirectoryLocked):
        SqliteJournal.open(data)
    journal.append([created(1, "west")], after=0)
    journal.close()
    SqliteJournal.open(data).close()


@pytest.mark.parametrize("batch_size", [1, 7])
def test_every_acknowledged_revision_survives_kill_9(data: Path, batch_size: int) -> None:
    for round_number in range(4):
        process = writing_process(data, batch_size)
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(1 + 11 * round_number)][-1]
        acknowledged = max(acknowledged, *killed(process), 0)
        journal = SqliteJournal.open(data)
        assert journal.newest() >= acknowledged
        assert journal.newest() % batch_size == 0, "a batch was torn"
        assert journal.inspection.problems() == []
        journal.close()


def test_kill_9_while_compacting_leaves_a_sound_journal_and_every_acknowledged_revision(data: Path) -> None:
    mark = 0
    for round_number in range(4):
        process = writing_process(data, 7, changes_max=20)
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(5 + 11 * round_number)][-1]
        acknowledged = max(acknowledged, *killed(process), 0)
        journal = SqliteJournal.open(data)
        assert journal.newest() >= acknowledged
        assert journal.newest() - 20 >= journal.compaction.mark() >= mark
        assert journal.inspection.problems() == []
        mark = journal.compaction.mark()
        journal.close()
    assert mark > 0


def test_a_log_torn_at_any_byte_loses_whole_batches_only(data: Path, tmp_path: Path) -> None:
    # Without a checkpoint: what one has begun to move is durable in the log, and no loss of power takes it away.
    process = writing_process(data, 5, start_pages=1_000_000)
    assert process.stdout is not None
    for _ in range(3):
        process.stdout.readline()
    killed(process)
    log = data / f"{FILE_NAME}-wal"
    size = log.stat().st_size
    for cut in range(0, size, size // 10):
        torn = tmp_path / f"torn-{cut}"
        shutil.copytree(data, torn)
        os.truncate(torn / log.name, cut)
        with (torn / log.name).open("ab") as file:
            file.write(os.urandom(3_000))
        journal = SqliteJournal.open(torn)
        assert journal.newest() % 5 == 0
        assert journal.inspection.problems() == []
        journal.close()


def test_any_tool_reads_live_documents_and_what_changed(data: Path) -> None:
    journal = SqliteJournal.open(data)
    before, after = body("west", status="live"), body("west", status="down")
    journal.append([created(1, "west", before), updated(2, "west", before, after)], after=0)
    journal.close()
    with sqlite3.connect(data / FILE_NAME) as other:
        assert other.execute("SELECT id, body ->> 'status' FROM clusters").fetchall() == [("west", "down")]
        assert other.execute("SELECT removed, inserted FROM changes WHERE revision = 2").fetchall() == [
            ("live", "down")
        ]


@pytest.mark.parametrize(
    ("version", "remedy"), [(FORMAT + 1, "use the newer one"), (1, "rollbook export .*rollbook import --data NEW")]
)
def test_a_file_of_another_format_is_refused_with_what_to_do(data: Path, version: int, remedy: str) -> None:
    SqliteJournal.open(data).close()
    tampered(data, f"PRAGMA user_version = {version}")
    with pytest.raises(DataDirectoryUnsound, match=f"format {version}.*knows {FORMAT}: .*{remedy}"):
        SqliteJournal.open(data)


def test_what_is_no_database_is_refused_and_left_alone(data: Path) -> None:
    data.mkdir()
    (data / FILE_NAME).write_bytes(b"precious " * 1_000)
    with pytest.raises(DataDirectoryUnsound, match="not an SQLite database"):
        SqliteJournal.open(data)
    assert (data / FILE_NAME).read_bytes() == b"precious " * 1_000


def test_the_database_of_another_program_is_refused_and_left_alone(data: Path) -> None:
    data.mkdir()
    with sqlite3.connect(data / FILE_NAME) as other:
        other.execute("CREATE TABLE precious (word)")
    with pytest.raises(DataDirectoryUnsound, match="did not make"):
        SqliteJournal.open(data)
    with sqlite3.connect(data / FILE_NAME) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_following_from_before_what_is_kept_is_refused(data: Path) -> None:
    journal = SqliteJournal.open(data)
    journal.append([created(1, "west"), deleted(2, "west", body("west")), created(3, "west")], after=0)
    journal.close()
    tampered(data, "DELETE FROM changes WHERE revision <= 2")
    journal = SqliteJournal.open(data)
    with pytest.raises(Compacted):
        list(journal.follow(0))
    assert [change.revision for change in journal.follow(2)] == [3]
    journal.close()


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("DELETE FROM changes WHERE revision = 2", "after revision 1 and before revision 3 are missing"),
        ("DELETE FROM changes WHERE revision = 2", "'east' is in no change"),
        ("UPDATE clusters SET body = '{\"id\":\"west\"}' WHERE id = 'west'", "'west' do not lead to what is stored"),
        ("UPDATE clusters SET body = body || ' ' WHERE id = 'east'", "more than what revision 2 created"),
        ("UPDATE clusters SET updated_at_ms = 0 WHERE id = 'west'", "revision 3 leads to is not what stands at"),
        ("UPDATE clusters SET protected = 1 WHERE id = 'west'", "revision 3 leads to is not what stands at"),
        ("DELETE FROM clusters WHERE id = 'east'", "'east' do not lead to what is stored"),
        ("INSERT INTO clusters VALUES (9, 'north', 9, 1, 1, 0, '{}', NULL)", "'north' is in no change"),
        ('UPDATE changes SET inserted = \'{"id":"x"}\' WHERE revision = 2', "'east' do not lead to what is stored"),
        ("UPDATE changes SET removed = 'zzzz' WHERE revision = 3", "'west' do not lead to what is stored"),
        ("UPDATE changes SET was_revision = 7 WHERE revision = 3", "'west' do not lead to what is stored"),
        ("UPDATE changes SET at_ms = 1004 WHERE revision = 2", "Revision 3 is dated before revision 2"),
        ("UPDATE changes SET inserted = 'never' WHERE revision = 3", "The total of revision 3 is not"),
        ("UPDATE changes SET kind = 'protected' WHERE revision = 3", "'west' do not lead to what is stored"),
        ("DELETE FROM changes WHERE revision = 1", "'west' do not begin with a creation"),
        ("UPDATE compacted SET revision = 1", "after revision 1 and before revision 1 are missing"),
    ],
)
def test_damage_is_named(data: Path, damage: str, problem: str) -> None:
    journal = SqliteJournal.open(data)
    before, after = body("west", status="live"), body("west", status="down")
    journal.append([created(1, "west", before), created(2, "east"), updated(3, "west", before, after)], after=0)
    journal.close()
    tampered(data, damage)
    journal = SqliteJournal.open(data)
    assert any(problem in found for found in journal.inspection.problems()), journal.inspection.problems()
    journal.close()


def test_a_body_that_is_no_document_of_its_id_is_named(data: Path) -> None:
    journal = SqliteJournal.open(data)
    journal.append([created(1, "west", body("east")), created(2, "east", b"{")], after=0)
    problems = journal.inspection.problems()
    assert any("'west' at revision 1 does not carry" in found for found in problems)
    assert any("'east' at revision 2 can't be read" in found for found in problems)
    journal.close()


def test_flipped_bytes_are_found(data: Path) -> None:
    journal = SqliteJournal.open(data)
    journal.append([created(n, f"c{n}", body(f"c{n}", pad="x" * 500)) for n in range(1, 101)], after=0)
    journal.close()
    content = bytearray((data / FILE_NAME).read_bytes())
    content[len(content) // 2 : len(content) // 2 + 512] = bytes(512)
    (data / FILE_NAME).write_bytes(content)
    journal = SqliteJournal.open(data)
    assert journal.inspection.problems() != []
    journal.close()


def test_the_log_stays_below_its_cap_while_writes_go_on(data: Path) -> None:
    journal = SqliteJournal.open(data, start_pages=20, cap_pages=100)
    for revision in range(1, 301):
        journal.append([created(revision, f"c{revision}", body(f"c{revision}", pad="x" * 8_000))], after=revision - 1)
    assert (data / f"{FILE_NAME}-wal").stat().st_size < 150 * 4_200
    journal.close()


def test_a_reader_that_stands_still_does_not_stop_writes(data: Path) -> None:
    journal = SqliteJournal.open(data, start_pages=20, cap_pages=40)
    journal.append([created(1, "first")], after=0)
    standing = journal.load()
    next(standing)
    for revision in range(2, 42):
        journal.append([created(revision, f"c{revision}", body(f"c{revision}", pad="x" * 8_000))], after=revision - 1)
    assert next(standing, None) is None, "the reader sees one moment"
    assert journal.newest() == 41
    journal.close()


def test_many_threads_read_while_one_appends(data: Path) -> None:
    journal = SqliteJournal.open(data)
    done, wrong = threading.Event(), []

    def read() -> None:
        while not done.is_set():
            revisions = [change.revision for change in journal.follow(0)]
            if revisions != list(range(1, len(revisions) + 1)) or len(list(journal.load())) < len(revisions):
                wrong.append(revisions)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for revision in range(1, 101):
        journal.append([created(revision, f"c{revision}")], after=revision - 1)
    done.set()
    for reader in readers:
        reader.join()
    journal.close()
    assert wrong == []


def test_a_step_of_compaction_is_bounded_in_changes_and_in_bytes_and_takes_one_at_least(data: Path) -> None:
    journal = SqliteJournal.open(data)
    journal.append([created(n, f"c{n}", body(f"c{n}", pad="x" * 1_000)) for n in range(1, 31)], after=0)
    assert journal.compaction.step(30, changes_max=10) == 10
    assert journal.compaction.step(30, bytes_max=5 * 1_250) == 15
    assert journal.compaction.step(30, bytes_max=1) == 16
    assert journal.compaction.step(18) == 18
    assert journal.compaction.step(99) == 30
    assert journal.compaction.step(99) == 30
    assert journal.inspection.problems() == []
    journal.close()


def test_the_past_is_read_and_given_up_while_one_appends(data: Path) -> None:
    journal = SqliteJournal.open(data)
    journal.append([created(1, "west", body("west", n=0))], after=0)
    done, wrong = threading.Event(), []

    def read() -> None:
        while not done.is_set():
            history = [change.revision for change in journal.past.history("west")]
            if history and history != list(range(history[0], history[-1] - 1, -1)):
                wrong.append(history)

    def compact() -> None:
        while not done.is_set():
            journal.compaction.step(journal.newest() - 10)

    threads = [threading.Thread(target=job) for job in (read, read, compact)]
    for thread in threads:
        thread.start()
    for revision in range(2, 102):
        change = updated(revision, "west", body("west", n=revision - 2), body("west", n=revision - 1))
        journal.append([change], after=revision - 1)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert journal.inspection.problems() == []
    journal.close()


def test_a_clean_close_leaves_no_log(data: Path) -> None:
    journal = SqliteJournal.open(data)
    journal.append([created(1, "west"), created(2, "east")], after=0)
    assert len(list(journal.load())) == len(list(journal.follow(0))) == 2
    journal.close()
    assert sorted(path.name for path in data.iterdir()) == ["lock", FILE_NAME]


def test_a_closed_journal_says_so(data: Path) -> None:
    journal = SqliteJournal.open(data)
    journal.close()
    with pytest.raises(JournalUnavailable, match="closed"):
        journal.append([created(1, "west")], after=0)
    with pytest.raises(JournalUnavailable, match="closed"):
        list(journal.load())


def writing_process(
    data: Path, batch_size: int, *, changes_max: int | None = None, start_pages: int = 20
) -> "subprocess.Popen[str]":
    compacting = [] if changes_max is None else [str(changes_max)]
    process = subprocess.Popen(
        [sys.executable, str(WRITING_PROCESS), str(data), str(batch_size), *compacting],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "START_PAGES": str(start_pages)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def killed(process: "subprocess.Popen[str]") -> Iterator[int]:
    """Kill at once; the revisions that it had acknowledged and nobody had read yet."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    with process.stdout as rest:
        return iter([int(line) for line in rest if line.endswith("\n")])


def tampered(data: Path, statement: str) -> None:
    with sqlite3.connect(data / FILE_NAME) as other:
        other.execute(statement)
    other.close()


def test_bodies_are_kept_byte_for_byte(data: Path) -> None:
    journal = SqliteJournal.open(data)
    peculiar = orjson.dumps({"id": "west", "text": '\x00"\\ é 𝄞 \u2028', "number": 1e300, "empty": ""})
    journal.append([created(1, "west", peculiar)], after=0)
    assert next(journal.load()).body == peculiar
    journal.close()
