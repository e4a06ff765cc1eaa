"""A change: what happened to one cluster, at one revision. The journal keeps changes; everything else follows them."""

from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["created", "updated", "deleted", "protected", "unprotected"]
"""What happened. ``protected`` and ``unprotected`` leave the document as it is, and give it a revision all the same."""


class Change(NamedTuple):
    """One committed step of one document. (A tuple, as what is kept of it is: every write makes one.)

    ``revision`` counts all changes of the registry from 1, without gaps. ``at_ms`` is Unix time in milliseconds.
    ``before`` and ``after`` are the document's JSON; None where there was none, or is none any more.
    """

    revision: int
    id: str
    kind: Kind
    at_ms: int
    before: bytes | None
    after: bytes | None
    actor: str = "anonymous"
    reason: str | None = None


class StoredVersion(NamedTuple):
    """A document as the journal keeps it: its JSON, its revisions, its times (Unix ms), and whether it is protected.

    ``status_since_ms`` is the time of the change that gave it its status; the creation gives one too.

    (A tuple, as an entry of the view is: a start makes one for every document.)
    """

    id: str
    body: bytes
    revision: int
    created_revision: int
    created_at_ms: int
    updated_at_ms: int
    status_since_ms: int
    protected: bool = False


def protected_after(kind: Kind, was_protected: bool) -> bool:
    """Whether a document is protected after a change of this kind."""
    return kind == "protected" or (kind == "updated" and was_protected)
