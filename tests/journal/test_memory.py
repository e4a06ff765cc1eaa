"""The journal in memory is a journal, and loses races on request."""

import pytest

from rollbook.errors import JournalConflict
from rollbook.journal.interface import Journal
from rollbook.journal.memory.journal import MemoryJournal
from tests.journal.contract import CopyContract, JournalContract, created


class TestMemoryJournal(JournalContract):
    def opened(self) -> MemoryJournal:
        return MemoryJournal()

    def reopened(self, journal: Journal) -> Journal:
        journal.close()
        return journal


class TestMemoryCopies(CopyContract):
    def opened(self) -> MemoryJournal:
        return MemoryJournal()


def test_it_loses_one_race_to_each_rival() -> None:
    journal = MemoryJournal()
    journal.lose_race_to(lambda: journal.append([created(1, "east")], after=0))
    with pytest.raises(JournalConflict):
        journal.append([created(1, "west")], after=0)
    journal.append([created(2, "west")], after=1)
    assert [change.id for change in journal.follow(0)] == ["east", "west"]
