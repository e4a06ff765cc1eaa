"""Costly commands, decided beside the queue, and put into it when a decision is there.

One rule: a decision counts only if the document is still the one that it was made on when the command's turn comes. A
refusal counts only if nobody had written anything that the view did not show.
"""

import asyncio
from collections.abc import Awaitable, Callable

from rollbook.errors import JournalConflict, WorkExceeded
from rollbook.registry.writing.commit_counts import CommitCounts
from rollbook.registry.writing.deciding import Ahead, Deciders, Turns
from rollbook.registry.writing.drafts import current_in
from rollbook.registry.writing.submissions import Submission, settle
from rollbook.view.views import View


class Beside:
    """What is being decided beside the queue of a committer."""

    def __init__(
        self,
        deciders: Deciders,
        view: View,
        counts: CommitCounts,
        enqueue: Callable[[Submission], None],
        is_behind: Callable[[], Awaitable[bool]],
        ended: Callable[[], None],
    ) -> None:
        self._deciders = deciders
        self._view = view
        self._counts = counts
        self._enqueue = enqueue
        self._is_behind = is_behind
        self._ended = ended
        self._turns = Turns()
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def decide(self, submission: Submission) -> None:
        """Decide a costly command, or decide it once more, for its document has changed."""
        if submission.returned is not None:
            submission.returned.set()
            return
        self._counts.beside += 1
        submission.returned = asyncio.Event()
        task = asyncio.create_task(self._confirm(submission, submission.returned))
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def close(self) -> None:
        """End what is under way, at its next look at the time."""
        self._deciders.close()

    async def _confirm(self, submission: Submission, returned: asyncio.Event) -> None:
        """Decide until a decision still fits the document when the command's turn comes."""
        command, changed = submission.write.command, 0
        submission.answer.add_done_callback(lambda _: returned.set())
        async with self._turns.of(command.id):
            while not submission.answer.done():
                current = current_in(self._view, command.id)
                try:
                    decision = await self._deciders.decide(
                        submission.write.command, current, deadline=submission.deadline
                    )
                except Exception as refusal:
                    if await self._is_refused(submission, refusal, changed):
                        return
                    continue
                submission.ahead = Ahead(current, decision)
                returned.clear()
                self._enqueue(submission)
                await returned.wait()
                changed += 1

    async def _is_refused(self, submission: Submission, refusal: Exception, changed: int) -> bool:
        """Answer with a refusal, unless the view was behind when it was decided; whether it was answered."""
        outcome = refusal
        if not isinstance(refusal, WorkExceeded):
            try:
                if await self._is_behind():
                    return False
            except Exception as problem:
                outcome = problem
        elif changed:
            outcome = JournalConflict(
                f"the cluster {submission.write.command.id!r} changed {changed} times while this costly update was "
                "computed; try again"
            )
        self._counts.settled([outcome])
        settle(submission, outcome)
        return True

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._ended()
