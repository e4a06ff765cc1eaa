"""Operators that take characters off the ends of a string.

One rule: what is taken off is a set of code points; unless it is given, it is the white space that MongoDB means.
"""

from collections.abc import Callable

from rollbook.documents.values import Maybe
from rollbook.language.expressions.arguments import text_or_null
from rollbook.language.expressions.growth import make_room
from rollbook.language.expressions.operators import Argument, NamedFunction, Signature
from rollbook.limits import RequestBudget

WHITE_SPACE = (
    "\0\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"  # not \u2028, \u3000
)

_SIGNATURE = Signature(
    (Argument("input", absent=50695), Argument("chars", default=WHITE_SPACE)), not_an_object=50696, unknown=50694
)


def trimmed(work: RequestBudget, text: Maybe, characters: Maybe) -> Maybe:
    """A string without white space, or the given characters, at its ends; null when either is null or missing."""
    return _taken_off(work, str.strip, text, characters)


def trimmed_left(work: RequestBudget, text: Maybe, characters: Maybe) -> Maybe:
    """A string without white space, or the given characters, at its start; null when either is null or missing."""
    return _taken_off(work, str.lstrip, text, characters)


def trimmed_right(work: RequestBudget, text: Maybe, characters: Maybe) -> Maybe:
    """A string without white space, or the given characters, at its end; null when either is null or missing."""
    return _taken_off(work, str.rstrip, text, characters)


def _taken_off(work: RequestBudget, strip: Callable[[str, str], str], text: Maybe, characters: Maybe) -> Maybe:
    whole = text_or_null(text, "input", 50699)
    if whole is None:
        return None
    ends = text_or_null(characters, "chars", 50700)
    if ends is None:
        return None
    make_room(work, len(whole))
    return strip(whole, ends)


OPERATORS = (
    NamedFunction("$trim", trimmed, _SIGNATURE, spends=True),
    NamedFunction("$ltrim", trimmed_left, _SIGNATURE, spends=True),
    NamedFunction("$rtrim", trimmed_right, _SIGNATURE, spends=True),
)
