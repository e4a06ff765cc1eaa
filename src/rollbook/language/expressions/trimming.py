"""Operators that take characters off the ends of a string.

One rule: what is taken off is a set of code points; unless it is given, it is the white space that MongoDB means.
"""

from collections.abc import Callable

from rollbook.documents.values import MISSING, Maybe, type_name
from rollbook.language.expressions.growth import make_room
from rollbook.language.expressions.operators import Argument, NamedFunction, Signature, refused
from rollbook.limits import Work

WHITE_SPACE = (
    "\0\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"  # not \u2028, \u3000
)

_SIGNATURE = Signature(
    (Argument("input", absent=50695), Argument("chars", default=WHITE_SPACE)), not_an_object=50696, unknown=50694
)


def trimmed(work: Work, text: Maybe, characters: Maybe) -> Maybe:
    """A string without white space, or the given characters, at its ends; null when either is null or missing."""
    return _taken_off(work, str.strip, text, characters)


def trimmed_left(work: Work, text: Maybe, characters: Maybe) -> Maybe:
    """A string without white space, or the given characters, at its start; null when either is null or missing."""
    return _taken_off(work, str.lstrip, text, characters)


def trimmed_right(work: Work, text: Maybe, characters: Maybe) -> Maybe:
    """A string without white space, or the given characters, at its end; null when either is null or missing."""
    return _taken_off(work, str.rstrip, text, characters)


def _taken_off(work: Work, strip: Callable[[str, str], str], text: Maybe, characters: Maybe) -> Maybe:
    if text is None or text is MISSING:
        return None
    if not isinstance(text, str):
        raise refused(50699, f"needs a string as input, not {type_name(text)}")
    if characters is None or characters is MISSING:
        return None
    if not isinstance(characters, str):
        raise refused(50700, f"needs a string as chars, not {type_name(characters)}")
    make_room(work, len(text))
    return strip(text, characters)


OPERATORS = (
    NamedFunction("$trim", trimmed, _SIGNATURE, spends=True),
    NamedFunction("$ltrim", trimmed_left, _SIGNATURE, spends=True),
    NamedFunction("$rtrim", trimmed_right, _SIGNATURE, spends=True),
)
