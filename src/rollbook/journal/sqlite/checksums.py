"""Checksums of stored rows: what was written is what is read, or it is not used.

One rule: a row whose checksum does not match is never handed on. A row without one was written by a version that kept
none; a document without one is at least JSON with its id. Checksums are CRC-32: they find damage, not forgery.
"""

from typing import Any
from zlib import crc32

import msgspec

from rollbook.journal.changes import Change, StoredVersion


class _Identified(msgspec.Struct):
    id: str


_DECODER = msgspec.json.Decoder(_Identified)


class Damage(Exception):
    """A stored row is not what was written. ``id`` is the cluster's; the message says what is wrong."""

    def __init__(self, id: str, problem: str) -> None:
        super().__init__(problem)
        self.id = id


def document_checksum(id: str, revision: int, updated_at_ms: int, body: bytes) -> int:
    """The checksum of a row of ``clusters``: of its document, and of the version that it is."""
    return crc32(body, crc32(id.encode(), (revision ^ updated_at_ms) & 0xFFFFFFFF))  # the cheapest mix: starts wait


def change_checksum(change: Change, start: int, removed: bytes, inserted: bytes, more: bytes | None = None) -> int:
    """The checksum of a row of ``changes``: of who changed what, when and why."""
    who = (change.revision, change.id, change.kind, change.at_ms, change.actor, change.reason)
    return crc32(more or b"", _row_checksum(*who, start, removed, inserted))


def check_change(row: tuple[Any, ...], checksum: int | None) -> None:
    """Refuses (Damage) a row of ``changes``, the columns of its change first, that is not what was written."""
    if checksum is not None and checksum != crc32(row[10] or b"", _row_checksum(*row[:9])):
        raise Damage(row[1], f"the change of {row[1]!r} at revision {row[0]} is not what was written (checksum)")


def check_document(kept: StoredVersion, checksum: int | None) -> None:
    """Refuses (Damage) a document that is not what was written."""
    problem = problem_in_document(kept, checksum)
    if problem is not None:
        raise Damage(kept.id, f"the document of {kept.id!r} at revision {kept.revision} {problem}")


def problem_in_document(kept: StoredVersion, checksum: int | None) -> str | None:
    """What is wrong with a stored document, as the rest of a sentence; None when nothing is."""
    if checksum is not None:
        matches = checksum == document_checksum(kept.id, kept.revision, kept.updated_at_ms, kept.body)
        return None if matches else "is not what was written (checksum)"
    try:
        is_its_own = _DECODER.decode(kept.body).id == kept.id
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "is not JSON"
    return None if is_its_own else "does not carry that id"


def _row_checksum(
    revision: int,
    id: str,
    kind: str,
    at_ms: int,
    actor: str,
    reason: str | None,
    start: int,
    removed: bytes,
    inserted: bytes,
) -> int:
    facts = f"{revision}\n{id}\n{kind}\n{at_ms}\n{actor}\n{reason}\n{start}\n{len(removed)}\n".encode()
    return crc32(inserted, crc32(removed, crc32(facts)))
