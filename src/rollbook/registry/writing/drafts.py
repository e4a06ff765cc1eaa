"""Drafts: the state that a batch of commands is making, before any of it is durable.

One rule: every command is decided on the newest state, which is the view with the decisions of its predecessors in the
batch over it. A batch ends early where it would become too large to write, or takes too long to decide; what is left
comes first in the next one. A change of a large document that has no room lets the commands on others pass.
"""

import time
from collections.abc import Collection, Sequence
from typing import TypeAlias, cast

from rollbook.clusters.liveness import has_same_status
from rollbook.documents.values import Document
from rollbook.errors import BatchRefused, BodyTooLarge, WorkExceeded
from rollbook.journal.changes import Change, Kind, protected_after
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.statuses import formers_in, gives_status
from rollbook.limits import Limits, RequestBudget, budget_from_now
from rollbook.registry.writing.commands import Current, Decision
from rollbook.registry.writing.deciding import Ahead, TakesLonger, decide_briefly
from rollbook.registry.writing.idempotency import Find, IdempotencyKey, Remembered, encoded_results, remembered
from rollbook.registry.writing.submissions import (
    BATCH_BYTES_MAX,
    AnySubmission,
    Batch,
    Creations,
    Outcome,
    Outcomes,
    Submission,
    Together,
    Write,
    WriteResult,
    recorded_decision,
    replayed_results,
)
from rollbook.view.views import View

BATCH_SECONDS = 0.05
"""After this time, a batch is written as far as it is decided."""


Savepoint: TypeAlias = tuple[int, int, dict[str, Current | None], dict[bytes, KeptResult], dict[int, bytes | None]]
"""Where a draft may go back to: its number of changes, their weight, and what it holds by key."""


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
        self.decided: list[AnySubmission] = []
        self.outcomes: list[Outcome | Outcomes] = []
        self.costly: list[Submission] = []
        self.left: Sequence[Submission] = ()
        self.times: dict[str, tuple[int, int] | None] = {}
        """When the batch was appended, synced and published (Unix ns)."""

    def decide(self, batch: Batch) -> None:
        """Decide the commands of a batch, up to where it has to end: in order, but for those on large documents."""
        if isinstance(batch[0], Submission):
            self._decide_each(cast(Sequence[Submission], batch))
            return
        for each in cast(Sequence[Together | Creations], batch):
            with recorded_decision(each):
                if isinstance(each, Together):
                    self._decide_together(each)
                else:
                    self._decide_creations(each)

    def _decide_each(self, batch: Sequence[Submission]) -> None:
        until = time.monotonic() + BATCH_SECONDS
        waiting: list[Submission] = []
        ids: set[str] = set()
        for place, submission in enumerate(batch):
            if submission.write.command.id in ids:
                waiting.append(submission)
            elif place and time.monotonic() > until:
                self.left = _others_first(batch[place:], waiting, ids)
                return
            elif not self._decide(submission):
                if submission.ahead is None or not submission.ahead.is_of_large:
                    self.left = _others_first(batch[place:], waiting, ids)
                    return
                waiting.append(submission)
                ids.add(submission.write.command.id)
        self.left = waiting

    def _decide_creations(self, creations: Creations) -> None:
        """Decide new clusters, each by itself."""
        caller, reason, budget = creations.caller, creations.reason, budget_from_now(self._limits)
        outcomes: list[Outcome] = []
        for command in creations.commands:
            current = self._current(command.id)
            try:
                decision = command.decide(current, budget)
                outcome: Outcome = self._result(Write(command, caller, reason), current, decision, records=True)
            except Exception as refusal:
                outcome = refusal
            outcomes.append(outcome)
        self.decided.append(creations)
        self.outcomes.append(Outcomes(outcomes))

    def _decide_together(self, together: Together) -> None:
        """Decide writes of which all are done or none."""
        self.decided.append(together)
        savepoint = self._savepoint()
        try:
            outcomes = self._outcomes(together)
        except Exception as refusal:
            self._return_to(savepoint)
            self.outcomes.append(refusal)
            return
        is_refused = any(isinstance(outcome, Exception) for outcome in outcomes.each)
        if is_refused or together.dry_run:
            self._return_to(savepoint)
        elif together.key is not None and not outcomes.replayed:
            self._keep(together.key, [each for each in outcomes.each if isinstance(each, WriteResult)])
        self.outcomes.append(outcomes)

    def _outcomes(self, together: Together) -> Outcomes:
        """What becomes of each. Refuses (BodyTooLarge, WorkExceeded) more than one batch may hold or take."""
        if together.key is not None and (replayed := self._replayed(together.key)) is not None:
            return Outcomes(replayed, replayed=True)
        budget = RequestBudget(together.deadline, self._limits.result_bytes_max)
        results: list[WriteResult] = []
        size_bytes = 0
        for place, write in enumerate(together.writes):
            current = self._current(write.command.id)
            budget.check()
            try:
                decision = write.command.decide(current, budget)
                result = self._result(write, current, decision, records=True)
            except WorkExceeded:
                raise
            except Exception as refusal:
                others = BatchRefused(f"nothing was done, because write {place + 1} of this batch was refused")
                return Outcomes([refusal if at == place else others for at in range(len(together.writes))])
            size_bytes += 0 if decision.kind is None else _weight_of(current, decision)
            if size_bytes > self._limits.atomic_bytes_max:
                raise BodyTooLarge(
                    f"an atomic batch changes documents of at most {self._limits.atomic_bytes_max} bytes together; "
                    "nothing was done: send fewer writes at once"
                )
            results.append(self._rehearsed(result) if together.dry_run else result)
        return Outcomes(results)

    def _rehearsed(self, result: WriteResult) -> WriteResult:
        """The result of a dry run: with the revision at which the document stays."""
        stands = current_in(self._view, result.id)
        return result._replace(revision=stands.revision if stands else 0)

    def _savepoint(self) -> Savepoint:
        return len(self.changes), self._bytes, dict(self._over), dict(self.results), dict(self.formers)

    def _return_to(self, savepoint: Savepoint) -> None:
        """Take back what was decided since."""
        count, self._bytes, self._over, self.results, self.formers = savepoint
        for change in self.changes[count:]:
            self.versions.pop(change.revision, None)
        del self.changes[count:]

    def _decide(self, submission: Submission) -> bool:
        """Decide a command; whether the batch has room for what it changes."""
        write = submission.write
        current = self._current(write.command.id)
        try:
            if write.key is not None and (replayed := self._replayed(write.key)) is not None:
                self.decided.append(submission)
                self.outcomes.append(replayed[0])
                return True
            decision = self._observed(submission, current)
            if not write.dry_run and not self._has_room_for(current, decision):
                submission.ahead = Ahead(current, decision)
                return False
            outcome: Outcome = self._result(write, current, decision, records=not write.dry_run)
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
        if submission.steps is None:
            return self._decision(submission, current)
        with recorded_decision(submission):
            return self._decision(submission, current)

    def _decision(self, submission: Submission, current: Current | None) -> Decision:
        ahead = submission.ahead
        if ahead is not None and ahead.current == current:
            return ahead.decision
        if submission.returned is not None:
            raise TakesLonger
        return decide_briefly(submission.write.command, current, self._limits)

    def _has_room_for(self, current: Current | None, decision: Decision) -> bool:
        if decision.kind is None or not self.changes:
            return True
        size_bytes = len(current.body if current else b"") + len(decision.body or b"")
        return self._bytes + size_bytes <= BATCH_BYTES_MAX

    def _result(self, write: Write, current: Current | None, decision: Decision, *, records: bool) -> WriteResult:
        """What a decision comes to; the change that it makes is added where ``records`` says so."""
        id, kind = write.command.id, decision.kind
        before = current.body if current else None
        if kind is None or not records:
            revision = current.revision if current else 0
        else:
            revision = self._record(write, current, decision, kind)
        body = decision.body if decision.shown is None else decision.shown
        before = before if decision.shown_before is None else decision.shown_before
        answer = (body, revision, decision.warnings, decision.outcome, decision.answer)
        result = WriteResult(id, kind, *answer, before)
        if write.key is not None and not write.dry_run:
            self._keep(write.key, [result])
        return result

    def _replayed(self, key: IdempotencyKey) -> list[WriteResult] | None:
        """The results of the writes with this key, if they were done."""
        found = remembered(key, self.results.get(key.key) or self._find(key.key), self.at_ms)
        return None if found is None else replayed_results(found)

    def _keep(self, key: IdempotencyKey, results: Sequence[WriteResult]) -> None:
        """Keep the results of writes for the day in which their request may be sent again."""
        kept = encoded_results(
            [
                Remembered(
                    each.id,
                    each.kind,
                    each.body if key.keeps_body else None,
                    each.revision,
                    each.warnings,
                    each.outcome,
                    each.answer,
                )
                for each in results
            ]
        )
        self.results[key.key] = KeptResult(key.key, key.fingerprint, self.at_ms, kept)

    def _current(self, id: str) -> Current | None:
        return self._over[id] if id in self._over else current_in(self._view, id)

    def _record(self, write: Write, current: Current | None, decision: Decision, kind: Kind) -> int:
        """Add the change that a decision makes; its revision."""
        id, actor = write.command.id, write.caller.name
        revision = self._view.revision + len(self.changes) + 1
        before, after = current.body if current else None, decision.body
        change = Change(revision, id, kind, self.at_ms, before, after, actor, write.reason)
        self.changes.append(change)
        self._bytes += len(before or b"") + len(after or b"")
        if decision.versions is not None:
            self.versions[revision] = decision.versions
        if kind != "created" and (decision.versions is None or not has_same_status(*decision.versions)):
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
    others = [submission for submission in rest if submission.write.command.id not in ids]
    return [*others, *waiting, *(submission for submission in rest if submission.write.command.id in ids)]


def _weight_of(current: Current | None, decision: Decision) -> int:
    """The bytes of a document before or after it is changed, whichever are more."""
    return max(len(current.body) if current else 0, len(decision.body or b""))


def current_in(view: View, id: str) -> Current | None:
    """The newest durable document of an id."""
    entry = view.entry(id)
    if entry is None:
        return None
    times = (entry.created_revision, entry.created_at_ms, entry.updated_at_ms, entry.status_since_ms)
    return Current(entry.body, entry.revision, entry.protected, id, *times)
