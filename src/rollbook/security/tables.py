"""Parts of the security file that several tables have.

One rule: what is refused is a SettingRefused that ends with its place in the file.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rollbook.documents.codec import decode_json
from rollbook.documents.values import Document
from rollbook.errors import RegistryError, SettingRefused


def check_roles(names: Iterable[str], known: Collection[str], *, at: str) -> None:
    """Refuses the name of a role that is neither built in nor in the file."""
    for name in names:
        if name not in known:
            raise SettingRefused(f"there is no role {name!r} in this file, nor is it built in - at `{at}`")


def as_json(table: Mapping[str, Any], *, at: str) -> Document:
    """A table of the file as JSON. Refuses what JSON can't say, such as times without quotes."""
    try:
        document = decode_json(json.dumps(table, allow_nan=False).encode())
    except (RegistryError, TypeError, ValueError):
        problem = "only strings, numbers, true, false, arrays and tables can stand here"
        raise SettingRefused(f"{problem} - at `{at}`") from None
    assert isinstance(document, dict)
    return document
