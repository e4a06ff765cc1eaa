"""What is wrong with the tables, a sentence each: the log has no gap, its chain no break, and documents follow it."""

from collections.abc import Iterator

from rollbook.journal.changes import StoredVersion
from rollbook.journal.postgresql.connecting import Session, Sessions
from rollbook.journal.postgresql.following import NEWEST
from rollbook.journal.postgresql.past import CHANGE, MARK, change_of

GAPS = """
SELECT first, last, following, previous, token, next_previous FROM (
    SELECT first, last, token, previous, lead(first) OVER places AS following,
        lead(previous) OVER places AS next_previous
    FROM log WINDOW places AS (ORDER BY first)
) entries WHERE last < first AND first > 0 OR following <> last + 1 OR next_previous <> token
"""
MISSING = "SELECT count(*), coalesce(min(revision), 0), coalesce(max(revision), 0) FROM changes"
CHANGES = f"SELECT {CHANGE} FROM changes ORDER BY id, revision"  # noqa: S608
DOCUMENTS = """
SELECT id, body, revision, created_revision, created_at_ms, updated_at_ms, status_since_ms, protected
FROM clusters ORDER BY id
"""
ROWS_AT_ONCE = 500


def check(readers: Sessions) -> list[str]:
    """The problems, as of one moment."""
    with readers.borrowed(deadline=float("inf")) as session, session.transaction(snapshot=True):
        return problems_in(session)


def problems_in(session: Session) -> list[str]:
    """The problems, as of the transaction that the session is in."""
    return [*_of_log(session), *_of_changes(session), *_of_documents(session)]


def _of_log(session: Session) -> Iterator[str]:
    for first, last, following, _, token, next_previous in session.rows(GAPS):
        if last < first:
            yield f"The entry at revision {first} ends before it begins."
        elif following != last + 1:
            yield f"The log has a gap: the entry that ends at revision {last} is followed by one at {following}."
        elif next_previous != token:
            yield f"The chain is broken after revision {last}: the next entry names another predecessor."


def _of_changes(session: Session) -> Iterator[str]:
    mark, newest = session.rows(MARK)[0][0], session.rows(NEWEST)[0][0]
    count, oldest, latest = session.rows(MISSING)[0]
    if count != newest - mark or (count and (oldest, latest) != (mark + 1, newest)):
        yield (
            f"Changes are missing: {count} are kept, from revision {oldest} to {latest}, and there should be all from "
            f"{mark + 1} to {newest}."
        )


def _of_documents(session: Session) -> Iterator[str]:
    """Every kept change follows from the one before it, and the newest one leads to the stored document."""
    newest: dict[str, tuple[int, bytes | None]] = {}
    with session.connection.cursor(name="changes", binary=True) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(CHANGES)
        for row in cursor:
            change = change_of(row)
            former = newest.get(change.id)
            if former is not None and former[1] != change.before:
                yield f"Revision {change.revision} does not follow from revision {former[0]} of {change.id!r}."
            newest[change.id] = (change.revision, change.after)
    with session.connection.cursor(name="documents", binary=True) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(DOCUMENTS)
        for row in cursor:
            stored = StoredVersion._make(row)
            revision, body = newest.pop(stored.id, (stored.revision, row[1]))
            if (revision, body) != (stored.revision, row[1]):
                yield f"The document {stored.id!r} is not what revision {revision} made of it."
    for id in newest:
        yield f"The document {id!r} is missing."
