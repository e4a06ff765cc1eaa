"""How a change is written into the tables.

One rule: a change that does not follow from what is stored is a bug of its caller, and is refused (ValueError).
"""

from collections.abc import Sequence

import apsw
from msgspec import Struct

from rollbook.documents.codec import encode_json
from rollbook.documents.splices import Splice, splices_between
from rollbook.errors import JournalUnavailable
from rollbook.journal.changes import Change, protected_after
from rollbook.journal.sqlite.checksums import Damage, change_checksum, document_checksum
from rollbook.journal.sqlite.lagging import LargeRow, LargeRows
from rollbook.journal.sqlite.rebuilding import LIVE, Row, kept_of
from rollbook.journal.sqlite.statuses import record_creation_statuses

ROW_BYTES = 200
"""What a row of ``changes`` weighs beside its texts, about."""
WEIGHT = f"{ROW_BYTES} + octet_length(removed) + octet_length(inserted) + coalesce(octet_length(more), 0) AS weight"

NOTHING = Splice(0, b"", b"")

RECORD_CREATION = (
    "INSERT INTO changes VALUES "
    "(?, ?, ?, ?, ?, NULL, NULL, NULL, NULL, NULL, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), NULL, ?, CAST(? AS TEXT))"
)
RECORD_AFTER = (
    "INSERT INTO changes VALUES "
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, CAST(? AS TEXT))"
)
RECORD = (
    "INSERT INTO changes SELECT ?, ?, ?, ?, ?, revision, created_revision, created_at_ms, updated_at_ms, protected, "
    "?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), checksum, ?, CAST(? AS TEXT) FROM clusters WHERE id = ?"
)
CREATE = "INSERT INTO clusters VALUES (?, ?, ?, ?, ?, 0, CAST(? AS TEXT), ?)"
OTHER = "SELECT 1 FROM clusters WHERE created_revision <> ? AND id = ?"
UPDATE = (
    "UPDATE clusters SET body = CAST(? AS TEXT), revision = ?, updated_at_ms = ?, checksum = ? "
    "WHERE id = ? AND body = CAST(? AS TEXT)"
)
PROTECT = (
    "UPDATE clusters SET protected = ?, revision = ?, updated_at_ms = ?, checksum = ? "
    "WHERE id = ? AND body = CAST(? AS TEXT) AND protected = ?"
)
DELETE = "DELETE FROM clusters WHERE id = ? AND body = CAST(? AS TEXT) AND protected = 0"


class Tip(Struct, frozen=True):
    """Where the rows of ``changes`` end: the revision, the time and the total of the newest."""

    revision: int
    at_ms: int
    total_bytes: int


TIP = (
    "SELECT revision, at_ms, total_bytes FROM changes WHERE revision = (SELECT max(revision) FROM changes) "
    "UNION ALL SELECT revision, at_ms, total_bytes FROM compacted LIMIT 1"
)


def tip_in(connection: apsw.Connection) -> Tip:
    """Where the rows end now."""
    rows: list[Row] = connection.execute(TIP).fetchall()
    return Tip(*rows[0])


def record(writer: apsw.Connection, change: Change, tip: Tip, large: LargeRows | None = None) -> Tip:
    """Write the change after ``tip`` into both tables; gives the new tip. ``large``: rows that may lag behind."""
    _check_follows(change, tip)
    stands = None if large is None else _followed(writer, change, large)
    splice, *others = _splices_of(change)
    more = None if not others else _more(others)
    size_bytes = len(splice.removed) + len(splice.inserted) + len(more or b"")
    total_bytes = tip.total_bytes + ROW_BYTES + size_bytes
    what = (change.revision, change.id, change.kind, change.at_ms, total_bytes)
    how = (change.actor, change.reason, splice.start, splice.removed, splice.inserted)
    checksum = change_checksum(change, splice.start, splice.removed, splice.inserted, more)
    if large is not None and stands is not None:
        was = stands.version
        stood = (was.revision, was.created_revision, was.created_at_ms, was.updated_at_ms, was.protected)
        writer.execute(RECORD_AFTER, (*what, *stood, *how, stands.checksum, checksum, more))
        large.follow(writer, change, stands, size_bytes)
        return Tip(change.revision, change.at_ms, total_bytes)
    if change.before is None:
        writer.execute(RECORD_CREATION, (*what, *how, checksum, more))
    else:
        writer.execute(RECORD, (*what, *how, checksum, more, change.id))  # before what stood is written over
    _write_row(writer, change)
    return Tip(change.revision, change.at_ms, total_bytes)


def record_creations(writer: apsw.Connection, changes: Sequence[Change], tip: Tip) -> Tip:
    """Write creations after ``tip`` into all tables, as ``record`` and ``record_status`` do; gives the new tip."""
    recorded: list[Row] = []
    rows: list[Row] = []
    for change in changes:
        _check_follows(change, tip)
        statement, row = _step_of(change)
        assert statement is CREATE
        after = change.after or b""
        tip = Tip(change.revision, change.at_ms, tip.total_bytes + ROW_BYTES + len(after))
        what = (change.revision, change.id, change.kind, change.at_ms, tip.total_bytes)
        checksum = change_checksum(change, 0, b"", after)
        recorded.append((*what, change.actor, change.reason, 0, b"", after, checksum, None))
        rows.append(row)
    record_creation_statuses(writer, changes)
    writer.executemany(RECORD_CREATION, recorded)
    try:
        writer.executemany(CREATE, rows)
    except apsw.ConstraintError:
        revision, id = next(each for each in changes if writer.execute(OTHER, each[:2]).fetchall())[:2]
        raise ValueError(f"revision {revision} creates {id!r}, which is there") from None
    return tip


def _check_follows(change: Change, tip: Tip) -> None:
    if change.revision != tip.revision + 1:
        raise ValueError(f"the change after revision {tip.revision} has revision {change.revision}")
    if change.at_ms < tip.at_ms:
        raise ValueError(f"revision {change.revision} is dated before the change that it follows")


def _followed(writer: apsw.Connection, change: Change, large: LargeRows) -> LargeRow | None:
    """What stands before a change whose row stays as it is. Refuses what ``_check_stored`` does."""
    try:
        return large.follows(writer, change)
    except Damage as damage:
        raise _unwritable(damage) from damage


def _write_row(writer: apsw.Connection, change: Change) -> None:
    """Do to ``clusters`` what the change does."""
    statement, parameters = _step_of(change)
    try:
        writer.execute(statement, parameters)
    except apsw.ConstraintError:
        raise ValueError(f"revision {change.revision} creates {change.id!r}, which is there") from None
    if writer.changes() != 1:
        _check_stored(writer, change.id)
        raise ValueError(f"revision {change.revision} does not follow from the stored document {change.id!r}")


def _check_stored(writer: apsw.Connection, id: str) -> None:
    """Refuses (JournalUnavailable) to go on when the stored document of ``id`` is not what was written."""
    try:
        list(map(kept_of, writer.execute(f"{LIVE} WHERE id = ?", (id,))))
    except Damage as damage:
        raise _unwritable(damage) from damage


def _unwritable(damage: Damage) -> JournalUnavailable:
    return JournalUnavailable(f"nothing was written: {damage}; stop the server and run rollbook check")


def _more(splices: Sequence[Splice]) -> bytes:
    return encode_json([[each.start, each.removed.decode(), each.inserted.decode()] for each in splices])


def _splices_of(change: Change) -> list[Splice]:
    """What the change does to the body."""
    before, after = change.before, change.after
    if before is None or after is None:
        return [Splice(0, before or b"", after or b"")]
    return [NOTHING] if before is after else splices_between(before, after)


def _step_of(change: Change) -> tuple[str, Row]:
    """The statement, with its parameters, that does to ``clusters`` what the change does."""
    id, before, after, revision, at_ms = change.id, change.before, change.after, change.revision, change.at_ms
    checksum = 0 if after is None else document_checksum(id, revision, at_ms, after)
    match change.kind:
        case "created" if before is None and after is not None:
            return CREATE, (revision, id, revision, at_ms, at_ms, after, checksum)
        case "updated" if before is not None and after is not None:
            return UPDATE, (after, revision, at_ms, checksum, id, before)
        case "protected" | "unprotected" if before is not None and after == before:
            protected = protected_after(change.kind, False)
            return PROTECT, (protected, revision, at_ms, checksum, id, before, not protected)
        case "deleted" if before is not None and after is None:
            return DELETE, (id, before)
    raise ValueError(f"revision {revision} is no {change.kind!r} change: before or after is wrong")
