"""What the journal in memory gives and takes to be copied."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rollbook.errors import DataDirectoryUnsound
from rollbook.journal.changes import StoredVersion
from rollbook.journal.statuses import StatusChange
from rollbook.journal.transfers import Beginning

if TYPE_CHECKING:
    from rollbook.journal.memory.journal import MemoryJournal


class MemoryTransfer:
    """A transfer (see ``transfers.Transfer``) of a journal in memory."""

    def __init__(self, journal: "MemoryJournal", begin_at: Callable[[int, int], None]) -> None:
        self._journal = journal
        self._begin_at = begin_at

    def beginning(self) -> Beginning:
        """See ``Transfer.beginning``."""
        journal = self._journal
        mark = journal.oldest.change.revision
        before = dict(journal.past.earlier(mark))
        live = {id for id in journal.live if id not in before} | {id for id, version in before.items() if version}
        tombstones = []
        for id, revisions in journal.revisions.items():
            gone = [revision for revision in revisions if revision <= mark]
            if gone and id not in live:
                tombstones.append((id, gone[-1]))
        return Beginning(mark, journal.oldest.change.at_ms, tombstones, journal.results.all())

    def begin(self, beginning: Beginning, documents: Iterable[tuple[StoredVersion, StatusChange | None]]) -> None:
        """See ``Transfer.begin``."""
        journal = self._journal
        with journal.lock:
            if journal.newest():
                raise DataDirectoryUnsound("the journal is not empty")
            for id, revision in beginning.tombstones:
                journal.revisions[id] = [revision]
            for version, given in documents:
                journal.live[version.id] = version
                lives = {*journal.revisions.get(version.id, []), version.created_revision, version.revision}
                journal.revisions[version.id] = sorted(lives)
                if given is not None:
                    journal.statuses[version.id] = [given]
            self._begin_at(beginning.revision, beginning.at_ms)
