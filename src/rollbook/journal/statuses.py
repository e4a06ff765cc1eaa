"""Statuses of documents as a journal keeps them beside its changes: since when each has stood, and what stood before.

One rule: the change that gave a status may be gone, and who gave it, when, and over which other status is still known
as long as a document of that status can be read.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

import msgspec

from rollbook.journal.changes import Change

Formers: TypeAlias = Mapping[int, bytes | None]
"""By revision of an update that gives another status, the status before it, as JSON; None: there was none."""


class StatusChange(NamedTuple):
    """The change that gave a status: its revision, its time (Unix ms), its actor, and the status before it as JSON.

    ``former`` is None where there was none. ``actor`` is None where nothing is kept of the change itself; then the
    document had the status at ``revision`` already, and ``former`` is None.
    """

    revision: int
    at_ms: int
    actor: str | None
    former: bytes | None


class _Status(msgspec.Struct):
    status: msgspec.Raw = msgspec.UNSET  # type: ignore[assignment]


_DECODER = msgspec.json.Decoder(_Status)


def status_json(body: bytes | None) -> bytes | None:
    """The status in a stored document, as JSON; None without one, without a document, or in what is no document."""
    if body is None:
        return None
    try:
        status = _DECODER.decode(body).status
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return bytes(status) if isinstance(status, msgspec.Raw) else None


def gives_status(change: Change, formers: Formers) -> bool:
    """Whether the status of a document begins with this change."""
    return change.kind == "created" or change.revision in formers


def formers_in(changes: Iterable[Change]) -> dict[int, bytes | None]:
    """The statuses before those changes that give another one, found by reading the documents."""
    formers: dict[int, bytes | None] = {}
    for change in changes:
        if change.kind == "updated" and (former := status_json(change.before)) != status_json(change.after):
            formers[change.revision] = former
    return formers
