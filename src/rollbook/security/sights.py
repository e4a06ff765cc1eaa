"""Sights: what a caller sees of documents by a verb of reading.

Theory: a sight is a list of grants. A document that no grant covers is not there; of the others the caller sees the
union of what the grants that cover them show. Everything that is answered to a caller is made of what its sight gives:
entries, changes and paths of the index.

One rule: filters of rules see whole documents; callers' filters see masked ones.
"""

from collections.abc import Sequence
from functools import cached_property, reduce
from operator import or_
from typing import TypeAlias
from weakref import WeakValueDictionary

from msgspec import Struct

from rollbook.clusters.large_documents import decode_stored
from rollbook.documents.codec import encode_to_keep
from rollbook.documents.paths import Path
from rollbook.documents.values import Document
from rollbook.errors import RegistryError
from rollbook.journal.changes import Change, Kind
from rollbook.language.filters import Filter, Predicate
from rollbook.language.filters.nodes import EVERYTHING
from rollbook.security.masks import SHOWN, Mask, Visibility
from rollbook.view.entries import Entry

Versions: TypeAlias = tuple[Document | None, Document | None]

PATHS_KNOWN_MAX = 256


class Grant(Struct, frozen=True):
    """A rule in force for one caller. ``holds`` is None when it is about every cluster.

    ``logged``: what it alone shows is to be in the audit log.
    """

    verbs: frozenset[str]
    filter: Filter
    holds: Predicate | None
    mask: Mask
    writes: Mask
    logged: bool = False

    def covers(self, document: Document) -> bool:
        """Whether it is about this cluster. A filter that can't be evaluated on a document does not cover it."""
        try:
            return self.holds is None or self.holds(document)
        except RegistryError:
            return False


class Sight(Struct, frozen=True, eq=False, weakref=True, dict=True):
    """What a caller sees of the fleet, by one verb. Made by ``sight_of``: sights that show the same are one object."""

    grants: tuple[Grant, ...]
    key: bytes = b""
    """What distinguishes this sight from others, in this process and the next."""

    @property
    def is_whole(self) -> bool:
        """Whether it sees everything: then nothing has to be masked."""
        return self is WHOLE

    def mask_of(self, document: Document) -> Mask | None:
        """What is shown of a document; None when it is not seen at all."""
        masks = [grant.mask for grant in self.grants if grant.covers(document)]
        return reduce(or_, masks) if masks else None

    def shown(self, document: Document) -> Document | None:
        """The document as the caller sees it; None when it does not see it. The very same object when all is shown."""
        mask = self.mask_of(document)
        return None if mask is None else mask.masked(document)

    def body(self, body: bytes, document: Document | None = None) -> bytes | None:
        """The JSON of a document as the caller sees it; the very same object when all is shown.

        ``document`` is what ``body`` holds, where that is known.
        """
        document = decode_stored(body) if document is None else document
        shown = self.shown(document)
        return body if shown is document else None if shown is None else encode_to_keep(shown)

    def entry(self, entry: Entry) -> Entry | None:
        """The entry as the caller sees it."""
        if self is WHOLE:
            return entry
        whole = entry.body
        body = self.body(whole)
        if body is None:
            return None
        return entry if body is whole else entry._replace(held=body, packing=None)

    def change(self, change: Change, versions: Versions = (None, None)) -> Change | None:
        """The change as the caller sees it; None when it changes nothing that the caller sees.

        A document that comes into sight is created, and one that leaves it is deleted. ``versions`` are the documents
        before and after it, where they are known.
        """
        if self is WHOLE:
            return change
        before = None if change.before is None else self.body(change.before, versions[0])
        after = None if change.after is None else self.body(change.after, versions[1])
        if before == after and (before is None or change.kind not in ("protected", "unprotected")):
            return None
        kind: Kind = "created" if before is None else "deleted" if after is None else change.kind
        return change._replace(before=before, after=after, kind=kind)

    def visibility(self, path: Path) -> Visibility:
        """How much of a path is shown in every document that is seen."""
        found = {grant.mask.visibility(path) for grant in self.grants} or {Visibility.NOTHING}
        return found.pop() if len(found) == 1 else Visibility.PART

    def shows(self, path: Path) -> bool:
        """Whether all that lies at and below a path is shown, in every document that is seen.

        A number in a path may name a member or an element: both have to be shown.
        """
        return self._judged(path)[0]

    def may_hide(self, path: Path) -> bool:
        """Whether some document that is seen may hide the path wholly."""
        return self._judged(path)[1]

    def _judged(self, path: Path) -> tuple[bool, bool]:
        """Whether it shows all at a path, and whether it may hide the path; remembered, for plans ask every time."""
        judged = self._known.get(path)
        if judged is None:
            names = tuple(name for name in path if not name.isdigit())
            shows = self.visibility(path) is self.visibility(names) is Visibility.ALL
            hides = not self.grants or any(each.mask.visibility(path) is Visibility.NOTHING for each in self.grants)
            if len(self._known) >= PATHS_KNOWN_MAX:
                self._known.clear()
            judged = self._known[path] = shows, hides
        return judged

    @cached_property
    def _known(self) -> dict[Path, tuple[bool, bool]]:
        return {}


def sight_of(grants: Sequence[Grant]) -> Sight:
    """The sight that these grants add up to."""
    if any(grant.holds is None and grant.mask == SHOWN for grant in grants):
        return WHOLE
    key = repr([(grant.filter, grant.mask) for grant in grants]).encode()
    known = _KNOWN.get(key)
    if known is None:
        known = _KNOWN[key] = Sight(tuple(grants), key)
    return known


_KNOWN: WeakValueDictionary[bytes, Sight] = WeakValueDictionary()

WHOLE = Sight((Grant(frozenset(), EVERYTHING, None, SHOWN, SHOWN),))
"""Everything. Compare with ``is``: the usual case costs nothing."""
