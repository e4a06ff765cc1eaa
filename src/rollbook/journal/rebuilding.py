"""Makes whole changes again of the rows of ``changes``, which keep only what was removed and inserted.

Theory: the rows of one id form lives. A life begins with ``created``, which holds the whole body, and ends with
``deleted``, which holds it too, or goes on, and then ``clusters`` holds it. So any body can be had by walking forward
from the beginning of its life, or backward from its end. ``history`` walks forward; ``follow``, which mostly asks for
the recent past, walks backward once for each id it meets and forward from there.
"""

from collections.abc import Iterator
from typing import Any

import apsw

from rollbook.journal.changes import Change, Kept
from rollbook.journal.splices import Splice

CHANGE_COLUMNS = "revision, id, kind, at_ms, actor, reason, start, CAST(removed AS BLOB), CAST(inserted AS BLOB)"
REMEMBERED_BYTES_MAX = 256 * 1024 * 1024

Row = tuple[Any, ...]


def change_of(row: Row, before: bytes) -> Change:
    """The change that a row describes, given the body before it (empty for a creation)."""
    revision, id, kind, at_ms, actor, reason, start, removed, inserted = row
    after = Splice(start, removed, inserted).applied(before)
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


def rebuilt(rows: Iterator[Row] | list[Row]) -> Iterator[Change]:
    """The changes of the rows of one id, which begin with a creation."""
    body = b""
    for row in rows:
        change = change_of(row, body)
        body = change.after or b""
        yield change


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
        change = change_of(row, before)
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


def body_before(connection: apsw.Connection, id: str, revision: int) -> bytes:
    """The body of ``id`` before the change ``revision``, walking backward from the end of that life."""
    body, splices = b"", []
    rows = connection.execute(
        "SELECT kind, start, CAST(removed AS BLOB), CAST(inserted AS BLOB) FROM changes "
        "WHERE id = ? AND revision >= ? ORDER BY revision",
        (id, revision),
    )
    for kind, start, removed, inserted in rows:
        splices.append(Splice(start, removed, inserted))
        if kind == "deleted":
            break
    else:
        body = live_body(connection, id)
    for splice in reversed(splices):
        body = splice.undone(body)
    return body


def kept_of(row: Row) -> Kept:
    """The live document that a row of ``clusters`` describes."""
    *facts, protected = row
    return Kept(*facts, bool(protected))


def live_body(connection: apsw.Connection, id: str) -> bytes:
    """The body of a live document; empty when there is none."""
    rows: list[Row] = connection.execute("SELECT CAST(body AS BLOB) FROM clusters WHERE id = ?", (id,)).fetchall()
    return bytes(rows[0][0]) if rows else b""
