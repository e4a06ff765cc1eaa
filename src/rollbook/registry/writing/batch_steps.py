"""The steps of a batch, which the commands in it have in common."""

from rollbook.registry.feed.change_traces import ChangeTraces
from rollbook.registry.writing.drafts import Draft
from rollbook.registry.writing.submissions import Outcomes, WriteResult

WITHIN = {"append": None, "sync": "append", "publish": None}


def record_steps(draft: Draft, traces: ChangeTraces) -> None:
    """Add what was done with a batch to the steps of the commands that are recorded; note the traces of the changes."""
    for submission, outcome in zip(draft.decided, draft.outcomes, strict=True):
        steps = submission.steps
        if steps is None or submission.dry_run:
            continue
        each = outcome.each if isinstance(outcome, Outcomes) else [outcome]
        written = [one for one in each if isinstance(one, WriteResult) and one.kind is not None]
        if not written:
            continue
        for name, within in WITHIN.items():
            times = draft.times.get(name)
            if times is not None:
                steps.add(name, times, within=within, commands=len(draft.decided))
        if steps.carrier:
            for one in written:
                if not one.replayed:
                    traces.note(one.revision, steps.carrier)
