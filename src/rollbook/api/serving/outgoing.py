"""What goes out on one connection: answers are written, and wait until the client reads them.

One rule: a client that reads slowly holds up its own connection only, and not without end.
"""

import asyncio
from asyncio import Future, Transport

from rollbook.api.serving.deadlines import Patience


class Outgoing:
    """The writing side of a connection. ``buffered_bytes``: what was written and not read at the last look."""

    __slots__ = ("_drained", "_due", "_patience", "_transport", "buffered_bytes", "is_paused")

    def __init__(self, transport: Transport, patience: Patience) -> None:
        self.buffered_bytes = 0
        self.is_paused = False
        """The client reads more slowly than answers are written: nothing more should be."""
        self._transport = transport
        self._patience = patience
        self._due = 0.0
        self._drained: Future[None] | None = None

    def write(self, data: bytes) -> None:
        """Send bytes of an answer, unless the connection has ended."""
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def pause(self, now: float) -> None:
        """The client reads too slowly."""
        self.is_paused = True
        self._due = now + self._patience.write_seconds

    def resume(self, now: float) -> None:
        """The client has read most of what was written."""
        self.is_paused = False
        self._due = now + self._patience.write_seconds
        self.release()

    async def drained(self) -> None:
        """Wait until the client has read most of what was written, or has gone."""
        if self.is_paused and not self._transport.is_closing():
            if self._drained is None:
                self._drained = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._drained)

    def release(self) -> None:
        """Let nobody wait any longer."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def is_stalled(self, now: float) -> bool:
        """Whether the client reads nothing, or less than the least rate. Each byte that it reads buys it time."""
        before, self.buffered_bytes = self.buffered_bytes, self._transport.get_write_buffer_size()
        if not self.buffered_bytes:
            return False
        latest = now + self._patience.write_seconds
        if not before:
            self._due = latest
        elif self.buffered_bytes < before:
            self._due = min(self._due + (before - self.buffered_bytes) / self._patience.bytes_per_second, latest)
        return now >= self._due
