"""Watching: every change that matters to a filter, exactly once and in order, or a word that some were lost.

Theory: watches with the same filter form an audience, which is asked once for each change; an index over the filters
(``audiences``) finds the few audiences that a change can concern. One task pulls recent changes and puts messages into
the mailboxes of their watches. A mailbox is bounded: when its reader is too slow it is emptied and marked, the reader
is told ``overflow``, and resumes from the last revision that it saw. A watch that begins in the past reads up to the
present from the journal first; its mailbox is open from the start, so nothing falls between.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice

from rollbook.errors import Compacted, RequestRefused
from rollbook.journal.changes import Change
from rollbook.journal.interface import Journal
from rollbook.language.filters import Filter
from rollbook.registry.audiences import Audience, Audiences
from rollbook.registry.occurrences import Form, Name, Occurrence
from rollbook.registry.recent import RecentChanges

MAILBOX_MESSAGES_MAX = 4096
MAILBOX_BYTES_MAX = 8 * 1024 * 1024
JOURNAL_PAGE_CHANGES = 256
NEXT_MESSAGES_MAX = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """What a watcher is sent: the revision, the name of the event, and its JSON."""

    revision: int
    name: Name
    body: bytes


@dataclass(slots=True, eq=False)
class Mailbox:
    """Messages that wait for their reader. ``seen`` is the newest revision up to which nothing was missed."""

    form: Form
    seen: int
    lost: bool = False
    _messages: deque[Message] = field(default_factory=deque)
    _bytes: int = 0
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def has_news(self) -> bool:
        """Whether messages wait, or were lost."""
        return bool(self._messages) or self.lost

    def put(self, message: Message) -> None:
        """Add a message; when there are too many, lose them all and remember that."""
        if self.lost:
            return
        self._messages.append(message)
        self._bytes += len(message.body)
        if len(self._messages) > MAILBOX_MESSAGES_MAX or self._bytes > MAILBOX_BYTES_MAX:
            self.lose()
        self._arrived.set()

    def lose(self) -> None:
        """Forget what waits, for good: the reader will be told."""
        self._messages.clear()
        self._bytes, self.lost = 0, True
        self._arrived.set()

    def take(self) -> list[Message]:
        """All waiting messages."""
        taken = list(self._messages)
        self._messages.clear()
        self._bytes = 0
        self._arrived.clear()
        return taken

    def wake(self) -> None:
        """Let the reader look again though nothing arrived."""
        self._arrived.set()

    async def wait(self, seconds: float) -> None:
        """Return when something has arrived, or after ``seconds``."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.wait(), seconds)


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Nothing that matters to the watcher happened up to this revision."""

    revision: int


@dataclass(frozen=True, slots=True)
class Overflow:
    """The watcher read too slowly, and changes after this revision were not kept for it: resume from there."""

    revision: int


Told = Message | Bookmark | Overflow


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """One watcher's watch. Made by ``Watching.open``; ``events`` may be called once."""

    watching: "Watching"
    audience: Audience[Mailbox]
    mailbox: Mailbox
    since: int | None

    async def events(self, *, bookmark_seconds: float) -> AsyncIterator[Told]:
        """What happens, in order, from the beginning of the watch on. Ends after Overflow."""
        seen = self.mailbox.seen
        if self.since is not None:
            async for message in self.watching.past(self.audience, self.mailbox.form, self.since, seen):
                yield message
        while True:
            for message in self.mailbox.take():
                seen = message.revision
                yield message
            if self.mailbox.lost:
                yield Overflow(seen)
                return
            if self.watching.is_stopping:
                return
            await self.mailbox.wait(bookmark_seconds)
            if not self.mailbox.has_news and self.watching.revision >= seen:
                seen = self.watching.revision
                yield Bookmark(seen)

    async def next_messages(self, wait_seconds: float) -> Sequence[Message]:
        """The messages from the beginning of the watch on, as soon as there is one; none after ``wait_seconds``."""
        messages: list[Message] = []
        if self.since is not None:
            past = self.watching.past(self.audience, self.mailbox.form, self.since, self.mailbox.seen)
            async with aclosing(past):
                async for message in past:
                    messages.append(message)
                    if len(messages) >= NEXT_MESSAGES_MAX:
                        return messages
        if not messages and not self.mailbox.has_news:
            await self.mailbox.wait(wait_seconds)
        return [*messages, *self.mailbox.take()]


class Watching:
    """All watches of one registry, and the task that fills their mailboxes."""

    def __init__(self, journal: Journal, recent: RecentChanges) -> None:
        self.revision = recent.revision
        """Every change up to here is in the mailboxes that it belongs in."""
        self.is_stopping = False
        self._journal = journal
        self._recent = recent
        self._audiences: Audiences[Mailbox] = Audiences()
        self._task = asyncio.create_task(self._run(), name="rollbook-watching")

    def __len__(self) -> int:
        return len(self._audiences)

    @contextlib.contextmanager
    def open(self, filter: Filter, *, form: Form, since: int | None) -> Iterator[Watch]:
        """A watch from after revision ``since`` (see ``check_past``), or from now, for the length of the block."""
        mailbox = Mailbox(form, seen=self.revision)
        audience = self._audiences.join(filter, mailbox)
        try:
            yield Watch(self, audience, mailbox, since)
        finally:
            self._audiences.leave(audience, mailbox)

    async def past(
        self, audience: Audience[Mailbox], form: Form, after: int, up_to: int
    ) -> AsyncGenerator[Message, None]:
        """The messages of the changes after one revision, up to another. Refuses (Compacted) a past that is gone."""
        while after < up_to:
            changes = await self._changes_after(after)
            for change in changes:
                if change.revision > up_to:
                    return
                occurrence = Occurrence(change)
                if name := occurrence.name_for(audience.matches):
                    yield Message(change.revision, name, occurrence.message(name, form))
                after = change.revision

    async def check_past(self, since: int) -> None:
        """Refuses a revision that is not there yet (RequestRefused), or whose future is partly gone (Compacted)."""
        if since > self._recent.revision:
            raise RequestRefused(f"revision {since} is not there yet; the newest is {self._recent.revision}")
        if since < self._recent.revision:
            await self._changes_after(since)

    def stop(self) -> None:
        """End every watch once it has told what its mailbox holds."""
        self.is_stopping = True
        for mailbox in self._audiences.members():
            mailbox.wake()

    async def close(self) -> None:
        """Stop, and release the task."""
        self.stop()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _changes_after(self, revision: int) -> list[Change]:
        recent = self._recent.after(revision)
        if recent is not None:
            return list(recent[:JOURNAL_PAGE_CHANGES])
        changes = await asyncio.to_thread(self._journal_page, revision)
        if not changes:
            raise Compacted(f"the changes after revision {revision} are no longer kept")
        return changes

    def _journal_page(self, revision: int) -> list[Change]:
        return list(islice(self._journal.follow(revision), JOURNAL_PAGE_CHANGES))

    async def _run(self) -> None:
        while True:
            await self._recent.wait(self.revision)
            for change in await self._changes_after(self.revision):
                self._tell(Occurrence(change))
                self.revision = change.revision
            await asyncio.sleep(0)

    def _tell(self, occurrence: Occurrence) -> None:
        for audience in self._audiences.concerned_by(occurrence):
            name = occurrence.name_for(audience.matches)
            if audience.failed is not None:
                for mailbox in audience.members:
                    mailbox.lose()
            if name is None:
                continue
            for mailbox in audience.members:
                message = occurrence.message(name, mailbox.form)
                mailbox.put(Message(occurrence.change.revision, name, message))
