"""Growing the tree of a projection, path by path.

One rule: no path runs through another one's end. ``a`` and ``a.b`` collide, whichever comes first.
"""

from enum import Enum
from typing import TypeAlias

from rollbook.documents.paths import Path
from rollbook.language.projections.nodes import Branch, Leaf

Tree: TypeAlias = "dict[str, Leaf | Tree]"


class Collision(Enum):
    """How a path collides with those before it."""

    PASSES_AN_END = "an earlier path ends on the way"
    ENDS_ON_THE_WAY = "an earlier path goes on from here, or ends here"


def add_leaf(tree: Tree, path: Path, leaf: Leaf) -> Collision | None:
    """Put ``leaf`` at the end of ``path``; or say how the path collides, and change nothing that matters."""
    for component in path[:-1]:
        below = tree.setdefault(component, {})
        if not isinstance(below, dict):
            return Collision.PASSES_AN_END
        tree = below
    if path[-1] in tree:
        return Collision.ENDS_ON_THE_WAY
    tree[path[-1]] = leaf
    return None


def branch_of(tree: Tree) -> Branch:
    """The tree, frozen."""
    members = [(name, branch_of(node) if isinstance(node, dict) else node) for name, node in tree.items()]
    return Branch(tuple(members))
