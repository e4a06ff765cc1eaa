"""Webhooks: registered targets, each with a deliverer of its own while it is enabled.

One rule: what was acknowledged is kept. A webhook is on the disk before its request is answered; how far its deliveries
have come is written down once a second for all, so that a crash may repeat deliveries, and never lose one.
"""

import asyncio
import contextlib
import logging
import random
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Self, TypeAlias

from msgspec.structs import replace

from rollbook.documents.values import Document
from rollbook.errors import JournalUnavailable, LanguageRefused, TooManyWebhooks, WebhookExists, WebhookNotFound
from rollbook.journal.interface import Journal
from rollbook.journal.storing import StoreThread
from rollbook.journal.webhook_store import Progress, WebhookStore
from rollbook.limits import Limits
from rollbook.registry.feed.duties import Duty
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.supervising import Supervisor, ended
from rollbook.registry.watching.watching import Watching
from rollbook.registry.webhooks.dead_letters import DeadLetters
from rollbook.registry.webhooks.delivering import Deliverer
from rollbook.registry.webhooks.records import Webhook, described, row_of, webhook_from, webhook_of
from rollbook.registry.webhooks.resolving import Resolve
from rollbook.registry.webhooks.running_webhooks import RunningWebhook, is_for, owner_in
from rollbook.registry.webhooks.sending import Sender
from rollbook.registry.webhooks.surroundings import AccessOf, Surroundings, with_full_access
from rollbook.registry.webhooks.targets import (
    Registration,
    Target,
    TargetChange,
    TargetParser,
    parse_delivery_filter,
    prepare_targets,
)
from rollbook.registry.webhooks.traces import DeliveryTraces
from rollbook.security.callers import Caller
from rollbook.setting_values import AllowedNetworks
from rollbook.steps import Tracer

SAVE_SECONDS, STOP_SECONDS = 1.0, 5.0
WAITING_BYTES_MAX = 64 * 1024 * 1024
READERS_MAX = 2

TargetEdit: TypeAlias = Callable[[Target], TargetChange]
"""Gives what shall become of a webhook with this target."""

logger = logging.getLogger(__name__)


class Webhooks:
    """All webhooks of one registry, kept in ``store``. They deliver from ``start`` on."""

    def __init__(
        self,
        store: WebhookStore,
        journal: Journal,
        recent: RecentChanges,
        *,
        limits: Limits,
        allowed: AllowedNetworks,
        now_ms: Callable[[], int],
        authorities: Path | None = None,
        resolve: Resolve | None = None,
        chance: Callable[[], float] = random.random,
        supervisor: Supervisor | None = None,
        duty: Duty | None = None,
    ) -> None:
        self._duty = duty or Duty()
        supervisor = supervisor or Supervisor()
        watching = Watching(journal, recent, watchers_max=sys.maxsize, supervisor=supervisor)
        watching.mailroom.bytes_max = WAITING_BYTES_MAX
        sender = Sender(allowed=allowed, authorities=authorities, resolve=resolve)
        self.parser = TargetParser(limits, allowed)
        self._keep = StoreThread(store, name="rollbook-webhooks")
        self.letters = DeadLetters(self._keep, self)
        self._recent = recent
        self._around = Surroundings(
            watching,
            journal.compaction.mark,
            sender,
            self._keep,
            now_ms,
            chance,
            asyncio.Semaphore(READERS_MAX),
            supervisor,
        )
        self._all: dict[str, RunningWebhook] = {}
        self._in_turn = asyncio.Lock()
        self._saving: asyncio.Task[None] | None = None
        self._is_failing = False

    async def __aenter__(self) -> Self:
        await self._around.watching.__aenter__()
        if rows := await self._keep(lambda store: store.load()):
            await prepare_targets()
        for row, progress in rows:
            known = progress._replace(revision=min(progress.revision, self._recent.revision))
            self._all[row.id] = RunningWebhook(webhook_of(row), known, progress)
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Let attempts under way end, write down how far all have come, and release everything."""
        await ended(self._saving)
        await asyncio.gather(*(standing.rest(grace_seconds=STOP_SECONDS) for standing in self._all.values()))
        if self._duty.is_ours:
            await self._save(self._all.values())
        await self._around.watching.__aexit__()
        self._around.sender.close()
        await asyncio.to_thread(self._keep.close)

    def start(self, access_of: AccessOf = with_full_access, tracer: Tracer | None = None) -> None:
        """Begin to deliver. ``access_of`` says what the owners of webhooks may see; ``tracer`` continues traces."""
        tracing = DeliveryTraces(tracer, self._recent.traces)
        self._around = replace(self._around, access_of=access_of, tracing=tracing)
        self._saving = self._around.supervisor.run("rollbook-webhooks", self._save_for_ever)
        for standing in self._all.values():
            self._begin(standing)

    async def follow(self) -> None:
        """Take over what other processes have changed; deliver while this process is the keeper, and only then."""
        async with self._in_turn:
            await self._read_anew()

    async def rest(self) -> None:
        """Deliver nothing any more."""
        async with self._in_turn:
            await asyncio.gather(*(each.rest() for each in self._all.values()))

    async def describe(self, caller: Caller, *ids: str) -> list[Document]:
        """The webhooks with these ids, or all that the caller may see, in order of creation.

        Refuses (WebhookNotFound) an id that none of them has.
        """
        if not self._duty.is_ours:
            await self.follow()
        standings = [self.owned(caller, id) for id in ids or self._all if ids or is_for(caller, self._all[id])]
        counts = await self._keep(lambda store: store.letters.counts())
        return [self._described(standing, *counts.get(standing.webhook.id, (0, 0))) for standing in standings]

    async def create(self, caller: Caller, registration: Registration) -> None:
        """Register a webhook. Refuses an id that is taken, one webhook too many, a past that is gone or not there."""
        async with self._in_turn:
            if not self._duty.is_ours:
                await self._read_anew()
            if registration.id in self._all:
                raise WebhookExists(f"a webhook with the id {registration.id!r} exists already")
            if len(self._all) >= self.parser.limits.webhooks_max:
                raise TooManyWebhooks(f"there are {len(self._all)} webhooks, which is the most")
            since = self._recent.revision if registration.since is None else registration.since
            await self._around.watching.check_past(since)
            webhook = webhook_from(registration, at_ms=self._around.now_ms(), owner=owner_in(caller))
            standing = RunningWebhook(webhook, Progress(since), Progress(since))
            await self._save_whole(standing, webhook, standing.at_rest)
            self._all[webhook.id] = standing
            self._begin(standing)

    async def change(self, caller: Caller, id: str, edit: TargetEdit) -> None:
        """Change what a webhook is. What was not delivered yet goes to the changed target, and at once."""
        async with self._at_rest(caller, id) as standing:
            webhook = standing.webhook.changed(edit(standing.webhook.target), at_ms=self._around.now_ms())
            await self._save_whole(standing, webhook, standing.at_rest._replace(attempts=0))

    async def replay(self, caller: Caller, id: str, since: int) -> None:
        """Deliver every change after ``since``, again or not. Refuses a past that is gone or not there."""
        await self._around.watching.check_past(since)
        async with self._at_rest(caller, id) as standing:
            await self._save_whole(standing, standing.webhook, standing.at_rest._replace(revision=since, attempts=0))

    async def delete(self, caller: Caller, id: str) -> None:
        """Forget a webhook and its dead letters."""
        async with self._at_rest(caller, id):
            await self._keep(lambda store: store.forget(id))
            del self._all[id]

    def standing(self, id: str) -> RunningWebhook:
        """The webhook with this id. Refuses (WebhookNotFound) when there is none."""
        standing = self._all.get(id)
        if standing is None:
            raise WebhookNotFound(f"no webhook has the id {id!r}")
        return standing

    def owned(self, caller: Caller, id: str) -> RunningWebhook:
        """The webhook with this id. Refuses (WebhookNotFound) when there is none, or it is another caller's."""
        standing = self.standing(id)
        if not is_for(caller, standing):
            raise WebhookNotFound(f"no webhook has the id {id!r}")
        return standing

    def _described(self, standing: RunningWebhook, letters: int, dropped: int) -> Document:
        return described(
            standing.webhook,
            standing.progress,
            newest=self._recent.revision,
            letters=letters,
            dropped=dropped,
            is_stopped=standing.deliverer is None,
            now_ms=self._around.now_ms(),
        )

    @contextlib.asynccontextmanager
    async def _at_rest(self, caller: Caller, id: str) -> AsyncIterator[RunningWebhook]:
        """One webhook, with nothing under way for the length of the block."""
        async with self._in_turn:
            if not self._duty.is_ours:
                await self._read_anew()
            standing = self.owned(caller, id)
            await standing.rest()
            try:
                yield standing
            finally:
                if id in self._all:
                    self._begin(standing)

    def _begin(self, standing: RunningWebhook) -> None:
        webhook = standing.webhook
        if not webhook.target.enabled or self._saving is None or not self._duty.is_ours:
            return
        try:
            filter = parse_delivery_filter(webhook.target.filter, limits=self.parser.limits)
        except LanguageRefused as refusal:  # the rules are not those that it was registered under
            logger.warning("webhook %s is stopped, for its filter is refused: %s", webhook.id, refusal.message)
            standing.at_rest = standing.at_rest._replace(
                error=f"the filter is refused: {refusal.message}",
                error_at_ms=self._around.now_ms(),
                error_revision=standing.at_rest.revision,
            )
            return
        standing.deliverer = Deliverer(webhook, filter, standing.at_rest, self._around)

    async def _save_whole(self, standing: RunningWebhook, webhook: Webhook, progress: Progress) -> None:
        await self._keep(lambda store: store.save(row_of(webhook), progress))
        standing.webhook, standing.at_rest, standing.kept = webhook, progress, progress

    async def _read_anew(self) -> None:
        """Make the webhooks what the store holds of them."""
        stored = await self._keep(lambda store: store.load())
        for id in self._all.keys() - {row.id for row, _ in stored}:
            await self._all.pop(id).rest()
        for row, progress in stored:
            standing = self._all.get(row.id)
            known = progress._replace(revision=min(progress.revision, self._recent.revision))
            if standing is None:
                self._all[row.id] = standing = RunningWebhook(webhook_of(row), known, progress)
            elif not self._duty.is_ours or standing.deliverer is None:
                await standing.rest()
                standing.webhook, standing.at_rest, standing.kept = webhook_of(row), known, progress
            elif row != row_of(standing.webhook) or progress != standing.kept:
                await standing.rest()
                if progress == standing.kept:  # else another process was asked to deliver from there
                    known = standing.at_rest._replace(attempts=0)
                standing.webhook, standing.at_rest, standing.kept = webhook_of(row), known, progress
            if standing.deliverer is None:
                self._begin(standing)
            else:
                standing.deliverer.deliver_letters()

    async def _save_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            if not self._duty.is_ours:
                continue
            async with self._in_turn:
                await self._disable_what_is_gone()
                await self._save(self._all.values())

    async def _disable_what_is_gone(self) -> None:
        """Disable every webhook whose target asked never to be sent anything again."""
        gone = [each for each in self._all.values() if each.deliverer is not None and each.deliverer.is_gone]
        for standing in gone:
            disabled = TargetChange(replace(standing.webhook.target, enabled=False))
            webhook = standing.webhook.changed(disabled, at_ms=self._around.now_ms())
            try:
                await self._save_whole(standing, webhook, standing.progress)
            except JournalUnavailable:
                continue  # tried again with the next save, which says so
            await standing.rest()
            logger.warning("webhook %s is disabled, for its target answered 410 Gone", webhook.id)

    async def _save(self, standings: Iterable[RunningWebhook]) -> None:
        moved = [(each, progress) for each in standings if (progress := each.progress) != each.kept]
        if not moved:
            return
        try:
            await self._keep(lambda store: store.keep([(each.webhook.id, progress) for each, progress in moved]))
        except JournalUnavailable as problem:
            if not self._is_failing:
                logger.warning("%s; it is tried again and again", problem.message)
            self._is_failing = True
            return
        self._is_failing = False
        for each, progress in moved:
            each.kept = progress
