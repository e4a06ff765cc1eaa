"""Says in words what is wrong with a journal's file. Reads everything, changes nothing.

Checked: SQLite's own integrity; from the compaction's mark on, revisions without gaps, times that do not go back,
totals that add up; every version of every document, rebuilt backward from the end of each life, is JSON with its row's
id and follows from what stood before it; the live documents are exactly those that the changes lead to; every row has
the checksum that it was written with; and each status stands since the change that gave it.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby, islice
from operator import itemgetter

import apsw

from rollbook.documents.codec import decode_json
from rollbook.errors import RegistryError
from rollbook.journal.changes import Change, StoredVersion, protected_after
from rollbook.journal.sqlite.checksums import Damage, problem_in_document
from rollbook.journal.sqlite.positions import mark_in
from rollbook.journal.sqlite.rebuilding import (
    CHANGE_COLUMNS,
    LARGE_BODY_BYTES,
    LIVE,
    WAS_COLUMNS,
    Row,
    change_before,
    kept_before,
    unchecked,
    with_later,
)
from rollbook.journal.sqlite.recording import WEIGHT
from rollbook.journal.sqlite.statuses import dated, problems_in_statuses
from rollbook.journal.statuses import formers_in, gives_status

PROBLEMS_MAX = 100

ROWS = f"SELECT {CHANGE_COLUMNS}, {WAS_COLUMNS} FROM changes"  # noqa: S608
CHECKSUM = CHANGE_COLUMNS.split(", ").index("checksum")
BACKWARD = "ORDER BY id DESC, revision DESC"
WAS = len(CHANGE_COLUMNS.split(", "))
STEPS = f"""
SELECT previous, revision, at_ms < previous_ms, total_bytes != previous_total + weight FROM (
    SELECT
        revision, at_ms, total_bytes,
        {WEIGHT},
        lag(revision, 1, :revision) OVER (ORDER BY revision) AS previous,
        lag(at_ms, 1, :at_ms) OVER (ORDER BY revision) AS previous_ms,
        lag(total_bytes, 1, :total_bytes) OVER (ORDER BY revision) AS previous_total
    FROM changes
)
WHERE revision != previous + 1 OR at_ms < previous_ms OR total_bytes != previous_total + weight
"""  # noqa: S608


def problems_in(connection: apsw.Connection) -> list[str]:
    """What is wrong, a sentence each, as of one moment; at most ``PROBLEMS_MAX``."""
    found: list[str] = []
    connection.execute("BEGIN")
    for check in (_integrity, _documents, _steps, _lives, problems_in_statuses):
        try:
            found += islice(check(connection), PROBLEMS_MAX - len(found))
        except apsw.Error as error:
            found.append(f"SQLite can't read the file to its end: {error}.")
    with suppress(apsw.Error):
        connection.execute("ROLLBACK")
    return found


def problems_in_cluster(connection: apsw.Connection, id: str) -> list[str]:
    """What is wrong with what is stored of one cluster, a sentence each."""
    rows = connection.execute(f"{ROWS} WHERE id = ? {BACKWARD}", (id,))
    return list(_problems_of(connection, id, rows, mark_in(connection).revision))


def _live(connection: apsw.Connection, id: str) -> StoredVersion | None:
    kept = next(map(unchecked, connection.execute(f"{LIVE} WHERE id = ?", (id,))), None)
    return None if kept is None else dated(connection, with_later(connection, kept)[0])


def _problems_of(connection: apsw.Connection, id: str, rows: Iterable[Row], mark: int) -> Iterator[str]:
    try:
        live = _live(connection, id)
    except Damage as damage:
        yield f"The changes of {id!r} do not lead on from what is stored: {damage}."
        return
    yield from _problems_of_one(connection, id, rows, live, mark)


def _integrity(connection: apsw.Connection) -> Iterator[str]:
    for (line,) in connection.execute(f"PRAGMA integrity_check({PROBLEMS_MAX})"):
        if line != "ok":
            yield f"SQLite finds the file damaged: {line}."


def _documents(connection: apsw.Connection) -> Iterator[str]:
    for row in connection.execute(LIVE):
        problem = None if row[7] is None else problem_in_document(unchecked(row), row[7])
        if problem is not None:
            yield f"The document of {row[0]!r} at revision {row[2]} {problem}."


def _steps(connection: apsw.Connection) -> Iterator[str]:
    mark = mark_in(connection)
    bounds = {"revision": mark.revision, "at_ms": mark.at_ms, "total_bytes": mark.total_bytes}
    for previous, revision, goes_back, is_off in connection.execute(STEPS, bounds):
        if revision != previous + 1:
            yield f"The changes after revision {previous} and before revision {revision} are missing."
            continue
        if goes_back:
            yield f"Revision {revision} is dated before revision {previous}."
        if is_off:
            yield f"The total of revision {revision} is not that of revision {previous} and its own."


def _lives(connection: apsw.Connection) -> Iterator[str]:
    mark = mark_in(connection).revision
    live = {kept.id: kept.revision for kept in map(unchecked, connection.execute(LIVE))}
    for id, rows in groupby(connection.execute(f"{ROWS} {BACKWARD}"), key=itemgetter(1)):
        yield from _problems_of(connection, id, rows, mark)
        live.pop(id, None)
    for id, revision in live.items():
        if revision > mark:
            yield f"The live document {id!r} is in no change."


def _problems_of_one(
    connection: apsw.Connection, id: str, rows: Iterable[Row], live: StoredVersion | None, mark: int
) -> Iterator[str]:
    """What is wrong with the lives of ``id``, its rows going backward from what is live now."""
    after = live
    for row in rows:
        try:
            change = change_before(row, after.body if after else b"")
            kept = kept_before(id, row[WAS:], change.before or b"")
            before = None if kept is None else dated(connection, kept)
            _check_step(change, before, after)
        except (ValueError, Damage) as error:
            yield f"The changes of {id!r} do not lead to what is stored: {error}."
            return
        if len(change.after or b"") < LARGE_BODY_BYTES or row[CHECKSUM] is None:
            yield from _body_problems(id, change.revision, change.after)
        after = before
    if after is None:
        return
    if after.revision > mark:
        yield f"The changes of {id!r} do not begin with a creation, and no compaction took it."
    yield from _body_problems(id, after.revision, after.body)


def _check_step(change: Change, before: StoredVersion | None, after: StoredVersion | None) -> None:
    """Refuses (ValueError) a change that does not lead from ``before`` to ``after``."""
    led_to = kept_after(before, change)
    if led_to == after:
        return
    if after is None:
        raise ValueError(f"after revision {change.revision} it should be live, and is not there")
    if led_to is None:
        raise ValueError(f"revision {change.revision} deleted it, and it is there")
    raise ValueError(f"what revision {change.revision} leads to is not what stands at revision {after.revision}")


def kept_after(before: StoredVersion | None, change: Change) -> StoredVersion | None:
    """What stands after ``change``, given what stood before. Refuses (ValueError) a change that does not fit it."""
    if (before is None) != (change.kind == "created"):
        raise ValueError(f"revision {change.revision} says {change.kind!r} of what is {'not ' * (before is None)}there")
    if change.after is None:
        return None
    created_revision = before.created_revision if before else change.revision
    created_at_ms = before.created_at_ms if before else change.at_ms
    protected = protected_after(change.kind, before is not None and before.protected)
    formers = formers_in([change])
    since_ms = before.status_since_ms if before and not gives_status(change, formers) else change.at_ms
    times = (created_revision, created_at_ms, change.at_ms, since_ms)
    return StoredVersion(change.id, change.after, change.revision, *times, protected)


def _body_problems(id: str, revision: int, body: bytes | None) -> Iterator[str]:
    if body is None:
        return
    try:
        document = decode_json(body)
    except RegistryError as error:
        yield f"The body of {id!r} at revision {revision} can't be read: {error}."
        return
    if not isinstance(document, dict) or document.get("id") != id:
        yield f"The body of {id!r} at revision {revision} does not carry that id."
