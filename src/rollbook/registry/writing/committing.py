"""The committer: the one place where documents change.

Theory: commands wait in a queue. One task takes whatever has queued, lets every command decide on the newest state
(its predecessors in the batch included), makes all decisions durable with one append, publishes them to the view, and
answers. While the disk syncs, the next batch gathers: that is the group commit, and it needs no timer. Deciding and
appending happen on the writer's thread, so that a slow update or a slow disk never holds the event loop; the view
changes only on the loop, and only between batches, so a batch sees it stand still. A command that takes long is decided
beside the queue. When another process appended first, its changes are read, and the batch is decided anew.

One rule: nothing is answered before it is durable. A refusal that was computed on a predecessor of the same batch
waits for that predecessor too; when the disk refuses, the whole batch fails.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from rollbook.errors import Compacted, JournalConflict, JournalUnavailable, WorkExceeded
from rollbook.journal.changes import Change
from rollbook.journal.interface import Journal
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.supervising import Supervisor
from rollbook.registry.writing.commands import Command
from rollbook.registry.writing.commit_counts import CommitCounts
from rollbook.registry.writing.deciding import Ahead, Deciders, Turns
from rollbook.registry.writing.drafts import Draft, Submission, WriteResult, current_in, settle
from rollbook.registry.writing.guarding import guarded
from rollbook.registry.writing.idempotency import IdempotencyKey
from rollbook.security.callers import Caller
from rollbook.view.views import NO_VERSIONS, Versions, View

__all__ = ["Committer", "WriteResult"]

T = TypeVar("T")

BATCH_COMMANDS_MAX = 512
CONFLICT_SECONDS_MAX = 5.0
CONFLICTS_MAX = 100
PAUSE_SECONDS_MAX = 0.25
FIRST_PAUSE_SECONDS = 0.002

logger = logging.getLogger(__name__)


class OutOfStep(Exception):
    """Memory is no longer what the journal holds, so nothing can be decided any more: start again."""


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
    ) -> None:
        self._journal = journal
        self._view = view
        self._recent = recent
        self._now_ms = now_ms
        self._limits = limits
        self._chance = chance
        self._queue: deque[Submission] = deque()
        self._arrived = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._closing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollbook-writer")
        self._deciders = Deciders(limits, computing or ComputingThreads())
        self._turns = Turns()
        self._beside: set[asyncio.Task[None]] = set()
        self._supervisor = supervisor or Supervisor()
        self._task: asyncio.Task[None] | None = None
        self.trouble: str | None = None
        """Why the last batch could not be written; None when it could."""
        self.counts = CommitCounts()

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

        The future has the result; it raises the refusal, or JournalUnavailable.

        A caller that goes away takes nothing back. A dry run is decided in its turn, and that is all.
        """
        answer: asyncio.Future[WriteResult] = asyncio.get_running_loop().create_future()
        command = guarded(command, caller.access, self._limits)
        deadline = time.monotonic() + self._limits.max_time_ms / 1000
        submission = Submission(command, caller, reason, answer, deadline, dry_run=dry_run, key=key)
        if self._closing:
            settle(submission, JournalUnavailable("the registry is stopping; try again when it is back"))
        else:
            self._enqueue(submission)
        return answer

    async def settled(self) -> None:
        """Return when what is being written now can be read: what is written later is dated later."""
        await self._settled.wait()

    async def ended(self) -> None:
        """Return when it has stopped because ``close`` asked for it; raises what ended it otherwise."""
        assert self._task is not None, "it was not started"
        await asyncio.shield(self._task)

    async def close(self) -> None:
        """Finish what has queued, then stop."""
        self._closing = True
        self._deciders.close()
        self._arrived.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown()

    def _enqueue(self, submission: Submission) -> None:
        if self._task is not None and self._task.done():
            settle(submission, JournalUnavailable(self.trouble or "the registry has stopped"))
        else:
            self._queue.append(submission)
            self._arrived.set()

    async def _run(self) -> None:
        try:
            while self._queue or self._beside or not self._closing:
                if not self._queue:
                    self._arrived.clear()
                    await self._arrived.wait()
                    continue
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_COMMANDS_MAX))]
                self._settled.clear()
                await self._settle(batch)
                self._settled.set()
        except BaseException as fault:
            self._note(f"nothing can be written any more: {fault}; the registry has to start again")
            self._settled.set()
            self._answer_all(self._queue, JournalUnavailable(self.trouble or ""))
            raise

    async def _settle(self, batch: Sequence[Submission]) -> None:
        """Carry out a batch, or fail it. Raises only when memory and journal are no longer the same."""
        begun = time.perf_counter()
        try:
            draft = await self._written(batch)
        except OutOfStep as failure:
            self._answer_all(batch, failure)
            raise
        except (JournalUnavailable, JournalConflict) as trouble:
            self._note(trouble.message)
            self._fail(batch, trouble)
        except Exception as fault:
            logger.exception("a batch of %d commands failed", len(batch))
            self._fail(batch, fault)
        else:
            self._note(None)
            seconds = time.perf_counter() - begun
            self.counts.committed(draft.changes, commands=len(draft.decided), seconds=seconds)
            for submission, outcome in zip(draft.decided, draft.outcomes, strict=True):
                if not submission.dry_run:
                    self.counts.settled([outcome])
                settle(submission, outcome)
            self._queue.extendleft(reversed(draft.left))
            for submission in draft.costly:
                self._decide_beside(submission)

    async def _written(self, batch: Sequence[Submission]) -> Draft:
        """The draft of a batch, durable and published; decided anew as long as others append first."""
        until, conflicts = time.monotonic() + CONFLICT_SECONDS_MAX, 0
        while True:
            try:
                draft = await self._on_thread(lambda: self._write(batch))
            except JournalConflict:
                self.counts.conflicts += 1
                conflicts += 1
                await self._catch_up()
                if conflicts >= CONFLICTS_MAX or time.monotonic() >= until:
                    raise JournalConflict(
                        f"other processes wrote first, {conflicts} times in a row; nothing was written: try again"
                    ) from None
                longest = min(PAUSE_SECONDS_MAX, FIRST_PAUSE_SECONDS * 2 ** min(conflicts, 10))
                await asyncio.sleep(longest * self._chance())
            else:
                self._publish(draft.changes, draft.versions)
                return draft

    async def _catch_up(self) -> None:
        """Take over what others have written."""
        try:
            changes = await self._on_thread(lambda: list(self._journal.follow(self._view.revision)))
        except Compacted as gone:
            raise OutOfStep(f"other processes are too far ahead to catch up with: {gone.message}") from gone
        self._publish(changes)

    def _decide_beside(self, submission: Submission) -> None:
        if submission.returned is not None:
            submission.returned.set()
            return
        self.counts.beside += 1
        submission.returned = asyncio.Event()
        task = asyncio.create_task(self._confirm(submission, submission.returned))
        self._beside.add(task)
        task.add_done_callback(self._end_beside)

    async def _confirm(self, submission: Submission, returned: asyncio.Event) -> None:
        """Decide a costly command beside the queue until a decision still fits the document when its turn comes."""
        id, changed = submission.command.id, 0
        submission.answer.add_done_callback(lambda _: returned.set())
        async with self._turns.of(id):
            while not submission.answer.done():
                current = current_in(self._view, id)
                try:
                    decision = await self._deciders.decide(submission.command, current, deadline=submission.deadline)
                except Exception as refusal:
                    outcome = _overtaken(id, changed) if changed and isinstance(refusal, WorkExceeded) else refusal
                    self.counts.settled([outcome])
                    settle(submission, outcome)
                    return
                submission.ahead = Ahead(current, decision)
                returned.clear()
                self._enqueue(submission)
                await returned.wait()
                changed += 1

    def _end_beside(self, task: asyncio.Task[None]) -> None:
        self._beside.discard(task)
        self._arrived.set()

    def _fail(self, batch: Sequence[Submission], failure: Exception) -> None:
        self.counts.failures += 1
        self.counts.settled([failure] * len(batch))
        self._answer_all(batch, failure)

    def _answer_all(self, submissions: Iterable[Submission], failure: Exception) -> None:
        for submission in submissions:
            settle(submission, failure)

    def _note(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            logger.log(logging.ERROR if trouble else logging.WARNING, trouble or "writes reach the disk again")

    def _publish(self, changes: Sequence[Change], versions: Versions = NO_VERSIONS) -> None:
        try:
            self._view.apply(changes, versions)
            self._recent.extend(changes)
        except Exception as fault:
            raise OutOfStep("what is durable could not be made visible") from fault

    def _write(self, batch: Sequence[Submission]) -> Draft:
        at_ms = max(self._journal.newest_ms(), self._now_ms())  # revisions never go back in time
        draft = Draft(self._view, at_ms, self._limits, find=self._journal.past.result)
        draft.decide(batch)
        if draft.changes or draft.results:
            results = list(draft.results.values())
            self._journal.append(draft.changes, after=self._view.revision, formers=draft.formers, results=results)
        return draft

    async def _on_thread(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)


def _overtaken(id: str, changed: int) -> JournalConflict:
    return JournalConflict(
        f"the cluster {id!r} changed {changed} times while this costly update was computed; try again"
    )
