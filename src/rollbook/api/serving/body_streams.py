"""Bodies that are read while they arrive: of the operations that say so in the table.

One rule: what has arrived and is not taken yet is bounded; the connection is read on when it has been taken.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from rollbook.errors import RegistryError

HELD_BYTES_MAX = 1024 * 1024
AHEAD_BYTES_MAX = 16 * 1024 * 1024
"""Answers may be written this far ahead of a client that sends its whole body before it reads any of them."""


class BodyStream:
    """The body of one request on its way from the connection to the application."""

    def __init__(self) -> None:
        self.held_bytes = 0
        self.has_ended = False
        """Nothing more comes: the body is whole, or broken off."""
        self.is_answered = False
        """The application has been given the request."""
        self._taken: Callable[[], None] = lambda: None
        self._chunks: deque[bytes] = deque()
        self._refusal: RegistryError | None = None
        self._is_gone = False
        self._arrived = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be read."""
        return self.held_bytes >= HELD_BYTES_MAX

    def answer(self, taken: Callable[[], None]) -> None:
        """The application begins to answer. ``taken`` is called whenever there is room again."""
        self.is_answered, self._taken = True, taken

    def feed(self, chunk: bytes) -> None:
        """Some of the body has arrived."""
        self._chunks.append(chunk)
        self.held_bytes += len(chunk)
        self._arrived.set()

    def end(self, *, refusal: RegistryError | None = None, is_gone: bool = False) -> None:
        """The body has ended: it is whole, or was broken off by what ``refusal`` says, or its sender ``is_gone``."""
        if not self.has_ended:
            self.has_ended, self._refusal, self._is_gone = True, refusal, is_gone
            self._arrived.set()

    async def next(self) -> bytes | None:
        """What comes next; None at the end of the body. Raises what broke it off, or ConnectionError."""
        while not self._chunks and not self.has_ended:
            self._arrived.clear()
            await self._arrived.wait()
        if self._chunks:
            chunk = b"".join(self._chunks)
            self._chunks.clear()
            was_full, self.held_bytes = self.is_full, 0
            if was_full:
                self._taken()
            return chunk
        if self._refusal is not None:
            raise self._refusal
        if self._is_gone:
            raise ConnectionError
        return None
