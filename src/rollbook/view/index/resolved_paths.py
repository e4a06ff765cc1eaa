"""Where in the tree a filter's path leads, and what the arrays on the way make uncertain."""

from collections.abc import Iterator
from itertools import product

from msgspec import Struct
from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.view.index.keys import ARRAY, NESTED, UNKNOWN
from rollbook.view.index.postings import EMPTY
from rollbook.view.index.trees import IndexBounds, PathIndex

NOTHING = PathIndex((), IndexBounds())
"""The node of every path that no document has."""

NUMERIC_COMPONENTS_MAX = 3

ADDED_BY_REGISTRY = "_registry"
"""What a filter may ask about, and no stored document holds."""


class ResolvedPath(Struct, frozen=True):
    """The node of a path, and the nodes on the way to it."""

    node: PathIndex
    way: tuple[PathIndex, ...]

    def unknown(self) -> BitMap:
        """The documents with an array here, or on the way, that has more values than are indexed."""
        found = EMPTY
        for node in (self.node, *self.way):
            if UNKNOWN in node.postings:  # which is rare, and asked of every clause
                found = found | node.get(UNKNOWN)
        return found

    def crossing(self) -> BitMap:
        """The documents with an array on the way: in them the path may lead to values here and to nothing there."""
        found = EMPTY
        for node in self.way:
            arrays = node.get(ARRAY)
            found = found | arrays if arrays else found
        return found


def place_of(root: PathIndex, path: Path) -> ResolvedPath | None:
    """Where ``path`` leads, reading its components as names; None when the index does not know."""
    node, way = root, []
    if path[0] == ADDED_BY_REGISTRY:
        return None
    for component in path:
        if not component:
            return None
        child = node.children.get(component)
        if child is None:
            if node.overflowed:
                return None
            child = NOTHING
        if not child.indexed:
            return None
        way.append(child)
        node = child
    return ResolvedPath(node, tuple(way[:-1]))


def is_numeric(component: str) -> bool:
    """Whether a component may name an element of an array, and so leads to two places."""
    return component.isdigit()


def readings(path: Path) -> Iterator[Path] | None:
    """The paths that a path with numeric components may mean in the tree, where elements have no level of their own.

    None when they are too many. The first component is always a name, for a document is no array.
    """
    choices = [
        ((component,), ()) if at and is_numeric(component) else ((component,),) for at, component in enumerate(path)
    ]
    if sum(len(choice) > 1 for choice in choices) > NUMERIC_COMPONENTS_MAX:
        return None
    return (tuple(name for names in reading for name in names) for reading in product(*choices))


def nested_on(root: PathIndex, path: Path) -> BitMap:
    """The documents with arrays in arrays on the way of ``path``: what these hold is in no posting."""
    found, node = EMPTY, root
    for component in path:
        if (child := node.children.get(component)) is None:
            break
        node = child
        found = found | node.get(NESTED)
    return found
