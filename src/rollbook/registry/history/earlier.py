"""What changed since a revision, as it was then: read from the journal once, and kept for the pages that follow.

Theory: the pages of one list are all of one revision. What was touched between it and the page before is known already,
and what was touched since stood at the page before as it did at the revision. So a page reads what changed since the
page before it, and not since the first one.

One rule: what is kept is what reading it again would give. It is bounded, and forgotten when nobody uses it.
"""

import threading
from collections.abc import Sequence
from contextlib import closing

from msgspec import Struct

from rollbook.errors import Compacted
from rollbook.journal.interface import Journal
from rollbook.limits import RequestBudget
from rollbook.registry.history.past_fleets import entry_of
from rollbook.view.entries import Entry
from rollbook.view.views import View

KEPT_MAX, KEPT_BYTES_MAX = 16, 64 * 1024 * 1024
TOUCHED_BYTES = 100
"""What an id that was touched takes beside its text, about."""


class Earlier(Struct, frozen=True):
    """The clusters that were ``touched`` after a revision, and up to ``position``; those that were there as entries.

    ``entries`` are in order of creation. All of it takes ``size_bytes``, about: JSON and ids.
    """

    position: int
    touched: frozenset[str] = frozenset()
    entries: Sequence[Entry] = ()
    size_bytes: int = 0


class EarlierVersions:
    """Reads what changed since revisions. May be asked from any thread."""

    def __init__(self, journal: Journal, view: View, *, kept_bytes_max: int = KEPT_BYTES_MAX) -> None:
        self._journal = journal
        self._view = view
        self._kept_bytes_max = kept_bytes_max
        self._kept: dict[int, Earlier] = {}
        self._used: set[int] = set()
        self._lock = threading.Lock()

    @property
    def kept_bytes(self) -> int:
        """How much is kept for the pages that follow."""
        return sum(each.size_bytes for each in self._kept.values())

    def since(self, revision: int, work: RequestBudget) -> Earlier:
        """What changed after ``revision``, as it was then. Refuses (Compacted) a revision that is no longer kept."""
        if revision < self._journal.compaction.mark():
            raise Compacted(f"what was at revision {revision} is no longer kept")
        with self._lock:
            known = self._kept.get(revision, Earlier(revision))
        work.allocate(known.size_bytes)
        newest = max(self._journal.newest(), self._view.revision)  # what is read now has come this far at least
        if newest > known.position:
            known = self._read_on(known, newest, work)
        self._keep(revision, known)
        return known

    def forget_unused(self) -> None:
        """Forget what was not used since this was last called."""
        with self._lock:
            self._kept = {revision: known for revision, known in self._kept.items() if revision in self._used}
            self._used.clear()

    def _read_on(self, known: Earlier, newest: int, work: RequestBudget) -> Earlier:
        touched, entries, size_bytes = set(known.touched), list(known.entries), known.size_bytes
        with closing(self._journal.past.earlier(known.position, work=work)) as earlier:
            for id, version in earlier:
                if id in touched:
                    continue
                touched.add(id)
                came_bytes = TOUCHED_BYTES + len(id) + (0 if version is None else len(version.body))
                work.allocate(came_bytes)
                size_bytes += came_bytes
                if version is not None:
                    entries.append(entry_of(version))
        entries.sort(key=lambda entry: entry.created_revision)
        return Earlier(newest, frozenset(touched), entries, size_bytes)

    def _keep(self, revision: int, known: Earlier) -> None:
        if known.size_bytes > self._kept_bytes_max:  # what is kept of it, and of others, is still of use
            return
        with self._lock:
            self._kept.pop(revision, None)
            self._kept[revision] = known
            self._used.add(revision)
            while len(self._kept) > KEPT_MAX or self.kept_bytes > self._kept_bytes_max:
                del self._kept[next(iter(self._kept))]


def entries_at(present: Sequence[Entry], earlier: Earlier) -> Sequence[Entry]:
    """The entries of a revision, of those of the present and what the clusters touched since then were."""
    if not earlier.touched:
        return present
    entries = [entry for entry in present if entry.id not in earlier.touched]
    entries += earlier.entries
    entries.sort(key=lambda entry: entry.created_revision)
    return entries
