"""An update, parsed: plain data that says what is to change, where, and where the request said so.

One rule: nothing here has met a document yet.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from rollbook.documents.paths import Path
from rollbook.documents.values import Document
from rollbook.language.filters import Filter
from rollbook.limits import Limits


class Change(Struct, frozen=True):
    """One operator on one path: ``{"$inc": {"gpus.count": 2}}``.

    ``operand`` is what the operator's own parser made of the JSON. The path may hold ``$``, ``$[]`` and ``$[name]``.
    ``weight`` is the size in bytes of what each application may add to the document, where one change may apply to
    many elements; 0 elsewhere.
    """

    path: Path
    operator: str
    operand: Any
    at: str
    weight: int = 0


class Rename(Struct, frozen=True):
    """``{"$rename": {"region": "regionId"}}``: the value moves. Neither path has a position that varies."""

    source: Path
    target: Path
    at: str


class Modification(Struct, frozen=True):
    """Changes that apply together, none in the way of another; ``array_filters`` by their identifier."""

    changes: tuple[Change | Rename, ...]
    array_filters: Mapping[str, Filter]
    identity: str
    limits: Limits


class Replacement(Struct, frozen=True):
    """A whole new document, but for its identity, which it keeps."""

    document: Document
    identity: str
    at: str


Update: TypeAlias = Modification | Replacement
