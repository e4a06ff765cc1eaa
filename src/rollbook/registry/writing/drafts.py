"""Drafts: the state that a batch of commands is making, before any of it is durable.

One rule: every command is decided on the newest state, which is the view with the decisions of its predecessors in the
batch over it. A batch ends early where it would become too large to write, or takes too long to decide; what is left
comes first in the next one. A change of a large document that has no room lets the commands on others pass.
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import astuple

from rollbook.clusters.large_documents import LARGE_BYTES
from rollbook.clusters.liveness import has_same_status
from rollbook.documents.values import Document
from rollbook.errors import RegistryError
from rollbook.journal.changes import Change, Kind, protected_after
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.statuses import formers_in, gives_status
from rollbook.limits import Limits
from rollbook.registry.writing.commands import Command, Current, Decision
from rollbook.registry.writing.deciding import Ahead, TakesLonger, decide_briefly
from rollbook.registry.writing.idempotency import Find, IdempotencyKey, Remembered, remembered
from rollbook.security.callers import Caller
from rollbook.steps import Steps
from rollbook.view.views import View

BATCH_BYTES_MAX = 12 * 1024 * 1024
"""The documents of a batch weigh at most this much, before and after; a single change may weigh more."""

BATCH_SECONDS = 0.05
"""After this time, a batch is written as far as it is decided."""


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


Outcome: TypeAlias = WriteResult | RegistryError | Exception


class Submission(Struct, eq=False):
    """A command on its way. ``deadline``: until when it may be decided again (seconds of ``time.monotonic``).

    ``steps`` records what becomes of it, where that is wanted. A ``dry_run`` is decided and changes nothing. ``ahead``
    is a decision made before its turn. ``returned``, of a command that is decided beside the queue, is set when the
    document has changed meanwhile.
    """

    command: Command
    caller: Caller
    reason: str | None
    answer: "asyncio.Future[WriteResult]"
    deadline: float
    ahead: Ahead | None = None
    returned: asyncio.Event | None = None
    dry_run: bool = False
    key: IdempotencyKey | None = None
    steps: Steps | None = None


class Draft:
    """The decisions of one batch: ``outcomes`` in the order of ``decided``, and the changes that they make.

    ``costly`` are the commands that take longer than they may here; ``left`` are those that come in the next batch.
    """

    def __init__(self, view: View, at_ms: int, limits: Limits, *, find: Find) -> None:
        self._view = view
        self._find = find
        self.at_ms = at_ms
        self._limits = limits
        self._over: dict[str, Current | None] = {}
        self._bytes = 0
        self.changes: list[Change] = []
        self.results: dict[bytes, KeptResult] = {}
        self.versions: dict[int, tuple[Document, Document]] = {}
        self.formers: dict[int, bytes | None] = {}
        """The statuses before those updates that give another one (see ``journal.statuses.Formers``)."""
        self.decided: list[Submission] = []
        self.outcomes: list[Outcome] = []
        self.costly: list[Submission] = []
        self.left: Sequence[Submission] = ()
        self.times: dict[str, tuple[int, int] | None] = {}
        """When the batch was appended, synced and published (Unix ns)."""

    def decide(self, batch: Sequence[Submission]) -> None:
        """Decide the commands of a batch, up to where it has to end: in order, but for those on large documents."""
        until = time.monotonic() + BATCH_SECONDS
        waiting: list[Submission] = []
        ids: set[str] = set()
        for place, submission in enumerate(batch):
            if submission.command.id in ids:
                waiting.append(submission)
            elif place and time.monotonic() > until:
                self.left = _others_first(batch[place:], waiting, ids)
                return
            elif not self._decide(submission):
                if submission.ahead is None or not _is_large(submission.ahead):
                    self.left = _others_first(batch[place:], waiting, ids)
                    return
                waiting.append(submission)
                ids.add(submission.command.id)
        self.left = waiting

    def _decide(self, submission: Submission) -> bool:
        """Decide a command; whether the batch has room for what it changes."""
        command = submission.command
        current = self._current(command.id)
        try:
            if submission.key is not None and (replayed := self._replayed(submission.key)) is not None:
                self.decided.append(submission)
                self.outcomes.append(replayed)
                return True
            decision = self._observed(submission, current)
            if not submission.dry_run and not self._has_room_for(current, decision):
                submission.ahead = Ahead(current, decision)
                return False
            outcome: Outcome = self._result(submission, current, decision)
        except TakesLonger:
            self.costly.append(submission)
            return True
        except Exception as refusal:  # every refusal travels to its caller, and to nobody else
            outcome = refusal
        self.decided.append(submission)
        self.outcomes.append(outcome)
        return True

    def _observed(self, submission: Submission, current: Current | None) -> Decision:
        """The decision, as a step where that is wanted."""
        steps = submission.steps
        if steps is None:
            return self._decision(submission, current)
        begun_ns = time.time_ns()
        try:
            return self._decision(submission, current)
        finally:
            steps.add("decide", (begun_ns, time.time_ns()))

    def _decision(self, submission: Submission, current: Current | None) -> Decision:
        ahead = submission.ahead
        if ahead is not None and ahead.current == current:
            return ahead.decision
        if submission.returned is not None:
            raise TakesLonger
        return decide_briefly(submission.command, current, self._limits)

    def _has_room_for(self, current: Current | None, decision: Decision) -> bool:
        if decision.kind is None or not self.changes:
            return True
        size_bytes = len(current.body if current else b"") + len(decision.body or b"")
        return self._bytes + size_bytes <= BATCH_BYTES_MAX

    def _result(self, submission: Submission, current: Current | None, decision: Decision) -> WriteResult:
        id, kind = submission.command.id, decision.kind
        before = current.body if current else None
        if kind is None or submission.dry_run:
            revision = current.revision if current else 0
        else:
            revision = self._record(submission, current, decision, kind)
        body = decision.body if decision.shown is None else decision.shown
        before = before if decision.shown_before is None else decision.shown_before
        answer = (body, revision, decision.warnings, decision.outcome, decision.answer)
        result = WriteResult(id, kind, *answer, before)
        if submission.key is not None and not submission.dry_run:
            self._keep(submission.key, result)
        return result

    def _replayed(self, key: IdempotencyKey) -> WriteResult | None:
        """The result of the write with this key, if it was done."""
        kept = remembered(key, self._find, self.results, self.at_ms)
        return None if kept is None else WriteResult(*astuple(kept))._replace(replayed=True)

    def _keep(self, key: IdempotencyKey, result: WriteResult) -> None:
        body = result.body if key.keeps_body else None
        facts = (result.kind, body, result.revision, result.warnings, result.outcome, result.answer)
        kept = Remembered(result.id, *facts).encoded()
        self.results[key.key] = KeptResult(key.key, key.fingerprint, self.at_ms, kept)

    def _current(self, id: str) -> Current | None:
        return self._over[id] if id in self._over else current_in(self._view, id)

    def _record(self, submission: Submission, current: Current | None, decision: Decision, kind: Kind) -> int:
        """Add the change that a decision makes; its revision."""
        id, actor = submission.command.id, submission.caller.name
        revision = self._view.revision + len(self.changes) + 1
        before, after = current.body if current else None, decision.body
        change = Change(revision, id, kind, self.at_ms, before, after, actor, submission.reason)
        self.changes.append(change)
        self._bytes += len(before or b"") + len(after or b"")
        if decision.versions is not None:
            self.versions[revision] = decision.versions
        if decision.versions is None or not has_same_status(*decision.versions):
            self.formers |= formers_in([change])
        protected = protected_after(kind, current is not None and current.protected)
        creation = (current.created_revision, current.created_at_ms) if current else (revision, self.at_ms)
        keeps_status = current is not None and not gives_status(change, self.formers)
        times = (*creation, self.at_ms, current.status_since_ms if current and keeps_status else self.at_ms)
        self._over[id] = None if after is None else Current(after, revision, protected, id, *times)
        return revision


def _others_first(
    rest: Sequence[Submission], waiting: Sequence[Submission], ids: Collection[str]
) -> Sequence[Submission]:
    """The rest of a batch and those that wait for large documents (``ids``), which come after the others."""
    others = [submission for submission in rest if submission.command.id not in ids]
    return [*others, *waiting, *(submission for submission in rest if submission.command.id in ids)]


def _is_large(ahead: Ahead) -> bool:
    """Whether what has no room changes a document that is large: writes on others need not wait for it."""
    return ahead.current is not None and len(ahead.current.body) >= LARGE_BYTES


def current_in(view: View, id: str) -> Current | None:
    """The newest durable document of an id."""
    entry = view.entry(id)
    if entry is None:
        return None
    times = (entry.created_revision, entry.created_at_ms, entry.updated_at_ms, entry.status_since_ms)
    return Current(entry.body, entry.revision, entry.protected, id, *times)


def settle(submission: Submission, outcome: Outcome) -> None:
    """Give a caller what became of its command."""
    if submission.answer.done():  # the caller went away; what it asked for is done all the same
        return
    if isinstance(outcome, WriteResult):
        submission.answer.set_result(outcome)
    else:
        submission.answer.set_exception(outcome)
