"""Following: what the processes of one registry hear from each other, and who of them is the keeper.

Theory: a thread has the link and asks it for news, again and again. What it hears is handed to the parts on the event
loop: revisions to the committer, heartbeats to the leases, and that webhooks have changed to the webhooks. Heartbeats
that are heard here wait for the next exchange, which sends them to the others.

One rule: while the engine is not heard, this process is not the keeper, and what it did not hear counts as a pause.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Self

from rollbook.clusters.liveness import ClockReading
from rollbook.errors import JournalUnavailable
from rollbook.journal.links import Link, News, SharedHeartbeat
from rollbook.registry.feed.duties import Duty
from rollbook.registry.liveness.heartbeats import Heartbeat
from rollbook.registry.liveness.lease_keeping import LeaseKeeper
from rollbook.registry.supervising import Supervisor, ended
from rollbook.registry.webhooks.webhooks import Webhooks
from rollbook.registry.writing.committing import Committer
from rollbook.security.following import SharedIdentities
from rollbook.view.views import View

RETRY_SECONDS = 0.2
UNKNOWN_KEPT = 1_000
"""How many heartbeats of clusters that are not known yet are tried once more."""

logger = logging.getLogger(__name__)


class Follower:
    """Follows the other processes of a registry, through its link. Without a link there are none."""

    def __init__(
        self,
        link: Link | None,
        duty: Duty,
        view: View,
        committer: Committer,
        liveness: LeaseKeeper,
        webhooks: Webhooks,
        *,
        read_clocks: Callable[[], ClockReading],
        supervisor: Supervisor,
    ) -> None:
        self.tokens = 0
        """The number that goes up with every change of tokens and roles."""
        self.problem: str | None = None
        """Why the engine is not heard; None when it is."""
        self.duty = duty
        self._link = link
        self._view = view
        self._committer = committer
        self._liveness = liveness
        self._webhooks = webhooks
        self._webhooks_version = 0
        self._read_clocks = read_clocks
        self._supervisor = supervisor
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollbook-link")
        self._bids = False
        self._unknown: list[SharedHeartbeat] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Leave the others; another one may be the keeper at once."""
        await ended(self._task)
        if self._link is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._link.close)
        self._thread.shutdown()

    @property
    def is_shared(self) -> bool:
        """Whether other processes may use the same journal."""
        return self._link is not None

    @property
    def lag_ms(self) -> int:
        """How long ago the engine was last heard."""
        return 0 if self._link is None else max(0, round((time.monotonic() - self._link.heard_at) * 1000))

    @property
    def processes(self) -> int:
        """How many processes share the journal, as far as is known."""
        return 1 if self._link is None else self._link.processes

    def start(self) -> None:
        """Follow, and be the keeper when there is no other one."""
        self._bids = True
        if self._link is not None:
            self._task = self._supervisor.run("rollbook-link", self._run)

    async def _run(self) -> None:
        assert self._link is not None
        while True:
            try:
                news = await self._exchange(self._link)
            except JournalUnavailable as problem:
                await self._lose(problem)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                await self._take(news)

    async def _exchange(self, link: Link) -> News:
        heard = () if self._liveness.unshared is None else self._liveness.unshared.take()
        job = lambda: link.exchange(heard, bids=self._bids)  # noqa: E731
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    async def _lose(self, problem: JournalUnavailable) -> None:
        if self.problem is None:
            logger.warning("%s; reads go on, as of revision %d", problem.message, self._view.revision)
        self.problem = problem.message
        await self._be_keeper(False)

    async def _take(self, news: News) -> None:
        if self._supervisor.is_closing:
            return
        if self.problem is not None:
            logger.warning("the engine is heard again")
            self.problem = None
        self._committer.follow_up_to(news.newest)
        self.tokens = news.tokens
        if news.interruption is not None:
            self._liveness.leases.listen(self._read_clocks(), cause="paused", detail=news.interruption)
        self._hear(news.heartbeats)
        await self._be_keeper(news.is_keeper)
        if news.webhooks != self._webhooks_version:
            with suppress(JournalUnavailable):
                await self._webhooks.follow()
                self._webhooks_version = news.webhooks  # not before: what failed is done again

    async def _be_keeper(self, is_keeper: bool) -> None:
        if is_keeper == self.duty.is_ours:
            return
        self.duty.is_ours = is_keeper
        logger.warning("this process is the keeper now" if is_keeper else "this process is not the keeper any more")
        self._webhooks_version = -1  # which are read anew, and delivered by the keeper alone
        if is_keeper:
            self._liveness.saver.store_all()
        else:
            await self._webhooks.rest()

    def _hear(self, heartbeats: Sequence[SharedHeartbeat]) -> None:
        """Renew the leases that other processes heard. A cluster that is not known yet is looked for once more."""
        former, self._unknown = self._unknown, []
        for each in (*former, *heartbeats):
            entry = self._view.entry(each.id)
            is_known = entry is not None and entry.created_revision == each.life
            if entry is not None and is_known:
                self._liveness.hear(entry, Heartbeat(each.ttl_seconds, None, tuple(each.nodes)), elsewhere=True)
            if not is_known and len(self._unknown) < UNKNOWN_KEPT and each not in former:
                self._unknown.append(each)


async def follow_identities(follower: Follower, identities: SharedIdentities) -> None:
    """Enforce what other processes have changed of tokens and roles. While the engine is away that is tried again."""
    if follower.problem is None:
        with suppress(JournalUnavailable):
            await identities.follow(follower.tokens)
