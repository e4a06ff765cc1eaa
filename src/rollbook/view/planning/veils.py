"""What is hidden from a caller, as plans have to know it.

One rule: where a veil hides something of a path, in any document, a plan uses no index of it.
"""

from typing import Protocol

from msgspec import Struct

from rollbook.documents.paths import Path


class Veil(Protocol):
    """Says of paths how much of them a caller sees."""

    def shows(self, path: Path, /) -> bool:
        """Whether all that lies at and below a path is shown, in every document."""
        ...

    def may_hide(self, path: Path, /) -> bool:
        """Whether nothing of what lies at a path is shown in some document."""
        ...


class VeilBelow(Struct, frozen=True):
    """The veil over the elements of the array at ``prefix``; their paths begin at an element."""

    veil: Veil
    prefix: Path

    def shows(self, path: Path) -> bool:
        """As the whole veil, at the path of the element."""
        return self.veil.shows((*self.prefix, *path))

    def may_hide(self, path: Path) -> bool:
        """As the whole veil, at the path of the element."""
        return self.veil.may_hide((*self.prefix, *path))
