"""Operators on whole strings: joining and splitting, length, case, comparison.

One rule: letters are ASCII where case matters, as they are for MongoDB; ``é`` and ``É`` stay what they are.
"""

from rollbook.documents.values import INT64_MAX, INT64_MIN, MISSING, Maybe, type_name
from rollbook.language.expressions.growth import ELEMENT_BYTES, make_room, read
from rollbook.language.expressions.numbers import is_null
from rollbook.language.expressions.operators import Function, refused
from rollbook.limits import RequestBudget


def concatenated(work: RequestBudget, *parts: Maybe) -> Maybe:
    """The strings joined into one; null as soon as one of them is null or missing."""
    texts: list[str] = []
    for part in parts:
        if is_null(part):
            return None
        if not isinstance(part, str):
            raise refused(16702, f"joins only strings, not {type_name(part)}")
        texts.append(part)
    make_room(work, sum(map(len, texts)))
    return "".join(texts)


def pieces(work: RequestBudget, text: Maybe, delimiter: Maybe) -> Maybe:
    """The parts of a string between the places where the delimiter stands; null when either is null or missing."""
    if is_null(text) or is_null(delimiter):
        return None
    if not isinstance(text, str):
        raise refused(40085, f"needs a string to split, not {type_name(text)}")
    if not isinstance(delimiter, str):
        raise refused(10503900, f"needs a string as delimiter, not {type_name(delimiter)}")
    if not delimiter:
        raise refused(40087, "needs a delimiter that is not empty")
    make_room(work, len(text) + ELEMENT_BYTES * (text.count(delimiter) + 1))
    return list(text.split(delimiter))


def length_in_code_points(text: Maybe) -> Maybe:
    """The number of code points of a string."""
    if not isinstance(text, str):
        raise refused(34471, f"needs a string, not {type_name(text)}")
    return len(text)


def length_in_bytes(work: RequestBudget, text: Maybe) -> Maybe:
    """The number of bytes of a string's UTF-8."""
    if not isinstance(text, str):
        raise refused(34473, f"needs a string, not {type_name(text)}")
    read(work, text)
    return len(text) if text.isascii() else len(text.encode())


def lowered(work: RequestBudget, value: Maybe) -> Maybe:
    """A text with A to Z turned into small letters; numbers become text, null and missing become empty."""
    text = as_text(value)
    make_room(work, len(text))
    return text.lower() if text.isascii() else text.encode().lower().decode()


def uppered(work: RequestBudget, value: Maybe) -> Maybe:
    """A text with a to z turned into capitals; numbers become text, null and missing become empty."""
    text = as_text(value)
    make_room(work, len(text))
    return _uppered(text)


def compared_without_case(work: RequestBudget, left: Maybe, right: Maybe) -> Maybe:
    """How one text compares to another, a to z as A to Z: -1, 0 or 1; numbers become text, null becomes empty."""
    left_text, right_text = as_text(left), as_text(right)
    read(work, left_text)
    read(work, right_text)
    left_text, right_text = _uppered(left_text), _uppered(right_text)
    return (left_text > right_text) - (left_text < right_text)


def as_text(value: Maybe) -> str:
    """The text that MongoDB's older string operators make of a value; refuses what has none.

    Null and missing give the empty string, integers their digits, doubles six significant digits at most.
    """
    if isinstance(value, str):
        return value
    if value is None or value is MISSING:
        return ""
    if isinstance(value, (bool, list, dict)):
        raise refused(16007, f"can't make text of {type_name(value)}")
    if isinstance(value, int) and INT64_MIN <= value <= INT64_MAX:
        return str(int(value))
    return f"{float(value):g}"


def _uppered(text: str) -> str:
    return text.upper() if text.isascii() else text.encode().upper().decode()


OPERATORS = (
    Function("$concat", concatenated, (0, None), spends=True),
    Function("$split", pieces, (2, 2), spends=True),
    Function("$strLenCP", length_in_code_points),
    Function("$strLenBytes", length_in_bytes, spends=True),
    Function("$toLower", lowered, spends=True),
    Function("$toUpper", uppered, spends=True),
    Function("$strcasecmp", compared_without_case, (2, 2), spends=True),
)
