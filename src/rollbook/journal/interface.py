"""What a journal is. Whatever passes ``tests/journal/contract.py`` is one; nothing else defines it.

One rule: when ``append`` returns, the batch survives ``kill -9`` (and power loss where the disk honours fsync); when it
raises, nothing of the batch is there, now or after a restart.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from rollbook.histograms import Histogram
from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.statuses import Formers, StatusChange
from rollbook.journal.tenure import Tenure
from rollbook.limits import RequestBudget


class Past(Protocol):
    """History. Every version after the compaction's mark is known; an older one only where nothing hides it.

    Going far back takes time: each method spends it from ``work``, where it is given, and refuses (WorkExceeded) more.
    """

    def history(self, id: str, *, before: int | None = None, work: RequestBudget | None = None) -> Iterator[Change]:
        """The kept changes of one document, newest first, through deletions and new creations.

        With ``before``, those older than that revision.
        """
        ...

    def version(self, id: str, revision: int, *, work: RequestBudget | None = None) -> StoredVersion | None:
        """The newest version of a document that is not newer than ``revision``; None when there was none then.

        Refuses (Compacted) when the change that led away from it is no longer kept.
        """
        ...

    def earlier(
        self, revision: int, *, work: RequestBudget | None = None
    ) -> Generator[tuple[str, StoredVersion | None], None, None]:
        """For every document that a change later than ``revision`` touched, its id and what it was at ``revision``.

        All as of one moment; other documents are now as they were then. Refuses (Compacted) a revision below the mark.
        """
        ...

    def revision_at(self, at_ms: int) -> int:
        """The newest revision dated ``at_ms`` or earlier, 0 when there was none. Refuses (Compacted) what is gone."""
        ...

    def status(self, id: str, revision: int | None = None) -> StatusChange | None:
        """The change that gave the status which a document had at ``revision`` (None: now), even if it is gone.

        None, or the creation: the document had it since then. It means nothing where ``version`` has no document.
        """
        ...

    def result(self, key: bytes) -> KeptResult | None:
        """What the write with an idempotency key came to; None when there was none, or it is forgotten.

        An old one may be there still: ``at_ms`` says how old it is.
        """
        ...

    def knows(self, id: str) -> bool:
        """Whether a document ever had this id, now or in a past that may be gone."""
        ...


class Compaction(Protocol):
    """Giving up the oldest changes: those up to the mark are gone. It takes turns with ``append``, step by step."""

    def mark(self) -> int:
        """The newest revision whose change is gone; 0 when none is."""
        ...

    def goal(self, *, until_ms: int, changes_max: int, bytes_max: int) -> int:
        """Where the mark has to be so that what is kept is later than ``until_ms`` and within both bounds.

        The newest change is kept in any case.
        """
        ...

    def step(self, goal: int) -> int:
        """Give up a few changes, none later than ``goal``; the mark after it. At the goal, or past it, does nothing."""
        ...


class Sharing(Protocol):
    """What has to be asked where other processes may write to the same journal."""

    def settle(self) -> bool | None:
        """What became of an append that raised AppendUndecided: whether its changes are in the journal.

        None: there was none, or it can't be known any more. Raises AppendUndecided as long as there is no answer.
        """
        ...

    def confirm(self, after: int) -> int:
        """The newest revision, whichever process wrote it, for a writer that stands at ``after``.

        The thread that appends asks this. Refuses (Compacted) where the journal does not go on from there. Fails
        (JournalUnavailable).
        """
        ...

    def newest(self) -> int:
        """The newest revision, whichever process wrote it. Any thread may ask. Fails (JournalUnavailable)."""
        ...


class Alone:
    """The sharing of a journal that one process has: nothing is undecided, and nothing is newer than it knows."""

    def __init__(self, newest: Callable[[], int]) -> None:
        self._newest = newest

    def settle(self) -> bool | None:
        """See ``Sharing.settle``."""
        return None

    def confirm(self, after: int) -> int:
        """See ``Sharing.confirm``."""
        return max(after, self._newest())

    def newest(self) -> int:
        """See ``Sharing.newest``."""
        return self._newest()


class Size(Struct, frozen=True):
    """Bytes on the disk: the journal's data, and the log of what was written and is not in its place there yet."""

    data_bytes: int
    log_bytes: int
    free_bytes: int | None = None
    """How much the process may still write there; None where that is not known."""


class Inspection(Protocol):
    """What can be asked about the stored data as a whole: how much there is, and whether it is undamaged."""

    def count(self) -> int:
        """How many live documents there are."""
        ...

    def size(self) -> Size:
        """How much room it takes on the disk. Fails (JournalUnavailable) when the disk does."""
        ...

    def problems(self) -> list[str]:
        """What is wrong with the stored data, a sentence each; empty when it is sound."""
        ...


class Syncs(Struct):
    """How long it took until batches were durable: the last step of ``append``.

    ``last`` is when the last one began and ended (Unix ns). Nothing is counted where there is no such step.
    """

    durations: Histogram = field(default_factory=Histogram)
    last: tuple[int, int] | None = None

    def add(self, seconds: float) -> None:
        """Count a sync that took this long and has just ended."""
        ended_ns = time.time_ns()
        self.last = ended_ns - round(seconds * 1e9), ended_ns
        self.durations.add(seconds)


class Journal(Protocol):
    """Durable changes in one total order. Methods block; one thread calls ``append``, any thread may read."""

    syncs: Syncs
    """How long the syncs of ``append`` took."""

    sharing: Sharing
    """What is asked where other processes write too."""

    @property
    def past(self) -> Past:
        """What was."""
        ...

    @property
    def compaction(self) -> Compaction:
        """The giving up of the oldest changes."""
        ...

    @property
    def inspection(self) -> Inspection:
        """How much is stored, and what is wrong with it."""
        ...

    @property
    def problem(self) -> str | None:
        """Why nothing can be written, as far as is known without trying; None when there is no reason."""
        ...

    def newest(self) -> int:
        """The newest durable revision; 0 when nothing was ever written."""
        ...

    def newest_ms(self) -> int:
        """When the newest revision was made (Unix ms); 0 when nothing was ever written."""
        ...

    def load(self) -> Iterator[StoredVersion]:
        """Every live document, in order of creation."""
        ...

    def append(
        self,
        changes: Sequence[Change],
        *,
        after: int,
        formers: Formers | None = None,
        results: Sequence[KeptResult] = (),
    ) -> None:
        """Make a batch durable, all or nothing. Its revisions are ``after + 1`` onwards, without gaps.

        ``formers`` are the statuses before those updates that give another one; None: they are found in the documents.
        ``results`` are kept with the batch, each in the place of one with its key, for KEPT_MS at least.

        Refuses (JournalConflict) when ``after`` is not the newest revision; fails (JournalUnavailable) when the disk
        does, and may be tried again; fails (AppendUndecided) when an engine elsewhere gave no answer: the next call is
        ``sharing.settle``. Changes that do not follow from what is stored (a creation of what is there, a
        ``before`` that is not the stored body, a time that goes back, the deletion of a protected document) are a bug
        of the caller: ValueError.
        """
        ...

    def follow(self, after: int) -> Iterator[Change]:
        """The changes later than ``after``, in order. Refuses (Compacted) when some of them are no longer kept."""
        ...

    def close(self) -> None:
        """Release the files. Closing twice is harmless."""
        ...


class DirectoryJournal(Journal, Protocol):
    """A journal in a directory that this process holds alone."""

    @property
    def tenure(self) -> Tenure:
        """The right to write to it."""
        ...

    def look(self) -> None:
        """See whether the file is still at its path, and can be written; ``problem`` says it afterwards."""
        ...

    def copy(self, into: Path, /) -> None:
        """Make a journal in the empty directory ``into`` that holds what this one does, while it is written.

        It is as of a moment while this runs, and holds at least what was durable before. Fails (JournalUnavailable)
        when a disk does.
        """
        ...

    def repair(self, id: str, *, drop: bool) -> str:
        """Repair one damaged cluster before anything else reads it; what was done, in words.

        With ``drop``, contents that are damaged may be given up.
        """
        ...
