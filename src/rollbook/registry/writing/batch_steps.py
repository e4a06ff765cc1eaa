"""What is done with a batch that is decided: it is appended, counted, and answered, and its steps are recorded.

One rule: the trace of a change is known before the change is visible: what happens because of it continues the trace.
"""

import time
from collections.abc import Sequence

from rollbook.journal.interface import Journal
from rollbook.registry.feed.change_traces import ChangeTraces
from rollbook.registry.writing.commit_counts import CommitCounts
from rollbook.registry.writing.drafts import Draft
from rollbook.registry.writing.submissions import Batch, Outcome, Outcomes, WriteResult, commands_in, settle

WITHIN = {"append": None, "sync": "append", "publish": None}


def append(draft: Draft, journal: Journal, *, after: int) -> None:
    """Make what was decided durable, as the changes that follow revision ``after``."""
    results, begun_ns = list(draft.results.values()), time.time_ns()
    journal.append(draft.changes, after=after, formers=draft.formers, results=results)
    draft.times["append"] = begun_ns, time.time_ns()
    draft.times["sync"] = journal.syncs.last


def settle_all(draft: Draft, counts: CommitCounts, *, seconds: float) -> None:
    """Count, record and answer a batch, which took so long to commit."""
    counts.committed(draft.changes, commands=commands_in(draft.decided), seconds=seconds)
    record_steps(draft)
    for submission, outcome in zip(draft.decided, draft.outcomes, strict=True):
        if not submission.dry_run:
            counts.settled([outcome])
        settle(submission, outcome)


def fail_all(batch: Batch, failure: Exception, counts: CommitCounts) -> None:
    """Count and answer a batch of which nothing was done."""
    counts.failures += 1
    counts.settled([failure] * commands_in(batch))
    for submission in batch:
        settle(submission, failure)


def note_traces(draft: Draft, traces: ChangeTraces) -> None:
    """Note the traces of the changes, before they are published."""
    for submission, outcome in zip(draft.decided, draft.outcomes, strict=True):
        if submission.steps is not None and submission.steps.carrier and not submission.dry_run:
            for one in _written(outcome):
                if not one.replayed:
                    traces.note(one.revision, submission.steps.carrier)


def record_steps(draft: Draft) -> None:
    """Add what was done with a batch to the steps of the commands that are recorded."""
    for submission, outcome in zip(draft.decided, draft.outcomes, strict=True):
        steps = submission.steps
        if steps is None or submission.dry_run or not _written(outcome):
            continue
        for name, within in WITHIN.items():
            times = draft.times.get(name)
            if times is not None:
                steps.add(name, times, within=within, commands=commands_in(draft.decided))


def _written(outcome: Outcome | Outcomes) -> Sequence[WriteResult]:
    each = outcome.each if isinstance(outcome, Outcomes) else [outcome]
    return [one for one in each if isinstance(one, WriteResult) and one.kind is not None]
