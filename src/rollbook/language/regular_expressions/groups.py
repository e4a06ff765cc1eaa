"""What may follow ``(?``: flags, and the groups that a linear-time engine can't have.

Each group that is refused is refused by its name, for "invalid" would be a lie: MongoDB takes it.
"""

import re
from typing import TypeAlias

from rollbook.language.regular_expressions.reading import BACK_REFERENCE, Reader

Flags: TypeAlias = frozenset[str]

FLAG_LETTERS: Flags = frozenset("imsxUn")

REFUSED_GROUPS = (
    (re.compile(r"=|\*"), "a look-ahead assertion"),
    (re.compile(r"!"), "a negative look-ahead assertion"),
    (re.compile(r"<=|<\*"), "a look-behind assertion"),
    (re.compile(r"<!"), "a negative look-behind assertion"),
    (re.compile(r">"), "an atomic group"),
    (re.compile(r"\|"), "a group that resets the numbers of groups"),
    (re.compile(r"\("), "a conditional group"),
    (re.compile(r"P="), BACK_REFERENCE),
    (re.compile(r"R|[0-9]|\+[0-9]|-[0-9]|&|P>"), "recursion"),
    (re.compile(r"C"), "a callout"),
)

_NAME = re.compile(r"[^\W\d]\w{0,31}")

_FIXED_TEXT = re.compile(r">(?:[^\\()\[\]{}*+?|.^$#\s]|\\[^a-zA-Z0-9])*\)")


def refused_group(reader: Reader) -> str | None:
    """The name of the group that follows ``(?``, when it is one of those that are refused."""
    for opening, name in REFUSED_GROUPS:
        if opening.match(reader.pattern, reader.position):
            return name
    return None


def plain_atomic_group(reader: Reader) -> bool:
    """Whether ``(?>...)`` holds only a fixed text: there is nothing to give back, so it is an ordinary group."""
    return _FIXED_TEXT.match(reader.pattern, reader.position) is not None


def read_group_name(reader: Reader) -> str | None:
    """The name in ``<name>``, ``P<name>`` or ``'name'``, which is read; None where the group has none."""
    if reader.skip("P<") or (not reader.follows("<=") and not reader.follows("<!") and reader.skip("<")):
        name = reader.take_until(">")
    elif reader.skip("'"):
        name = reader.take_until("'")
    else:
        return None
    if not _NAME.fullmatch(name):
        raise reader.invalid(f"{name[:40]!r} is no name of a group")
    return name


def read_flags(reader: Reader, flags: Flags) -> Flags:
    """The flags that hold after ``i-ms``, where ``flags`` held before; ``^`` drops them all first."""
    on = True
    if reader.skip("^"):
        flags = frozenset()
    while not reader.follows(":") and not reader.follows(")"):
        letter = reader.take()
        if letter == "-" and on:
            on = False
        elif letter == "x" and on and reader.follows("x"):
            raise reader.unsupported("the flag xx", "only x is")
        elif letter == "J":
            raise reader.unsupported("the flag J", "groups need names of their own")
        elif letter in FLAG_LETTERS:
            flags = flags | {letter} if on else flags - {letter}
        else:
            raise reader.invalid(f"there is no group (?{letter}")
    return flags
