"""Cursors: where a page ended, in a form that callers pass on and can't read or change.

One rule: a cursor is good for the request that it was made for. It is sealed with a key of the data directory (a MAC),
and names the revision that all its pages are of.
"""

import base64
import contextlib
import os
import secrets
from binascii import Error as NotBase64
from hashlib import blake2b
from hmac import compare_digest
from pathlib import Path

import msgspec
from msgspec import Struct

from rollbook.errors import CursorRefused

FILE_NAME = "cursor.key"
KEY_BYTES, MAC_BYTES, DIGEST_BYTES = 32, 16, 8
LENGTH_MAX = 1024


class Cursor(Struct, frozen=True, array_like=True):
    """Where a page ended: behind the cluster ``id``, as it was at ``revision``, of which all pages are.

    An empty ``id``: before the first. ``total`` clusters match; ``asked`` is the digest of the request.
    """

    revision: int
    id: str
    total: int
    asked: bytes


class CursorKey:
    """Makes cursors from places, and places from cursors."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sealed(self, cursor: Cursor) -> str:
        """The cursor as text that can stand in an address."""
        return self.seal(msgspec.msgpack.encode(cursor))

    def opened(self, text: str, *, asked: bytes) -> Cursor:
        """The place in what ``sealed`` returned. Refuses (CursorRefused) any other text, and another request's."""
        content = self.unseal(text)
        if content is None:
            raise CursorRefused("this is no cursor of this registry; begin again without one")
        cursor = msgspec.msgpack.decode(content, type=Cursor)
        if cursor.asked != asked:
            problem = "the cursor is of another request: its filter, its order and its moment must stay the same"
            raise CursorRefused(f"{problem}; begin again without one")
        return cursor

    def seal(self, content: bytes) -> str:
        """Bytes as text that only this key makes."""
        return base64.urlsafe_b64encode(self._mac(content) + content).rstrip(b"=").decode()

    def unseal(self, text: str) -> bytes | None:
        """The bytes in what ``seal`` returned; None for any other text."""
        try:
            sealed = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, NotBase64):
            return None
        mac, content = sealed[:MAC_BYTES], sealed[MAC_BYTES:]
        return content if len(text) <= LENGTH_MAX and compare_digest(mac, self._mac(content)) else None

    def for_purpose(self, purpose: bytes) -> "CursorKey":
        """A key of its own, so that what is sealed for one purpose is good for no other."""
        return CursorKey(blake2b(purpose, key=self._key, digest_size=KEY_BYTES).digest())

    def _mac(self, content: bytes) -> bytes:
        return blake2b(content, key=self._key, digest_size=MAC_BYTES).digest()


def digest_of(request: bytes) -> bytes:
    """What a cursor keeps of the request that it was made for."""
    return blake2b(request, digest_size=DIGEST_BYTES).digest()


def open_cursor_key(directory: Path) -> CursorKey:
    """The key of a data directory, made when absent. Where it can't be kept, cursors end with the process."""
    path = directory / FILE_NAME
    with contextlib.suppress(OSError):
        key = path.read_bytes()
        if len(key) == KEY_BYTES:
            return CursorKey(key)
    key = secrets.token_bytes(KEY_BYTES)
    with contextlib.suppress(OSError):
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
        unfinished.replace(path)
    return CursorKey(key)
