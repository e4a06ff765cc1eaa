"""Dotted paths: ``"nodes.nodeData.0.memory"`` is ``("nodes", "nodeData", "0", "memory")``.

What a path *means* differs between filters, updates, projections and expressions; each walks it by its own rule. Here
is only what they share.
"""

from typing import TypeAlias

Path: TypeAlias = tuple[str, ...]


def parse_path(dotted: str) -> Path:
    """The components of a dotted path. Never refuses: empty components stay, and their user judges them."""
    return tuple(dotted.split("."))


def dotted(path: Path) -> str:
    """The path as it is written in a request."""
    return ".".join(path)


def array_index(component: str) -> int | None:
    """The array index that a component names, or None: digits only, and no leading zero but in ``"0"``."""
    if not (component.isascii() and component.isdigit() and len(component) <= INDEX_DIGITS_MAX):
        return None
    return int(component) if component == "0" or component[0] != "0" else None


INDEX_DIGITS_MAX = 19
"""No array is longer; and Python refuses to read thousands of digits."""
