"""Names that stand twice in one JSON object: ``{"limit": 1, "limit": 2}``, of which parsers keep the last.

Theory: every member of an object has one colon, and colons in strings stay when JSON is read and written again. So the
JSON of what was read has fewer colons than the body exactly where a member was lost. Only a colon that is written as an
escape (``\\u003a``) hides that. Counting is done in C, and costs a small part of what reading costs; only a body that
does not pass is read again to see which name it is.
"""

import json
from collections.abc import Iterable
from typing import Any

import orjson
from msgspec import Struct

from rollbook.documents.values import Value
from rollbook.errors import below


def repeated_name_in(body: bytes, value: Value) -> tuple[str, str] | None:
    """A name that stands twice in one object, and where that object is (a JSON Pointer); None when each stands once.

    ``value`` is what was read of ``body``.
    """
    colons = body.count(b":")
    if colons < 2:
        return None
    if b"\\u003" not in body and colons == orjson.dumps(value).count(b":"):
        return None
    return _first_repeated(json.loads(body, object_pairs_hook=_Members))


class _Members(Struct):
    """An object with every member that was written, repeated ones included."""

    pairs: list[tuple[str, Any]]


def _first_repeated(value: Any) -> tuple[str, str] | None:
    level: list[tuple[str, Any]] = [("", value)]
    while level:
        following: list[tuple[str, Any]] = []
        for at, container in level:
            members: Iterable[tuple[str | int, Any]] = ()
            if isinstance(container, _Members):
                members = container.pairs
                repeated = _repeated(name for name, _ in container.pairs)
                if repeated is not None:
                    return repeated, at
            elif isinstance(container, list):
                members = enumerate(container)
            following += [(below(at, key), inner) for key, inner in members if isinstance(inner, (list, _Members))]
        level = following
    return None


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
