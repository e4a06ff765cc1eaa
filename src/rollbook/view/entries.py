"""The newest document of every cluster, as stored bytes, in order of creation.

One rule: numbers rise with creation and are never given twice, so ascending numbers are natural order. Entries never
change: whoever holds one holds one moment.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyroaring import BitMap

from rollbook.journal.changes import Change, Kept
from rollbook.view.plans import Plan

if TYPE_CHECKING:
    from rollbook.language.filters.nodes import Filter


@dataclass(frozen=True, slots=True)
class Entry:
    """One document as it stands: its JSON, its revisions and its times (Unix ms)."""

    number: int
    id: str
    revision: int
    created_revision: int
    created_at_ms: int
    updated_at_ms: int
    body: bytes


class View:
    """Every live document at one revision. Not thread-safe: one thread applies; others read what they were handed."""

    def __init__(self) -> None:
        self.revision = 0
        self._by_id: dict[str, Entry] = {}
        self._by_number: list[Entry | None] = []

    def __len__(self) -> int:
        return len(self._by_id)

    def entry(self, id: str) -> Entry | None:
        """The newest document of ``id``."""
        return self._by_id.get(id)

    def entries(self) -> Iterator[Entry]:
        """Every document in order of creation, as of now."""
        return iter(list(self._by_id.values()))

    def select(self, candidates: BitMap | None) -> Sequence[Entry]:
        """The documents with these numbers, in order of creation; None: all."""
        if candidates is None:
            return list(self._by_id.values())
        by_number = self._by_number
        return [entry for number in candidates if (entry := by_number[number]) is not None]

    def plan(self, filter: "Filter") -> Plan:
        """Which documents ``filter`` may match."""
        return Plan(explanation=("every document is looked at",))

    def load(self, kept: Iterable[Kept], revision: int) -> None:
        """Take over what a journal keeps, as of ``revision``."""
        for one in kept:
            self._add(
                Entry(
                    len(self._by_number),
                    one.id,
                    one.revision,
                    one.created_revision,
                    one.created_at_ms,
                    one.updated_at_ms,
                    one.body,
                )
            )
        self.revision = revision

    def apply(self, changes: Sequence[Change]) -> None:
        """Follow committed changes, which begin right after ``revision``."""
        for change in changes:
            assert change.revision == self.revision + 1, "a view follows every change, in order"
            self._apply(change)
            self.revision = change.revision

    def _apply(self, change: Change) -> None:
        current = self._by_id.get(change.id)
        if change.after is None:
            assert current is not None
            del self._by_id[change.id]
            self._by_number[current.number] = None
        elif current is None:
            number, revision, at_ms = len(self._by_number), change.revision, change.at_ms
            self._add(Entry(number, change.id, revision, revision, at_ms, at_ms, change.after))
        else:
            self._add(
                Entry(
                    current.number,
                    change.id,
                    change.revision,
                    current.created_revision,
                    current.created_at_ms,
                    change.at_ms,
                    change.after,
                )
            )

    def _add(self, entry: Entry) -> None:
        self._by_id[entry.id] = entry
        if entry.number == len(self._by_number):
            self._by_number.append(entry)
        else:
            self._by_number[entry.number] = entry
