"""The newest document of every cluster, as stored bytes, in order of creation.

One rule: numbers rise with creation and are never given twice, so ascending numbers are natural order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TypeAlias
from weakref import WeakSet

from pyroaring import BitMap

from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.liveness import has_same_status
from rollbook.documents import codec
from rollbook.documents.bounding import NO_DOCUMENT
from rollbook.documents.values import Document
from rollbook.journal.changes import Change, StoredVersion, protected_after
from rollbook.language.filters import Filter
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.view.entries import Entry
from rollbook.view.index.indexes import Index
from rollbook.view.index.loading import Loading, load_documents
from rollbook.view.packing import Packer, Packing
from rollbook.view.planning.planning import answer
from rollbook.view.planning.planning_budgets import effort_from_now
from rollbook.view.planning.plans import Plan, plan_of
from rollbook.view.planning.veils import Veil
from rollbook.view.selections import Selection
from rollbook.view.snapshots import Snapshot

Versions: TypeAlias = Mapping[int, tuple[Document, Document]]
"""By revision, the documents before and after a change, where they are decoded already."""

NO_VERSIONS: Versions = {}

HELD = attrgetter("held")

TOGETHER_MIN = 4
"""From this number of new documents on, they are taken into the index together."""

AT_ONCE_MAX = 1024
"""At most this number of documents is looked up at once; the others are looked up one by one, as they are needed."""


class View:
    """Every live document at one revision. Not thread-safe: one thread applies; others read what they were handed.

    ``packer`` is what holds their JSON; None: it is held as it is. Without ``indexed``, documents are had by their id
    or all together, and no question is planned.
    """

    veil: Veil | None = None
    """What is hidden: nothing. (A view as a caller sees it has one.)"""

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS, packer: Packer | None = None, indexed: bool = True) -> None:
        self.revision = 0
        self.snapshot_revision = 0
        """As of which revision there is a snapshot of the index; 0 when there is none."""
        self.snapshot_failures = 0
        """How many snapshots of the index could not be written."""
        self.snapshot_problem: str | None = None
        """Why the last snapshot could not be written; None when it could."""
        self.body_bytes = 0
        """How large all documents are together, as memory holds them."""
        self.index = Index(limits=limits, values=indexed)
        self._by_id: dict[str, Entry] = {}
        self.by_number: list[Entry | None] = []
        """Every document at its number; None where it is gone."""
        self.changed_numbers: set[int] | None = None
        """The numbers whose documents changed since it was last emptied; None: any of them may have."""
        self._packer = packer
        self._selections: WeakSet[Selection] = WeakSet()

    def __len__(self) -> int:
        return len(self._by_id)

    def entry(self, id: str) -> Entry | None:
        """The newest document of ``id``."""
        return self._by_id.get(id)

    def entries(self) -> Iterator[Entry]:
        """Every document in order of creation, as of now."""
        return iter(self.select(None))

    def select(self, candidates: BitMap | None) -> Sequence[Entry]:
        """The documents with these numbers, in order of creation, as of now; None: all."""
        numbers = self.index.live if candidates is None else candidates
        if len(numbers) <= AT_ONCE_MAX:
            return self._entries_at(numbers.to_array())
        return self.selection(numbers)

    def selection(self, candidates: BitMap | None) -> Selection:
        """Like ``select``, but nothing is looked up now."""
        live = self.index.live
        selection = Selection(live.copy() if candidates is None else candidates & live, self.by_number)
        self._selections.add(selection)
        return selection

    def bodies(self, candidates: BitMap) -> list[bytes]:
        """The JSON of the documents with these numbers, in order of creation, as of now. For few of them."""
        entries = self._entries_at(candidates.to_array())
        return list(map(HELD, entries)) if self._packer is None else [entry.body for entry in entries]

    def plan(self, filter: Filter) -> Plan:
        """Which documents ``filter`` may match, of those that are there now."""
        return plan_of(answer(filter, self.index, effort=effort_from_now()), self.index.live)

    @property
    def numbers(self) -> BitMap:
        """The numbers of all documents, to read only."""
        return self.index.live

    def load(self, kept: Iterable[StoredVersion], revision: int) -> None:
        """Take over what a journal keeps, as of ``revision``, into an empty view."""
        if self.index.values:
            load_documents(self.index, ((number, codec.decode_stored(body)) for number, body in self._taken_over(kept)))
        else:
            self.index.live.update([number for number, _ in self._taken_over(kept)])
            self.index.size = len(self.by_number)
        self.revision = revision

    def restore(
        self, snapshot: Snapshot, kept: Iterable[StoredVersion], changes: Iterable[Change], revision: int
    ) -> None:
        """Take over what a journal keeps, as of ``revision``, into an empty view, with the index of a snapshot.

        ``changes`` are those later than the snapshot. Refuses (ValueError, KeyError) what does not fit together.
        """
        index, numbers = snapshot.index, dict(zip(snapshot.ids, snapshot.numbers, strict=True))
        for change in changes:
            _follow(index, numbers, change)
        self.index, self.snapshot_revision = index, snapshot.revision
        entries = []
        for one, (id, number) in zip(kept, numbers.items(), strict=True):  # both in order of creation
            if one.id != id:
                raise ValueError("the snapshot and the journal have different documents")
            entries.append(self._kept(one, id, number))
        if len(index.live) != len(entries):
            raise ValueError("the snapshot has other documents than its index")
        self._take(entries)
        self.revision = revision

    def apply(self, changes: Sequence[Change], versions: Versions = NO_VERSIONS) -> None:
        """Follow committed changes, which begin right after ``revision``."""
        created: list[tuple[int, Document]] = []
        for change in changes:
            assert change.revision == self.revision + 1, "a view follows every change, in order"
            if change.after is not None and change.id not in self._by_id:
                number, known = self._create(change), versions.get(change.revision)
                if self.index.values:
                    created.append((number, known[1] if known else decode_stored(change.after)))
                else:
                    self.index.insert(number, NO_DOCUMENT)
            else:
                self._insert(created)
                self._apply(change, versions.get(change.revision))
            self.revision = change.revision
        self._insert(created)

    def _entries_at(self, numbers: Iterable[int]) -> Sequence[Entry]:
        return list(filter(None, map(self.by_number.__getitem__, numbers)))

    def _take(self, entries: Sequence[Entry]) -> None:
        """Take these, and no others, into an empty view."""
        self._by_id = {entry.id: entry for entry in entries}
        self.by_number = [None] * self.index.size
        for entry in entries:
            self.by_number[entry.number] = entry
        self.body_bytes = sum(len(entry.held) for entry in entries)

    def _taken_over(self, kept: Iterable[StoredVersion]) -> Iterator[tuple[int, bytes]]:
        for number, one in enumerate(kept):
            self._add(self._kept(one, one.id, number))
            yield number, one.body

    def _apply(self, change: Change, versions: tuple[Document, Document] | None) -> None:
        current = self._by_id[change.id]
        if change.after is None:
            self._remove(current)
        else:
            before, after = versions or (decode_stored(current.body), decode_stored(change.after))
            since_ms = current.status_since_ms if has_same_status(before, after) else change.at_ms
            times = (current.created_revision, current.created_at_ms, change.at_ms, since_ms)
            protected = protected_after(change.kind, current.protected)
            held, packing = self._held(change.after)
            self._put_aside(current)
            self._add(Entry(current.number, change.id, change.revision, *times, held, protected, packing))
            self.index.update(current.number, before, after)

    def _create(self, change: Change) -> int:
        """Take in a cluster that is new, which is not in the index yet; its number."""
        assert change.after is not None
        number, revision, at_ms = len(self.by_number), change.revision, change.at_ms
        held, packing = self._held(change.after)
        self._add(Entry(number, change.id, revision, revision, at_ms, at_ms, at_ms, held, packing=packing))
        return number

    def _insert(self, created: list[tuple[int, Document]]) -> None:
        """Take documents by their numbers into the index, and empty the list."""
        if len(created) >= TOGETHER_MIN:
            loading = Loading(self.index)
            for number, document in created:
                loading.take(number, document)
            loading.flush()
        else:
            for number, document in created:
                self.index.insert(number, document)
        created.clear()

    def _remove(self, entry: Entry) -> None:
        self._put_aside(entry)
        del self._by_id[entry.id]
        self.by_number[entry.number] = None
        self.body_bytes -= len(entry.held)
        self._note(entry.number)
        self.index.delete(entry.number, decode_stored(entry.body))

    def _put_aside(self, entry: Entry) -> None:
        if len(self._selections):
            for selection in self._selections:
                selection.put_aside(entry)

    def _kept(self, kept: StoredVersion, id: str, number: int) -> Entry:
        """``id`` and ``number`` are objects that others hold too; equal revisions and equal times become one object."""
        _, body, revision, created_revision, created_at_ms, updated_at_ms, status_since_ms, protected = kept
        if created_revision == revision:
            created_revision = revision
        if updated_at_ms == created_at_ms:
            updated_at_ms = created_at_ms
        if status_since_ms in (created_at_ms, updated_at_ms):
            status_since_ms = created_at_ms if status_since_ms == created_at_ms else updated_at_ms
        times = (created_at_ms, updated_at_ms, status_since_ms)
        held, packing = self._held(body)
        return Entry(number, id, revision, created_revision, *times, held, protected, packing)

    def _held(self, body: bytes) -> tuple[bytes, Packing | None]:
        return (body, None) if self._packer is None else self._packer.held(body)

    def _add(self, entry: Entry) -> None:
        former = self._by_id.get(entry.id)
        self.body_bytes += len(entry.held) - (0 if former is None else len(former.held))
        self._by_id[entry.id] = entry
        self._note(entry.number)
        if entry.number == len(self.by_number):
            self.by_number.append(entry)
        else:
            self.by_number[entry.number] = entry

    def _note(self, number: int) -> None:
        if self.changed_numbers is not None:
            self.changed_numbers.add(number)
            if len(self.changed_numbers) > len(self._by_id) + AT_ONCE_MAX:  # nobody asks any more
                self.changed_numbers = None


def replace_view(view: View, fresh: View) -> None:
    """Let a view become what another one is, at once. What was handed to readers stays as it was."""
    for name in ("index", "_by_id", "by_number", "body_bytes", "revision", "_packer"):
        setattr(view, name, getattr(fresh, name))
    view.snapshot_revision = 0
    view._selections = WeakSet()


def _follow(index: Index, numbers: dict[str, int], change: Change) -> None:
    """A change that an index which was read back has not seen."""
    if change.before is None and change.after is not None:
        numbers[change.id] = index.size
        index.insert(index.size, decode_stored(change.after))
    elif change.after is None and change.before is not None:
        index.delete(numbers.pop(change.id), decode_stored(change.before))
    elif change.before is not None and change.after is not None:
        index.update(numbers[change.id], decode_stored(change.before), decode_stored(change.after))
