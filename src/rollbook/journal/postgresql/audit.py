"""The audit log in the database: one chain of entries, whichever process writes them.

One rule: an entry is the line that a file would hold, with the digest of the line before it; writers take turns.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from rollbook.journal.audit_store import AuditFacts
from rollbook.journal.postgresql.connecting import OpenSession, Sessions
from rollbook.journal.postgresql.storing import StoreSession

TAKE_TURNS = "LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE"
END = "SELECT number, entry FROM audit ORDER BY number DESC LIMIT 1"
INSERT = "INSERT INTO audit (number, entry) VALUES (%s, %s)"
PAGE_ENTRIES = 500
PAGE = f"SELECT number, entry FROM audit WHERE number > %s ORDER BY number LIMIT {PAGE_ENTRIES}"  # noqa: S608


class PostgresqlAudit:
    """An audit log (see ``audit_store.SharedAuditStore``) in a table of a registry."""

    def __init__(self, writing: StoreSession, open_session: OpenSession, *, beginning: str) -> None:
        """``beginning`` is what the first entry names as the digest before it."""
        self._writing = writing
        self._readers = Sessions(open_session, kept_max=1)
        self._beginning = beginning

    def append_all(self, entries: Sequence[AuditFacts]) -> None:
        """See ``SharedAuditStore.append_all``."""
        with self._writing.writing("the audit log can't be written") as session:
            session.run(TAKE_TURNS)
            last = session.rows(END)
            number, previous = (last[0][0], _digest(last[0][1])) if last else (0, self._beginning)
            for at, actor, event, facts in entries:
                number += 1
                members = {"seq": number, "at": at, "actor": actor, "event": event, **facts}
                line = orjson.dumps({**members, "previous": previous})
                session.run(INSERT, (number, line))
                previous = _digest(line)

    def entries(self, *, since: int = 0) -> Iterator[dict[str, Any]]:
        """See ``SharedAuditStore.entries``."""
        return map(orjson.loads, self._lines(since))

    def lines(self) -> Iterator[bytes]:
        """See ``AuditLines.lines``."""
        return self._lines(0)

    def write_lines(self, lines: Sequence[bytes]) -> None:
        """See ``AuditLines.write_lines``."""
        with self._writing.writing("the audit log can't be written") as session:
            session.run(TAKE_TURNS)
            for line in lines:
                session.run(INSERT, (orjson.loads(line)["seq"], line))

    def close(self) -> None:
        """See ``SharedAuditStore.close``."""
        self._writing.close()
        self._readers.close()

    def _lines(self, after: int) -> Iterator[bytes]:
        while True:
            with self._readers.borrowed() as session:
                rows = session.rows(PAGE, (after,))
            for number, entry in rows:
                after = number
                yield entry
            if len(rows) < PAGE_ENTRIES:
                return


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
