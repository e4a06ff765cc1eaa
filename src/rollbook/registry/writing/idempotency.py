"""Idempotency keys: a write that is sent again with its key is answered as it was the first time, and done once.

One rule: the result is kept in the same append as the write, so what was not written is not remembered, and what was
written is. A refusal writes nothing, so it is not kept: the write is judged again.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeAlias

import msgspec
from msgspec import Struct

from rollbook.errors import IdempotencyKeyReused
from rollbook.journal.changes import Kind
from rollbook.journal.kept_results import KEPT_MS, KeptResult

Find: TypeAlias = Callable[[bytes], KeptResult | None]


class IdempotencyKey(Struct, frozen=True):
    """The key of a write. ``key`` is a digest of the caller and its key, ``fingerprint`` one of all that it asks.

    ``keeps_body``: the answer needs the document, so it is kept too.
    """

    key: bytes
    fingerprint: bytes
    keeps_body: bool = True

    @classmethod
    def of(cls, caller: str, key: str, *asked: bytes, keeps_body: bool = True) -> "IdempotencyKey":
        """The key that a caller gives a request, of which ``asked`` are the parts."""
        return cls(_digest(caller.encode(), key.encode()), _digest(*asked), keeps_body)


class Remembered(Struct, frozen=True, array_like=True):
    """A result as it is kept: the fields of ``WriteResult`` that an answer may need."""

    id: str
    kind: Kind | None
    body: bytes | None
    revision: int
    warnings: tuple[str, ...]
    outcome: str
    answer: bytes | None


def encoded_results(results: Sequence[Remembered]) -> bytes:
    """The results of one write, or of several that were done together, as bytes."""
    return msgspec.msgpack.encode(results)


def remembered(key: IdempotencyKey, kept: KeptResult | None, now_ms: int) -> Sequence[Remembered] | None:
    """What the writes with this key came to, if they were done; None when they were not, or more than a day ago.

    ``kept`` is what is kept for the key. Refuses (IdempotencyKeyReused) a key of another request.
    """
    if kept is None or kept.at_ms < now_ms - KEPT_MS:
        return None
    if kept.fingerprint != key.fingerprint:
        raise IdempotencyKeyReused(
            "another request was sent with this Idempotency-Key in the last 24 hours; take a new key for a new request"
        )
    return msgspec.msgpack.decode(kept.result, type=list[Remembered])


def _digest(*parts: bytes) -> bytes:
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
