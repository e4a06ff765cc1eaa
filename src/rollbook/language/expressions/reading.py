"""Which fields of the document an expression reads."""

from collections.abc import Iterator

from msgspec import Struct

from rollbook.documents.paths import Path
from rollbook.language.expressions.nodes import Constant, Variable

THE_DOCUMENT = frozenset({"CURRENT", "ROOT"})


def paths_read(expression: object) -> Iterator[Path]:
    """The field paths in an expression, or in the parts of one, in the order in which they stand."""
    match expression:
        case Variable(name, path):
            if path and name in THE_DOCUMENT:
                yield path
        case Constant():
            return
        case tuple() | list():
            for part in expression:
                yield from paths_read(part)
        case Struct():
            for name in expression.__struct_fields__:
                yield from paths_read(getattr(expression, name))
