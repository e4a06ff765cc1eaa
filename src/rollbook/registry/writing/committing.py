"""The committer: the one place where documents change.

Theory: commands wait in a queue. One task takes whatever has queued, lets every command decide on the newest state
(its predecessors in the batch included), makes all decisions durable with one append, publishes them to the view, and
answers. While the disk syncs, the next batch gathers: that is the group commit, and it needs no timer. Deciding and
appending happen on the writer's thread, so that a slow update or a slow disk never holds the event loop; the view
changes only on the loop, and only between batches, so a batch sees it stand still.

One rule: nothing is answered before it is durable. A refusal that was computed on a predecessor of the same batch
waits for that predecessor too; when the disk refuses, the whole batch fails.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from rollbook.documents.values import Document
from rollbook.errors import JournalConflict, JournalUnavailable, RegistryError
from rollbook.journal.changes import Change, Kind, protected_after
from rollbook.journal.interface import Journal
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.writing.commands import Command, Current, Decision
from rollbook.registry.writing.commit_counts import CommitCounts, Result
from rollbook.security.callers import Caller
from rollbook.view.views import NO_VERSIONS, Versions, View

BATCH_COMMANDS_MAX = 512

logger = logging.getLogger(__name__)


class WriteResult(NamedTuple):
    """The answer to a write: the document after it (None: deleted), its revision, and what to warn of.

    ``kind`` is None when the write changed nothing; ``outcome`` is the command's own word.
    """

    id: str
    kind: Kind | None
    body: bytes | None
    revision: int
    warnings: tuple[str, ...] = ()
    outcome: str = ""


Outcome = WriteResult | RegistryError | Exception


class _Waiting(NamedTuple):
    command: Command
    caller: Caller
    reason: str | None
    answer: asyncio.Future[WriteResult]


class Committer:
    """Takes commands, one at a time or hundreds at once, and answers each when it is durable and visible."""

    def __init__(
        self,
        journal: Journal,
        view: View,
        recent: RecentChanges,
        *,
        now_ms: Callable[[], int],
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._journal = journal
        self._view = view
        self._recent = recent
        self._now_ms = now_ms
        self._limits = limits
        self._queue: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollbook-writer")
        self._task = asyncio.create_task(self._run(), name="rollbook-committer")
        self.trouble: str | None = None
        """Why the last batch could not be written; None when it could."""
        self.counts = CommitCounts()

    @property
    def waiting(self) -> int:
        """How many commands are in the queue."""
        return len(self._queue)

    def submit(self, caller: Caller, command: Command, *, reason: str | None = None) -> asyncio.Future[WriteResult]:
        """Decide, make durable and publish one command. The future raises its refusal, or JournalUnavailable.

        A caller that goes away takes nothing back: what was submitted is carried out all the same.
        """
        answer: asyncio.Future[WriteResult] = self._loop.create_future()
        if self._closing:
            answer.set_exception(JournalUnavailable("the registry is stopping; try again when it is back"))
        else:
            self._queue.append(_Waiting(command, caller, reason, answer))
            self._arrived.set()
        return answer

    async def settled(self) -> None:
        """Return when what is being written now can be read: what is written later is dated later."""
        await self._settled.wait()

    async def close(self) -> None:
        """Finish what has queued, then stop."""
        self._closing = True
        self._arrived.set()
        await self._task
        self._thread.shutdown()

    async def _run(self) -> None:
        while True:
            if not self._queue:
                if self._closing:
                    return
                self._arrived.clear()
                await self._arrived.wait()
                continue
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_COMMANDS_MAX))]
            self._settled.clear()
            outcomes = await self._commit(batch)
            self._settled.set()
            self._count(outcomes)
            _answer(batch, outcomes)

    async def _commit(self, batch: Sequence[_Waiting]) -> Sequence[Outcome]:
        while True:
            try:
                draft, outcomes = await self._loop.run_in_executor(self._thread, self._write, batch)
            except JournalConflict:
                self._publish(await self._loop.run_in_executor(self._thread, self._news))
                continue
            except JournalUnavailable as trouble:
                self._note(trouble.message)
                self.counts.failures += 1
                return [trouble] * len(batch)
            self._note(None)
            self._publish(draft.changes, draft.versions)
            self.counts.committed(draft.changes)
            return outcomes

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self.counts.commands[_result_of(outcome)] += 1

    def _note(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            logger.log(logging.ERROR if trouble else logging.WARNING, trouble or "writes reach the disk again")

    def _publish(self, changes: Sequence[Change], versions: Versions = NO_VERSIONS) -> None:
        self._view.apply(changes, versions)
        self._recent.extend(changes)

    def _write(self, batch: Sequence[_Waiting]) -> tuple["_Draft", Sequence[Outcome]]:
        at_ms = max(self._journal.newest_ms(), self._now_ms())  # revisions never go back in time
        draft = _Draft(self._view, at_ms, self._limits)
        outcomes = [draft.outcome_of(waiting) for waiting in batch]
        if draft.changes:
            self._journal.append(draft.changes, after=self._view.revision)
        return draft, outcomes

    def _news(self) -> list[Change]:
        return list(self._journal.follow(self._view.revision))


class _Draft:
    """The state that a batch is making: the view, with the batch's own decisions over it."""

    def __init__(self, view: View, at_ms: int, limits: Limits) -> None:
        self._view = view
        self._at_ms = at_ms
        self._limits = limits
        self._over: dict[str, Current | None] = {}
        self.changes: list[Change] = []
        self.versions: dict[int, tuple[Document, Document]] = {}

    def outcome_of(self, waiting: _Waiting) -> Outcome:
        """What the command's caller will hear, once the batch is durable."""
        command = waiting.command
        current = self._standing(command.id)
        try:
            decision = command.decide(current, self._budget())
        except Exception as refusal:  # every refusal travels to its caller, and to nobody else
            return refusal
        if decision.kind is None:
            revision = current.revision if current else 0
            return WriteResult(command.id, None, decision.body, revision, decision.warnings, decision.outcome)
        return self._record(waiting, current, decision, decision.kind)

    def _budget(self) -> RequestBudget:
        deadline = time.monotonic() + self._limits.max_time_ms / 1000
        return RequestBudget(deadline=deadline, bytes_left=self._limits.result_bytes_max)

    def _standing(self, id: str) -> Current | None:
        if id in self._over:
            return self._over[id]
        entry = self._view.entry(id)
        return None if entry is None else Current(entry.body, entry.revision, entry.protected)

    def _record(self, waiting: _Waiting, current: Current | None, decision: Decision, kind: Kind) -> WriteResult:
        id, actor, revision = waiting.command.id, waiting.caller.name, self._view.revision + len(self.changes) + 1
        before = current.body if current else None
        change = Change(revision, id, kind, self._at_ms, before, decision.body, actor, waiting.reason)
        self.changes.append(change)
        if decision.versions is not None:
            self.versions[revision] = decision.versions
        protected = protected_after(kind, current is not None and current.protected)
        self._over[id] = None if decision.body is None else Current(decision.body, revision, protected)
        return WriteResult(id, kind, decision.body, revision, decision.warnings, decision.outcome)


def _result_of(outcome: Outcome) -> Result:
    if isinstance(outcome, WriteResult):
        return "unchanged" if outcome.kind is None else "changed"
    is_refusal = isinstance(outcome, RegistryError) and not isinstance(outcome, JournalUnavailable)
    return "refused" if is_refusal else "failed"


def _answer(batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        if waiting.answer.done():  # the caller went away; what it asked for is done all the same
            continue
        if isinstance(outcome, WriteResult):
            waiting.answer.set_result(outcome)
        else:
            waiting.answer.set_exception(outcome)
