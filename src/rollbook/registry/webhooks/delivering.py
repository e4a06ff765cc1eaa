"""Delivering to one target: every change that matters to its filter, at least once and in order.

Theory: a deliverer reads a watch, as any watcher does, from the revision that its progress has reached: first the past,
in small batches, then what its mailbox takes in. It sends one message at a time, and goes past a change when the target
has accepted it, or when it is given up and a dead letter says so. After a failed attempt the watch is closed, and
nothing is held in memory until the next attempt is due: the message is made again from its change.

Before any of this go the dead letters that shall be delivered after all, out of order, as they are.

One rule: whatever the deliverer goes past without delivering it is written down first.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from contextlib import aclosing
from time import monotonic
from typing import TypeVar

from msgspec.structs import replace

from rollbook.errors import Compacted, JournalUnavailable
from rollbook.journal.webhook_store import Letter, LetterKind, Progress
from rollbook.language.filters import Filter
from rollbook.registry.feed.change_events import Message
from rollbook.registry.watching.mailboxes import Mailbox
from rollbook.registry.watching.watching import Page, Watch
from rollbook.registry.webhooks.attempts import Attempts, pause_seconds
from rollbook.registry.webhooks.outcomes import Sent
from rollbook.registry.webhooks.records import Webhook
from rollbook.registry.webhooks.surroundings import Surroundings
from rollbook.security.access import Access
from rollbook.security.callers import Caller

BATCH_MESSAGES_MAX = 64
BATCH_BYTES_MAX = 256 * 1024
BATCH_SECONDS_MAX = 1.0
LOOK_SECONDS = 60.0
FAILING_SECONDS = 2.0

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


class Deliverer:
    """Delivers to one target until it is stopped. Only it moves its progress."""

    def __init__(self, webhook: Webhook, filter: Filter, progress: Progress, around: Surroundings) -> None:
        self._webhook = webhook
        self._filter = filter
        self._progress = progress
        self._around = around
        self.is_gone = False
        """Whether the target asked never to be sent anything again; nothing is, until the webhook is enabled again."""
        self._watch: Watch | None = None
        self._is_idle = False
        self._is_stopping = False
        self._has_letters = True
        self._called = asyncio.Event()
        self._attempts = Attempts(webhook, around.sender.line(), now_ms=around.now_ms, tracing=around.tracing)
        self._task = around.supervisor.run(f"rollbook-webhook-{webhook.id}", self._run)

    @property
    def progress(self) -> Progress:
        """How far it has come; changes that are nothing to the target count when all before them are delivered."""
        watch = self._watch
        if self._is_idle and watch is not None and not watch.mailbox.has_news:
            return self._progress._replace(revision=max(self._progress.revision, watch.lane.revision))
        return self._progress

    def deliver_letters(self) -> None:
        """Look for dead letters that shall be delivered after all, as soon as nothing is under way."""
        self._has_letters = True
        self._call()

    async def stop(self, *, grace_seconds: float = 0.0) -> None:
        """End; an attempt under way has so long to be answered, and is made again otherwise."""
        self._is_stopping = True
        self._call()
        await self._attempts.stop(grace_seconds=grace_seconds)
        await self._task
        await self._attempts.close()

    def _call(self) -> None:
        self._called.set()
        if self._watch is not None:
            self._watch.mailbox.wake()

    async def _run(self) -> None:
        while not self._is_stopping:
            try:
                await self._step()
            except JournalUnavailable as problem:
                self._note_error(self._progress.revision, problem.message)
                await self._pause(FAILING_SECONDS)
            except Exception as fault:  # it must not end deliveries for good
                logger.exception("webhook %s failed", self._webhook.id)
                self._note_error(self._progress.revision, f"the registry failed: {type(fault).__name__}; see its log")
                await self._pause(FAILING_SECONDS)

    async def _step(self) -> None:
        left_ms = self._left_ms()
        if self.is_gone:
            await self._pause(LOOK_SECONDS)
        elif self._has_letters:
            await self._deliver_letters()
        elif self._progress.attempts and left_ms > 0:
            await self._pause(min(left_ms / 1000, self._webhook.target.retry.longest_seconds))
        else:
            try:
                await self._deliver_changes()
            except Compacted:
                await self._give_up_what_is_gone()

    def _left_ms(self) -> int:
        """How long to wait before the next attempt: at most the longest pause, in case the clock was set back since."""
        now_ms, longest_ms = self._around.now_ms(), round(self._webhook.target.retry.longest_seconds * 1000)
        if self._progress.next_attempt_ms > now_ms + longest_ms:
            self._progress = self._progress._replace(next_attempt_ms=now_ms + longest_ms)
        return self._progress.next_attempt_ms - now_ms

    async def _pause(self, seconds: float) -> None:
        self._called.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._called.wait(), seconds)

    @property
    def _is_called(self) -> bool:
        return self._is_stopping or self._has_letters or self._sees_otherwise

    @property
    def _access(self) -> Access:
        """What the owner may now, but for what rules show that are logged: nobody reads what is delivered."""
        return self._around.access_of(self._webhook.owner).unlogged

    @property
    def _sees_otherwise(self) -> bool:
        """Whether the roles of the owner have changed: what waits was made for what it saw before."""
        watch = self._watch
        return watch is not None and self._access.sight("watch") is not watch.subscription.sight

    async def _deliver_changes(self) -> None:
        """Deliver until an attempt fails, the mailbox overflows, or there is something else to do."""
        form, since = self._webhook.target.form, self._progress.revision
        caller = Caller(f"webhook:{self._webhook.id}", "registry", self._access)
        with self._around.watching.open(caller, self._filter, form=form, since=since) as watch:
            self._watch = watch
            try:
                if await self._deliver_past(watch):
                    await self._deliver_present(watch.mailbox)
            finally:
                self._watch = None

    async def _deliver_past(self, watch: Watch) -> bool:
        """Deliver up to where the watch joined; whether that was reached."""
        while self._progress.revision < watch.joined:
            async with self._around.reading:
                if self._is_called:
                    return False
                page = await self._page_of_past(watch)
            if not await self._deliver_all(page.messages):
                return False
            self._progress = self._progress._replace(revision=max(self._progress.revision, page.up_to))
            if page.refusal is not None:
                revision = page.up_to + 1
                self._note_error(revision, f"the filter can't judge the change: {page.refusal.message}")
                await self._bury("unjudged", revision)
        return True

    async def _deliver_present(self, mailbox: Mailbox) -> None:
        while not mailbox.lost:
            if not await self._deliver_all(mailbox.take()):
                return
            if not mailbox.has_news:
                self._is_idle = True
                await mailbox.wait(LOOK_SECONDS)
                self._progress, self._is_idle = self.progress, False

    async def _page_of_past(self, watch: Watch) -> Page:
        """The next messages from history, and the revision that they reach. Refuses (Compacted) what is gone."""
        messages: list[Message] = []
        start = up_to = self._progress.revision
        deadline = monotonic() + BATCH_SECONDS_MAX
        try:
            async with aclosing(self._around.watching.past(replace(watch, start=start))) as pages:
                async for page in pages:
                    messages += page.messages
                    up_to = page.up_to
                    if page.refusal is not None:
                        return Page(messages, up_to, page.refusal)
                    if _fills_a_batch(messages) or monotonic() > deadline:
                        break
        except Compacted:
            if up_to == start:
                raise
        return Page(messages, up_to)

    async def _deliver_all(self, messages: Sequence[Message]) -> bool:
        """Deliver one after the other; whether to go on after that."""
        for message in messages:
            if self._is_called or not await self._deliver(message):
                return False
        return not self._is_called

    async def _deliver(self, message: Message) -> bool:
        """Try to deliver a message, or give it up; whether either was done."""
        sent = await self._attempts.make(message.revision, message.body)
        if sent is None:
            return False
        if sent.problem is None:
            self._note_success(message.revision)
            self._progress = self._progress._replace(revision=message.revision, attempts=0)
            return True
        self._note_failure(message.revision, sent)
        if sent.is_gone:
            return False
        attempts = self._progress.attempts + 1
        if attempts >= self._webhook.target.retry.attempts:
            await self._bury("undelivered", message.revision, attempts=attempts, body=message.body.decode())
            return True
        wait_seconds = pause_seconds(self._webhook.target.retry, attempts, sent.wait_seconds, self._around.chance())
        due_ms = self._around.now_ms() + round(wait_seconds * 1000)
        self._progress = self._progress._replace(attempts=attempts, next_attempt_ms=due_ms)
        return False

    async def _deliver_letters(self) -> None:
        """Deliver the dead letters that shall be; the first that fails again ends it for all of them."""
        while not self._is_stopping and not self.is_gone:
            self._has_letters = False
            letter = await self._around.keep(lambda store: store.letters.due(self._webhook.id))
            if letter is None or letter.body is None:
                return
            self._has_letters = True
            sent = await self._attempts.make(letter.revision, letter.body.encode())
            if sent is not None:
                await self._settle(letter, sent)

    async def _settle(self, letter: Letter, sent: Sent) -> None:
        id, number, problem = self._webhook.id, letter.number, sent.problem
        if problem is None:
            self._note_success(letter.revision)
            await self._around.keep(lambda store: store.letters.drop(id, number))
        else:
            self._note_failure(letter.revision, sent)
            at_ms = self._around.now_ms()
            await self._around.keep(lambda store: store.letters.fail(id, number, problem=problem, at_ms=at_ms))

    async def _give_up_what_is_gone(self) -> None:
        """Go on from the oldest change that is kept, and say which are missed."""
        first, mark = self._progress.revision + 1, await asyncio.to_thread(self._around.compacted_up_to)
        if mark < first:
            await self._pause(FAILING_SECONDS)
            return
        self._note_error(mark, f"the changes from {first} to {mark} are no longer kept and were not delivered")
        self._progress = self._progress._replace(missed_up_to=mark)
        await self._bury("compacted", mark, first=first)

    async def _bury(
        self, kind: LetterKind, revision: int, *, first: int | None = None, attempts: int = 0, body: str | None = None
    ) -> None:
        """Write down that a change is not delivered, with the last error as the reason, and go past it."""
        at_ms, problem = self._progress.error_at_ms, self._progress.error
        letter = Letter(0, kind, first or revision, revision, at_ms, attempts, problem, body=body)
        past = self._progress._replace(revision=revision, attempts=0)
        await self._around.keep(lambda store: store.letters.bury(self._webhook.id, letter, past))
        logger.warning("webhook %s: revision %d is a dead letter (%s): %s", self._webhook.id, revision, kind, problem)
        self._progress = past

    def _note_success(self, revision: int) -> None:
        at_ms = self._around.now_ms()
        self._progress = self._progress._replace(success_at_ms=at_ms, success_revision=revision)

    def _note_error(self, revision: int, problem: str) -> None:
        at_ms = self._around.now_ms()
        self._progress = self._progress._replace(error_at_ms=at_ms, error_revision=revision, error=problem)

    def _note_failure(self, revision: int, sent: Sent) -> None:
        self.is_gone = sent.is_gone
        disabled = "; the webhook is disabled, as its target asks" if sent.is_gone else ""
        self._note_error(revision, f"{sent.problem}{disabled}")


def _fills_a_batch(messages: Sequence[Message]) -> bool:
    return len(messages) >= BATCH_MESSAGES_MAX or sum(len(each.body) for each in messages) >= BATCH_BYTES_MAX
