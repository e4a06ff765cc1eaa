"""Positional ``$``: the element of an array that the filter matched.

One rule: ``$`` is a number as soon as there is a document; from then on its path is like any other.
"""

from rollbook.documents.paths import Path
from rollbook.documents.values import Document
from rollbook.errors import UpdateRefused
from rollbook.language.filters import Filter, compile_first_match
from rollbook.language.updates.targets import MATCHED
from rollbook.limits import RequestBudget


def matched_position(filter: Filter | None, document: Document, *, at: str, work: RequestBudget | None) -> str:
    """The path component that ``$`` stands for in this document; refuses when the filter matched no array element."""
    position = compile_first_match(filter, work=work)(document) if filter is not None else None
    if position is None:
        raise UpdateRefused(
            "'$' stands for the array element that the filter matched, and the filter matched none; "
            "name the array in the filter, or use '$[]' or '$[name]'",
            at=at,
            mongo_code=2,
        )
    return str(position)


def located(path: Path, position: str) -> Path:
    """The path with ``$`` replaced by the position."""
    return tuple(position if component == MATCHED else component for component in path)
