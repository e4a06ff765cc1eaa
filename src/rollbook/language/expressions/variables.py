"""Names of variables: which may be read and which a form may bind.

One rule: names that begin with a capital belong to the system, except that ``CURRENT`` may be bound too.
"""

import re

from rollbook.documents.values import Value
from rollbook.language.expressions.operators import Parsing

SYSTEM_VARIABLES = frozenset({"ROOT", "CURRENT", "REMOVE", "NOW"})

_FOR_USERS = re.compile(r"[a-z\u0080-\U0010ffff][a-zA-Z0-9_\u0080-\U0010ffff]*")
_FOR_READING = re.compile(r"[a-zA-Z\u0080-\U0010ffff][a-zA-Z0-9_\u0080-\U0010ffff]*")


def bound_name(name: Value, parsing: Parsing, *keys: str | int) -> str:
    """``name``, checked to be one that a form may bind; else refuses what stands at ``keys``."""
    if not isinstance(name, str):
        raise parsing.refused(9, "a variable's name is a string", *keys)
    if name != "CURRENT" and not _FOR_USERS.fullmatch(name):
        raise parsing.refused(9, f"'{name}' can't be a variable's name: {_RULE}", *keys)
    return name


def is_readable(name: str) -> bool:
    """Whether ``name`` (without ``$$``) is shaped like a variable's name, the system's included."""
    return _FOR_READING.fullmatch(name) is not None


_RULE = "it begins with a small letter and goes on with letters, digits and underscores"
