"""The link of one process with the others, over one connection that listens.

Theory: four times a second a process sends one notification (its tick) with the heartbeats that it heard, and asks the
engine how far the log is. Between two ticks it waits for notifications: of the log, which wake it at once, and of the
others' ticks. The keeper's right is an advisory lock on the same connection, so a keeper that hears nothing is none.

One rule: not to hear is a pause of this process, not a silence of the clusters. A tick that is missing for longer than
a second, a lost connection and a pause of this process's own are all reported as interruptions.
"""

import json
import select
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import psycopg

from rollbook.errors import DataDirectoryLocked, JournalUnavailable
from rollbook.journal.links import News, SharedHeartbeat
from rollbook.journal.postgresql.connecting import PROCESS, Session, engine_errors
from rollbook.journal.postgresql.neighbours import Neighbours
from rollbook.journal.postgresql.poolers import REFUSAL
from rollbook.journal.postgresql.schema import Identity
from rollbook.journal.postgresql.tenure import KEEPER, KeeperTenure

TICK_SECONDS = 0.25
ANSWER_SECONDS = 3.0
PAYLOAD_BYTES_MAX = 7_900
"""The engine takes 8,000."""

ASK = """
SELECT pg_backend_pid(), (SELECT last FROM log ORDER BY last DESC LIMIT 1), tokens_version, webhooks_version,
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint, set_config('synchronous_commit', 'off', true)
FROM registry
"""
SEND = "SELECT set_config('synchronous_commit', 'off', true), pg_notify(%s, %s)"
END_KEEPER = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND database = (
    SELECT oid FROM pg_database WHERE datname = current_database()
) AND (classid::bigint << 32 | objid::bigint) = %s AND pid <> pg_backend_pid()
"""


class EngineLink:
    """A link (see ``links.Link``) through PostgreSQL."""

    def __init__(self, target: str, identity: Identity) -> None:
        self.heard_at = float("-inf")
        """See ``Link.heard_at``."""
        self.offset_ms = 0
        """See ``Link.offset_ms``."""
        self._target = target
        self._identity = identity
        self._session: Session | None = None
        self._tenure: KeeperTenure | None = None
        self._neighbours = Neighbours()
        self._payloads: deque[tuple[str, str]] = deque()
        self._sent_at = float("-inf")
        self._state = (0, 0, 0)
        self._interruption: str | None = None
        self._unsent: list[SharedHeartbeat] = []
        self._is_closed = False

    @property
    def processes(self) -> int:
        """See ``Link.processes``."""
        return len(self._neighbours) + 1

    @property
    def term(self) -> int:
        """The number of this keeper among all; 0 while this process is not the keeper."""
        return 0 if self._tenure is None else self._tenure.term

    def exchange(self, heartbeats: Sequence[SharedHeartbeat], *, bids: bool) -> News:
        """See ``Link.exchange``."""
        self._unsent += heartbeats
        try:
            with engine_errors("the engine can't be heard"):
                session = self._connected()
                with session.until(time.monotonic() + ANSWER_SECONDS):
                    self._notice_own_pause()
                    if time.monotonic() - self._sent_at >= TICK_SECONDS:
                        unsent, self._unsent = self._unsent, []
                        self._send(session, unsent)
                        self._ask(session)
                        self._keep_or_bid(session, bids=bids)
                    return self._news(self._wait(session))
        except JournalUnavailable:
            self._unsent.clear()
            self._lose("the connection with the engine was lost")
            raise

    def close(self) -> None:
        """See ``Link.close``."""
        self._is_closed = True
        session = self._session
        if session is not None:
            with suppress(psycopg.Error, JournalUnavailable), session.until(time.monotonic() + 1.0):
                session.rows(SEND, (self._channel, self._message([], leaves=True)))
            session.close()

    @property
    def _channel(self) -> str:
        return f"{self._identity.channel}_ticks"

    def _connected(self) -> Session:
        if self._session is None:
            if self._is_closed:
                raise JournalUnavailable("the registry is stopping")
            session = Session.open(self._target, deadline=time.monotonic() + ANSWER_SECONDS)
            session.connection.add_notify_handler(
                lambda notify: self._payloads.append((notify.channel, notify.payload))
            )
            for channel in (self._identity.channel, self._channel):
                session.run(f'LISTEN "{channel}"')
            self._session = session
            self._neighbours.start_over()
        return self._session

    def _lose(self, why: str) -> None:
        session, self._session, self._tenure = self._session, None, None
        if session is not None:
            self._interruption = why
            with suppress(psycopg.Error):
                session.close()

    def _notice_own_pause(self) -> None:
        """After a pause of this process nothing follows from what was not heard."""
        if self._neighbours.notice_pause(time.monotonic()):
            self._interruption = "this process was paused"

    def _send(self, session: Session, heartbeats: Sequence[SharedHeartbeat]) -> None:
        self._sent_at = time.monotonic()
        for message in self._messages(heartbeats):
            session.rows(SEND, (self._channel, message))

    def _ask(self, session: Session) -> None:
        asked = time.time()
        backend, newest, tokens, webhooks, engine_ms, _ = session.rows(ASK)[0]
        if backend != session.backend:
            raise JournalUnavailable(REFUSAL)
        self.offset_ms = round(engine_ms - (asked + time.time()) * 500)
        self.heard_at = time.monotonic()
        self._state = (max(newest, 0), tokens, webhooks)

    def _keep_or_bid(self, session: Session, *, bids: bool) -> None:
        if self._tenure is not None:
            if not bids:
                self._tenure.release()
                self._tenure = None
        elif bids:
            with suppress(DataDirectoryLocked):
                self._tenure = KeeperTenure(session, self._identity)
                return
            if self._neighbours.misses_keeper(time.monotonic()):
                session.rows(END_KEEPER, (self._identity.lock(KEEPER),))

    def _wait(self, session: Session) -> list[SharedHeartbeat]:
        """Wait for notifications until the next tick is due; the heartbeats in them."""
        connection = session.connection
        timeout = max(0.0, self._sent_at + TICK_SECONDS - time.monotonic())
        if not self._payloads and select.select([connection.fileno()], [], [], timeout)[0]:
            connection.pgconn.consume_input()
            while (notify := connection.pgconn.notifies()) is not None:
                self._payloads.append((notify.relname.decode(), notify.extra.decode()))
        heard: list[SharedHeartbeat] = []
        while self._payloads:
            channel, payload = self._payloads.popleft()
            if channel == self._channel:
                heard += self._tick(json.loads(payload))
            else:
                self._state = (max(self._state[0], int(payload)), *self._state[1:])
        return heard

    def _tick(self, tick: dict[str, Any]) -> Iterator[SharedHeartbeat]:
        if tick["process"] == PROCESS.hex:
            return iter(())
        self._neighbours.hear(tick, time.monotonic())
        return (SharedHeartbeat(*each) for each in tick["heard"])

    def _news(self, heard: Sequence[SharedHeartbeat]) -> News:
        interruption, self._interruption = self._interruption, None
        interruption = self._neighbours.missing(time.monotonic()) or interruption
        newest, tokens, webhooks = self._state
        return News(newest, tokens, webhooks, self._tenure is not None, heard, interruption)

    def _messages(self, heartbeats: Sequence[SharedHeartbeat]) -> Iterator[str]:
        """The heartbeats in as many ticks as they need; one at least."""
        room = PAYLOAD_BYTES_MAX - len(self._message([]).encode())
        part: list[SharedHeartbeat] = []
        used = 0
        for each in _pieces(heartbeats, room):
            size_bytes = len(json.dumps(each, separators=(",", ":"))) + 1
            if part and used + size_bytes > room:
                yield self._message(part)
                part, used = [], 0
            part.append(each)
            used += size_bytes
        yield self._message(part)

    def _message(self, heard: Sequence[SharedHeartbeat], *, leaves: bool = False) -> str:
        tick = {"process": PROCESS.hex, "keeper": self._tenure is not None, "leaves": leaves, "heard": heard}
        return json.dumps(tick, separators=(",", ":"))


def _pieces(heartbeats: Sequence[SharedHeartbeat], room: int) -> Iterator[SharedHeartbeat]:
    """The heartbeats; one with many nodes in pieces that have room."""
    for each in heartbeats:
        whole = len(json.dumps(each, separators=(",", ":")))
        if whole < room:
            yield each
            continue
        size = max(1, len(each.nodes) * (room // 2) // whole)
        for start in range(0, len(each.nodes), size):
            piece = each._replace(nodes=each.nodes[start : start + size])
            if len(json.dumps(piece, separators=(",", ":"))) < room:
                yield piece
