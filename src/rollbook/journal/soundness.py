"""Says in words what is wrong with a journal's file. Reads everything, changes nothing.

Checked: SQLite's own integrity; revisions without gaps; every version of every document, rebuilt, is JSON with its
row's id; the live documents are exactly those that the changes lead to.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby, islice
from operator import itemgetter

import apsw

from rollbook.documents.codec import decode_json
from rollbook.errors import RegistryError
from rollbook.journal.changes import Change, Kept, protected_after
from rollbook.journal.rebuilding import CHANGE_COLUMNS, kept_of, rebuilt

PROBLEMS_MAX = 100

LIVE = (
    "SELECT id, CAST(body AS BLOB), revision, created_revision, created_at_ms, updated_at_ms, protected FROM clusters"
)


def problems_in(connection: apsw.Connection) -> list[str]:
    """What is wrong, a sentence each, as of one moment; at most ``PROBLEMS_MAX``."""
    found: list[str] = []
    connection.execute("BEGIN")
    for check in (_integrity, _gaps, _lives):
        try:
            found += islice(check(connection), PROBLEMS_MAX - len(found))
        except apsw.Error as error:
            found.append(f"SQLite can't read the file to its end: {error}.")
    with suppress(apsw.Error):
        connection.execute("ROLLBACK")
    return found


def _integrity(connection: apsw.Connection) -> Iterator[str]:
    for (line,) in connection.execute(f"PRAGMA integrity_check({PROBLEMS_MAX})"):
        if line != "ok":
            yield f"SQLite finds the file damaged: {line}."


def _gaps(connection: apsw.Connection) -> Iterator[str]:
    rows = connection.execute(
        "SELECT previous, revision FROM "
        "(SELECT revision, lag(revision, 1, 0) OVER (ORDER BY revision) AS previous FROM changes) "
        "WHERE revision != previous + 1"
    )
    for previous, revision in rows:
        yield f"The changes after revision {previous} and before revision {revision} are missing."


def _lives(connection: apsw.Connection) -> Iterator[str]:
    rows = connection.execute(f"SELECT {CHANGE_COLUMNS} FROM changes ORDER BY id, revision")  # noqa: S608
    live = {kept.id: kept.revision for kept in map(kept_of, connection.execute(LIVE))}
    for id, rows_of_one in groupby(rows, key=itemgetter(1)):
        last: Kept | None = None
        try:
            for change in rebuilt(rows_of_one):
                last = kept_after(last, change)
                yield from _body_problems(change)
        except ValueError as error:
            yield f"The changes of {id!r} do not follow from each other: {error}."
            continue
        yield from _live_problems(connection, id, last)
        live.pop(id, None)
    for id in live:
        yield f"The live document {id!r} is in no change."


def kept_after(last: Kept | None, change: Change) -> Kept | None:
    """What is live after ``change``, given what was before. Refuses (ValueError) a change that does not fit it."""
    if (last is None) != (change.kind == "created"):
        raise ValueError(f"revision {change.revision} says {change.kind!r} of what is {'not ' * (last is None)}there")
    if change.after is None:
        return None
    created_revision = last.created_revision if last else change.revision
    created_at_ms = last.created_at_ms if last else change.at_ms
    times = (created_revision, created_at_ms, change.at_ms)
    protected = protected_after(change.kind, last is not None and last.protected)
    return Kept(change.id, change.after, change.revision, *times, protected)


def _body_problems(change: Change) -> Iterator[str]:
    if change.after is None:
        return
    try:
        document = decode_json(change.after)
    except RegistryError as error:
        yield f"The body of {change.id!r} at revision {change.revision} can't be read: {error}."
        return
    if not isinstance(document, dict) or document.get("id") != change.id:
        yield f"The body of {change.id!r} at revision {change.revision} does not carry that id."


def _live_problems(connection: apsw.Connection, id: str, last: Kept | None) -> Iterator[str]:
    live = next(map(kept_of, connection.execute(f"{LIVE} WHERE id = ?", (id,))), None)
    if live == last:
        return
    if live is None:
        yield f"The document {id!r} should be live, and is not there."
    elif last is None:
        yield f"The document {id!r} is live, though its last change deleted it."
    else:
        yield f"The live document {id!r} (revision {live.revision}) is not what its changes lead to ({last.revision})."
