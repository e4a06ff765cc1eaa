"""Rows of large documents, which are not written anew with every change.

Theory: SQLite writes a row whole, so a node that joins a cluster of 5 MB would write 5 MB. Rows of ``changes`` say what
became of a document already; so while its body is large (``LARGE_BODY_BYTES``), its row in ``clusters`` stays what it
was at the row's ``revision``, and the later changes lead from there to what the document is now. The row is written
anew after ``LAG_CHANGES_MAX`` changes, or when they are as long as the body; before its next changes are given up; and
when the journal is closed.

One rule: what is remembered here of a document is what its row and the later changes lead to, as of the last commit.
"""

from collections.abc import Iterable
from typing import NamedTuple

import apsw

from rollbook.journal.changes import Change, StoredVersion, protected_after
from rollbook.journal.sqlite.checksums import document_checksum
from rollbook.journal.sqlite.rebuilding import LARGE_BODY_BYTES, LIVE, Lag, Row, kept_of, with_later

LAG_CHANGES_MAX = 1_000
REMEMBERED_BYTES_MAX = 64 * 1024 * 1024

WRITE_ANEW = (
    "UPDATE clusters SET body = CAST(? AS TEXT), revision = ?, updated_at_ms = ?, protected = ?, checksum = ? "
    "WHERE id = ?"
)
LAGGING_UP_TO = (
    "SELECT DISTINCT changes.id FROM changes JOIN clusters ON clusters.id = changes.id "
    "WHERE changes.revision <= ? AND changes.revision > clusters.revision"
)


class LargeRow(NamedTuple):
    """A large document as it is, how far its row lags behind, and the checksum of this version where it has one."""

    version: StoredVersion
    lag: Lag
    checksum: int | None


class LargeRows:
    """The large documents that were written last, as of a commit. ``draft`` is what a batch makes of them."""

    def __init__(self, standing: dict[str, LargeRow] | None = None) -> None:
        self._standing = standing or {}

    def draft(self) -> "LargeRows":
        """A copy to change: it takes the place of this one when it is durable."""
        return LargeRows(dict(self._standing))

    def follows(self, writer: apsw.Connection, change: Change) -> LargeRow | None:
        """What stands before a change of a large document whose row stays as it is; None: its row is to be written.

        Refuses (ValueError) a change that does not follow from what stands.
        """
        if len(change.before or b"") < LARGE_BODY_BYTES:
            return None
        stands = self._stands(writer, change.id)
        if stands is None or change.after is None or len(change.after) < LARGE_BODY_BYTES:
            self.forget(change.id)
            if stands is not None and stands.lag.changes:
                write_anew(writer, stands.version)
            return None
        version = stands.version
        is_protecting = change.kind in ("protected", "unprotected")
        if version.body != change.before or (is_protecting and version.protected == (change.kind == "protected")):
            raise ValueError(f"revision {change.revision} does not follow from the stored document {change.id!r}")
        return stands

    def follow(self, writer: apsw.Connection, change: Change, stands: LargeRow, size_bytes: int) -> None:
        """A change was recorded after what stood, ``size_bytes`` long; the row is written anew when it is time."""
        assert change.after is not None
        version = stands.version._replace(
            body=change.after,
            revision=change.revision,
            updated_at_ms=change.at_ms,
            protected=protected_after(change.kind, stands.version.protected),
        )
        lag = Lag(stands.lag.changes + 1, stands.lag.size_bytes + size_bytes)
        checksum = None
        if lag.changes >= LAG_CHANGES_MAX or lag.size_bytes >= len(version.body):
            lag, checksum = Lag(), write_anew(writer, version)
        self._remember(LargeRow(version, lag, checksum))

    def forget(self, id: str) -> None:
        """Read a document again before it is next changed."""
        self._standing.pop(id, None)

    def write_all(self, writer: apsw.Connection, ids: Iterable[str]) -> None:
        """Write anew every row that lags, of those that are remembered, and of ``ids``."""
        for id in {*self._standing, *ids}:
            stands = self._stands(writer, id)
            if stands is not None and stands.lag.changes:
                write_anew(writer, stands.version)
        self._standing.clear()

    def _stands(self, writer: apsw.Connection, id: str) -> LargeRow | None:
        if id in self._standing:
            return self._standing[id]
        rows: list[Row] = writer.execute(f"{LIVE} WHERE id = ?", (id,)).fetchall()
        if not rows:
            return None
        version, lag = with_later(writer, kept_of(rows[0]))
        return LargeRow(version, lag, None if lag.changes else rows[0][7])

    def _remember(self, standing: LargeRow) -> None:
        self.forget(standing.version.id)
        self._standing[standing.version.id] = standing
        left_bytes = REMEMBERED_BYTES_MAX - sum(len(each.version.body) for each in self._standing.values())
        while left_bytes < 0 and len(self._standing) > 1:
            left_bytes += len(self._standing.pop(next(iter(self._standing))).version.body)


def write_anew(writer: apsw.Connection, version: StoredVersion) -> int:
    """Write a document's row as it is now; returns its checksum."""
    checksum = document_checksum(version.id, version.revision, version.updated_at_ms, version.body)
    facts = (version.body, version.revision, version.updated_at_ms, version.protected, checksum)
    writer.execute(WRITE_ANEW, (*facts, version.id))
    return checksum


def write_lagging_up_to(writer: apsw.Connection, revision: int) -> None:
    """Write anew the rows from which changes up to a revision lead on, so that these can be given up."""
    for (id,) in writer.execute(LAGGING_UP_TO, (revision,)).fetchall():
        for row in writer.execute(f"{LIVE} WHERE id = ?", (id,)).fetchall():
            write_anew(writer, with_later(writer, kept_of(row))[0])
