"""Data directories as every format so far left them (tests/data), opened by the code of today.

Each was written over HTTP by the last version that wrote its format: `west` was created and updated twice, `east`
created and, from format 2 on, protected, `gone` created and deleted; from format 2 on `west` has sent a heartbeat, and
there is a webhook `hook` that is disabled.
"""

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from rollbook.assembly import open_registry
from rollbook.documents.codec import decode_json
from rollbook.errors import DataDirectoryUnsound
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.journal.sqlite.migrating import keep_former
from rollbook.journal.sqlite.schema import FILE_NAME, FORMAT, WITHOUT_CHECKSUMS
from rollbook.security.callers import Caller
from rollbook.settings import Settings

DATA = Path(__file__).parents[1] / "data"
READABLE = range(WITHOUT_CHECKSUMS, FORMAT + 1)
DAYS_MAX = 36_500


def unpacked(format: int, tmp_path: Path) -> Path:
    with tarfile.open(DATA / f"format-{format}.tar.gz") as archive:
        archive.extractall(tmp_path / "data", filter="data")
    return tmp_path / "data"


def test_a_directory_of_each_format_is_kept() -> None:
    assert {path.name for path in DATA.glob("format-*")} == {f"format-{each}.tar.gz" for each in range(1, FORMAT + 1)}


@pytest.mark.parametrize("format", READABLE)
async def test_a_directory_of_a_former_format_is_opened_whole(format: int, tmp_path: Path) -> None:
    directory = unpacked(format, tmp_path)
    for _ in range(2):  # as it was, and as the first start has left it
        async with open_registry(Settings(data=directory, history_days=DAYS_MAX)) as registry:
            west, east = registry.view.entry("west"), registry.view.entry("east")
            assert west is not None
            assert east is not None
            document = decode_json(west.body)
            assert (document["status"], document["tags"]) == ("busy", ["kept"])
            assert document["clusterMetadata"]["owner"] == "net-ops"
            assert (len(registry.view), east.protected, registry.view.revision) == (2, True, 7)
            history = await registry.history.changes(Caller.FULL, since=0, limit=100, form="document")
            assert [(event["event"], event["id"]) for event in map(decode_json, history.items)] == [
                *(("created", id) for id in ("west", "east", "gone")),
                *(("updated", "west") for _ in range(2)),
                ("protected", "east"),
                ("deleted", "gone"),
            ]
            assert [hook["id"] for hook in await registry.webhooks.describe(Caller.FULL)] == ["hook"]
            assert registry.liveness.leases.get("west") is not None
    journal = SqliteJournal.open(directory)
    assert journal.inspection.problems() == []
    journal.close()


@pytest.mark.parametrize("format", [each for each in READABLE if each != FORMAT])
def test_what_was_there_before_a_migration_is_kept_and_opens(format: int, tmp_path: Path) -> None:
    directory = unpacked(format, tmp_path)
    before = documents_in(directory)
    for _ in range(2):  # the second start migrates nothing, and leaves the copy as it is
        SqliteJournal.open(directory).close()
        kept = directory / f"before-format-{format}"
        assert format_of(kept) == format
    assert format_of(directory) == FORMAT
    assert {path.name for path in kept.iterdir()} >= {"rollbook.sqlite3", "leases.sqlite3", "webhooks.sqlite3"}
    assert documents_in(kept) == before


def test_a_second_migration_keeps_what_was_there_before_it(tmp_path: Path) -> None:
    directory = unpacked(WITHOUT_CHECKSUMS, tmp_path)
    keep_former(directory, "x")
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        connection.execute("UPDATE clusters SET body = '{}' WHERE id = 'west'")
        connection.commit()
    assert dict(documents_in(keep_former(directory, "x")))["west"] == "{}"
    assert not list(directory.glob("*.partial"))


def test_nothing_is_migrated_where_the_copy_can_not_be_made(tmp_path: Path) -> None:
    directory = unpacked(WITHOUT_CHECKSUMS, tmp_path)
    (directory / f"before-format-{WITHOUT_CHECKSUMS}.partial").write_text("in the way")
    journal = SqliteJournal.open(directory)
    assert [each.id for each in journal.load()] == ["west", "east"]
    assert journal.problem is not None
    journal.close()
    assert format_of(directory) == WITHOUT_CHECKSUMS


def documents_in(directory: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        return connection.execute("SELECT id, body FROM clusters ORDER BY 1").fetchall()


def format_of(directory: Path) -> int:
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_format_that_is_too_old_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        DataDirectoryUnsound, match=r"has format 1, .* rollbook export --data .* rollbook import --data"
    ):
        SqliteJournal.open(unpacked(1, tmp_path))
