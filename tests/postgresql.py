"""A PostgreSQL server for tests, in a temporary directory, on a free port of the loopback address.

One server serves a whole session of tests, and each test has a schema of its own. Without PostgreSQL on the machine the
tests that ask for it are skipped, except where all must run.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from tests.serving import free_port

IS_SHARED = os.environ.get("ROLLBOOK_TEST_ENGINE") == "postgresql"
"""Whether the servers of the API's tests are on PostgreSQL (``make test-postgresql``)."""

BINARIES = "/usr/lib/postgresql"
STANDBY = "s2"
WITH_STANDBY = {"synchronous_standby_names": f"ANY 1 ({STANDBY})", "wal_level": "replica"}
"""For a primary that waits for its standby."""

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For servers that nothing is to be found on after a crash."""


@cache
def binaries() -> Path | None:
    """Where ``initdb`` and ``pg_ctl`` are; None where they are not."""
    found = sorted(Path(BINARIES).glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    return None if elsewhere is None else Path(elsewhere).resolve().parent


def needed_binaries() -> Path:
    """Where PostgreSQL's programs are; the test is skipped where they are not."""
    found = binaries()
    if found is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    return found


class PostgresqlServer:
    """One engine: ``start``, then ``stop`` or ``kill``. Its files belong to a user who is not root."""

    def __init__(self, directory: Path, *, settings: dict[str, str] | None = None) -> None:
        self.data = directory / "data"
        self.directory = directory
        self.port = free_port()
        self.settings = settings or {}
        self._bin = needed_binaries()

    @property
    def url(self) -> str:
        """The connection string of the database ``postgres``."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def create(self) -> "PostgresqlServer":
        """Make the files of a new, empty engine."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.own(self.directory)
        self.run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        return self

    def start(self) -> "PostgresqlServer":
        """Start it, and return when it takes connections."""
        common = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        options = {**common, "max_connections": "300", **self.settings}
        text = " ".join(f'-c {name}="{value}"' for name, value in options.items())
        self.run("pg_ctl", "-D", str(self.data), "-l", str(self.directory / "log"), "-w", "-o", text, "start")
        return self

    def standby(self, directory: Path) -> "PostgresqlServer":
        """A standby of this one, which runs: its files are made, and it is not started."""
        standby = PostgresqlServer(directory)
        standby.directory.mkdir(parents=True, exist_ok=True)
        self.own(standby.directory)
        name = f"host=127.0.0.1 port={self.port} user=postgres application_name={STANDBY}"
        self.run("pg_basebackup", "-D", str(standby.data), "-d", name, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        return standby

    def promote(self) -> None:
        """Let a standby take writes."""
        self.run("pg_ctl", "-D", str(self.data), "-w", "promote")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: ``fast``, or ``immediate``, which is a crash."""
        self.run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the user whom the files belong to."""
        command = [str(self._bin / program), *arguments]
        result = subprocess.run(
            command, user=unprivileged_user(), cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        if result.returncode:
            log = self.directory / "log"
            raise AssertionError(f"{program}: {result.stdout}\n{log.read_text() if log.exists() else ''}")

    def own(self, path: Path) -> None:
        """Give a path to the user who runs the engine."""
        user = unprivileged_user()
        if user is not None:
            shutil.chown(path, user)


def unprivileged_user() -> str | None:
    """Who runs PostgreSQL, which refuses to be run by root."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise AssertionError("PostgreSQL does not run as root, and there is no other user")


@contextmanager
def postgresql_directory() -> Iterator[Path]:
    """A directory that a user who is not root may enter, unlike pytest's."""
    directory = Path(tempfile.mkdtemp(prefix="rollbook-pg-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Schemas:
    """Registries on one server, each in a schema of its own."""

    def __init__(self, server: PostgresqlServer) -> None:
        self.server = server
        self._numbers = count(1)

    def new(self) -> str:
        """The connection string of a new, empty schema."""
        import psycopg

        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")  # type: ignore[call-overload]
        return f"{self.server.url}?options=-csearch_path%3D{name}"


_STARTED: list[Schemas] = []


def shared_schemas() -> Schemas:
    """The server that all tests of the session share; started when it is first asked for."""
    if not _STARTED:
        needed_binaries()
        holding = postgresql_directory()
        server = PostgresqlServer(holding.__enter__(), settings=FAST).create().start()
        _STARTED.append(Schemas(server))
        _ENDING.append((server, holding))
    return _STARTED[0]


_ENDING: list[Sequence[object]] = []


def stop_shared_server() -> None:
    """Stop the server that all tests share, if it was started."""
    for server, holding in _ENDING:
        assert isinstance(server, PostgresqlServer)
        server.stop("immediate")
        holding.__exit__(None, None, None)  # type: ignore[attr-defined]
    _ENDING.clear()
    _STARTED.clear()
