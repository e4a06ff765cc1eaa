"""The newest document of every cluster, as stored bytes, in order of creation.

One rule: numbers rise with creation and are never given twice, so ascending numbers are natural order. Entries never
change: whoever holds one holds one moment.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from rollbook.documents.codec import decode_stored
from rollbook.documents.values import Document
from rollbook.journal.changes import Change, Kept, protected_after
from rollbook.language.filters import Filter
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.view.explaining import Explanation, explain
from rollbook.view.indexes import Index
from rollbook.view.loading import load_documents
from rollbook.view.planning import answer
from rollbook.view.plans import Plan, plan_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One document as it stands: its JSON, its revisions, its times (Unix ms), and whether it is protected."""

    number: int
    id: str
    revision: int
    created_revision: int
    created_at_ms: int
    updated_at_ms: int
    body: bytes
    protected: bool = False


class View:
    """Every live document at one revision. Not thread-safe: one thread applies; others read what they were handed."""

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self.revision = 0
        self.index = Index(limits=limits)
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
        return [entry for number in candidates.to_array() if (entry := by_number[number]) is not None]

    def plan(self, filter: Filter) -> Plan:
        """Which documents ``filter`` may match, of those that are there now."""
        return plan_of(answer(filter, self.index), self.index.live)

    def explain(self, filter: Filter) -> Explanation:
        """How ``plan`` would answer, clause by clause, in words."""
        return explain(filter, self.index)

    def load(self, kept: Iterable[Kept], revision: int) -> None:
        """Take over what a journal keeps, as of ``revision``, into an empty view."""
        load_documents(self.index, self._taken_over(kept))
        self.revision = revision

    def apply(self, changes: Sequence[Change]) -> None:
        """Follow committed changes, which begin right after ``revision``."""
        for change in changes:
            assert change.revision == self.revision + 1, "a view follows every change, in order"
            self._apply(change)
            self.revision = change.revision

    def _taken_over(self, kept: Iterable[Kept]) -> Iterator[tuple[int, Document]]:
        for number, one in enumerate(kept):
            times = (one.created_at_ms, one.updated_at_ms)
            self._add(Entry(number, one.id, one.revision, one.created_revision, *times, one.body, one.protected))
            yield number, decode_stored(one.body)

    def _apply(self, change: Change) -> None:
        current = self._by_id.get(change.id)
        if change.after is None:
            assert current is not None
            self._remove(current)
        elif current is None:
            number, revision, at_ms = len(self._by_number), change.revision, change.at_ms
            self._add(Entry(number, change.id, revision, revision, at_ms, at_ms, change.after))
            self.index.insert(number, decode_stored(change.after))
        else:
            creation = (current.created_revision, current.created_at_ms)
            times = (*creation, change.at_ms)
            protected = protected_after(change.kind, current.protected)
            self._add(Entry(current.number, change.id, change.revision, *times, change.after, protected))
            self.index.update(current.number, decode_stored(current.body), decode_stored(change.after))

    def _remove(self, entry: Entry) -> None:
        del self._by_id[entry.id]
        self._by_number[entry.number] = None
        self.index.delete(entry.number, decode_stored(entry.body))

    def _add(self, entry: Entry) -> None:
        self._by_id[entry.id] = entry
        if entry.number == len(self._by_number):
            self._by_number.append(entry)
        else:
            self._by_number[entry.number] = entry
