"""The rows of ``statuses``: who gave a document its status, when, and over which one.

Theory: a status stands since the newest of its document's rows; without one, since the creation. So most documents
need none. A creation has a row where the id has older ones, which would count otherwise. A row outlives its change,
until a newer one that is as old as the mark of the compaction takes its place, or the document's deletion is gone.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, dropwhile, groupby, tee
from operator import itemgetter
from typing import Any
from zlib import crc32

import apsw

from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.sqlite.checksums import Damage
from rollbook.journal.sqlite.rebuilding import CHANGE_COLUMNS, NEVER, WAS_COLUMNS, Row, live, newest_first
from rollbook.journal.statuses import Formers, StatusChange, status_json

INSERT = "INSERT INTO statuses VALUES (?, ?, ?, ?, CAST(? AS TEXT), ?)"
INSERT_WHERE_OLDER = (
    "INSERT INTO statuses SELECT ?1, ?2, ?3, ?4, CAST(?5 AS TEXT), ?6 WHERE EXISTS "
    "(SELECT 1 FROM statuses WHERE id = ?1)"
)
NEWEST = (
    "SELECT revision, at_ms, actor, CAST(former AS BLOB), checksum FROM statuses WHERE id = ? AND revision <= ? "
    "ORDER BY revision DESC LIMIT 1"
)
ANY = "SELECT 1 FROM statuses LIMIT 1"
ALL = "SELECT id, revision, at_ms, actor, CAST(former AS BLOB), checksum FROM statuses"
FORGET = (
    "DELETE FROM statuses WHERE id IN (SELECT id FROM changes WHERE revision <= :end) AND revision <= :end AND ("
    "revision < (SELECT max(revision) FROM statuses AS later WHERE later.id = statuses.id AND later.revision <= :end) "
    "OR revision < (SELECT departed.revision FROM departed WHERE departed.id = statuses.id))"
)
HISTORIES = f"SELECT {CHANGE_COLUMNS}, {WAS_COLUMNS} FROM changes"  # noqa: S608
BACKWARD = "ORDER BY id DESC, revision DESC"
CHANGE_WIDTH = len(CHANGE_COLUMNS.split(", "))
UNTOUCHED = (
    "SELECT id, revision, updated_at_ms FROM clusters WHERE revision > created_revision AND NOT EXISTS "
    "(SELECT 1 FROM changes WHERE changes.id = clusters.id)"
)

logger = logging.getLogger(__name__)


def record_status(writer: apsw.Connection, change: Change, formers: Formers) -> None:
    """Write the row of a change that gives a status, if it needs one."""
    if change.kind == "created":
        given = StatusChange(change.revision, change.at_ms, change.actor, None)
        writer.execute(INSERT_WHERE_OLDER, _row_of(change.id, given))
    elif change.revision in formers:
        given = StatusChange(change.revision, change.at_ms, change.actor, formers[change.revision])
        writer.execute(INSERT, _row_of(change.id, given))


def record_creation_statuses(writer: apsw.Connection, creations: Iterable[Change]) -> None:
    """As ``record_status``, for creations alone."""
    if writer.execute(ANY).fetchall():
        for change in creations:
            record_status(writer, change, {})


def keep_status(writer: apsw.Connection, id: str, given: StatusChange) -> None:
    """Write the row of a status that another journal has."""
    writer.execute(INSERT, _row_of(id, given))


def newest_status(connection: apsw.Connection, id: str, revision: int = NEVER) -> StatusChange | None:
    """The change that gave the status that a document had at ``revision``; None: it has it since its creation.

    Refuses (Damage) a row that is not what was written.
    """
    for row in connection.execute(NEWEST, (id, revision)):
        return checked_status(id, row)
    return None


def checked_status(id: str, row: Row) -> StatusChange:
    """The status change of a row's ``revision, at_ms, actor, former, checksum``. Refuses as ``newest_status``."""
    given = StatusChange(*row[:4])
    if row[4] is not None and row[4] != _checksum(id, given):
        problem = f"the status of {id!r} since revision {given.revision} is not what was written (checksum)"
        raise Damage(id, problem)
    return given


def dated(connection: apsw.Connection, kept: StoredVersion) -> StoredVersion:
    """A version of a document with the time since when it has its status. Refuses as ``newest_status``."""
    given = newest_status(connection, kept.id, kept.revision)
    return kept if given is None else kept._replace(status_since_ms=given.at_ms)


def forget_statuses(writer: apsw.Connection, revision: int) -> None:
    """Give up the rows that no version later than ``revision`` needs, before the changes up to it are given up."""
    writer.execute(FORGET, {"end": revision})


def problems_in_statuses(connection: apsw.Connection) -> Iterator[str]:
    """What is wrong with the rows by themselves, a sentence each."""
    for id, *row in connection.execute(ALL):
        try:
            checked_status(id, row)
        except Damage as damage:
            yield f"The row is damaged: {damage}."


def fill_statuses(writer: apsw.Connection) -> None:
    """Make the rows of a file that had none, from what is kept of its changes.

    Where they do not reach back to the change that gave a status, it stands since the oldest version that is known.
    """
    _fill(writer, writer.execute(f"{HISTORIES} {BACKWARD}"), writer.execute(UNTOUCHED).fetchall())


def fill_statuses_of(writer: apsw.Connection, id: str) -> None:
    """Make the rows of one document again, as ``fill_statuses`` does."""
    writer.execute("DELETE FROM statuses WHERE id = ?", (id,))
    history = writer.execute(f"{HISTORIES} WHERE id = ? {BACKWARD}", (id,))
    _fill(writer, history, writer.execute(f"{UNTOUCHED} AND id = ?", (id,)).fetchall())


def _fill(writer: apsw.Connection, histories: Iterator[Row], untouched: Sequence[Row]) -> None:
    for id, rows in groupby(histories, key=itemgetter(1)):
        for given in _known_statuses(writer, id, rows):
            writer.execute(INSERT, _row_of(id, given))
    for id, revision, at_ms in untouched:
        writer.execute(INSERT, _row_of(id, StatusChange(revision, at_ms, None, None)))


def _known_statuses(writer: apsw.Connection, id: str, rows: Iterator[Row]) -> list[StatusChange]:
    """The rows that the history of one document needs, oldest first; its changes are given newest first."""
    found: list[tuple[StatusChange, bool]] = []
    oldest = newest_row = next(rows)
    try:
        newest = live(writer, id)
        for row, change in _with_changes(chain([newest_row], rows), newest.body if newest else b""):
            oldest = row
            former, is_creation = status_json(change.before), change.kind == "created"
            if is_creation or (change.kind == "updated" and former != status_json(change.after)):
                found.append((StatusChange(change.revision, change.at_ms, change.actor, former), is_creation))
    except Damage:
        logger.warning("since when the cluster %r has its status can't be read: its history is damaged", id)
    was_revision, was_created_revision, _, was_updated_at_ms, *_ = oldest[CHANGE_WIDTH:]
    if was_revision != was_created_revision:
        found.append((StatusChange(was_revision, was_updated_at_ms, None, None), False))
    oldest_first = dropwhile(itemgetter(1), reversed(found))  # creations need no row where none is older
    return [given for given, _ in oldest_first]


def _with_changes(rows: Iterator[Row], body: bytes) -> Iterator[tuple[Row, Change]]:
    ours, theirs = tee(rows)
    return zip(ours, newest_first(theirs, body), strict=True)


def _row_of(id: str, given: StatusChange) -> tuple[Any, ...]:
    return (id, *given, _checksum(id, given))


def _checksum(id: str, given: StatusChange) -> int:
    return crc32(repr((id, *given)).encode())
