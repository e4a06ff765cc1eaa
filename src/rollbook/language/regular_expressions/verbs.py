"""Verbs, ``(*NAME)``: settings at a pattern's start, and orders to the backtracking that this engine does not do.

One rule: an order is taken where it changes nothing (at the very start or end there is nothing to cut off), and refused
everywhere else.
"""

import re

from rollbook.language.regular_expressions.reading import Reader

SETTINGS = frozenset({"UTF", "UTF8", "UCP", "LF", "NO_AUTO_POSSESS", "NO_DOTSTAR_ANCHOR", "NO_JIT", "NO_START_OPT"})

CUTS = frozenset({"PRUNE", "SKIP", "THEN", "COMMIT"})

NOTHING = r"[^\x{0}-\x{10ffff}]"
"""What no text matches: ``(*FAIL)``."""

_VERB = re.compile(r"([A-Z_0-9]+)(?::[^)]*)?\)|:[^)]*\)")

_ONE_CHARACTER = re.compile(r"[^\\^$.|?*+()\[\]{}]?|\[[^\]\\]*\]")


def take_leading_verb(reader: Reader) -> str | None:
    """The verb that comes next at the pattern's start, if one does that is taken there."""
    found = _VERB.match(reader.pattern, reader.position + 2) if reader.follows("(*") else None
    verb = found[1] if found else None
    if found is None or verb not in SETTINGS | CUTS:
        return None
    if verb == "COMMIT" and not _ONE_CHARACTER.fullmatch(reader.pattern, found.end()):
        raise reader.unsupported("the verb (*COMMIT)")
    reader.position = found.end()
    return verb


def take_verb(reader: Reader) -> str:
    """The verb whose ``(*`` has been read, one that is taken anywhere or at the pattern's end; a mark is ``MARK``."""
    found = _VERB.match(reader.pattern, reader.position)
    verb = (found[1] or "MARK") if found else None
    at_the_end = found is not None and found.end() == len(reader.pattern)
    if found is None or verb is None or not (verb in ("FAIL", "F", "ACCEPT", "MARK") or (verb in CUTS and at_the_end)):
        raise reader.unsupported(f"the verb (*{reader.peek_until(')') or ''})")
    reader.position = found.end()
    return verb
