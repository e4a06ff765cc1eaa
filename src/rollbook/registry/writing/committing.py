"""The committer: the one place where documents change.

Theory: commands wait in a queue. One task takes what has queued, lets every command decide on the newest state
(its predecessors in the batch included), makes all decisions durable with one append, publishes them to the view, and
answers. While the disk syncs, the next batch gathers: that is the group commit, and it needs no timer. Deciding and
appending happen on the writer's thread, so that a slow update or a slow disk never holds the event loop; the view
changes only on the loop, and only between batches, so a batch sees it stand still. A command that takes long is decided
beside the queue. When another process appended first, its changes are read, and the batch is decided anew; what others
write is also published as it becomes known (``follow_up_to``), between batches, by the same loop.

One rule: nothing is answered before it is durable. A refusal that was computed on a predecessor of the same batch
waits for that predecessor too; when the disk refuses, the whole batch fails. A batch that changes nothing is answered
when the journal has confirmed that the view was the newest. A batch whose append had no answer is settled before the
next one is decided, and is never decided again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Self, TypeVar

from msgspec.structs import replace

from rollbook.errors import AppendUndecided, Compacted, JournalConflict, JournalUnavailable
from rollbook.journal.interface import Journal
from rollbook.limits import DEFAULT_LIMITS, Limits, deadline_from_now
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.supervising import Supervisor
from rollbook.registry.writing.batch_steps import append, fail_all, note_traces, settle_all
from rollbook.registry.writing.beside import Beside
from rollbook.registry.writing.commands import Command, Create
from rollbook.registry.writing.commit_counts import CommitCounts
from rollbook.registry.writing.commit_queue import CommitQueue
from rollbook.registry.writing.conflict_retries import ConflictRetries
from rollbook.registry.writing.creating import answer_of, sets_of
from rollbook.registry.writing.deciding import Deciders
from rollbook.registry.writing.drafts import Draft
from rollbook.registry.writing.idempotency import IdempotencyKey
from rollbook.registry.writing.permitting import guarded
from rollbook.registry.writing.publishing import OutOfStep, Publisher
from rollbook.registry.writing.submissions import (
    BATCH_COMMANDS_MAX,
    AnySubmission,
    Batch,
    Outcomes,
    Submission,
    Together,
    Write,
    WriteResult,
    settle,
)
from rollbook.security.callers import Caller
from rollbook.steps import STEPS
from rollbook.view.views import View

__all__ = ["Committer", "OutOfStep", "WriteResult"]

T = TypeVar("T")

logger = logging.getLogger(__name__)


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
        chance: Callable[[], float] = random.random,
        supervisor: Supervisor | None = None,
        computing: ComputingThreads | None = None,
        loading: Callable[[], View] | None = None,
    ) -> None:
        """``loading`` makes a view of the whole journal, for when its changes can't be followed any more."""
        self._journal, self._view, self._known = journal, view, view.revision
        self._recent = recent
        self._now_ms = now_ms
        self._limits = limits
        self._chance = chance
        self.counts = CommitCounts()
        self._guarded = partial(guarded, limits=limits, observed=self.counts.observed)
        self._queue = CommitQueue()
        self._arrived = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._closing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollbook-writer")
        self._publisher = Publisher(journal, view, recent, on_thread=self._on_thread, loading=loading, chance=chance)
        deciders = Deciders(limits, computing or ComputingThreads())
        self._beside = Beside(deciders, view, self.counts, self._enqueue, self._is_behind, self._arrived.set)
        self._supervisor = supervisor or Supervisor()
        self._task: asyncio.Task[None] | None = None
        self.problem: str | None = None
        """Why the last batch could not be written; None when it could."""

    async def __aenter__(self) -> Self:
        self._task = self._supervisor.run("rollbook-committer", self._run, restarts=False)
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    @property
    def waiting(self) -> int:
        """How many commands are in the queue, or are being decided beside it."""
        return len(self._queue) + len(self._beside)

    def submit(
        self,
        caller: Caller,
        command: Command,
        *,
        reason: str | None = None,
        dry_run: bool = False,
        key: IdempotencyKey | None = None,
    ) -> asyncio.Future[WriteResult]:
        """Decide, make durable and publish one command, within what its caller may see and change.

        The future has the result; it raises the refusal, or JournalUnavailable. A caller that goes away takes
        nothing back. A dry run is decided in its turn, and that is all.
        """
        answer: asyncio.Future[WriteResult] = asyncio.get_running_loop().create_future()
        write = Write(self._guarded(command, caller), caller, reason, dry_run, key)
        self._take(Submission(write, answer, deadline_from_now(self._limits), steps=STEPS.get()))
        return answer

    def submit_together(
        self, writes: Sequence[Write], *, dry_run: bool = False, key: IdempotencyKey | None = None
    ) -> asyncio.Future[Outcomes]:
        """Like ``submit``, for writes of which all are done, in one batch of the journal, or none. One outcome each."""
        guards = [replace(each, command=self._guarded(each.command, each.caller)) for each in writes]
        answer: asyncio.Future[Outcomes] = asyncio.get_running_loop().create_future()
        self._take(Together(guards, answer, deadline_from_now(self._limits), dry_run, key, STEPS.get()))
        return answer

    def create_each(
        self, caller: Caller, creations: Sequence[Create], *, reason: str | None = None
    ) -> asyncio.Future[Outcomes]:
        """Like ``submit``, for new clusters, one at least, that have one answer: an outcome each."""
        sets = sets_of(creations, self._view, caller=caller, reason=reason, guarded=self._guarded)
        for each in sets:
            self._take(each)
        return answer_of(sets)

    def _take(self, submission: AnySubmission) -> None:
        if self._closing:
            settle(submission, JournalUnavailable("the registry is stopping; try again when it is back"))
        else:
            self._enqueue(submission)

    @property
    def _has_news(self) -> bool:
        return self._known > self._view.revision and not self._closing

    def follow_up_to(self, revision: int) -> None:
        """Have the view follow the journal, which is known to have come to this revision."""
        if revision > self._known:
            self._known = revision
            self._arrived.set()

    async def settled(self) -> None:
        """Return when the batch under way can be read. Later ones are dated later than now."""
        await self._settled.wait()

    async def ended(self) -> None:
        """Return when it has stopped because ``close`` asked for it; raises what ended it otherwise."""
        assert self._task is not None, "it was not started"
        await asyncio.shield(self._task)

    async def close(self) -> None:
        """Finish what has queued, then stop."""
        self._closing = True
        self._beside.close()
        self._arrived.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown()

    def _enqueue(self, submission: AnySubmission) -> None:
        if self._task is not None and self._task.done():
            settle(submission, JournalUnavailable(self.problem or "the registry has stopped"))
        else:
            self._queue.put(submission)
            self._arrived.set()

    async def _run(self) -> None:
        try:
            while self._queue or self._beside or not self._closing:
                if self._queue:
                    await self._publisher.giving_way.turn()
                if self._has_news:
                    await self._follow()
                if self._queue:
                    batch = self._queue.take(BATCH_COMMANDS_MAX)
                    self._settled.clear()
                    await self._settle(batch)
                    self._settled.set()
                elif not self._has_news:  # it may have come meanwhile
                    self._arrived.clear()
                    await self._arrived.wait()
        except BaseException as fault:
            self._note(f"nothing can be written any more: {fault}; the registry has to start again")
            self._settled.set()
            self._answer_all(self._queue, JournalUnavailable(self.problem or ""))
            raise

    async def _settle(self, batch: Batch) -> None:
        """Carry out a batch, or fail it. Raises only when memory and journal are no longer the same."""
        begun = time.perf_counter()
        try:
            draft = await self._written(batch)
        except OutOfStep as failure:
            self._answer_all(batch, failure)
            raise
        except (JournalUnavailable, JournalConflict, AppendUndecided) as problem:
            self._note(problem.message)
            fail_all(batch, problem, self.counts)
        except Exception as fault:
            logger.exception("a batch of %d commands failed", len(batch))
            fail_all(batch, fault, self.counts)
        else:
            self._note(None)
            settle_all(draft, self.counts, seconds=time.perf_counter() - begun)
            self._queue.put_back(draft.left)
            for submission in draft.costly:
                self._beside.decide(submission)

    async def _written(self, batch: Batch) -> Draft:
        """The draft of a batch, durable and published; decided anew as long as others append first."""
        conflicts = ConflictRetries(self._chance)
        await self._publisher.settle()
        while True:
            draft = Draft(self._view, 0, self._limits, find=self._journal.past.result)
            try:
                await self._on_thread(lambda: self._write(batch, draft))  # noqa: B023
            except AppendUndecided:
                self._publisher.undecided = draft
                raise
            except (JournalConflict, Compacted):
                self.counts.conflicts += 1
                await self._publisher.catch_up()
                await asyncio.sleep(conflicts.pause_seconds())
            else:
                begun_ns = time.time_ns()
                note_traces(draft, self._recent.traces)
                await self._publisher.publish_in_turn(
                    draft.changes, draft.versions, whole=isinstance(batch[0], Together)
                )
                draft.times["publish"] = begun_ns, time.time_ns()
                return draft

    async def _follow(self) -> None:
        """Publish what other processes have written, as far as it can be read now."""
        self._known = self._view.revision  # what was heard of may never come: a failover takes back what was not safe
        try:
            await self._publisher.settle()
            await self._publisher.catch_up()
        except JournalUnavailable as problem:
            self._known = self._view.revision  # it is heard of again
            self._note(problem.message)

    async def _is_behind(self) -> bool:
        """Whether other processes had written what the view did not show; it does when this returns."""
        after = self._view.revision
        if await self._on_thread(lambda: self._journal.sharing.confirm(after)) <= after:
            return False
        self.follow_up_to(after + 1)
        await self._recent.reached(after + 1)
        return True

    def _answer_all(self, submissions: Iterable[AnySubmission], failure: Exception) -> None:
        for submission in submissions:
            settle(submission, failure)

    def _note(self, problem: str | None) -> None:
        if problem != self.problem:
            self.problem = problem
            logger.log(logging.ERROR if problem else logging.WARNING, problem or "writes reach the disk again")

    def _write(self, batch: Batch, draft: Draft) -> None:
        draft.at_ms = max(self._journal.newest_ms(), self._now_ms())  # revisions never go back in time
        draft.decide(batch)
        after = self._view.revision
        if draft.changes or draft.results:
            append(draft, self._journal, after=after)
        elif draft.decided and self._journal.sharing.confirm(after) > after:
            raise JournalConflict(f"another process has written after revision {after}")

    def _on_thread(self, job: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, job)
