"""The index of documents: the tree of paths, and the elements of the arrays that have an index of their own.

One rule: after any insertions, updates and deletions the index is the one that loading the documents afresh would make.
"""

from collections.abc import Iterable

from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.documents.values import Document
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.view.index.elements import ElementIndex
from rollbook.view.index.ranges import prepare
from rollbook.view.index.resolved_paths import ResolvedPath
from rollbook.view.index.trees import IndexBounds, PathIndex, nodes_below
from rollbook.view.index.walking import (
    Arrays,
    Difference,
    Term,
    differences,
    exchange_terms,
    own_terms,
    spread,
    terms_of,
)

ELEMENTS_INDEXED: tuple[Path, ...] = (("nodes", "nodeData"),)
"""The arrays whose elements are indexed one by one, so that ``$elemMatch`` on them is exact."""

ELEMENT_MEMBERS_NOT_INDEXED = ("id",)
"""Members of elements that are mostly unique: a key for each would weigh more than it helps."""


ONLY_DIGESTS: tuple[Path, ...] = (("config", "urlMap"),)
"""Where all strings are taken for long ones: five addresses of a cluster that nobody else has. They are found by
equality at once; a pattern or a range of them is looked for document by document."""


class Index:
    """Which documents, by number, have which values where.

    Without ``values`` it knows which documents there are, and nothing else: there is nothing to plan with.
    """

    __slots__ = ("elements", "live", "places", "root", "size", "values")

    def __init__(
        self, *, elements: Iterable[Path] = ELEMENTS_INDEXED, limits: Limits = DEFAULT_LIMITS, values: bool = True
    ) -> None:
        self.values = values
        budget = IndexBounds(limits, only_digests=ONLY_DIGESTS)
        self.root = PathIndex((), budget)
        self.places: dict[Path, ResolvedPath] = {}
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
        if not self.values:
            return
        out: list[Term] = []
        arrays: Arrays = []
        spread(self.root, document, out, arrays)
        its_elements = (self.elements[at].insert(number, array) for at, array in arrays)
        exchange_terms(number, document, (), set(out).union(*its_elements))

    def delete(self, number: int, document: Document) -> None:
        """Give up a document."""
        self.live.discard(number)
        if not self.values:
            return
        out: list[Term] = []
        arrays: Arrays = []
        spread(self.root, document, out, arrays)
        its_elements = (self.elements[at].delete(number, array) for at, array in arrays)
        exchange_terms(number, None, set(out).union(*its_elements), ())

    def update(self, number: int, before: Document, after: Document) -> None:
        """Follow a document from one version to the next. Walks only what differs."""
        if not self.values:
            return
        went: set[Term] = set()
        came: set[Term] = set()
        for difference in differences(self.root, before, after):
            gone, there = self._exchange(number, difference)
            went |= gone
            came |= there
        exchange_terms(number, after, went, came)

    def prepare(self) -> None:
        """After many insertions: compact the postings, and make what ranges over many keys will ask for."""
        for node in nodes_below(self.root):
            prepare(node, self.size)
        for elements in self.elements.values():
            for node in nodes_below(elements.root):
                prepare(node, elements.size)

    def _exchange(self, number: int, difference: Difference) -> tuple[set[Term], set[Term]]:
        """The terms that went and came with a changed member. No other place of the document contributes them."""
        child, old, new = difference.child, difference.before, difference.after
        if child.elements_apart and isinstance(old, list) and isinstance(new, list):
            went, came = own_terms(child, old), own_terms(child, new)
            gone, there = self.elements[child].update(number, old, new)
            return went - came | gone, came - went | there
        went, arrays_before = terms_of(difference.node, difference.name, old)
        came, arrays_after = terms_of(difference.node, difference.name, new)
        for at, array in arrays_before:
            went |= self.elements[at].delete(number, array)
        for at, array in arrays_after:
            came |= self.elements[at].insert(number, array)
        return went - came, came - went
