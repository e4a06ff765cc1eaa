"""What a journal is. Whatever passes ``tests/journal/contract.py`` is one; nothing else defines it.

One rule: when ``append`` returns, the batch survives ``kill -9`` (and power loss where the disk honours fsync); when it
raises, nothing of the batch is there, now or after a restart.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from rollbook.journal.changes import Change, Kept


class Journal(Protocol):
    """Durable changes in one total order. Methods block; one thread calls ``append``, any thread may read."""

    def newest(self) -> int:
        """The newest durable revision; 0 when nothing was ever written."""
        ...

    def load(self) -> Iterator[Kept]:
        """Every live document, in order of creation."""
        ...

    def append(self, changes: Sequence[Change], *, after: int) -> None:
        """Make a batch durable, all or nothing. Its revisions are ``after + 1`` onwards, without gaps.

        Refuses (JournalConflict) when ``after`` is not the newest revision; fails (JournalUnavailable) when the disk
        does, and may be tried again. Changes that do not follow from what is stored (a creation of what is there, a
        ``before`` that is not the stored body) are a bug of the caller: ValueError.
        """
        ...

    def follow(self, after: int) -> Iterator[Change]:
        """The changes later than ``after``, in order. Refuses (Compacted) when some of them are no longer kept."""
        ...

    def history(self, id: str) -> Iterator[Change]:
        """The kept changes of one document, oldest first, through deletions and new creations."""
        ...

    def problems(self) -> list[str]:
        """What is wrong with the stored data, a sentence each; empty when it is sound."""
        ...

    def close(self) -> None:
        """Release the files. Closing twice is harmless."""
        ...
