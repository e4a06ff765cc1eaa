"""FastAPI on SQLite: a table of ids and JSONB, scanned by every query. Durable: WAL with synchronous=FULL."""

from collections.abc import Sequence
from pathlib import Path

import apsw

from benchmarks.rivals.interface import Rival, Tools
from benchmarks.rivals.services import service, versions
from benchmarks.serving.materials import Materials
from benchmarks.serving.processes import Command


def load(materials: Materials, folder: Path, tools: Tools) -> None:
    """Fill the table."""
    connection = apsw.Connection(str(folder / "clusters.sqlite"))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE clusters (id TEXT PRIMARY KEY, document BLOB NOT NULL)")
    with connection, materials.file.open() as lines:
        rows = zip(materials.ids, lines, strict=True)
        connection.executemany("INSERT INTO clusters VALUES (?, jsonb(?))", rows)
    connection.close()


def commands(folder: Path, port: int, tools: Tools) -> Sequence[Command]:
    """The service."""
    return [service("sqlite_service", port, {"CLUSTERS_FILE": str(folder / "clusters.sqlite")})]


SQLITE = Rival(
    name="sqlite",
    title="FastAPI, SQLite JSONB scan",
    missing=lambda tools: None,
    load=load,
    commands=commands,
    version=lambda tools: f"{versions()} on SQLite {apsw.sqlite_lib_version()}",
)
