"""Vocabularies: which names and words a filter in words may use beside full paths."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from rollbook.documents.values import Document


def contains(word: str) -> Document | None:
    """No bare word means anything."""
    return None


class Vocabulary(Struct, frozen=True):
    """``aliases`` are short names of paths; ``paths`` are the known ones, for suggestions.

    ``meaning`` is the filter that a word means which stands alone, or None where it means nothing.
    """

    aliases: Mapping[str, str] = {}
    paths: tuple[str, ...] = ()
    meaning: Callable[[str], Document | None] = contains

    def path_of(self, name: str) -> str:
        """The path that a name stands for: its own, unless it is short for another."""
        return self.aliases.get(name, name)


PLAIN = Vocabulary()
"""Full paths only."""
