"""Makes whole changes again of the rows of ``changes``, which keep only what was removed and inserted.

Theory: the rows of one id form lives. A life begins with ``created``, which holds the whole body, and ends with
``deleted``, which holds it too, or goes on, and then ``clusters`` holds it (or, for a large document, what it was a
while ago: the later rows lead from there to what it is). Rows are given up oldest first, so every
body between the oldest kept row of an id and now can be had by walking backward from the end of its life; that is how
the past is read. ``follow``, which mostly asks for what is recent, walks backward once for each id it meets and forward
from there.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apsw
from orjson import loads as decode

from rollbook.documents.splices import Splice, apply_all, undo_all
from rollbook.journal.changes import Change, StoredVersion, protected_after
from rollbook.journal.sqlite.checksums import Damage, check_change, check_document, document_checksum
from rollbook.limits import RequestBudget

CHANGE_COLUMNS = (
    "revision, id, kind, at_ms, actor, reason, start, CAST(removed AS BLOB), CAST(inserted AS BLOB), checksum, "
    "CAST(more AS BLOB)"
)
WAS_COLUMNS = "was_revision, was_created_revision, was_created_at_ms, was_updated_at_ms, was_protected, was_checksum"
LIVE = (
    "SELECT id, CAST(body AS BLOB), revision, created_revision, created_at_ms, updated_at_ms, protected, checksum "
    "FROM clusters"
)
END_OF_LIFE = (
    "SELECT revision FROM changes WHERE id = ? AND revision >= ? AND kind = 'deleted' ORDER BY revision LIMIT 1"
)
BACKWARD = (
    "SELECT revision, start, CAST(removed AS BLOB), CAST(inserted AS BLOB), CAST(more AS BLOB) FROM changes "
    "WHERE id = ? AND revision BETWEEN ? AND ? ORDER BY revision DESC"
)
STOOD = f"SELECT {WAS_COLUMNS} FROM changes WHERE revision = ?"  # noqa: S608
LATER = f"SELECT {CHANGE_COLUMNS} FROM changes WHERE id = ? AND revision > ? ORDER BY revision"  # noqa: S608
LARGE_BODY_BYTES = 256 * 1024
"""The row of a document that is as long may lag behind its changes (see ``lagging``). Part of the file's format."""
NEVER = 2**63 - 1
BYTES_PER_UNIT = 4096
REMEMBERED_BYTES_MAX = 256 * 1024 * 1024

Row = tuple[Any, ...]


def change_after(row: Row, before: bytes) -> Change:
    """The change that a row describes, given the body before it (empty for a creation). Refuses (ValueError) a body
    that it was not made from, and (Damage) a row that is not what was written."""
    check_change(row, row[9])
    if row[10] is None:
        return _change(row, before, Splice(*row[6:9]).applied(before))
    body = bytearray(before)
    apply_all(body, splices_of(row[6:9], row[10]))
    return _change(row, before, bytes(body))


def change_before(row: Row, after: bytes) -> Change:
    """The change that a row describes, given the body after it (empty for a deletion). Refuses as ``change_after``."""
    check_change(row, row[9])
    if row[10] is None:
        return _change(row, Splice(*row[6:9]).undone(after), after)
    body = bytearray(after)
    undo_all(body, splices_of(row[6:9], row[10]))
    return _change(row, bytes(body), after)


def _change(row: Row, before: bytes, after: bytes) -> Change:
    revision, id, kind, at_ms, actor, reason = row[:6]
    if kind == "created" and before:
        raise ValueError(f"there is more than what revision {revision} created")
    return Change(
        revision=revision,
        id=id,
        kind=kind,
        at_ms=at_ms,
        before=None if kind == "created" else before,
        after=None if kind == "deleted" else after,
        actor=actor,
        reason=reason,
    )


def kept_of(row: Row) -> StoredVersion:
    """The document that a row of ``LIVE`` holds, as if it had its status since its creation (see ``statuses.dated``).

    Refuses (Damage) one that is not what was written.
    """
    id, body, revision, created_revision, created_at_ms, updated_at_ms, protected, checksum = row
    times = (created_at_ms, updated_at_ms, created_at_ms)
    kept = StoredVersion(id, body, revision, created_revision, *times, protected == 1)
    if checksum is None or checksum != document_checksum(id, revision, updated_at_ms, body):  # a start checks them all
        check_document(kept, checksum)
    return kept


def unchecked(row: Row) -> StoredVersion:
    """The document that a row of ``LIVE`` holds, whatever its checksum."""
    id, body, revision, created_revision, created_at_ms, updated_at_ms, protected = row[:7]
    times = (created_at_ms, updated_at_ms, created_at_ms)
    return StoredVersion(id, body, revision, created_revision, *times, bool(protected))


def kept_before(id: str, was: Sequence[Any], body: bytes) -> StoredVersion | None:
    """What stood before a change, given its row's ``WAS_COLUMNS`` and the body before it; None before a creation.

    Refuses (Damage) what is not what was written.
    """
    return None if was[0] is None else kept_of((id, body, *was))


class Bodies:
    """The bodies that ``follow`` has met, by id, as of the last change it gave; forgets the oldest of too many."""

    __slots__ = ("_bodies", "_bytes")

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}
        self._bytes = 0

    def step(self, connection: apsw.Connection, row: Row) -> Change:
        """The change of ``row``, whose predecessors were stepped through or are looked up."""
        revision, id, kind = row[:3]
        before = self._take(id)
        if before is None:
            before = b"" if kind == "created" else body_before(connection, id, revision)
        try:
            change = change_after(row, before)
        except ValueError as error:
            raise Damage(id, f"the history of {id!r} at revision {revision} does not fit together: {error}") from error
        if change.after is not None:
            self._put(id, change.after)
        return change

    def _take(self, id: str) -> bytes | None:
        body = self._bodies.pop(id, None)
        self._bytes -= len(body or b"")
        return body

    def _put(self, id: str, body: bytes) -> None:
        self._bodies[id] = body
        self._bytes += len(body)
        while self._bytes > REMEMBERED_BYTES_MAX:
            self._take(next(iter(self._bodies)))


def body_before(connection: apsw.Connection, id: str, revision: int, *, work: RequestBudget | None = None) -> bytes:
    """The body of ``id`` before what happened from ``revision`` on, walking backward from the end of that life.

    Empty when there was none. Refuses (WorkExceeded) a walk that ``work`` does not allow.
    """
    ends: list[Row] = connection.execute(END_OF_LIFE, (id, revision)).fetchall()
    kept = None if ends else live(connection, id)
    body = bytearray(kept.body if kept else b"")
    first = None
    for first, *splice, more in connection.execute(BACKWARD, (id, revision, ends[0][0] if ends else NEVER)):
        if work is not None:
            work.spend(1 + (len(splice[1]) + len(splice[2]) + len(more or b"")) // BYTES_PER_UNIT)
        try:
            undo_all(body, splices_of(splice, more))
        except ValueError as error:
            raise Damage(id, f"the history of {id!r} at revision {first} does not fit together: {error}") from error
    if first is not None:
        kept_before(id, connection.execute(STOOD, (first,)).fetchall()[0], bytes(body))
    return bytes(body)


def live(connection: apsw.Connection, id: str) -> StoredVersion | None:
    """The live document of ``id``."""
    rows: list[Row] = connection.execute(f"{LIVE} WHERE id = ?", (id,)).fetchall()
    return with_later(connection, kept_of(rows[0]))[0] if rows else None


class Lag(NamedTuple):
    """How many changes lead from a row to what the document is now, and how long they are."""

    changes: int = 0
    size_bytes: int = 0


def with_later(connection: apsw.Connection, kept: StoredVersion) -> tuple[StoredVersion, Lag]:
    """The document that its row and the later changes lead to, which a large one may have, and how many there are.

    Refuses (Damage) changes that do not follow from the row.
    """
    if len(kept.body) < LARGE_BODY_BYTES:
        return kept, Lag()
    body, lag = bytearray(), Lag()
    for row in connection.execute(LATER, (kept.id, kept.revision)):
        if not lag.changes:
            body += kept.body
        check_change(row, row[9])
        try:
            apply_all(body, splices_of(row[6:9], row[10]))
        except ValueError as error:
            raise Damage(
                kept.id, f"the history of {kept.id!r} at revision {row[0]} does not fit together: {error}"
            ) from error
        protected = protected_after(row[2], kept.protected)
        kept = kept._replace(revision=row[0], updated_at_ms=row[3], protected=protected)
        lag = Lag(lag.changes + 1, lag.size_bytes + len(row[7]) + len(row[8]) + len(row[10] or b""))
    return (kept._replace(body=bytes(body)), lag) if lag.changes else (kept, lag)


def splices_of(first: Sequence[Any], more: bytes | None) -> list[Splice]:
    """The splices of a row: the first, and those in ``more``."""
    splices = [Splice(*first)]
    if more is not None:
        splices += (Splice(start, removed.encode(), inserted.encode()) for start, removed, inserted in decode(more))
    return splices


def newest_first(rows: Iterable[Row], body: bytes) -> Iterator[Change]:
    """The changes of the rows of one id, which go backward in time; ``body`` is what they led to."""
    for row in rows:
        try:
            change = change_before(row, body)
        except ValueError as error:
            raise Damage(
                row[1], f"the history of {row[1]!r} at revision {row[0]} does not fit together: {error}"
            ) from error
        body = change.before or b""
        yield change
