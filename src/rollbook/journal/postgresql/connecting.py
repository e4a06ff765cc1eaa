"""Connections to the engine: how one is made, what it has to do first, and how long it is waited for.

Theory: with a synchronous standby, what a primary shows is not yet safe: after a crash and a restart it shows commits
that no standby has. So a new connection first writes, and that write waits for the standby as every commit does; what
is read on this connection afterwards lies before it in the log that standbys follow, and is safe.

One rule: what takes too long is never cancelled. A cancelled commit would be visible, and acknowledged, without being
safe. The socket is closed instead, and what became of the statement is unknown until it is looked up.
"""

import os
import re
import select
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeAlias, TypeVar
from uuid import uuid4

import psycopg
from psycopg import conninfo, errors
from psycopg.abc import PQGen

from rollbook.errors import JournalForbidden, JournalUnavailable, SettingRefused
from rollbook.journal.postgresql.arrays import register_columns
from rollbook.journal.postgresql.hosts import in_order, remember

PROCESS = uuid4()
"""This process, in the table of processes."""

CONNECT_SECONDS = 3
ANSWER_SECONDS = 10.0
"""How long any one answer is waited for, where nothing else is said."""

PREPARING_SECONDS = 2.0
"""How long a new connection has at least: a host that is gone may have taken all the time that there was."""

DEFAULTS: dict[str, Any] = {
    "target_session_attrs": "read-write",
    "connect_timeout": CONNECT_SECONDS,
    "application_name": "rollbook",
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "client_encoding": "utf8",
}
"""What the connection string does not say itself."""

SETTINGS_OF_SESSION = """
SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false),
    set_config('idle_session_timeout', '0', false), set_config('jit', 'off', false),
    set_config('plan_cache_mode', 'force_generic_plan', false), set_config('timezone', 'UTC', false),
    CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
        THEN set_config('synchronous_commit', 'on', false) END,
    (SELECT set_config(name, 'lz4', false) FROM pg_settings
        WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)),
    pg_backend_pid(), current_setting('server_encoding'), current_setting('server_version_num')::int
"""
REGISTER = """
INSERT INTO processes (id, host, pid) VALUES (%s, %s, %s)
ON CONFLICT (id) DO UPDATE SET connections = processes.connections + 1, connected_at = now()
"""
VERSION_MIN = 130_000

QUOTED = re.compile(r'("."[^"]*)|".*"')
"""What libpq quotes: one character that it expects or found, or a part of the connection string."""

Row: TypeAlias = tuple[Any, ...]
RV = TypeVar("RV")


class TooSlow(psycopg.OperationalError):
    """The engine did not answer in time, and the connection was closed."""


class _Connection(psycopg.Connection[Row]):
    """A connection that is waited for until ``deadline`` (seconds of ``time.monotonic``), and closed after it."""

    deadline = float("inf")

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """See psycopg's ``Connection.wait``; nothing is ever cancelled."""
        left = min(self.deadline - time.monotonic(), 3_600.0)
        try:
            return super().wait(gen, interval, timeout=max(left, 0.001))
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise TooSlow("the engine did not answer in time") from None


class Session:
    """A connection with the engine that writes by itself (autocommit), used by one thread at a time."""

    def __init__(self, connection: _Connection) -> None:
        self.connection = connection
        self.warnings: list[str] = []
        """What the engine warned of since it was last looked at."""
        self.backend = 0
        """The engine's process that serves this connection."""
        connection.add_notice_handler(self._warned)
        register_columns(connection)

    @classmethod
    def open(cls, target: str, *, deadline: float | None = None, registered: bool = True) -> "Session":
        """Connect, and register unless the tables may not be there yet. Fails (JournalUnavailable)."""
        with engine_errors("the engine can't be reached"):
            connection = _Connection.connect(_completed(target), autocommit=True)
        remember(target, connection.info.host, connection.info.port)
        session = cls(connection)
        if deadline is not None:
            deadline = max(deadline, time.monotonic() + PREPARING_SECONDS)
        try:
            with engine_errors("the engine can't be used"), session.until(deadline):
                session._prepare()
                if registered:
                    session.register()
        except BaseException:
            session.close()
            raise
        return session

    @property
    def is_open(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return not self.connection.closed

    def has_ended(self) -> bool:
        """Whether the engine has closed a connection that asks nothing, or has something to say that nobody asked."""
        return bool(select.select([self.connection.fileno()], [], [], 0)[0])

    @contextmanager
    def until(self, deadline: float | None = None) -> Iterator["Session"]:
        """Wait for what is done in the block until ``deadline``; None: ANSWER_SECONDS from now."""
        former = self.connection.deadline
        self.connection.deadline = time.monotonic() + ANSWER_SECONDS if deadline is None else deadline
        try:
            yield self
        finally:
            self.connection.deadline = former

    def register(self) -> None:
        """A write that waits until it is safe, as every commit does; what is read after it is safe too."""
        with self.connection.cursor() as cursor:
            cursor.execute(REGISTER, (PROCESS, socket.gethostname(), os.getpid()))

    def rows(self, statement: str, parameters: Sequence[object] | dict[str, object] = ()) -> list[Row]:
        """What a statement gives."""
        with self.connection.cursor(binary=True) as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall()

    def run(self, statement: str, parameters: Sequence[object] | dict[str, object] = ()) -> int:
        """Do what gives no rows; how many rows it touched."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.rowcount

    @contextmanager
    def transaction(self, *, snapshot: bool = False) -> Iterator[None]:
        """One transaction; with ``snapshot``, everything in it reads the database as of one moment."""
        if not snapshot:
            with self.connection.transaction():
                yield
            return
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            if not self.connection.closed:
                self.run("ROLLBACK")

    def close(self) -> None:
        """Close the connection. Closing twice is harmless."""
        self.connection.close()

    def interrupt(self) -> None:
        """Let who waits for this connection hear that it is lost. Safe to call from any thread."""
        with suppress(OSError, psycopg.Error):
            duplicate = socket.socket(fileno=os.dup(self.connection.fileno()))
            with duplicate:
                duplicate.shutdown(socket.SHUT_RDWR)

    def _prepare(self) -> None:
        *_, self.backend, encoding, version = self.rows(SETTINGS_OF_SESSION)[0]
        if encoding != "UTF8":
            raise SettingRefused(f"the database is encoded in {encoding}; Rollbook needs one in UTF8")
        if version < VERSION_MIN:
            raise SettingRefused(f"the engine is PostgreSQL {version // 10_000}; Rollbook needs 13 or newer")

    def _warned(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self.warnings.append(notice.message_primary or "")


@contextmanager
def engine_errors(what: str) -> Iterator[None]:
    """Turn what the engine reports into JournalUnavailable with ``what``, and what it forbids into JournalForbidden."""
    try:
        yield
    except errors.InsufficientPrivilege as refused:
        raise JournalForbidden(f"{what}: {first_line(refused)}") from refused
    except (errors.UniqueViolation, errors.UndefinedTable):
        raise
    except psycopg.Error as problem:
        raise JournalUnavailable(f"{what}: {first_line(problem)}") from problem


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def check_target(target: str) -> None:
    """Refuses (SettingRefused) what is no connection string. Nothing of it is shown, as any part may be a password."""
    refused = "the journal is no connection string of PostgreSQL"
    try:
        parameters = conninfo.conninfo_to_dict(target)
    except psycopg.ProgrammingError as wrong:
        problem = QUOTED.sub(lambda found: found[1] or '"***"', first_line(wrong))
        raise SettingRefused(f"{refused}: {problem}") from None
    hosts = str(parameters.get("host") or "").split(",")
    if any("@" in host[1:] for host in hosts if not host.startswith("/")):
        raise SettingRefused(f"{refused}: there is an @ before its last one: write that of a password as %40")


def _completed(target: str) -> str:
    given: dict[str, Any] = conninfo.conninfo_to_dict(target)
    variables = {"application_name": "PGAPPNAME", "client_encoding": "PGCLIENTENCODING"}
    names = {name: variables.get(name, f"PG{name.upper().replace('_', '')}") for name in DEFAULTS}
    defaults = {name: value for name, value in DEFAULTS.items() if names[name] not in os.environ}
    stated = {name: value for name, value in given.items() if value is not None}
    return conninfo.make_conninfo(**{**defaults, **in_order(target, stated)})


class OpenSession(Protocol):
    """Opens a session that has registered. Fails (JournalUnavailable) when that takes longer than to the deadline."""

    def __call__(self, deadline: float | None, /) -> Session:
        """The session."""
        ...


class Sessions:
    """Connections that threads borrow to read, and give back. Opens new ones as they are needed."""

    def __init__(self, open_session: "OpenSession", *, kept_max: int = 4) -> None:
        self._open_session = open_session
        self._kept_max = kept_max
        self._idle: list[Session] = []
        self._lock = threading.Lock()
        self._is_closed = False

    @contextmanager
    def borrowed(self, *, deadline: float | None = None) -> Iterator[Session]:
        """A session for the length of the block. What the engine reports becomes JournalUnavailable."""
        session = self._taken(deadline)
        try:
            with engine_errors("the engine can't be read"), session.until(deadline):
                yield session
        except BaseException:
            if not session.connection.closed and session.connection.info.transaction_status:
                session.close()
            raise
        finally:
            self._give_back(session)

    def close(self) -> None:
        """Close those that nobody has. Closing twice is harmless."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    def _taken(self, deadline: float | None) -> Session:
        with self._lock:
            while self._idle:
                session = self._idle.pop()
                if session.is_open and not session.has_ended():
                    return session
                session.close()
        return self._open_session(deadline)

    def _give_back(self, session: Session) -> None:
        with self._lock:
            if session.is_open and not self._is_closed and len(self._idle) < self._kept_max:
                self._idle.append(session)
                return
        session.close()
