"""Watching: every change that matters to a filter, exactly once and in order, or a word that some were lost.

Theory: watches with the same filter share a subscription, which is asked once for each change; an index over the
filters (``subscriptions``) finds the few that a change can concern. Two tasks (``lanes``), one for filters that are
cheap and one for all others, pull recent changes and put messages into the mailboxes of their watches. A mailbox is
bounded: when its reader is too slow it is emptied and marked, the reader is sent ``Overflow``, and resumes from the
last revision that it saw.

A watch joins its subscription at one revision, ``joined``: what is later comes to its mailbox. When it begins earlier,
it first reads the changes up to ``joined`` from memory or from the journal; so nothing falls between, and nothing comes
twice.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from time import monotonic
from typing import Self

from msgspec import Struct, field

from rollbook.errors import Compacted, LanguageRefused, RequestRefused, TooManyWatchers, TooManyWatches
from rollbook.journal.changes import Change
from rollbook.journal.interface import Journal
from rollbook.language.filters import Filter
from rollbook.language.filters.costs import is_cheap
from rollbook.limits import DEFAULT_LIMITS
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.feed.change_events import ChangeEvent, Detail, Message
from rollbook.registry.feed.pacing import TimeSlice
from rollbook.registry.feed.recent_changes import RecentChanges, size_bytes
from rollbook.registry.supervising import Supervisor, ended
from rollbook.registry.watching.lanes import Lane
from rollbook.registry.watching.mailboxes import TAKEN_BYTES_MAX, Mailbox, Mailroom
from rollbook.registry.watching.subscriptions import Subscription
from rollbook.security.callers import Caller

PAGE_CHANGES = 256
PAGE_BYTES = 4 * 1024 * 1024
ANSWER_MESSAGES_MAX = 1000
ANSWER_BYTES_MAX = 1024 * 1024


class Bookmark(Struct, frozen=True):
    """Nothing was missed up to this revision."""

    revision: int


class Overflow(Struct, frozen=True):
    """Changes after this revision are not sent, because the reader is too slow: resume from there.

    Or, with a ``refusal``, because the filter can't be evaluated on one of them.
    """

    revision: int
    refusal: LanguageRefused | None = None


WatchEvent = Message | Bookmark | Overflow


class Page(Struct, frozen=True):
    """The messages of some changes of the past, up to a revision. ``refusal``: why the next one has none."""

    messages: Sequence[Message]
    up_to: int
    refusal: LanguageRefused | None = None


class Watch(Struct, frozen=True, eq=False):
    """One watcher's watch from after revision ``start``. Made by ``Watching.open``; read once, one way or the other."""

    watching: "Watching"
    lane: Lane
    subscription: Subscription[Mailbox]
    mailbox: Mailbox
    start: int
    joined: int

    async def events(self, *, bookmark_seconds: float) -> AsyncIterator[Sequence[WatchEvent]]:
        """What happens, in order and in batches. Ends after Overflow, and when the registry stops.

        Refuses (Compacted) in the midst of the past when the rest of it is gone.
        """
        position, told_at = self.start, monotonic()
        async with aclosing(self.watching.past(self)) as pages:
            async for page in pages:
                position = page.up_to
                if page.messages or monotonic() - told_at > bookmark_seconds:
                    yield page.messages or [Bookmark(position)]
                    told_at = monotonic()
                if page.refusal is not None:
                    yield [Overflow(position, page.refusal)]
                    return
        while position >= self.joined:  # it is not where the registry stopped in the midst of the past
            while messages := self.mailbox.take():
                position = messages[-1].revision
                yield messages
            if self.mailbox.lost:
                yield [Overflow(position, self.mailbox.refusal)]
                return
            if self.watching.is_stopping:
                return
            await self.mailbox.wait(bookmark_seconds)
            if not self.mailbox.has_news:
                position = max(position, self.lane.revision)
                yield [Bookmark(position)]

    async def answer(self, *, wait_seconds: float) -> tuple[Sequence[Message], int]:
        """The first messages, waited for if need be, and the revision to go on from. An answer is bounded."""
        answer = _Answer(self.start)
        deadline = monotonic() + wait_seconds
        async with aclosing(self.watching.past(self)) as pages:
            async for page in pages:
                answer.add(page.messages, page.up_to)
                if page.refusal is not None and not answer.messages:
                    raise page.refusal
                if page.refusal is not None or answer.is_full or monotonic() > deadline:
                    break
        if answer.position < self.joined:
            return answer.messages, answer.position
        if not answer.messages and not self.watching.is_stopping:
            await self.mailbox.wait(deadline - monotonic())
        while not answer.is_full and (messages := self.mailbox.take()):
            answer.add(messages, messages[-1].revision)
        if self.mailbox.refusal is not None and not answer.messages:
            raise self.mailbox.refusal
        if not self.mailbox.has_news:
            answer.position = max(answer.position, self.lane.revision)
        return answer.messages, answer.position


class _Answer(Struct):
    position: int
    messages: list[Message] = field(default_factory=list)
    _bytes: int = 0

    def add(self, messages: Sequence[Message], up_to: int) -> None:
        self.messages += messages
        self._bytes += sum(len(message.body) for message in messages)
        self.position = up_to

    @property
    def is_full(self) -> bool:
        return len(self.messages) >= ANSWER_MESSAGES_MAX or self._bytes >= ANSWER_BYTES_MAX


class Watching:
    """All watches of one registry, and the two tasks that fill their mailboxes."""

    def __init__(
        self,
        journal: Journal,
        recent: RecentChanges,
        *,
        watchers_max: int = DEFAULT_LIMITS.watchers_max,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.is_stopping = False
        self.mailroom = Mailroom()
        self._turns = self.mailroom.turns
        self._journal = journal
        self._recent = recent
        self._watchers_max = watchers_max
        self._by_caller: Counter[str] = Counter()
        self._thread = ComputingThreads().lane("watching", threads=1)
        self._cheap, self._costly = self._lanes = [
            Lane(recent, self._changes_after, self._thread, self._turns, always_on_thread=costly)
            for costly in (False, True)
        ]
        self._supervisor = supervisor or Supervisor()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        run = self._supervisor.run
        self._tasks = [
            run("rollbook-watching", self._cheap.run),
            run("rollbook-costly-watching", self._costly.run),
        ]
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.stop()
        await asyncio.gather(*map(ended, self._tasks))
        self._thread.close()

    @property
    def revision(self) -> int:
        """Every change up to here is in the mailboxes that it belongs in."""
        return min(lane.revision for lane in self._lanes)

    def __len__(self) -> int:
        return sum(len(lane.subscriptions) for lane in self._lanes)

    @contextlib.contextmanager
    def open(
        self, caller: Caller, filter: Filter, *, form: Detail, since: int | None, verb: str = "watch"
    ) -> Iterator[Watch]:
        """A watch from after revision ``since`` (see ``check_past``), or from now, for the length of the block.

        It is sent what the caller sees by ``verb``.

        Refuses (TooManyWatchers, TooManyWatches) when there are as many as there may be, in all or of the caller.
        """
        if len(self) >= self._watchers_max:
            raise TooManyWatchers(f"there are {self._watchers_max} watchers, which is the most; try again later")
        if caller.watches_max is not None and self._by_caller[caller.key] >= caller.watches_max:
            raise TooManyWatches(f"{caller.name} has {caller.watches_max} watches, which is the most: end one")
        start = self._recent.revision if since is None else since
        lane = self._cheap if is_cheap(filter) else self._costly
        mailbox = self.mailroom.open(form, after=max(start, lane.telling))
        subscription = lane.subscriptions.join(filter, mailbox, caller.access.sight(verb))
        self._by_caller[caller.key] += 1
        try:
            yield Watch(self, lane, subscription, mailbox, start, lane.telling)
        finally:
            self._by_caller -= Counter((caller.key,))
            lane.subscriptions.leave(subscription, mailbox)
            self.mailroom.close(mailbox)

    async def check_past(self, since: int) -> None:
        """Refuses a revision that is not there yet (RequestRefused), or whose future is partly gone (Compacted)."""
        if since > self._recent.revision:
            raise RequestRefused(f"revision {since} is not there yet; the newest is {self._recent.revision}")
        if since < self._recent.revision:
            await self._changes_after(since, most=1)

    async def past(self, watch: Watch) -> AsyncGenerator[Page, None]:
        """The messages of the changes from the start of a watch up to where it joined.

        Refuses (Compacted) a past that is gone. Ends early when the registry stops.
        """
        after, pace = watch.start, TimeSlice(self._turns)
        if after < watch.joined:  # thousands may come back at once
            await pace.rest()
        while after < watch.joined and not self.is_stopping:
            messages: list[Message] = []
            waiting_bytes = 0
            for change in await self._changes_after(after):
                if change.revision > watch.joined:
                    break
                event = ChangeEvent(change)
                try:
                    message = await watch.lane.message_for(watch.subscription, event, watch.mailbox.form)
                except LanguageRefused as refusal:
                    yield Page(messages, after, refusal)
                    return
                if message is not None:
                    messages.append(message)
                    waiting_bytes += len(message.body)
                after = change.revision
                if waiting_bytes >= TAKEN_BYTES_MAX or pace.is_due:
                    yield Page(messages, after)
                    messages, waiting_bytes = [], 0
                    await pace.rest()
            yield Page(messages, after)

    def forget_aged(self) -> None:
        """Leave changes to the journal that are no longer new, where they take much memory."""
        self._recent.forget_aged()

    def stop(self) -> None:
        """End every watch once it has sent what its mailbox holds."""
        self.is_stopping = True
        for lane in self._lanes:
            for mailbox in lane.subscriptions.members():
                mailbox.wake()

    async def _changes_after(self, revision: int, *, most: int = PAGE_CHANGES) -> Sequence[Change]:
        """Some changes later than ``revision``, at least one: from memory, or else from the journal."""
        recent = self._recent.after(revision, most=most)
        if recent is not None:
            return recent
        changes = await asyncio.to_thread(self._journal_page, revision, most)
        if not changes:
            raise Compacted(f"the changes after revision {revision} are no longer kept")
        return changes

    def _journal_page(self, revision: int, most: int) -> list[Change]:
        page: list[Change] = []
        page_bytes = 0
        for change in self._journal.follow(revision):
            page.append(change)
            page_bytes += size_bytes(change)
            if len(page) >= most or page_bytes >= PAGE_BYTES:
                break
        return page
