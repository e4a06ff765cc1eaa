"""Repairs one damaged cluster: rebuilds its document from the history, or gives up what is damaged.

Theory: a document that was created within what is kept can be made again from its changes, byte for byte; its checksum
proves it. Otherwise the damaged part is given up: the changes of the cluster stay (who, when, why), with a document
that is nothing but an id in place of contents that can't be trusted. A change follows them that leads to the document,
or, where that is what is damaged, deletes it. Every other cluster and every reader of changes goes on.
"""

import time
from pathlib import Path

import apsw

from rollbook.documents.codec import encode_json
from rollbook.errors import ClusterNotFound, DataDirectoryUnsound
from rollbook.journal.changes import Change, Kind, StoredVersion
from rollbook.journal.sqlite.checksums import Damage, document_checksum, problem_in_document
from rollbook.journal.sqlite.integrity import problems_in_cluster
from rollbook.journal.sqlite.positions import mark_in
from rollbook.journal.sqlite.rebuilding import CHANGE_COLUMNS, LIVE, Row, change_after, unchecked
from rollbook.journal.sqlite.recording import WEIGHT, record, tip_in
from rollbook.journal.sqlite.statuses import fill_statuses_of, record_status
from rollbook.journal.statuses import formers_in

LIFE = f"SELECT {CHANGE_COLUMNS} FROM changes WHERE id = ? AND revision BETWEEN ? AND ? ORDER BY revision"  # noqa: S608
REBUILT = "UPDATE clusters SET body = CAST(? AS TEXT), checksum = ? WHERE id = ?"
EMPTIED = (
    "UPDATE changes SET start = 0, removed = CASE kind WHEN 'deleted' THEN CAST(:stub AS TEXT) ELSE '' END, "
    "inserted = CASE kind WHEN 'created' THEN CAST(:stub AS TEXT) ELSE '' END, was_checksum = NULL, checksum = NULL, "
    "more = NULL WHERE id = :id"
)
NEWEST = (
    "UPDATE clusters SET (revision, updated_at_ms) = (SELECT revision, at_ms FROM changes WHERE id = :id "
    "ORDER BY revision DESC LIMIT 1) WHERE id = :id AND revision < (SELECT max(revision) FROM changes WHERE id = :id)"
)
"""A row that lagged is as of the last of its changes, which lead nowhere any more."""
TOTALS = f"""
UPDATE changes SET total_bytes = summed.total FROM (
    SELECT revision, ? + sum(weight) OVER (ORDER BY revision) AS total FROM (SELECT revision, {WEIGHT} FROM changes)
) AS summed WHERE summed.revision = changes.revision AND changes.total_bytes != summed.total
"""  # noqa: S608
REASON = "dropped by rollbook repair: what was stored was damaged"


def repair(writer: apsw.Connection, path: Path, id: str, *, drop: bool) -> str:
    """Repair the cluster ``id`` in the file at ``path``; what was done, in words. With ``drop``, contents may be lost.

    Refuses (ClusterNotFound) an id that nothing is stored for, and (DataDirectoryUnsound) what can't be rebuilt.
    """
    rows: list[Row] = writer.execute(f"{LIVE} WHERE id = ?", (id,)).fetchall()
    if not rows and not writer.execute("SELECT 1 FROM changes WHERE id = ? LIMIT 1", (id,)).fetchall():
        raise ClusterNotFound(f"{path} holds nothing of a cluster {id!r}")
    kept, checksum = (unchecked(rows[0]), rows[0][7]) if rows else (None, None)
    is_damaged = kept is not None and problem_in_document(kept, checksum) is not None
    problems = problems_in_cluster(writer, id)
    if not problems and not is_damaged:
        return f"nothing is wrong with {id!r}"
    if kept is not None and is_damaged:
        body = _rebuilt(writer.execute(LIFE, (id, kept.created_revision, kept.revision)).fetchall())
        if body is not None and problem_in_document(kept._replace(body=body), checksum) is None:
            _write_body(writer, kept, body)
            return f"the document of {id!r} was rebuilt from its history"
    fill_statuses_of(writer, id)
    if not is_damaged and not problems_in_cluster(writer, id):
        return f"since when {id!r} has its status was made again from its history"
    if not drop:
        raise DataDirectoryUnsound(
            f"{id!r} can't be rebuilt from what is kept of its history: restore a backup of the directory, or give up "
            f"what is damaged: rollbook repair --data {path.parent} {id!r} --drop"
        )
    _empty_history(writer, id)
    if kept is None:
        return f"the contents of the history of {id!r} were dropped"
    _end(writer, kept, None if is_damaged else kept.body)
    if is_damaged:
        return f"{id!r} was dropped: it is deleted, and the contents of its history are gone"
    return f"the contents of the history of {id!r} were dropped; its document is kept"


def _rebuilt(life: list[Row]) -> bytes | None:
    """The body that the changes of a life lead to; None when they do not begin with its creation, or are damaged."""
    if not life or life[0][2] != "created":
        return None
    body = b""
    try:
        for row in life:
            body = change_after(row, body).after or b""
    except (Damage, ValueError):
        return None
    return body


def _write_body(writer: apsw.Connection, kept: StoredVersion, body: bytes) -> None:
    checksum = document_checksum(kept.id, kept.revision, kept.updated_at_ms, body)
    writer.execute(REBUILT, (body, checksum, kept.id))


def _empty_history(writer: apsw.Connection, id: str) -> None:
    writer.execute(EMPTIED, {"stub": _stub(id), "id": id})
    writer.execute("DELETE FROM statuses WHERE id = ?", (id,))
    writer.execute(TOTALS, (mark_in(writer).total_bytes,))


def _end(writer: apsw.Connection, kept: StoredVersion, body: bytes | None) -> None:
    """Let a change lead from the stub to ``body``; None: to nothing."""
    stub, at_ms = _stub(kept.id), max(tip_in(writer).at_ms, time.time_ns() // 1_000_000)
    _write_body(writer, kept, stub)
    writer.execute(NEWEST, {"id": kept.id})
    if body is not None:
        _record(writer, kept.id, "updated", at_ms, stub, body)
        return
    if kept.protected:
        _record(writer, kept.id, "unprotected", at_ms, stub, stub)
    _record(writer, kept.id, "deleted", at_ms, stub, None)


def _stub(id: str) -> bytes:
    return encode_json({"id": id})


def _record(writer: apsw.Connection, id: str, kind: Kind, at_ms: int, before: bytes, after: bytes | None) -> None:
    tip = tip_in(writer)
    change = Change(tip.revision + 1, id, kind, at_ms, before, after, "command-line", REASON)
    record(writer, change, tip)
    record_status(writer, change, formers_in([change]))
