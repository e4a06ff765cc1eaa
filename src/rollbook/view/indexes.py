"""The index of documents: the tree of paths, and the elements of the arrays that have an index of their own.

One rule: after any insertions, updates and deletions the index is the one that loading the documents afresh would make.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.view.elements import ElementIndex
from rollbook.view.keys import keys_of
from rollbook.view.trees import Budget, PathIndex, nodes_below
from rollbook.view.walking import Arrays, Term, exchange_terms, same, spread

ELEMENTS_INDEXED: tuple[Path, ...] = (("nodes", "nodeData"),)
"""The arrays whose elements are indexed one by one, so that ``$elemMatch`` on them is exact."""

ELEMENT_MEMBERS_NOT_INDEXED = ("id",)
"""Members of elements that are mostly unique: a key for each would weigh more than it helps."""


class Index:
    """Which documents, by number, have which values where."""

    __slots__ = ("elements", "live", "root", "size")

    def __init__(self, *, elements: Iterable[Path] = ELEMENTS_INDEXED, limits: Limits = DEFAULT_LIMITS) -> None:
        budget = Budget(limits)
        self.root = PathIndex((), budget)
        self.live = BitMap()
        self.size = 0
        """All numbers of documents are less."""
        self.elements: dict[PathIndex, ElementIndex] = {}
        for path in elements:
            node: PathIndex | None = self.root
            for component in path:
                node = None if node is None else node.child(component)
            if node is not None:
                self.elements[node] = ElementIndex(node, budget, not_indexed=ELEMENT_MEMBERS_NOT_INDEXED)

    def insert(self, number: int, document: Document) -> None:
        """Take in a document; its number was never used before."""
        self.live.add(number)
        self.size = max(self.size, number + 1)
        exchange_terms(number, document, (), self._came(number, self.root, document))

    def delete(self, number: int, document: Document) -> None:
        """Give up a document."""
        self.live.discard(number)
        exchange_terms(number, None, self._went(number, self.root, document), ())

    def update(self, number: int, before: Document, after: Document) -> None:
        """Follow a document from one version to the next. Walks only what differs."""
        went: set[Term] = set()
        came: set[Term] = set()
        for gone, there in self._differences(number, self.root, before, after):
            went |= gone
            came |= there
        exchange_terms(number, after, went, came)

    def prepare(self) -> None:
        """After many insertions: compact the postings, and make what ranges over many keys will ask for."""
        for node in nodes_below(self.root):
            node.prepare(self.size)
        for elements in self.elements.values():
            for node in nodes_below(elements.root):
                node.prepare(elements.size)

    def _differences(
        self, number: int, node: PathIndex, before: Document, after: Document
    ) -> Iterator[tuple[set[Term], set[Term]]]:
        """The terms that went and came below ``node``, member by member. Only this place contributes them."""
        for name in before.keys() | after.keys():
            child = node.child(name)
            if child is None or (name in before and name in after and same(before[name], after[name])):
                continue
            old, new = before.get(name), after.get(name)
            if isinstance(old, dict) and isinstance(new, dict):
                yield from self._differences(number, child, old, new)
            elif isinstance(old, list) and isinstance(new, list) and child.elements_apart:
                yield self.elements[child].update(number, old, new)
                yield _exchanged(_own_terms(child, old), _own_terms(child, new))
            else:
                went = self._went(number, node, {name: old} if name in before else {})
                yield _exchanged(went, self._came(number, node, {name: new} if name in after else {}))

    def _came(self, number: int, node: PathIndex, document: Document) -> set[Term]:
        out: list[Term] = []
        arrays: Arrays = []
        spread(node, document, out, arrays)
        return {*out, *chain.from_iterable(self.elements[at].insert(number, array) for at, array in arrays)}

    def _went(self, number: int, node: PathIndex, document: Document) -> set[Term]:
        out: list[Term] = []
        arrays: Arrays = []
        spread(node, document, out, arrays)
        return {*out, *chain.from_iterable(self.elements[at].delete(number, array) for at, array in arrays)}


def _exchanged(before: set[Term], after: set[Term]) -> tuple[set[Term], set[Term]]:
    return before - after, after - before


def _own_terms(node: PathIndex, array: list[Value]) -> set[Term]:
    return {(node, key) for key in keys_of(array, node.budget.limits.indexed_text_length_max)}
