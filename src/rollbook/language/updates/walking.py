"""The walk that applies a tree of changes to a document, and the only place that edits one.

Theory: the walk goes down the tree and the document together. It returns the old value itself where nothing changed, so
a container is copied only when a child comes back as another object. Where the document ends before the tree, the walk
goes on with MISSING; what comes back is created, in the tree's order, and when only MISSING comes back nothing is.
Where the document has a value that the path can't go on through, the leaves below decide: most refuse, some yield.

One rule: MISSING as the result of an edit removes a field, but leaves null in an array, whose other elements keep
their places.
"""

from collections.abc import Mapping

from msgspec import Struct

from rollbook.documents.editing import element_index, identical, with_elements, with_members
from rollbook.documents.paths import dotted
from rollbook.documents.values import MISSING, Document, Maybe, Value, type_name
from rollbook.errors import UpdateRefused
from rollbook.language.filters import Predicate
from rollbook.language.updates.trees import Elements, Fields, Leaf, Tree, leaves_of
from rollbook.limits import RequestBudget


class Walk(Struct):
    """One application of an update: what selects elements, and how much it may still add to the document."""

    selects: Mapping[str, Predicate]
    work: RequestBudget | None
    padding_left: int
    bytes_left: int

    def edited(self, tree: Tree, value: Maybe) -> Maybe:
        """The value after the changes: the same object when there are none."""
        match tree:
            case Leaf():
                return self._changed(tree, value)
            case Fields():
                match value:
                    case dict():
                        return self._object(tree, value)
                    case list():
                        return self._array(tree, value)
                    case _ if value is MISSING:
                        return self._object(tree, {}) or MISSING
                return self._blocked(tree, value)
            case Elements():
                return self._elements(tree, value)

    def _changed(self, leaf: Leaf, old: Maybe) -> Maybe:
        try:
            new = leaf.edit(old)
        except UpdateRefused as refused:
            raise _placed(leaf, refused.mongo_code, refused.message) from None
        if leaf.weight and new is not old:
            self.bytes_left -= leaf.weight
            if self.bytes_left < 0:
                raise _placed(leaf, 10334, "applied to this many elements, it makes the document too large")
        return old if identical(new, old) else new

    def _object(self, tree: Fields, document: Document) -> Document:
        changes: dict[str, Maybe] = {}
        for name, child in tree.children.items():
            old = document.get(name, MISSING)
            new = self.edited(child, old)
            if new is not old:
                changes[name] = new
        return with_members(document, changes)

    def _array(self, tree: Fields, array: list[Value]) -> list[Value]:
        changes: dict[int, Value] = {}
        end = len(array)
        for name, child in tree.children.items():
            index = element_index(name)
            if index is None:
                self._blocked(child, array)
                continue
            old = changes[index] if index in changes else array[index] if index < len(array) else MISSING
            new = self.edited(child, old)
            if new is not old and not (new is MISSING and old is None):
                changes[index] = None if new is MISSING else new
                self._pad(index - end, child)
                end = max(end, index + 1)
        return with_elements(array, changes)

    def _pad(self, padding: int, tree: Tree) -> None:
        self.padding_left -= max(padding, 0)
        if self.padding_left < 0:
            leaf = next(leaves_of(tree))
            raise _placed(leaf, 34, "the index is too far beyond the end of the array to fill the way with null")

    def _elements(self, tree: Elements, value: Maybe) -> Maybe:
        if not isinstance(value, list):
            found = "there is none" if value is MISSING else f"the document has a value of type {type_name(value)}"
            raise _placed(next(leaves_of(tree)), 2, f"'$[]' and '$[name]' need an array, but {found}")
        changes: dict[int, Value] = {}
        for index, element in enumerate(value):
            child = self._child_for(tree, element)
            if child is not None:
                new = self.edited(child, element)
                if new is not element and not (new is MISSING and element is None):
                    changes[index] = None if new is MISSING else new
        return with_elements(value, changes)

    def _child_for(self, tree: Elements, element: Value) -> Tree | None:
        """The part of the tree for an element: that of the identifiers which select it."""
        if self.work is not None:
            self.work.spend(len(tree.children))
        identifiers = [
            identifier
            for identifier in tree.children
            if identifier == "" or self.selects[identifier]({identifier: element})
        ]
        return tree.child_for(tuple(identifiers)) if identifiers else None

    def _blocked(self, tree: Tree, value: Maybe) -> Maybe:
        """What can't be reached: through a scalar, or by a name through an array."""
        match tree:
            case Leaf():
                if not tree.yields:
                    raise _placed(tree, 28, f"the path can't go on through the {type_name(value)} that is on it")
            case Elements():
                self._elements(tree, MISSING)
            case Fields():
                for child in tree.children.values():
                    self._blocked(child, value)
        return value


def _placed(leaf: Leaf, mongo_code: int | None, why: str) -> UpdateRefused:
    return UpdateRefused(f"{leaf.operator} of {dotted(leaf.path)!r}: {why}", at=leaf.at, mongo_code=mongo_code)
