"""Lanes: the tasks that put messages into the mailboxes of watches, each at its own pace.

Theory: watches whose filters are cheap for every document share one lane, all others another. The second lane evaluates
its filters on a thread, so a plain watch waits for no costly one, and neither does the event loop. When the second lane
falls behind, those of its filters that cost the most lose what is waiting for them (overflow), and their readers read
the past again, each at its own pace.

One rule: a lane has its own revision, up to which everything is in the mailboxes that it belongs in.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from rollbook.errors import Compacted, DataDirectoryUnsound, JournalUnavailable, LanguageRefused
from rollbook.journal.changes import Change
from rollbook.limits import RequestBudget
from rollbook.registry.computing import ComputingLane
from rollbook.registry.feed.change_events import ChangeEvent, Detail, Message, Name
from rollbook.registry.feed.pacing import LoopTurns, TimeSlice
from rollbook.registry.feed.recent_changes import RecentChanges, size_bytes
from rollbook.registry.watching.mailboxes import Mailbox
from rollbook.registry.watching.subscriptions import Subscription, SubscriptionIndex

FAILING_SECONDS = 1.0
BEHIND_CHANGES_MAX = 1024
JOB_SECONDS_MAX = 0.02
COSTLY_SECONDS = 0.02
LARGE_CHANGE_BYTES = 256 * 1024
GATHERING_SECONDS = 0.005
"""Changes that are judged within this time are delivered together."""

Result = TypeVar("Result")
Verdict = Name | LanguageRefused | Exception | None

logger = logging.getLogger(__name__)


class Lane:
    """Watches that are served together. With ``always_on_thread``, their filters are never evaluated on the loop."""

    def __init__(
        self,
        recent: RecentChanges,
        changes_after: Callable[[int], Awaitable[Sequence[Change]]],
        thread: ComputingLane,
        turns: LoopTurns,
        *,
        always_on_thread: bool,
    ) -> None:
        self.revision = recent.revision
        """Every change up to here is in the mailboxes that it belongs in."""
        self.telling = recent.revision
        """The change that is on its way into the mailboxes, or the newest that is there."""
        self.subscriptions: SubscriptionIndex[Mailbox] = SubscriptionIndex()
        self._recent = recent
        self._changes_after = changes_after
        self._thread = thread
        self._turns = turns
        self._always_on_thread = always_on_thread
        self._catches_up_to = 0
        """The newest revision when filters last gave way: those that stayed may first come as far."""

    async def message_for(
        self, subscription: Subscription[Mailbox], event: ChangeEvent, form: Detail
    ) -> Message | None:
        """What one subscription is sent of a change. Refuses (LanguageRefused) what can't be evaluated."""
        try:
            if self._is_costly(event):
                name = await self._on_thread(lambda: subscription.name_of(event))
            else:
                name = subscription.name_of(event)
        except LanguageRefused:
            raise
        except Exception as fault:
            seen = subscription.seen(event)
            return None if seen is None else seen.unreadable(fault)
        seen = None if name is None else subscription.seen(event)
        return None if name is None or seen is None else seen.message(name, form)

    async def run(self) -> None:
        """Follow the changes for good."""
        pace = TimeSlice(self._turns)
        while True:
            await self._recent.wait(self.revision)
            if self.revision > self._recent.revision:  # everything was loaded anew, and is less than it was
                self._skip_to(self._recent.revision)
                continue
            if not len(self.subscriptions):
                self.telling = self.revision = self._recent.revision
                continue
            try:
                changes = await self._changes_after(self.revision)
            except (Compacted, DataDirectoryUnsound) as gone:
                logger.warning("watches have to resume, because changes can't be sent: %s", gone.message)
                self._skip_to(self._recent.revision)
                continue
            except JournalUnavailable as problem:
                logger.warning("watchers wait, because the journal can't be read: %s", problem.message)
                await asyncio.sleep(FAILING_SECONDS)
                continue
            await self._tell(changes, pace)
            await pace.rest()

    def _skip_to(self, revision: int) -> None:
        """Go on from ``revision`` though some changes before it can't be sent: every reader has to resume."""
        self.telling = self.revision = revision
        for mailbox in self.subscriptions.members():
            mailbox.lose()

    def _give_way(self) -> None:
        """When the lane is too far behind, let go of the filters that cost much, and at least the average.

        Those that stay then have the time to come as far as the others were.
        """
        is_behind = self._recent.revision - self.revision > BEHIND_CHANGES_MAX and self.revision >= self._catches_up_to
        if not self._always_on_thread or not is_behind:
            return
        listening = [each for each in self.subscriptions if is_listening(each)]
        average = sum(each.seconds for each in listening) / max(len(listening), 1)
        costliest = [each for each in listening if each.seconds >= max(average, COSTLY_SECONDS)]
        if not costliest:
            return
        self._catches_up_to = self._recent.revision
        for mailbox in [mailbox for each in costliest for mailbox in each.members]:
            mailbox.lose()
        for subscription in listening:
            subscription.seconds = 0.0

    async def _tell(self, changes: Sequence[Change], pace: TimeSlice) -> None:
        """Put what changes are to each subscription into its mailboxes: several at once, where they come quickly.

        While thousands watch, changes then cost them little more than one change does.
        """
        outbox, since = Outbox(), time.monotonic()
        for change in changes:
            self._give_way()
            self.telling = change.revision
            if len(self.subscriptions):
                await self._judge(ChangeEvent(change), outbox, pace)
            if change is changes[-1] or time.monotonic() - since > GATHERING_SECONDS:
                await outbox.deliver(pace)
                outbox, since, self.revision = Outbox(), time.monotonic(), change.revision

    async def _judge(self, event: ChangeEvent, outbox: "Outbox", pace: TimeSlice) -> None:
        costly = self._is_costly(event)
        try:
            documents = await self._on_thread(lambda: event.documents) if costly else event.documents
            concerned = self.subscriptions.concerned_by(documents)
        except Exception as fault:  # nobody knows whom it concerns
            for subscription in self.subscriptions:
                outbox.add(subscription, fault, event)
            return
        left = iter(concerned)
        while True:
            if costly:
                judged = await self._on_thread(lambda: judged_in_time(left, event, JOB_SECONDS_MAX))
            else:
                judged = judged_in_time(left, event, 0)
            if not judged:
                return
            for subscription, verdict in judged:
                outbox.add(subscription, verdict, event)
            if pace.is_due:
                await pace.rest()

    def _is_costly(self, event: ChangeEvent) -> bool:
        return self._always_on_thread or size_bytes(event.change) >= LARGE_CHANGE_BYTES

    async def _on_thread(self, job: Callable[[], Result]) -> Result:
        return await self._thread.run(job, RequestBudget())


class Outbox:
    """What changes are to subscriptions, on its way into the mailboxes of their members."""

    def __init__(self) -> None:
        self._verdicts: dict[Subscription[Mailbox], list[tuple[Name | Exception, ChangeEvent]]] = {}

    def add(self, subscription: Subscription[Mailbox], verdict: Verdict, event: ChangeEvent) -> None:
        """Add what an event is to a subscription. Where the filter can't be evaluated, the members lose what waits."""
        if isinstance(verdict, (LanguageRefused, MemoryError)):
            for mailbox in list(subscription.members):  # when there is memory again, they read the journal
                mailbox.lose(verdict if isinstance(verdict, LanguageRefused) else None)
        elif verdict is not None and (seen := subscription.seen(event)) is not None:
            self._verdicts.setdefault(subscription, []).append((verdict, seen))

    async def deliver(self, pace: TimeSlice) -> None:
        """Put all of it into the mailboxes."""
        for subscription, verdicts in self._verdicts.items():
            messages: dict[Detail, list[Message]] = {}
            for mailbox in list(subscription.members):
                if not mailbox.lost:
                    form = mailbox.form
                    if form not in messages:
                        messages[form] = [_message_of(verdict, event, form) for verdict, event in verdicts]
                    mailbox.put(*messages[form])
                if pace.is_due:
                    await pace.rest()
            if pace.is_due:
                await pace.rest()


def _message_of(verdict: Name | Exception, event: ChangeEvent, form: Detail) -> Message:
    return event.unreadable(verdict) if isinstance(verdict, Exception) else event.message(verdict, form)


def is_listening(subscription: Subscription[Mailbox]) -> bool:
    """Whether a message would reach some member."""
    return any(not mailbox.lost for mailbox in subscription.members)


def judged_in_time(
    subscriptions: Iterable[Subscription[Mailbox]], event: ChangeEvent, seconds_max: float
) -> list[tuple[Subscription[Mailbox], Verdict]]:
    """What the change is to the next of the subscriptions: to as many as there is time for, and to one at least."""
    judged: list[tuple[Subscription[Mailbox], Verdict]] = []
    began = before = time.monotonic()
    for subscription in subscriptions:
        verdict: Verdict = None
        if is_listening(subscription):
            try:
                verdict = subscription.name_of(event)
            except Exception as failure:
                verdict = failure
        judged.append((subscription, verdict))
        now = time.monotonic()
        subscription.seconds += now - before
        before = now
        if now - began >= seconds_max:
            break
    return judged
