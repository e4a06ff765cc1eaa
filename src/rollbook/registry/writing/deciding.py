"""Deciding: briefly on the writer's thread, and at length beside it.

Theory: most decisions take microseconds, and are made where the newest state is. One that takes longer than its share
would hold up every other writer, so it is left, and made anew on a thread of its own against the document as it stands.
Its result counts only if the document is still the same when the command comes to the writer again (``Ahead``); else it
is decided once more, until its time is over.
"""

import asyncio
import time
from weakref import WeakValueDictionary

from msgspec import Struct

from rollbook.clusters.large_documents import LARGE_BYTES
from rollbook.errors import WorkExceeded
from rollbook.limits import Limits, RequestBudget
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.writing.commands import Command, Current, Decision, Update
from rollbook.registry.writing.permitting import Guarded

SHARE_SECONDS = 0.01
"""How long the writer's thread spends on one decision at most, as far as the work is counted."""

THREADS = 2


class TakesLonger(Exception):
    """The decision needs more time than the writer has for it."""


class Ahead(Struct, frozen=True):
    """A decision that was made before its turn, and the document that it was made on."""

    current: Current | None
    decision: Decision

    @property
    def is_of_large(self) -> bool:
        """Whether it changes a document that is large: where it has no room, writes on others need not wait for it."""
        return self.current is not None and len(self.current.body) >= LARGE_BYTES


def decide_briefly(command: Command, current: Current | None, limits: Limits) -> Decision:
    """The decision, if it takes no longer than its share; else TakesLonger. Raises the command's refusal."""
    asked = command.command if isinstance(command, Guarded) else command
    if isinstance(asked, Update) and asked.is_large:
        raise TakesLonger
    deadline = time.monotonic() + SHARE_SECONDS
    budget = RequestBudget(deadline, limits.result_bytes_max, time.monotonic)
    try:
        return command.decide(current, budget)
    except WorkExceeded:
        if time.monotonic() > deadline:
            raise TakesLonger from None
        raise


class Deciders:
    """The threads on which costly commands are decided, and what is under way there."""

    def __init__(self, limits: Limits, computing: ComputingThreads) -> None:
        self._limits = limits
        self._lane = computing.lane("decider", threads=THREADS)

    async def decide(self, command: Command, current: Current | None, *, deadline: float) -> Decision:
        """The decision, by ``deadline`` (seconds of ``time.monotonic``). Raises the command's refusal."""
        budget = RequestBudget(deadline, self._limits.result_bytes_max)
        return await self._lane.run(lambda: command.decide(current, budget), budget)

    def close(self) -> None:
        """End what is under way, at its next look at the time."""
        self._lane.close()


class Turns:
    """One costly command of a cluster at a time: two would undo each other's work."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, id: str) -> asyncio.Lock:
        """The lock of a cluster, while somebody holds it or waits for it."""
        return self._locks.setdefault(id, asyncio.Lock())
