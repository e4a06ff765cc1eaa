"""The view as a caller sees it: the clusters that its sight covers, each through its mask, with the index beside them.

Theory: the index is of whole documents. What it knows at a path that is shown in every document is true of the masked
ones too, so there it is used; at any other path the masked documents are looked at. Most documents have nothing that is
hidden: the postings of the hidden paths name those that have, and only these are masked, once a revision and sight.

One rule: bitmaps are copied when they are made, for the index goes on changing. A document is masked by the paths that
were hidden in the version that is answered, however late it is reached.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from threading import Lock
from typing import TypeAlias, cast, overload
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
from rollbook.view.packing import Packing
from rollbook.view.planning.answers import Answer, any_of, exactly
from rollbook.view.planning.planning import answer, planner_of
from rollbook.view.planning.planning_budgets import effort_from_now
from rollbook.view.planning.plans import Plan, plan_of
from rollbook.view.views import HELD, View

MASKED_BYTES_MAX = 64 * 1024 * 1024
BODY_BYTES = 200
"""About what each takes beside its JSON."""

Held: TypeAlias = bytes | tuple[bytes, Packing]
"""JSON as memory holds it, with what it was packed by, if it was."""


class Unknown(Enum):
    """What a sight shows is not known yet."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN
NOTHING_KNOWN: Mapping[Held, bytes | None] = {}


class MaskedBodies:
    """What sights show of JSON that memory holds: what was made last, at most ``bytes_max``. Any thread may ask.

    What is shown follows from the sight and the JSON alone, so nothing that is known here ever becomes wrong.
    """

    def __init__(self, bytes_max: int = MASKED_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._known: dict[Sight, dict[Held, bytes | None]] = {}
        self._made: deque[tuple[Sight, Held]] = deque()
        self._lock = Lock()

    def body(self, sight: Sight, entry: Entry) -> bytes | None:
        """The JSON of an entry as ``sight`` shows it; None when it is not seen."""
        key: Held = entry.held if entry.packing is None else (entry.held, entry.packing)
        known = self._known.get(sight, NOTHING_KNOWN).get(key, UNKNOWN)
        if isinstance(known, Unknown):
            known = sight.body(entry.body)
            self._remember(sight, key, known)
        return known

    def known(self, sight: Sight, held: Iterable[bytes]) -> list[bytes] | None:
        """What ``sight`` shows of all of these, which are not packed; None when it is not known of one, or is nothing.

        What is asked for often is known, so this is one look at each.
        """
        found = list(map(self._known.get(sight, NOTHING_KNOWN).get, held))
        return cast(list[bytes], found) if all(found) else None

    def remember_whole(self, sight: Sight, entry: Entry) -> None:
        """Note that ``sight`` shows all of an entry that is not packed."""
        if entry.packing is None:
            self._remember(sight, entry.held, entry.held)

    def _remember(self, sight: Sight, key: Held, body: bytes | None) -> None:
        with self._lock:
            of_sight = self._known.setdefault(sight, {})
            if key in of_sight:
                return
            self._made.append((sight, key))
            self._bytes += _weight(key, body)
            of_sight[key] = body
            while self._bytes > self._bytes_max:
                self._forget(*self._made.popleft())

    def _forget(self, sight: Sight, key: Held) -> None:
        of_sight = self._known[sight]
        self._bytes -= _weight(key, of_sight.pop(key))
        if not of_sight:
            del self._known[sight]


class Seeing:
    """Gives the view as callers see it. Its methods are for the thread that applies changes to the view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._masked = MaskedBodies()
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
        if entry is None or sight is WHOLE:
            return entry
        body = self._masked.body(sight, entry)
        return None if body is None else with_body(entry, body)

    def read(self, sight: Sight, id: str) -> tuple[bytes, int] | None:
        """The JSON of the newest document of ``id``, and its revision; None when ``sight`` does not show it."""
        entry = self._view.entry(id)
        if entry is None:
            return None
        body = entry.body if sight is WHOLE else self._masked.body(sight, entry)
        return None if body is None else (body, entry.revision)


class SeenView:
    """What a view is, for a caller with limited sight, at one revision of it."""

    def __init__(self, view: View, sight: Sight, masked: MaskedBodies) -> None:
        self.revision = view.revision
        self.index = view.index
        """The index of whole documents: true of what is seen only where ``veil`` shows a path."""
        self.veil = sight
        self.whole = view
        self._bodies = masked
        effort = effort_from_now()
        found = [answer(grant.filter, view.index, effort=effort) for grant in sight.grants]
        covered = any_of(found)
        certain = BitMap(covered.certain)
        self._covered = exactly(certain) if covered.exact else Answer(certain, BitMap(covered.possible))
        self._covers_all = covered.exact and len(certain) == len(view.index.live)
        open_for_sure = [each.certain for each, grant in zip(found, sight.grants, strict=True) if grant.mask == SHOWN]
        hidden = BitMap.union(EMPTY, *(_hidden_by(grant.mask, view.index) for grant in sight.grants))
        self._masked = (hidden - BitMap.union(EMPTY, *open_for_sure)) | (self._covered.possible - certain)

    @property
    def numbers(self) -> BitMap | None:
        """As ``View.numbers``; None when the index can't tell: then the entries of ``select(None)`` are looked at."""
        return self._covered.certain if self._covered.exact else None

    def see(self, entry: Entry) -> Entry | None:
        """An entry of this revision as the caller sees it."""
        if entry.number not in self._masked:
            return entry
        body = self._bodies.body(self.veil, entry)
        return None if body is None else with_body(entry, body)

    def select(self, candidates: BitMap | None) -> Sequence[Entry]:
        """As ``View.select``; of the candidates, those that are not seen are left out. Their length counts them."""
        assert self.revision == self.whole.revision, "what is seen is asked for at its revision"
        return SeenEntries(self, self.whole.select(self._covered.possible if candidates is None else candidates))

    def bodies(self, candidates: BitMap) -> list[bytes]:
        """As ``View.bodies``, of candidates that are seen."""
        if self._masked.isdisjoint(candidates):
            return self.whole.bodies(candidates)
        entries = self.whole.select(candidates)
        known = self._bodies.known(self.veil, map(HELD, entries))
        return [body for entry in entries if (body := self._body(entry)) is not None] if known is None else known

    def plan(self, filter: Filter) -> Plan:
        """As ``View.plan``. The candidates are None only where every document is seen."""
        assert self.revision == self.whole.revision, "what is seen is asked for at its revision"
        covered = self._covered
        planner = planner_of(self.whole.index, effort_from_now(), live=covered.possible, veil=self.veil)
        found = planner.answer(filter, covered.possible)
        return plan_of(found if self._covers_all else found.both(covered), self.index.live)

    def _body(self, entry: Entry) -> bytes | None:
        if entry.number in self._masked:
            return self._bodies.body(self.veil, entry)
        self._bodies.remember_whole(self.veil, entry)
        return entry.body


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


def with_body(entry: Entry, body: bytes) -> Entry:
    """The entry with other JSON; the very same one when it has it."""
    return entry if body is entry.held else entry._replace(held=body, packing=None)


def _weight(key: Held, seen: bytes | None) -> int:
    held = key if isinstance(key, bytes) else key[0]
    return BODY_BYTES + len(held) + (0 if seen is None or seen is held else len(seen))
