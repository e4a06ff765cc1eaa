"""The statement that appends: one entry of the log, its changes and the documents after them, all or nothing.

Theory: an entry is accepted where its predecessor is the newest entry and the same one that the writer stands on. The
predecessor is locked, so that no compaction removes it meanwhile; the primary key of ``first`` lets one of several
writers through, and the others wait for it and are refused. There are three outcomes: accepted, refused, and no answer.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from rollbook.errors import Compacted
from rollbook.journal.kept_results import FORGOTTEN_AT_ONCE, KEPT_MS, KeptResult
from rollbook.journal.postgresql.arrays import Bigints, Blobs
from rollbook.journal.postgresql.batches import Position, named_columns
from rollbook.journal.postgresql.connecting import Session

_RESULTS = """
    kept AS (
        INSERT INTO results SELECT r.* FROM {entry},
            unnest(%(r0)b::bytea[], %(r1)b::bytea[], %(r2)b::bigint[], %(r3)b::bytea[]) r
        ON CONFLICT (key) DO UPDATE
            SET fingerprint = excluded.fingerprint, at_ms = excluded.at_ms, result = excluded.result
    ),
    forgotten AS (
        DELETE FROM results WHERE key IN (
            SELECT old.key FROM {entry}, results old
            WHERE old.at_ms < %(oldest_ms)b::bigint AND old.key <> ALL (%(r0)b::bytea[])
            LIMIT {most} FOR UPDATE OF old SKIP LOCKED
        )
    )"""

PREDECESSOR = """
    predecessor AS (SELECT FROM log WHERE last = %(after)b::bigint AND token = %(previous)b::uuid FOR KEY SHARE)"""

APPEND = f"""
WITH {PREDECESSOR},
    given AS (
        SELECT * FROM unnest(%(d0)b::text[], %(d1)b::bytea[], %(d2)b::boolean[], %(d3)b::bigint[], %(d4)b::bigint[],
            %(d5)b::bigint[], %(d6)b::bigint[], %(d7)b::bigint[], %(d8)b::boolean[], %(d9)b::bytea[])
        AS given (id, expected, expected_protected, revision, created_revision, created_at_ms, updated_at_ms,
            status_since_ms, protected, body)
    ),
    wrong AS (
        SELECT FROM given LEFT JOIN clusters USING (id)
        WHERE CASE WHEN expected IS NULL THEN clusters.body IS NOT NULL
            ELSE sha256(clusters.body) IS DISTINCT FROM expected END
            OR clusters.protected <> expected_protected
    ),
    entry AS (
        INSERT INTO log
        SELECT %(first)b::bigint, %(last)b::bigint, %(token)b::uuid, %(previous)b::uuid, %(at_ms)b::bigint,
            %(total_bytes)b::bigint
        FROM predecessor WHERE NOT EXISTS (SELECT FROM wrong)
        ON CONFLICT DO NOTHING RETURNING first
    ),
    recorded AS (
        INSERT INTO changes
        SELECT c.revision, c.id, c.kind, c.at_ms, c.total_bytes, c.actor, c.reason, c.start, c.removed, c.inserted,
            c.after, coalesce(c.was_revision, was.revision), coalesce(c.was_created_revision, was.created_revision),
            coalesce(c.was_created_at_ms, was.created_at_ms), coalesce(c.was_updated_at_ms, was.updated_at_ms),
            coalesce(c.was_status_since_ms, was.status_since_ms), coalesce(c.was_protected, was.protected)
        FROM entry, unnest(%(c0)b::bigint[], %(c1)b::text[], %(c2)b::text[], %(c3)b::bigint[], %(c4)b::bigint[],
            %(c5)b::text[], %(c6)b::text[], %(c7)b::integer[], %(c8)b::bytea[], %(c9)b::integer[], %(c10)b::bytea[],
            %(c11)b::bigint[], %(c12)b::bigint[], %(c13)b::bigint[], %(c14)b::bigint[], %(c15)b::bigint[],
            %(c16)b::boolean[])
        AS c (revision, id, kind, at_ms, total_bytes, actor, reason, start, removed, inserted, after, was_revision,
            was_created_revision, was_created_at_ms, was_updated_at_ms, was_status_since_ms, was_protected)
        LEFT JOIN clusters was ON was.id = c.id
    ),
    documents AS (
        INSERT INTO clusters
        SELECT given.id, given.revision, coalesce(given.created_revision, -1), coalesce(given.created_at_ms, -1),
            given.updated_at_ms, coalesce(given.status_since_ms, -1), coalesce(given.protected, was.protected, false),
            given.body
        FROM entry, given LEFT JOIN clusters was ON was.id = given.id
        ON CONFLICT (id) DO UPDATE SET
            revision = excluded.revision, updated_at_ms = excluded.updated_at_ms, body = excluded.body,
            protected = excluded.protected,
            created_revision = CASE WHEN excluded.created_revision < 0 THEN clusters.created_revision
                ELSE excluded.created_revision END,
            created_at_ms = CASE WHEN excluded.created_at_ms < 0 THEN clusters.created_at_ms
                ELSE excluded.created_at_ms END,
            status_since_ms = CASE WHEN excluded.status_since_ms < 0 THEN clusters.status_since_ms
                ELSE excluded.status_since_ms END
    ),
    given_statuses AS (
        INSERT INTO statuses
        SELECT s.id, s.revision, s.at_ms, s.actor, s.former
        FROM entry, unnest(%(s0)b::text[], %(s1)b::bigint[], %(s2)b::bigint[], %(s3)b::text[], %(s4)b::bytea[],
            %(s5)b::boolean[]) AS s (id, revision, at_ms, actor, former, is_needed)
        WHERE s.is_needed OR EXISTS (SELECT FROM clusters WHERE clusters.id = s.id)
    ),
    {_RESULTS.format(entry="entry", most=FORGOTTEN_AT_ONCE)}
SELECT pg_notify(%(channel)b::text, %(last)b::bigint::text) FROM entry
"""  # noqa: S608

KEEP_RESULTS = f"""
WITH newest AS (
        SELECT FROM log WHERE last = %(after)b::bigint AND token = %(previous)b::uuid
            AND NOT EXISTS (SELECT FROM log later WHERE later.last > %(after)b::bigint)
    ),
    {_RESULTS.format(entry="newest", most=FORGOTTEN_AT_ONCE)}
SELECT FROM newest
"""  # noqa: S608

LOOK = """
SELECT there.token, newest.last, newest.token, registry.mark
FROM registry, LATERAL (SELECT last, token FROM log ORDER BY last DESC LIMIT 1) newest
LEFT JOIN log there ON there.first = %s
"""

Outcome: TypeAlias = Literal["accepted", "taken", "unknown", "wrong"]


class Appending(NamedTuple):
    """An entry on its way: the same one, with the same token, however often it is sent."""

    first: int
    after: Position
    position: Position
    parameters: dict[str, Any]

    @classmethod
    def of(cls, columns: dict[str, Any], after: Position, position: Position, *, channel: str) -> "Appending":
        """An entry of these columns (see ``batches.columns_of``), which ends at ``position``."""
        own = {
            "first": after.revision + 1,
            "last": position.revision,
            "token": position.token,
            "at_ms": position.at_ms,
            "total_bytes": position.total_bytes,
            "channel": channel,
        }
        return cls(after.revision + 1, after, position, {**columns, **own, **predecessor(after)})


def predecessor(after: Position) -> dict[str, Any]:
    """The parameters that name what a writer stands on."""
    return {"after": after.revision, "previous": after.token}


def columns_of_results(results: Sequence[KeptResult]) -> dict[str, Any]:
    """The parameters that keep results."""
    oldest_ms = max((result.at_ms for result in results), default=0) - KEPT_MS
    return {"oldest_ms": oldest_ms, **named_columns("r", (Blobs, Blobs, Bigints, Blobs), results)}


def send(session: Session, appending: Appending) -> bool:
    """Send the statement once; whether it was accepted. No answer raises what psycopg raises."""
    return bool(session.rows(APPEND, appending.parameters))


def look(session: Session, appending: Appending, *, sent_before: bool) -> Outcome:
    """Why an entry was refused, which what stands at its place decides. The session has registered before.

    Refuses (Compacted) when what the writer stands on is not in the log any more: it has to load anew.
    """
    there, last, token, mark = session.rows(LOOK, (appending.first,))[0]
    if there is not None:
        return "accepted" if there == appending.position.token else "taken"
    if mark >= appending.first:
        return "unknown" if sent_before else "taken"
    if (last, token) == (appending.after.revision, appending.after.token):
        return "wrong"
    raise other_history(appending.after.revision)


def other_history(revision: int) -> Compacted:
    """What is raised where the log does not go on from what this process stands on."""
    return Compacted(f"the log has another history after revision {revision} than this process read: it loads anew")
