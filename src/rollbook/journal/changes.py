"""A change: what happened to one cluster, at one revision. The journal keeps changes; everything else follows them."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["created", "updated", "deleted"]


@dataclass(frozen=True, slots=True)
class Change:
    """One committed step of one document.

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


@dataclass(frozen=True, slots=True)
class Kept:
    """A live document as the journal keeps it, for a cold start: its JSON, its revisions and its times (Unix ms)."""

    id: str
    body: bytes
    revision: int
    created_revision: int
    created_at_ms: int
    updated_at_ms: int
