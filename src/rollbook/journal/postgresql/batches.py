"""A batch of changes as the statement needs it: columns, one element a change or a document.

One rule: what can be judged without the stored documents is judged here (ValueError); the statement judges the rest.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from rollbook.documents.splices import splice_between
from rollbook.journal.changes import Change
from rollbook.journal.postgresql.arrays import Bigints, Blobs, Booleans, Column, Integers, Texts
from rollbook.journal.statuses import Formers

CHANGE_BYTES = 100
"""What a change takes beside its bodies, as retention counts it."""


class Position(NamedTuple):
    """Where an entry of the log ends: its revision, token and time (Unix ms), and the bytes of all changes so far."""

    revision: int
    token: UUID
    at_ms: int
    total_bytes: int


class _Document:
    """A document that a batch changes. None: as it is stored."""

    def __init__(self, change: Change) -> None:
        self.expected = None if change.before is None else sha256(change.before).digest()
        self.expected_protected: bool | None = None
        self.body = change.before
        self.revision: int | None = None
        self.created_revision: int | None = None
        self.created_at_ms: int | None = None
        self.updated_at_ms: int | None = None
        self.status_since_ms: int | None = None
        self.protected: bool | None = None

    @property
    def stood(self) -> tuple[int | bool | None, ...]:
        """What stands before the next change, as far as the batch made it."""
        times = (self.created_at_ms, self.updated_at_ms, self.status_since_ms)
        return (self.revision, self.created_revision, *times, self.protected)

    def follow(self, change: Change, formers: Formers) -> None:
        """Take the change. Refuses (ValueError) one that can't follow."""
        self._check(change)
        self.body, self.revision, self.updated_at_ms = change.after, change.revision, change.at_ms
        if change.kind == "created":
            self.created_revision, self.created_at_ms = change.revision, change.at_ms
            self.status_since_ms, self.protected = change.at_ms, False
        elif change.kind == "updated" and change.revision in formers:
            self.status_since_ms = change.at_ms
        elif change.kind in ("protected", "unprotected"):
            self.protected = change.kind == "protected"

    def _check(self, change: Change) -> None:
        if change.before != self.body:
            raise ValueError(f"revision {change.revision} does not follow from the document {change.id!r}")
        needed = {"deleted": False, "protected": False, "unprotected": True}.get(change.kind)
        if needed is not None:
            if self.protected is None:
                self.expected_protected = needed
            elif self.protected != needed:
                raise ValueError(f"revision {change.revision} is no {change.kind!r} change of what is stored")
        fits = {
            "created": change.before is None and change.after is not None,
            "updated": change.before is not None and change.after is not None,
            "deleted": change.before is not None and change.after is None,
        }.get(change.kind, change.before is not None and change.after == change.before)
        if not fits:
            raise ValueError(f"revision {change.revision} is no {change.kind!r} change: before or after is wrong")


def columns_of(changes: Sequence[Change], after: Position, formers: Formers) -> tuple[dict[str, Any], int]:
    """The parameters of the statement, and the bytes of all changes with these. Refuses (ValueError) a wrong batch."""
    documents: dict[str, _Document] = {}
    rows: list[tuple[Any, ...]] = []
    statuses: list[tuple[Any, ...]] = []
    revision, at_ms, total_bytes = after.revision, after.at_ms, after.total_bytes
    for change in changes:
        if change.revision != revision + 1:
            raise ValueError(f"the change after revision {revision} has revision {change.revision}")
        if change.at_ms < at_ms:
            raise ValueError(f"revision {change.revision} is dated before the change that it follows")
        revision, at_ms = change.revision, change.at_ms
        total_bytes += CHANGE_BYTES + len(change.before or b"") + len(change.after or b"")
        document = documents.get(change.id)
        was_there = document is not None
        if document is None:
            document = documents[change.id] = _Document(change)
        stood = document.stood
        document.follow(change, formers)
        who = (change.actor, change.reason)
        rows.append((revision, change.id, change.kind, at_ms, total_bytes, *who, *_difference(change), *stood))
        if change.kind == "created" or (change.kind == "updated" and revision in formers):
            is_update = change.kind == "updated"
            former = formers.get(revision) if is_update else None
            statuses.append((change.id, revision, at_ms, change.actor, former, is_update or was_there))
    return _columns(rows, statuses, documents), total_bytes


def _difference(change: Change) -> tuple[int, bytes, int, bytes | None]:
    """``start``, ``removed``, the length of what was inserted, and the body after."""
    if change.before is None or change.after is None:
        return 0, change.before or b"", len(change.after or b""), change.after
    splice = splice_between(change.before, change.after)
    return splice.start, splice.removed, len(splice.inserted), change.after


def body_before(start: int, removed: bytes, inserted_bytes: int, after: bytes | None) -> bytes:
    """The body before a change, of what ``_difference`` made of it."""
    if after is None:
        return removed
    return after[:start] + removed + after[start + inserted_bytes :]


def _columns(
    rows: Sequence[tuple[Any, ...]], statuses: Sequence[tuple[Any, ...]], documents: dict[str, _Document]
) -> dict[str, Any]:
    values = [
        (
            id,
            each.expected,
            each.expected_protected,
            each.revision,
            each.created_revision,
            each.created_at_ms,
            each.updated_at_ms,
            each.status_since_ms,
            each.protected,
            each.body,
        )
        for id, each in documents.items()
    ]
    return {
        **named_columns("c", CHANGE_TYPES, rows),
        **named_columns("d", DOCUMENT_TYPES, values),
        **named_columns("s", STATUS_TYPES, statuses),
    }


def named_columns(letter: str, types: Sequence[type[Column]], rows: Sequence[tuple[Any, ...]]) -> dict[str, Column]:
    """The columns of a table, as the parameters ``letter0``, ``letter1`` and so on."""
    columns = zip(*rows, strict=True) if rows else [()] * len(types)
    return {f"{letter}{place}": kind(values) for place, (kind, values) in enumerate(zip(types, columns, strict=True))}


CHANGE_TYPES = (
    *(Bigints, Texts, Texts, Bigints, Bigints, Texts, Texts),
    *(Integers, Blobs, Integers, Blobs),
    *(Bigints, Bigints, Bigints, Bigints, Bigints, Booleans),
)
DOCUMENT_TYPES = (Texts, Blobs, Booleans, Bigints, Bigints, Bigints, Bigints, Bigints, Booleans, Blobs)
STATUS_TYPES = (Texts, Bigints, Bigints, Texts, Blobs, Booleans)
