"""A pooler that gives connections away after each transaction is recognised; one that keeps sessions is used."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rollbook.errors import SettingRefused
from rollbook.journal.postgresql.journal import PostgresqlJournal
from tests.journal.contract import created
from tests.postgresql import PostgresqlServer, postgresql_directory, shared_schemas, unprivileged_user
from tests.serving import free_port

SETTINGS = """
[databases]
postgres = host=127.0.0.1 port={engine} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = any
pool_mode = {mode}
unix_socket_dir =
ignore_startup_parameters = options
"""


@contextmanager
def pgbouncer(directory: Path, engine: PostgresqlServer, mode: str) -> Iterator[str]:
    """A pooler in front of an engine; the connection string that leads through it."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("needs PgBouncer: apt-get install pgbouncer")
    port, path = free_port(), directory / f"{mode}.ini"
    path.write_text(SETTINGS.format(engine=engine.port, port=port, mode=mode))
    running = subprocess.Popen(
        [program, "--quiet", str(path)], user=unprivileged_user(), cwd="/", stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.05)
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        running.terminate()
        running.wait(10)


def test_pooling_by_transactions_is_refused_and_by_sessions_is_used() -> None:
    server = shared_schemas().server
    with postgresql_directory() as directory:
        with (
            pgbouncer(directory, server, "transaction") as url,
            pytest.raises(SettingRefused, match="pool_mode = transaction"),
        ):
            PostgresqlJournal.open(url)
        with pgbouncer(directory, server, "session") as url:
            journal = PostgresqlJournal.open(url)
            newest = journal.newest()
            journal.append([created(newest + 1, f"pooled{newest}")._replace(at_ms=10**12)], after=newest)
            assert journal.sharing.confirm(newest + 1) == newest + 1
            journal.close()
