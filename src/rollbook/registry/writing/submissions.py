"""Submissions: what waits for the committer, one command, several that are done together, or new clusters that have one
answer, and what became of it."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import astuple

from rollbook.errors import RegistryError
from rollbook.journal.changes import Kind
from rollbook.registry.computing import frameless
from rollbook.registry.writing.commands import Command
from rollbook.registry.writing.deciding import Ahead
from rollbook.registry.writing.idempotency import IdempotencyKey, Remembered
from rollbook.security.callers import Caller
from rollbook.steps import Steps

BATCH_COMMANDS_MAX = 512
BATCH_BYTES_MAX = 12 * 1024 * 1024
"""The documents of a batch weigh at most this much, before and after; a single change may weigh more."""


class WriteResult(NamedTuple):
    """The answer to a write: the document after it as the caller sees it (None: deleted), its revision, its warnings.

    ``kind`` is None when the write changed nothing; ``outcome`` is the command's own word. ``answer`` is JSON that the
    caller wants instead of the document. ``before`` is the document before it.
    ``replayed``: the write was done before, with the same idempotency key.
    """

    id: str
    kind: Kind | None
    body: bytes | None
    revision: int
    warnings: tuple[str, ...] = ()
    outcome: str = ""
    answer: bytes | None = None
    before: bytes | None = None
    replayed: bool = False


def replayed_results(kept: Sequence[Remembered]) -> list[WriteResult]:
    """The results that were kept of writes that were done before."""
    return [WriteResult(*astuple(each))._replace(replayed=True) for each in kept]


Outcome: TypeAlias = WriteResult | RegistryError | Exception


class Write(Struct, frozen=True):
    """A command, whose it is, and why. A ``dry_run`` is decided and changes nothing."""

    command: Command
    caller: Caller
    reason: str | None = None
    dry_run: bool = False
    key: IdempotencyKey | None = None


class Submission(Struct, eq=False):
    """A write on its way. ``deadline``: until when it may be decided again (seconds of ``time.monotonic``).

    ``steps`` records what becomes of it, where that is wanted. ``ahead`` is a decision made before its turn.
    ``returned``, of a command that is decided beside the queue, is set when the document has changed meanwhile.
    ``queued_ns``: since when it waits in the queue (Unix ns), where its steps are recorded.
    """

    write: Write
    answer: "asyncio.Future[WriteResult]"
    deadline: float
    ahead: Ahead | None = None
    returned: asyncio.Event | None = None
    steps: Steps | None = None
    queued_ns: int = 0

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to change."""
        return self.write.dry_run


class Outcomes(Struct, frozen=True):
    """What became of writes that were to be done together, one after the other.

    Where one is refused, its place holds the refusal, and those of the others BatchRefused.
    """

    each: Sequence[Outcome]
    replayed: bool = False


class Together(Struct, eq=False):
    """Writes of which all are done or none, in one batch of the journal. ``key`` is that of all of them."""

    writes: Sequence[Write]
    answer: "asyncio.Future[Outcomes]"
    deadline: float
    dry_run: bool = False
    key: IdempotencyKey | None = None
    steps: Steps | None = None
    queued_ns: int = 0


class Creations(Struct, eq=False):
    """New clusters of one caller that have one answer. Each is created, or refused, by itself: one outcome each.

    ``commands`` are quick to decide. There are one to ``BATCH_COMMANDS_MAX``. Unless there is one, they
    and what they replace weigh at most ``BATCH_BYTES_MAX``. They have a batch of their own, or share one with others of
    this kind.
    """

    commands: Sequence[Command]
    size_bytes: int
    caller: Caller
    answer: "asyncio.Future[Outcomes]"
    reason: str | None = None
    steps: Steps | None = None
    queued_ns: int = 0
    dry_run: ClassVar[bool] = False


Batch: TypeAlias = Sequence[Submission] | Sequence[Together] | Sequence[Creations]
"""What is decided in one draft: single writes, one set of writes that are done together, or new clusters."""

AnySubmission: TypeAlias = Submission | Together | Creations


def commands_in(batch: Iterable[AnySubmission]) -> int:
    """How many commands are submitted; those that are done together count as one."""
    return sum(len(each.commands) if isinstance(each, Creations) else 1 for each in batch)


@contextmanager
def recorded_decision(submission: AnySubmission) -> Iterator[None]:
    """Record the block as the step ``decide``, and before it the time in the queue, where that is wanted."""
    steps = submission.steps
    if steps is None:
        yield
        return
    begun_ns = time.time_ns()
    if submission.queued_ns:
        steps.add("queue", (submission.queued_ns, begun_ns))
        submission.queued_ns = 0
    try:
        yield
    finally:
        steps.add("decide", (begun_ns, time.time_ns()))


def settle(submission: AnySubmission, outcome: Outcome | Outcomes) -> None:
    """Give a caller what became of its writes."""
    answer: asyncio.Future[WriteResult] | asyncio.Future[Outcomes] = submission.answer
    if answer.done():  # the caller went away; what it asked for is done all the same
        return
    if isinstance(outcome, Outcomes):
        for each in outcome.each:
            if isinstance(each, RegistryError):
                frameless(each)
    if isinstance(outcome, Exception):
        answer.set_exception(frameless(outcome) if isinstance(outcome, RegistryError) else outcome)
    else:
        answer.set_result(outcome)  # type: ignore[arg-type]
