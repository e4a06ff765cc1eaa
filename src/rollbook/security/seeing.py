"""The view as a caller sees it: the clusters that its sight covers, each through its mask, with the index beside them.

Theory: the index is of whole documents. What it knows at a path that is shown in every document is true of the masked
ones too, so there it is used; at any other path the masked documents are looked at. Most documents have nothing that is
hidden: the postings of the hidden paths name those that have, and only these are masked, once a revision and sight.

One rule: bitmaps are copied when they are made, for the index goes on changing. A document is masked by the paths that
were hidden in the version that is answered, however late it is reached.
"""

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import overload
from weakref import WeakKeyDictionary

from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.language.filters import Filter
from rollbook.security.masks import SHOWN, Mask
from rollbook.security.sights import WHOLE, Sight
from rollbook.view.entries import Entry
from rollbook.view.index.indexes import Index
from rollbook.view.index.keys import PRESENT
from rollbook.view.index.postings import EMPTY
from rollbook.view.index.resolved_paths import nested_on, place_of
from rollbook.view.planning.answers import Answer, any_of
from rollbook.view.planning.planning import answer, planner_of
from rollbook.view.planning.planning_budgets import effort_from_now
from rollbook.view.planning.plans import Plan
from rollbook.view.views import View

MASKED_BYTES_MAX = 64 * 1024 * 1024
ENTRY_BYTES = 200
"""About what an entry takes beside its JSON."""


class MaskedEntries:
    """The masked entries that were made last, at most ``bytes_max`` of JSON. Any thread may ask."""

    def __init__(self, bytes_max: int = MASKED_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._known: dict[tuple[Sight, int], tuple[Entry, Entry | None]] = {}
        self._lock = Lock()

    def entry(self, sight: Sight, entry: Entry) -> Entry | None:
        """An entry of the view as ``sight`` shows it; None when it is not seen."""
        key = (sight, entry.number)
        known = self._known.get(key)
        if known is not None and known[0] is entry:
            return known[1]
        seen = sight.entry(entry)
        with self._lock:
            self._forget(key)
            self._known[key] = entry, seen
            self._bytes += _weight(entry, seen)
            while self._bytes > self._bytes_max:
                self._forget(next(iter(self._known)))
        return seen

    def _forget(self, key: tuple[Sight, int]) -> None:
        known = self._known.pop(key, None)
        if known is not None:
            self._bytes -= _weight(*known)


class Seeing:
    """Gives the view as callers see it. Its methods are for the thread that applies changes to the view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._masked = MaskedEntries()
        self._seen: WeakKeyDictionary[Sight, SeenView] = WeakKeyDictionary()

    @property
    def revision(self) -> int:
        """The newest revision."""
        return self._view.revision

    def by(self, sight: Sight) -> "View | SeenView":
        """The view as it is now, as ``sight`` shows it."""
        if sight is WHOLE:
            return self._view
        seen = self._seen.get(sight)
        if seen is None or seen.revision != self._view.revision:
            seen = self._seen[sight] = SeenView(self._view, sight, self._masked)
        return seen

    def entry(self, sight: Sight, id: str) -> Entry | None:
        """The newest document of ``id``; None when there is none, or ``sight`` does not show it."""
        entry = self._view.entry(id)
        return entry if entry is None or sight is WHOLE else self._masked.entry(sight, entry)


class SeenView:
    """What a view is, for a caller with limited sight, at one revision of it."""

    def __init__(self, view: View, sight: Sight, masked: MaskedEntries) -> None:
        self.revision = view.revision
        self.index = view.index
        """The index of whole documents: true of what is seen only where ``veil`` shows a path."""
        self.veil = sight
        self.whole = view
        self._entries = masked
        effort = effort_from_now()
        found = [answer(grant.filter, view.index, effort=effort) for grant in sight.grants]
        covered = any_of(found)
        self._certain, self._possible = BitMap(covered.certain), BitMap(covered.possible)
        open_for_sure = [each.certain for each, grant in zip(found, sight.grants, strict=True) if grant.mask == SHOWN]
        hidden = BitMap.union(EMPTY, *(_hidden_by(grant.mask, view.index) for grant in sight.grants))
        self._masked = (hidden - BitMap.union(EMPTY, *open_for_sure)) | (self._possible - self._certain)

    @property
    def numbers(self) -> BitMap | None:
        """As ``View.numbers``; None when the index can't tell: then the entries of ``select(None)`` are looked at."""
        return self._certain if self._certain == self._possible else None

    def see(self, entry: Entry) -> Entry | None:
        """An entry of this revision as the caller sees it."""
        return self._entries.entry(self.veil, entry) if entry.number in self._masked else entry

    def select(self, candidates: BitMap | None) -> Sequence[Entry]:
        """As ``View.select``; of the candidates, those that are not seen are left out. Their length counts them."""
        assert self.revision == self.whole.revision, "what is seen is asked for at its revision"
        return SeenEntries(self, self.whole.select(self._possible if candidates is None else candidates))

    def bodies(self, candidates: BitMap) -> list[bytes]:
        """As ``View.bodies``."""
        return [entry.body for entry in self.select(candidates)]

    def plan(self, filter: Filter) -> Plan:
        """As ``View.plan``. The candidates are never None."""
        assert self.revision == self.whole.revision, "what is seen is asked for at its revision"
        planner = planner_of(self.whole.index, effort_from_now(), live=self._possible, veil=self.veil)
        found = planner.answer(filter, BitMap(self._possible)).both(Answer(self._certain, self._possible))
        if found.exact:
            return Plan(BitMap(found.possible), exact=True)
        return Plan(BitMap(found.possible), certain=BitMap(found.certain))


class SeenEntries(Sequence[Entry]):
    """Entries as a caller sees them; those that are not seen are passed over, but counted in the length."""

    __slots__ = ("_entries", "_view")

    def __init__(self, view: SeenView, entries: Sequence[Entry]) -> None:
        self._view = view
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return filter(None, map(self._view.see, self._entries))

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | Sequence[Entry]:
        return list(self)[place]


def _hidden_by(mask: Mask, index: Index) -> BitMap:
    """The documents that may have something that ``mask`` hides."""
    if not mask.shown or not index.values:
        return index.live
    found = EMPTY
    for path in _hidden_paths(mask):
        place = place_of(index.root, path)
        found = found | (
            index.live if place is None else place.node.get(PRESENT) | place.unknown() | nested_on(index.root, path)
        )
    return found


def _hidden_paths(mask: Mask) -> Iterator[Path]:
    """The paths at which ``mask`` begins to hide."""
    for name, child in mask.children.items():
        if child.shown:
            yield from ((name, *path) for path in _hidden_paths(child))
        else:
            yield (name,)


def _weight(entry: Entry, seen: Entry | None) -> int:
    return ENTRY_BYTES + len(entry.held) + (0 if seen is None else len(seen.held))
