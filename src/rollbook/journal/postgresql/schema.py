"""The tables of a registry in a PostgreSQL database: made when absent, checked when there.

One rule: all tables lie in one schema of the database, the first of the connection's ``search_path``, and nothing else
is touched. Two registries may share a database in two schemas.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from psycopg.errors import DuplicateTable, InsufficientPrivilege, UndefinedTable, UniqueViolation

from rollbook.errors import DataDirectoryUnsound, JournalForbidden
from rollbook.journal.postgresql.connecting import Session

FORMAT = 1
CURSOR_KEY_BYTES = 32

LOCK_OF_MAKING = 5_713_320_771
"""The advisory lock under which one process at a time makes the tables."""

TABLES = """
CREATE TABLE registry (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    id uuid NOT NULL,                          -- of this registry; the token of the entry before the first
    format integer NOT NULL,
    mark bigint NOT NULL DEFAULT 0,            -- changes up to this revision are gone
    mark_at_ms bigint NOT NULL DEFAULT 0,
    mark_total_bytes bigint NOT NULL DEFAULT 0,
    had_identities boolean NOT NULL DEFAULT false,
    keeper_term bigint NOT NULL DEFAULT 0,     -- goes up with every process that becomes the keeper
    tokens_version bigint NOT NULL DEFAULT 0,  -- goes up with every change of tokens and roles
    webhooks_version bigint NOT NULL DEFAULT 0,
    cursor_key bytea NOT NULL                  -- seals the cursors of pages, which any process may be given
);
CREATE TABLE log (                             -- an entry is a batch; it names its predecessor's token
    first bigint PRIMARY KEY,
    last bigint NOT NULL UNIQUE,
    token uuid NOT NULL,
    previous uuid NOT NULL,
    at_ms bigint NOT NULL,
    total_bytes bigint NOT NULL                -- of all changes up to here, as retention counts them
);
CREATE INDEX log_at_ms ON log (at_ms, last);
CREATE TABLE changes (
    revision bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    at_ms bigint NOT NULL,
    total_bytes bigint NOT NULL,
    actor text NOT NULL,
    reason text,
    start integer NOT NULL,                    -- what the body before has instead of the body after, from this byte on
    removed bytea NOT NULL,
    inserted_bytes integer NOT NULL,
    after bytea,                               -- NULL: deleted, and the body before is in "removed"
    was_revision bigint,                       -- what stood before; of a creation, the deletion before it
    was_created_revision bigint,
    was_created_at_ms bigint,
    was_updated_at_ms bigint,
    was_status_since_ms bigint,
    was_protected boolean
);
CREATE INDEX changes_id ON changes (id, revision);
CREATE TABLE clusters (                        -- body NULL: the cluster was deleted; the row stays for ever
    id text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL,
    created_revision bigint NOT NULL,
    created_at_ms bigint NOT NULL,
    updated_at_ms bigint NOT NULL,
    status_since_ms bigint NOT NULL,
    protected boolean NOT NULL,
    body bytea
);
CREATE TABLE statuses (
    id text COLLATE "C",
    revision bigint,
    at_ms bigint NOT NULL,
    actor text NOT NULL,
    former bytea,
    PRIMARY KEY (id, revision)
);
CREATE TABLE results (
    key bytea PRIMARY KEY,
    fingerprint bytea NOT NULL,
    at_ms bigint NOT NULL,
    result bytea NOT NULL
);
CREATE INDEX results_at_ms ON results (at_ms);
CREATE TABLE processes (                       -- each new connection writes here before it reads
    id uuid PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    connections bigint NOT NULL DEFAULT 1,
    connected_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE leases (
    id text COLLATE "C" PRIMARY KEY,
    life bigint NOT NULL,
    ttl_seconds bigint NOT NULL,
    observed_at_ms bigint NOT NULL,
    noted boolean NOT NULL,
    mark text,
    turns text NOT NULL,
    nodes text NOT NULL,
    slot bigint NOT NULL,
    live double precision NOT NULL,
    unreachable double precision NOT NULL,
    unknown double precision NOT NULL
);
CREATE TABLE uptime_slots (
    id text COLLATE "C",
    number bigint,
    live double precision NOT NULL,
    unreachable double precision NOT NULL,
    unknown double precision NOT NULL,
    PRIMARY KEY (id, number)
);
CREATE TABLE uptime_days (LIKE uptime_slots INCLUDING ALL);
CREATE TABLE webhooks (
    id text COLLATE "C" PRIMARY KEY,
    created_at_ms bigint NOT NULL,
    updated_at_ms bigint NOT NULL,
    target text NOT NULL,
    secret text NOT NULL,
    former text NOT NULL
);
CREATE TABLE progress (
    id text COLLATE "C" PRIMARY KEY REFERENCES webhooks ON DELETE CASCADE,
    revision bigint NOT NULL,
    attempts bigint NOT NULL,
    next_attempt_ms bigint NOT NULL,
    success_at_ms bigint NOT NULL,
    success_revision bigint NOT NULL,
    error_at_ms bigint NOT NULL,
    error_revision bigint NOT NULL,
    error text NOT NULL,
    missed_up_to bigint NOT NULL,
    dropped bigint NOT NULL DEFAULT 0
);
CREATE TABLE dead_letters (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook text COLLATE "C" NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    kind text NOT NULL,
    first_revision bigint NOT NULL,
    revision bigint NOT NULL,
    at_ms bigint NOT NULL,
    attempts bigint NOT NULL,
    problem text NOT NULL,
    retry boolean NOT NULL,
    body text
);
CREATE INDEX dead_letters_webhook ON dead_letters (webhook, number);
CREATE TABLE tokens (
    id text COLLATE "C" PRIMARY KEY,
    created_at_ms bigint NOT NULL,
    facts text NOT NULL,
    digest bytea NOT NULL,
    former_digest bytea,
    former_until_ms bigint,
    expires_at_ms bigint,
    last_used_at_ms bigint
);
CREATE TABLE roles (
    name text COLLATE "C" PRIMARY KEY,
    body text NOT NULL
);
CREATE TABLE audit (
    number bigint PRIMARY KEY,
    entry bytea NOT NULL                       -- a line of JSON, which names the digest of the line before it
);
"""

ADDED = """
CREATE TABLE IF NOT EXISTS ended_sessions (    -- of browsers; the digest '' stands for all that end by then
    digest bytea PRIMARY KEY,
    ends_at_ms bigint NOT NULL
)
"""
"""What a registry of this format may lack that an older version has made."""

BEGIN_LOG = """
WITH made AS (INSERT INTO registry (id, format, cursor_key) VALUES (gen_random_uuid(), %s, %s) RETURNING id)
INSERT INTO log SELECT 0, 0, id, id, 0, 0 FROM made
"""
READ = "SELECT id, cursor_key, format FROM registry"
IS_WHOLE = "SELECT to_regclass('ended_sessions') IS NOT NULL"


class Identity(NamedTuple):
    """Which registry a database holds."""

    id: UUID
    cursor_key: bytes

    @property
    def channel(self) -> str:
        """The prefix of the channels (LISTEN, NOTIFY) of this registry."""
        return f"rollbook_{self.id.hex}"

    def lock(self, what: int) -> int:
        """The number of an advisory lock of this registry."""
        return (int.from_bytes(self.id.bytes[:7], "big") * 8 + what) % 2**62


def open_tables(session: Session) -> Identity:
    """Make the tables where there are none; which registry it is.

    Refuses (DataDirectoryUnsound) tables of another format or of somebody else, and (JournalForbidden) a role that may
    not make them.
    """
    found = _found(session)
    if found is None:
        _make(session)
        found = _found(session)
    if found is None or found[2] != FORMAT:
        number = "none" if found is None else found[2]
        raise DataDirectoryUnsound(
            f"the tables of this registry are of format {number}, and this Rollbook reads format {FORMAT}: "
            "run the version that wrote them, or a newer one"
        )
    if not session.rows(IS_WHOLE)[0][0]:
        _make_rest(session)
    return Identity(*found[:2])


def _found(session: Session) -> tuple[UUID, bytes, int] | None:
    try:
        rows = session.rows(READ)
    except UndefinedTable:
        return None
    return (rows[0][0], bytes(rows[0][1]), rows[0][2]) if rows else None


def _make(session: Session) -> None:
    with _making(session):
        if session.rows("SELECT to_regclass('registry')")[0][0] is None:
            session.run(TABLES)
            session.run(BEGIN_LOG, (FORMAT, os.urandom(CURSOR_KEY_BYTES)))


def _make_rest(session: Session) -> None:
    with _making(session):
        session.run(ADDED)


@contextmanager
def _making(session: Session) -> Iterator[None]:
    """One transaction, of one process at a time."""
    try:
        with session.transaction():
            session.rows("SELECT pg_advisory_xact_lock(%s)", (LOCK_OF_MAKING,))
            yield
    except (DuplicateTable, UniqueViolation) as stranger:
        raise DataDirectoryUnsound(
            f"the schema holds a table that is not Rollbook's ({stranger.diag.message_primary}): "
            "give the registry a schema or a database of its own"
        ) from None
    except InsufficientPrivilege as refused:
        raise JournalForbidden(
            f"the tables can't be made: {refused.diag.message_primary}. Let the role own the database, or give it a "
            "schema: CREATE SCHEMA rollbook AUTHORIZATION <role>; ALTER ROLE <role> SET search_path = rollbook"
        ) from None
