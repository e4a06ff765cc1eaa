"""The newest changes, in memory, for those that follow the registry.

One rule: changes are pulled. A follower says up to where it has come and is given what is newer; the writer knows of no
follower.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import islice

from rollbook.journal.changes import Change
from rollbook.registry.feed.change_traces import ChangeTraces

RECENT_BYTES_MAX = 64 * 1024 * 1024
UNDISTURBED_BYTES_MAX = 8 * 1024 * 1024
"""Changes that take no more together stay, however old they are."""


class RecentChanges:
    """A window over the newest changes, bounded in bytes; older ones are in the journal."""

    def __init__(self, revision: int, *, bytes_max: int = RECENT_BYTES_MAX) -> None:
        self.revision = revision
        """The newest revision."""
        self.traces = ChangeTraces()
        self._changes: deque[Change] = deque()
        self._bytes = 0
        self._bytes_max = bytes_max
        self._grown = asyncio.Event()
        self._aged = revision

    def extend(self, changes: Sequence[Change]) -> None:
        """Add the changes that follow ``revision``, and wake who waits for them."""
        if not changes:
            return
        for change in changes:
            self._changes.append(change)
            self._bytes += size_bytes(change)
        while self._bytes > self._bytes_max and len(self._changes) > 1:
            self._bytes -= size_bytes(self._changes.popleft())
        self.revision = changes[-1].revision
        self._grown.set()
        self._grown = asyncio.Event()

    def start_over(self, revision: int) -> None:
        """Forget every change: what was before ``revision`` can't be followed any more, nor may it be the past."""
        self._changes.clear()
        self._bytes = 0
        self.revision = self._aged = revision
        self._grown.set()
        self._grown = asyncio.Event()

    def forget_aged(self) -> None:
        """Leave changes to the journal that were here already when this was last called, if they take much memory."""
        while self._bytes > UNDISTURBED_BYTES_MAX and self._changes[0].revision <= self._aged:
            self._bytes -= size_bytes(self._changes.popleft())
        self._aged = self.revision

    def after(self, revision: int, *, most: int) -> Sequence[Change] | None:
        """The first changes later than ``revision``, in order; None when some of them are only in the journal."""
        newer = self.revision - revision
        if newer < 0:
            return None
        first = len(self._changes) - newer
        if first < 0:
            return None
        if first < newer:
            return list(islice(self._changes, first, first + most))
        newest = list(islice(reversed(self._changes), newer))  # from the nearer end
        return newest[: -most - 1 : -1]

    async def wait(self, revision: int) -> None:
        """Return as soon as there is a change later than ``revision``, or everything is loaded anew."""
        while self.revision <= revision:
            grown = self._grown
            await grown.wait()
            if self.revision < revision:
                return

    async def reached(self, revision: int) -> None:
        """Return as soon as the newest revision is ``revision``, or later."""
        while self.revision < revision:
            await self._grown.wait()


def size_bytes(change: Change) -> int:
    """About how much memory a change holds."""
    return len(change.before or b"") + len(change.after or b"") + 200
