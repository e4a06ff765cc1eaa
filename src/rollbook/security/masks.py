"""Masks: which members of a document a caller sees.

Theory: a mask is a tree of names. Each node says whether what lies at its path is shown, and its children say otherwise
of some members. Arrays have no level of their own: their elements are masked as the array's path says, as paths lead
through arrays in filters. What two roles show together is the union of their masks.

One rule: a masked document is a document in which the hidden members are not there; nothing marks their place.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum
from typing import cast

from msgspec import Struct

from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document, Maybe, Value


class Visibility(Enum):
    """How much of what lies at and below a path is shown."""

    ALL = "all"
    PART = "part"
    NOTHING = "nothing"


class Mask(Struct, frozen=True):
    """Whether what lies at a path is ``shown``; ``children`` are the exceptions, by member."""

    shown: bool = True
    children: Mapping[str, "Mask"] = {}

    def masked(self, document: Document) -> Document:
        """The document without its hidden members; the very same object when it has none."""
        return cast(Document, self._masked(document)) if self.children else document if self.shown else {}

    def masked_elements(self, elements: list[Value]) -> list[Value]:
        """What is shown of the elements of an array at the mask's own path."""
        return [shown for element in elements if (shown := self._masked(element)) is not MISSING]

    def visibility(self, path: Path) -> Visibility:
        """How much is shown at ``path`` and below it."""
        mask = self.at(path)
        if not mask.children:
            return Visibility.ALL if mask.shown else Visibility.NOTHING
        return Visibility.PART

    def at(self, path: Path) -> "Mask":
        """The mask of what lies at ``path``."""
        mask = self
        for name in path:
            mask = mask.child(name)
        return mask

    def child(self, name: str) -> "Mask":
        """The mask of a member."""
        return self.children.get(name) or (SHOWN if self.shown else HIDDEN)

    def __or__(self, other: "Mask") -> "Mask":
        """What is shown by one of the two."""
        if self in (SHOWN, other) or other == HIDDEN:
            return self
        shown = self.shown or other.shown
        names = self.children.keys() | other.children.keys()
        return _mask(shown, {name: self.child(name) | other.child(name) for name in names})

    def _masked(self, value: Maybe) -> Maybe:
        if not self.children:
            return value if self.shown else MISSING
        match value:
            case dict():
                return _same_or(
                    value, {n: v for n, m in value.items() if (v := self.child(n)._masked(m)) is not MISSING}
                )
            case list():
                return _same_or(value, self.masked_elements(value))
        return value if self.shown else MISSING


SHOWN, HIDDEN = Mask(), Mask(shown=False)


def hiding(paths: Iterable[Path]) -> Mask:
    """The mask that shows everything but what lies at these paths."""
    return _without_defaults(_tree(paths, SHOWN, HIDDEN))


def showing(paths: Iterable[Path]) -> Mask:
    """The mask that shows what lies at these paths alone. The objects on the way to them are shown, as empty ones."""
    return _without_defaults(_tree(paths, HIDDEN, SHOWN))


def hidden_paths(mask: Mask) -> list[Path]:
    """The paths at which the mask begins to hide: ``()`` alone where it shows nothing but listed paths."""
    return [path for path, shown in turns_of(mask, is_shown=True) if not shown]


def turns_of(mask: Mask, *, is_shown: bool, path: Path = ()) -> Iterator[tuple[Path, bool]]:
    """The paths at which it changes whether something is shown, outermost first, and what holds from there on.

    ``is_shown`` is what holds above.
    """
    if mask.shown != is_shown:
        yield path, mask.shown
    for name, child in mask.children.items():
        yield from turns_of(child, is_shown=mask.shown, path=(*path, name))


def hidden_part(mask: Mask, value: Maybe) -> Maybe:
    """What the mask hides of a value, with the objects on the way; MISSING when it hides nothing of it."""
    if value is MISSING or not mask.children:
        return MISSING if mask.shown else value
    match value:
        case dict():
            hidden = {n: v for n, m in value.items() if (v := hidden_part(mask.child(n), m)) is not MISSING}
            return cast(Value, hidden) or MISSING
        case list():
            return value if any(hidden_part(mask, element) is not MISSING for element in value) else MISSING
    return MISSING if mask.shown else value


def _tree(paths: Iterable[Path], default: Mask, leaf: Mask) -> Mask:
    by_name: dict[str, list[Path]] = {}
    for path in paths:
        if not path:
            return leaf
        by_name.setdefault(path[0], []).append(path[1:])
    return Mask(default.shown, {name: _tree(rest, default, leaf) for name, rest in by_name.items()})


def _without_defaults(mask: Mask) -> Mask:
    return _mask(mask.shown, {name: _without_defaults(child) for name, child in mask.children.items()})


def _mask(shown: bool, children: Mapping[str, Mask]) -> Mask:
    default = SHOWN if shown else HIDDEN
    return Mask(shown, {name: child for name, child in children.items() if child != default})


def _same_or(value: Value, masked: Collection[Maybe]) -> Value:
    """``value`` itself where masking left it as it was: what is shared costs no memory."""
    if isinstance(value, dict) and isinstance(masked, dict):
        same = len(value) == len(masked) and all(masked[name] is member for name, member in value.items())
    else:
        same = isinstance(value, list) and len(value) == len(masked) and all(map(_is, value, masked))
    return value if same else cast(Value, masked)


def _is(left: object, right: object) -> bool:
    return left is right
