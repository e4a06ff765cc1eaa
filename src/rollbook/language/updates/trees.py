"""An update as a tree of paths: where a walk goes, in which order, and what it does at the leaves.

One rule: two changes may share a way, never a place. A change at another's path or on the way to it is a conflict, and
so is a field or index beside ``$[...]`` of the same array, for that may be the same element.

Children are in the order in which MongoDB creates fields: indexes by number, names by their text.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from functools import reduce
from typing import TypeAlias

from msgspec import Struct, field

from rollbook.documents.paths import Path, dotted
from rollbook.errors import UpdateRefused
from rollbook.language.updates.array_filters import identifier_in
from rollbook.language.updates.operators import Edit


class Leaf(Struct, frozen=True):
    """What happens at one path, and how its request named it."""

    edit: Edit
    path: Path
    operator: str
    at: str
    weight: int = 0
    yields: bool = False


class Fields(Struct):
    """Children by field name, or by index where the value turns out to be an array."""

    children: "dict[str, Tree]" = field(default_factory=dict)


class Elements(Struct):
    """Children by identifier, the empty one for every element. ``merged`` keeps what several of them make together."""

    children: "dict[str, Tree]" = field(default_factory=dict)
    merged: "dict[tuple[str, ...], Tree]" = field(default_factory=dict)

    def child_for(self, identifiers: tuple[str, ...]) -> "Tree":
        """The tree for an element that these identifiers select; refuses where they would change the same place."""
        if len(identifiers) == 1:
            return self.children[identifiers[0]]
        tree = self.merged.get(identifiers)
        if tree is None:
            tree = reduce(merged, (self.children[identifier] for identifier in identifiers))
            if len(self.merged) < MERGED_KEPT_MAX:
                self.merged[identifiers] = tree
        return tree


Tree: TypeAlias = Leaf | Fields | Elements


def tree_of(leaves: Iterable[tuple[Path, Leaf]]) -> Fields:
    """The tree in which each leaf stands at its path; refuses leaves in conflict."""
    root = Fields()
    for path, leaf in leaves:
        _plant(root, path, leaf)
    _arrange(root)
    return root


def _plant(root: Fields, path: Path, leaf: Leaf) -> None:
    branch: Fields | Elements = root
    for position, component in enumerate(path[:-1]):
        wanted = Elements if identifier_in(path[position + 1]) is not None else Fields
        child = branch.children.setdefault(_child_name(component), wanted())
        if not isinstance(child, wanted):
            raise conflict(leaf, path[: position + 1])
        branch = child
    if branch.children.setdefault(_child_name(path[-1]), leaf) is not leaf:
        raise conflict(leaf, path)


def _child_name(component: str) -> str:
    identifier = identifier_in(component)
    return component if identifier is None else identifier


def _arrange(tree: Tree) -> None:
    if isinstance(tree, Leaf):
        return
    if isinstance(tree, Fields) and len(tree.children) > 1:
        tree.children = {name: tree.children[name] for name in _in_creation_order(tree.children)}
    for child in tree.children.values():
        _arrange(child)


def merged(left: Tree, right: Tree) -> Tree:
    """One tree that does what both do; refuses where they meet at a leaf."""
    if isinstance(left, Leaf) or isinstance(right, Leaf) or type(left) is not type(right):
        raise conflict(next(leaves_of(right)), next(leaves_of(right)).path)
    both = dict(left.children)
    for name, child in right.children.items():
        both[name] = merged(both[name], child) if name in both else child
    tree = type(left)(both)
    _arrange(tree)
    return tree


def leaves_of(tree: Tree) -> Iterator[Leaf]:
    """Every leaf, in the order of the walk."""
    if isinstance(tree, Leaf):
        yield tree
        return
    for child in tree.children.values():
        yield from leaves_of(child)


def conflict(leaf: Leaf, where: Path) -> UpdateRefused:
    """The refusal of a second change at one place."""
    return UpdateRefused(
        f"{leaf.operator} of {dotted(leaf.path)!r} is in conflict with another change at {dotted(where)!r}",
        at=leaf.at,
        mongo_code=40,
    )


def _in_creation_order(names: Collection[str]) -> Iterator[str]:
    """Indexes by number and other names by their text, merged by text: numbers have no place of their own in words."""
    indexes = deque(sorted(filter(_is_index, names), key=lambda index: (len(index), index)))
    for name in sorted(name for name in names if not _is_index(name)):
        while indexes and indexes[0] < name:
            yield indexes.popleft()
        yield name
    yield from indexes


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and (name == "0" or name[0] != "0")


MERGED_KEPT_MAX = 256
"""Keep at most 256 combinations of identifiers; an update that meets more of them merges again."""
