"""FerretDB, which speaks MongoDB's protocol on top of PostgreSQL, behind a service of FastAPI and PyMongo.

An id is the document's ``_id``, the one key that FerretDB looks up by an index.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from benchmarks.rivals import building_ferretdb, postgres_clusters
from benchmarks.rivals.interface import Rival, Tools
from benchmarks.rivals.services import service, versions
from benchmarks.serving.materials import Materials
from benchmarks.serving.processes import STOP_SECONDS_MAX, Command, Processes, wait_for

BATCH_DOCUMENTS = 1_000


def missing(tools: Tools) -> str | None:
    """The program, or PostgreSQL under it."""
    if not program(tools).exists():
        return "FerretDB (built by Go 1.24 or newer from the Go module proxy)"
    return None if tools.postgresql else "PostgreSQL (Debian: postgresql)"


def program(tools: Tools) -> Path:
    """What ``installing`` built."""
    return tools.cache / "bin" / "ferretdb"


def load(materials: Materials, folder: Path, tools: Tools) -> None:
    """Insert the clusters as a client would, a thousand at once."""
    home = folder / "postgresql"
    postgres_clusters.initialise(home, tools)
    processes = Processes()
    processes.start(databases(folder, tools), log=folder / "loading.log")
    try:
        clusters = MongoClient[dict[str, Any]](address(folder))["registry"]["clusters"]
        documents = ({"_id": document["id"], **document} for document in materials.documents())
        for batch in batches(documents):
            clusters.insert_many(batch)
        postgres_clusters.run_sql(home, tools, ["VACUUM (FREEZE, ANALYZE)", "CHECKPOINT"])
    finally:
        processes.stop()


def commands(folder: Path, port: int, tools: Tools) -> Sequence[Command]:
    """PostgreSQL, FerretDB and the service."""
    return [*databases(folder, tools), service("ferretdb_service", port, {"DATABASE": address(folder)})]


def databases(folder: Path, tools: Tools) -> Sequence[Command]:
    """PostgreSQL, and FerretDB on it, which listens on a Unix socket."""
    home = folder / "postgresql"
    state = folder / "ferretdb"
    state.mkdir(exist_ok=True)
    socket(folder).unlink(missing_ok=True)  # what a killed one left behind
    options = {
        "--handler": "postgresql",
        "--postgresql-url": f"{postgres_clusters.address(home)}&pool_max_conns=32",
        "--listen-addr": "",
        "--listen-unix": str(socket(folder)),
        "--debug-addr": "-",
        "--telemetry": "disable",
        "--log-level": "ERROR",
        "--state-dir": str(state),
    }
    ferretdb = Command(
        [str(program(tools)), *(f"{name}={value}" for name, value in options.items())],
        {"HOME": str(state), "DO_NOT_TRACK": "1"},
        wait_until_ready=lambda: wait_for(lambda: answers(folder), what="FerretDB", seconds_max=STOP_SECONDS_MAX),
    )
    return [postgres_clusters.postgres(home, tools), ferretdb]


def socket(folder: Path) -> Path:
    """Where FerretDB listens."""
    return folder / "ferretdb.sock"


def address(folder: Path) -> str:
    """The same for PyMongo."""
    return f"mongodb://{str(socket(folder)).replace('/', '%2F')}/?serverSelectionTimeoutMS=1000"


def answers(folder: Path) -> bool:
    """Whether FerretDB answers."""
    if not os.path.exists(socket(folder)):
        return False
    try:
        with MongoClient[dict[str, Any]](address(folder)) as client:
            client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def batches(documents: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The documents, so many at once."""
    while batch := list(islice(documents, BATCH_DOCUMENTS)):
        yield batch


FERRETDB = Rival(
    name="ferretdb",
    title="FastAPI, PyMongo, FerretDB on PostgreSQL",
    missing=missing,
    load=load,
    commands=commands,
    version=lambda tools: (
        f"{versions('pymongo')} on FerretDB {building_ferretdb.VERSION} on {postgres_clusters.version(tools)}"
    ),
)
