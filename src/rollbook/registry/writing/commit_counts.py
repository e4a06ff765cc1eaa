"""Counts of the commands and batches of a committer since the process began, for metrics."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias, get_args

from msgspec import Struct, field

from rollbook.errors import JournalConflict, JournalUnavailable, RegistryError
from rollbook.histograms import BOUNDS_COUNTS, Histogram
from rollbook.journal.changes import Change, Kind
from rollbook.registry.writing.submissions import Outcome, Outcomes, WriteResult

Result: TypeAlias = Literal["changed", "unchanged", "refused", "failed"]
"""What became of a command. Refused is what its caller may not do; failed is what the disk, or a fault, prevented."""


class CommitCounts(Struct):
    """Each number only grows. ``commits``: batches that the journal made durable; ``failures``: those it could not.

    ``durations`` (seconds) and ``batches`` (commands) are those of the batches that were made durable. ``conflicts``:
    batches that were decided anew, for another process wrote first; ``beside``: commands that took too long for the
    queue, and were decided beside it. ``observed``: commands that were carried out though their callers' roles do not
    allow them, by verb, while the registry only observes.
    """

    commits: int = 0
    failures: int = 0
    durations: Histogram = field(default_factory=Histogram)
    batches: Histogram = field(default_factory=lambda: Histogram(BOUNDS_COUNTS))
    conflicts: int = 0
    beside: int = 0
    observed: Counter[str] = field(default_factory=Counter)
    changes: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(get_args(Kind), 0))
    commands: dict[Result, int] = field(default_factory=lambda: dict.fromkeys(get_args(Result), 0))

    def committed(self, changes: Sequence[Change], *, commands: int, seconds: float) -> None:
        """Count a batch that was written; one that changes nothing is none."""
        if changes:
            self.commits += 1
            self.durations.add(seconds)
            self.batches.add(commands)
        for change in changes:
            self.changes[change.kind] += 1

    def settled(self, outcomes: Iterable[Outcome | Outcomes]) -> None:
        """Count what became of some commands."""
        for outcome in outcomes:
            for each in outcome.each if isinstance(outcome, Outcomes) else (outcome,):
                self.commands[_result_of(each)] += 1


def _result_of(outcome: Outcome) -> Result:
    if isinstance(outcome, WriteResult):
        return "unchanged" if outcome.kind is None else "changed"
    failures = (JournalUnavailable, JournalConflict)
    return "refused" if isinstance(outcome, RegistryError) and not isinstance(outcome, failures) else "failed"
