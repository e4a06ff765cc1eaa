"""Operators that replace a part of a string by another.

One rule: wrong types are refused before null or missing arguments make the result null.
"""

from rollbook.documents.values import Maybe
from rollbook.language.expressions.arguments import text_or_null
from rollbook.language.expressions.growth import make_room
from rollbook.language.expressions.operators import Argument, NamedFunction, Signature
from rollbook.limits import RequestBudget

_SIGNATURE = Signature(
    (Argument("input", absent=51749), Argument("find", absent=51748), Argument("replacement", absent=51747)),
    not_an_object=51751,
    unknown=51750,
)


def replaced_once(work: RequestBudget, text: Maybe, part: Maybe, replacement: Maybe) -> Maybe:
    """A string with another text in the first place where a part of it stands; null when one is null or missing."""
    return _replaced(work, text, part, replacement, at_most=1)


def replaced_everywhere(work: RequestBudget, text: Maybe, part: Maybe, replacement: Maybe) -> Maybe:
    """A string with another text in every place where a part of it stands; null when one is null or missing."""
    return _replaced(work, text, part, replacement, at_most=-1)


def _replaced(work: RequestBudget, text: Maybe, part: Maybe, replacement: Maybe, *, at_most: int) -> Maybe:
    texts = (
        text_or_null(text, "input", 10503904),
        text_or_null(part, "find", 10503901),
        text_or_null(replacement, "replacement", 10503902),
    )
    match texts:
        case str() as whole, str() as old, str() as new:
            places = whole.count(old) if at_most < 0 else at_most
            make_room(work, len(whole) + places * len(new))
            return whole.replace(old, new, at_most)
    return None


OPERATORS = (
    NamedFunction("$replaceOne", replaced_once, _SIGNATURE, spends=True),
    NamedFunction("$replaceAll", replaced_everywhere, _SIGNATURE, spends=True),
)
