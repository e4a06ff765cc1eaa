"""Publishing: what the journal holds is made visible, in its order, whichever process wrote it.

One rule: the view follows the journal without a gap. Where that can't be, everything is loaded anew, or the process has
to start again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from rollbook.errors import AppendUndecided, Compacted, JournalUnavailable
from rollbook.journal.changes import Change
from rollbook.journal.interface import Journal
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.writing.drafts import Draft
from rollbook.registry.writing.giving_way import GivingWay
from rollbook.view.views import NO_VERSIONS, Versions, View, replace_view

BYTES_AT_ONCE = 512 * 1024
"""Documents of this many bytes are published at once, which takes 20 to 30 ms; then others have their turn."""

logger = logging.getLogger(__name__)


class OutOfStep(Exception):
    """Memory is no longer what the journal holds, so nothing can be decided any more: start again."""


class OnThread(Protocol):
    """Runs a job on the thread that appends."""

    def __call__(self, job: Callable[[], Any], /) -> Awaitable[Any]:
        """What the job gives."""
        ...


class Publisher:
    """Keeps a view, and the recent changes, in step with a journal. Called between batches, on the event loop."""

    def __init__(
        self,
        journal: Journal,
        view: View,
        recent: RecentChanges,
        *,
        on_thread: OnThread,
        loading: Callable[[], View] | None,
        chance: Callable[[], float],
    ) -> None:
        self.giving_way = GivingWay(chance)
        self.undecided: Draft | None = None
        """The batch whose append had no answer."""
        self._journal = journal
        self._view = view
        self._recent = recent
        self._on_thread = on_thread
        self._loading = loading

    def publish(self, changes: Sequence[Change], versions: Versions = NO_VERSIONS) -> None:
        """Make visible what is durable, and follows what is visible. Refuses (OutOfStep)."""
        try:
            self._view.apply(changes, versions)
            self._recent.extend(changes)
        except Exception as fault:
            raise OutOfStep("what is durable could not be made visible") from fault

    async def publish_in_turn(self, changes: Sequence[Change], versions: Versions, *, whole: bool) -> None:
        """Like ``publish``; unless they are to be seen as a ``whole``, others have their turn in between."""
        start, size_bytes = 0, 0
        for end, change in enumerate(changes, 1):
            size_bytes += len(change.before or b"") + len(change.after or b"")
            if size_bytes >= BYTES_AT_ONCE and end < len(changes) and not whole:
                self.publish(changes[start:end], versions)
                start, size_bytes = end, 0
                await asyncio.sleep(0)
        self.publish(changes[start:], versions)
        if changes:
            self.giving_way.wrote()

    async def settle(self) -> None:
        """Find out what became of the batch that had no answer. Fails (JournalUnavailable) while nobody knows."""
        if self.undecided is None:
            return
        try:
            is_there = await self._on_thread(self._journal.sharing.settle)
        except AppendUndecided as problem:
            raise JournalUnavailable(f"{problem.message}; what became of the batch before is not known yet") from None
        except Compacted as gone:
            self.undecided = None
            await self._load_anew(gone)
            return
        draft, self.undecided = self.undecided, None
        if is_there and draft.changes and draft.changes[0].revision == self._view.revision + 1:
            self.publish(draft.changes, draft.versions)
        logger.warning("a batch that had no answer %s", "is in the journal" if is_there else "is not in the journal")

    async def catch_up(self) -> None:
        """Take over what others have written; load everything anew where it can't be followed."""
        try:
            changes = await self._on_thread(lambda: list(self._journal.follow(self._view.revision)))
        except Compacted as gone:
            await self._load_anew(gone)
            return
        self.publish(changes)
        if changes:
            self.giving_way.others_wrote()

    async def _load_anew(self, gone: Compacted) -> None:
        if self._loading is None:
            raise OutOfStep(f"other processes are too far ahead to catch up with: {gone.message}") from gone
        logger.warning("everything is loaded anew: %s", gone.message)
        fresh = await self._on_thread(self._loading)
        replace_view(self._view, fresh)
        self._recent.start_over(fresh.revision)
