"""The results that are kept for idempotency keys, in the journal's own file."""

from collections.abc import Sequence

import apsw

from rollbook.journal.kept_results import FORGOTTEN_AT_ONCE, KEPT_MS, KeptResult

KEEP = "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)"
FORGET = "DELETE FROM results WHERE key IN (SELECT key FROM results WHERE at_ms < ? ORDER BY at_ms LIMIT ?)"
FIND = "SELECT key, fingerprint, at_ms, result FROM results WHERE key = ?"


def result_in(reader: apsw.Connection, key: bytes) -> KeptResult | None:
    """The result that is kept for a key."""
    rows = reader.execute(FIND, (key,)).fetchall()
    return KeptResult._make(rows[0]) if rows else None


def keep_results(writer: apsw.Connection, results: Sequence[KeptResult]) -> None:
    """Keep results, and forget some that are old."""
    if results:
        writer.executemany(KEEP, results)
        newest_ms = max(result.at_ms for result in results)
        writer.execute(FORGET, (newest_ms - KEPT_MS, FORGOTTEN_AT_ONCE))
