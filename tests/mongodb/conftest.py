"""A server that speaks MongoDB's protocol, for the tests of a module: FerretDB on SQLite (``make ferretdb``)."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pymongo
import pytest
from pymongo.errors import PyMongoError

from benchmarks.rivals.building_ferretdb import program
from tests.serving import free_port

START_SECONDS_MAX = 30.0


@pytest.fixture(scope="module")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of an empty server, without a database."""
    if not program().exists():
        pytest.skip("FerretDB is missing: make ferretdb")
    state, port = tmp_path_factory.mktemp("ferretdb"), free_port()
    options = {
        "--handler": "sqlite",
        "--sqlite-url": f"file:{state}/",
        "--listen-addr": f"127.0.0.1:{port}",
        "--debug-addr": "-",
        "--telemetry": "disable",
        "--log-level": "ERROR",
        "--state-dir": str(state),
    }
    with (state / "log").open("wb") as log:
        command = [str(program()), *(f"{name}={value}" for name, value in options.items())]
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        address = f"mongodb://127.0.0.1:{port}"
        wait_for(address, server, state / "log")
        yield address
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when it answers."""
    deadline = time.monotonic() + START_SECONDS_MAX
    with pymongo.MongoClient[dict[str, object]](address, serverSelectionTimeoutMS=200) as client:
        while server.poll() is None and time.monotonic() < deadline:
            try:
                client.admin.command("ping")
                return
            except PyMongoError:
                time.sleep(0.05)
    raise AssertionError(f"FerretDB did not start: {log.read_text()}")
