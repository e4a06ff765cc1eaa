"""An index of the elements of one array, as if each were a document: what ``$elemMatch`` asks.

Theory: the index of documents knows that some node has an A100 and that some node has 1 TB; whether it is one node only
an index of nodes can tell. Elements have numbers of their own, ``owners`` says whose they are, and the planner answers
the clause of ``$elemMatch`` on this index as it answers filters on the other. Whatever an element contributes here, its
document contributes at the twin path there.
"""

from array import array
from collections.abc import Iterable
from itertools import zip_longest
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.documents.sharing import shared_ends
from rollbook.documents.values import Value
from rollbook.view.index.numbering import Numbering, Numbers
from rollbook.view.index.postings import bitmap_of_mask, numbers_in
from rollbook.view.index.resolved_paths import ResolvedPath
from rollbook.view.index.trees import IndexBounds, PathIndex
from rollbook.view.index.walking import Term, differences, exchange_terms, keys_on, same, spread, terms_of


class ElementIndex:
    """The elements of the arrays at ``at``, which is a path of the index of documents."""

    __slots__ = ("_free", "_numbers_of", "_used", "at", "live", "owners", "places", "root")

    def __init__(self, at: PathIndex, budget: IndexBounds, *, not_indexed: Iterable[str] = ()) -> None:
        at.elements_apart = True
        budget.apart.add(at.path)
        self.at = at
        self.root = PathIndex((), budget, twin=at)
        for name in not_indexed:
            if (child := self.root.child(name)) is not None:
                child.indexed = False
        self.places: dict[Path, ResolvedPath] = {}
        self.live = BitMap()
        """The elements that are objects. Others have numbers too, so that places and numbers go together."""
        self.owners: NDArray[np.uint32] = np.zeros(1024, dtype=np.uint32)
        """By the number of an element, that of the document that owns it."""
        self._numbers_of = Numbering()
        self._free: list[int] = []
        self._used = 0

    @property
    def size(self) -> int:
        """All numbers of elements are less."""
        return self._used

    def insert(self, document: int, elements: list[Value]) -> set[Term]:
        """Take in the elements of a document; returns what they contribute to the document itself."""
        came: set[Term] = set()
        for number, element in zip(self.take(document, elements), elements, strict=True):
            if isinstance(element, dict):
                terms: list[Term] = []
                spread(self.root, element, terms, None)
                own = set(terms)
                exchange_terms(number, element, (), own)
                came |= own
        return _twins(came)

    def take(self, document: int, elements: list[Value]) -> Numbers:
        """Give numbers to the elements of a document, without indexing them."""
        numbers = self._allocate(document, len(elements))
        self._numbers_of.set(document, numbers)
        self.live.update([number for number, one in zip(numbers, elements, strict=True) if isinstance(one, dict)])
        return numbers

    def delete(self, document: int, elements: list[Value]) -> set[Term]:
        """Give up the elements of a document; returns what they contributed to the document itself."""
        numbers = self._numbers_of.take(document)
        went: set[Term] = set()
        for number, element in zip(numbers, elements, strict=True):
            went |= self._exchange(number, element, None)[0]
        self._free.extend(numbers)
        return _twins(went)

    def update(self, document: int, before: list[Value], after: list[Value]) -> tuple[set[Term], set[Term]]:
        """Follow a changed array; returns what the document does not contribute any more, and what it does now.

        Looks only at elements that differ, and at the others where one of them may still contribute what went.
        """
        start, end = _equal_ends(before, after)
        old, new = before[start : len(before) - end], after[start : len(after) - end]
        numbers = self._resize(document, start, len(old), len(new))
        went: set[Term] = set()
        came: set[Term] = set()
        for number, element_before, element_after in zip_longest(numbers, old, new):
            gone, there = self._exchange(number, element_before, element_after)
            went |= gone
            came |= there
        went -= came
        return _twins({term for term in went if not self._contributes(document, after, term)}), _twins(came)

    def documents_of(self, elements: BitMap, size: int) -> BitMap:
        """The documents that own some of the elements; their numbers are less than ``size``."""
        owners = self.owners[numbers_in(elements)]
        if len(owners) * 64 < size:
            return BitMap(owners.tolist())
        mask = np.zeros(size, dtype=np.bool_)
        mask[owners] = True
        return bitmap_of_mask(mask)

    def elements_of(self, documents: BitMap) -> BitMap:
        """The elements of these documents that are objects."""
        return self._numbers_of.of_all(documents) & self.live

    def state(self) -> list[bytes | int]:
        """All that the tree does not hold, for ``restore``."""
        free = array("I", self._free).tobytes()
        return [
            self._used,
            self.live.serialize(),
            self.owners[: self._used].tobytes(),
            free,
            *self._numbers_of.state(),
        ]

    def restore(self, used: int, live: bytes, owners: bytes, free: bytes, *numbers_of: bytes) -> None:
        """Take over the state of another index of the same elements."""
        self._used = used
        self.live = BitMap.deserialize(live)
        self.owners = np.frombuffer(owners, dtype=np.uint32).copy()
        self._free = array("I", free).tolist()
        self._numbers_of.restore(*numbers_of)

    def owners_of(self, elements: list[int]) -> list[int]:
        """The documents that own the elements, each once where its elements follow each other."""
        if len(elements) == 1:
            return [int(self.owners[elements[0]])]
        owners = self.owners[elements]
        changes = np.flatnonzero(owners[1:] != owners[:-1]) + 1
        owned: list[int] = owners[np.concatenate(([0], changes))].tolist()
        return owned

    def _exchange(self, number: int, before: Value, after: Value) -> tuple[set[Term], set[Term]]:
        """An element changes, comes (``before`` None) or goes (``after`` None). Returns what went and what came."""
        went: set[Term] = set()
        came: set[Term] = set()
        old, new = before if isinstance(before, dict) else {}, after if isinstance(after, dict) else {}
        for difference in differences(self.root, old, new):
            gone, _ = terms_of(difference.node, difference.name, difference.before)
            there, _ = terms_of(difference.node, difference.name, difference.after)
            went |= gone - there
            came |= there - gone
        exchange_terms(number, after, went, came)
        if isinstance(after, dict):
            self.live.add(number)
        else:
            self.live.discard(number)
        return went, came

    def _contributes(self, document: int, elements: list[Value], term: Term) -> bool:
        """Whether one of the document's elements, which are indexed as they are now, has the key at the path."""
        node, key = term
        if not node.indexed:
            return _contributes(elements, term)
        posting = node.posting(key)
        if posting is None or isinstance(posting, int):
            return posting is not None and self.owners[posting] == document
        numbers = self._numbers_of.get(document)
        if len(posting) <= len(numbers):
            return bool((self.owners[numbers_in(posting)] == document).any())
        return any(map(posting.__contains__, numbers))

    def _resize(self, document: int, start: int, old_size: int, new_size: int) -> list[int]:
        """The numbers of the elements from ``start`` on, as many as there are or were: the longer of the two."""
        numbers = self._numbers_of.get(document)
        middle = list(numbers[start : start + old_size])
        kept = middle[:new_size]
        made = self._allocate(document, new_size - len(kept))
        self._free.extend(middle[new_size:])
        if old_size != new_size:
            self._numbers_of.replace(document, start, start + old_size, [*kept, *made])
        return [*middle, *made]

    def _allocate(self, document: int, count: int) -> Numbers:
        reused = min(count, len(self._free))
        first, self._used = self._used, self._used + count - reused
        if self._used > len(self.owners):
            self.owners = np.resize(self.owners, max(self._used, len(self.owners) * 3 // 2))
        numbers: Numbers = range(first, self._used)
        if reused:
            numbers = [*self._free[-reused:], *numbers]
            del self._free[-reused:]
        self.owners[numbers] = document
        return numbers


def _twins(terms: set[Term]) -> set[Term]:
    return {(node.twin, key) for node, key in terms if node.twin is not None}


def _contributes(elements: list[Value], term: Term) -> bool:
    """Whether one of the elements has a key that no posting of elements holds."""
    node, key = term
    if isinstance(key, str) and len(node.path) == 1:
        try:
            members = list(map(itemgetter(node.path[0]), elements))  # type: ignore[arg-type]
            if key in members or set(map(type, members)) <= {str}:
                return key in members
        except (KeyError, TypeError, IndexError):
            pass
    return any(key in keys_on(element, node) for element in elements)


def _equal_ends(before: list[Value], after: list[Value]) -> tuple[int, int]:
    """How many elements are the same at the beginning, and of the rest at the end."""
    shorter = min(len(before), len(after))
    start, end = shared_ends(before, after)
    while start < shorter - end and same(before[start], after[start]):
        start += 1
    while end < shorter - start and same(before[-1 - end], after[-1 - end]):
        end += 1
    return start, end
