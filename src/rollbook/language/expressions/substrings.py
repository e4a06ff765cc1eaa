"""Operators that find and cut out parts of strings, by bytes of their UTF-8 or by code points.

One rule: a cut never goes through a code point; by bytes that is refused, by code points it can't happen.
"""

from rollbook.documents.values import INT32_MAX, INT64_MAX, INT64_MIN, Maybe, is_number, type_name
from rollbook.language.expressions.arguments import text_or_null, whole_number
from rollbook.language.expressions.growth import make_room, read
from rollbook.language.expressions.operators import Function, refused
from rollbook.language.expressions.strings import as_text
from rollbook.limits import RequestBudget


def cut_by_bytes(work: RequestBudget, value: Maybe, start: Maybe, length: Maybe) -> Maybe:
    """The part of a string from a byte of its UTF-8 on, of a length in bytes; all the rest when that is negative."""
    text = as_text(value)
    make_room(work, len(text))
    encoded = text.encode()
    if not is_number(start):
        raise refused(16034, f"needs a number as start, not {type_name(start)}")
    if not is_number(length):
        raise refused(16035, f"needs a number as length, not {type_name(length)}")
    first = _truncated(start)
    if first < 0:
        raise refused(50752, f"needs a start that is not negative, not {first}")
    count = _truncated(length)
    if _is_inside_code_point(encoded, first):
        raise refused(28656, f"can't start at byte {first}: it is in the middle of a code point")
    end = len(encoded) if count < 0 else first + count
    if _is_inside_code_point(encoded, end):
        raise refused(28657, f"can't end before byte {end}: it is in the middle of a code point")
    return encoded[first:end].decode()


def cut_by_code_points(work: RequestBudget, value: Maybe, start: Maybe, length: Maybe) -> Maybe:
    """The part of a string from a code point on, of a length in code points."""
    text = as_text(value)
    first = whole_number(start, "start", not_a_number=34450, not_whole=34451)
    count = whole_number(length, "length", not_a_number=34452, not_whole=34453)
    if count < 0:
        raise refused(34454, f"needs a length that is not negative, not {count}")
    if first < 0:
        raise refused(34455, f"needs a start that is not negative, not {first}")
    make_room(work, min(count, len(text)))
    return text[first : first + count]


def byte_index(work: RequestBudget, text: Maybe, part: Maybe, start: Maybe = 0, end: Maybe = INT32_MAX) -> Maybe:
    """The byte at which a part first stands in a string, or -1; null when the string is null or missing."""
    whole = text_or_null(text, "first argument", 40091)
    if whole is None:
        return None
    if not isinstance(part, str):
        raise refused(40092, f"needs a string to look for, not {type_name(part)}")
    read(work, whole)
    return whole.encode().find(part.encode(), _bound(start, "start"), _bound(end, "end"))


def code_point_index(work: RequestBudget, text: Maybe, part: Maybe, start: Maybe = 0, end: Maybe = INT32_MAX) -> Maybe:
    """The code point at which a part first stands in a string, or -1; null when the string is null or missing.

    As in MongoDB the part must begin before the end, and may go on beyond it.
    """
    whole = text_or_null(text, "first argument", 40093)
    if whole is None:
        return None
    if not isinstance(part, str):
        raise refused(40094, f"needs a string to look for, not {type_name(part)}")
    read(work, whole)
    first, last = _bound(start, "start"), min(_bound(end, "end"), len(whole))
    if first > last:
        return -1
    if not whole and not part:
        return 0
    index = whole.find(part, first)
    return index if index < last else -1


def _bound(value: Maybe, what: str) -> int:
    number = whole_number(value, what, not_a_number=40096, not_whole=40096)
    if number < 0:
        raise refused(40097, f"needs a {what} that is not negative, not {number}")
    return number


def _truncated(number: float) -> int:
    """A length or start as MongoDB reads it: without its fraction, of 64 bits."""
    if not INT64_MIN <= number <= INT64_MAX:
        raise refused(31109, f"{number} does not fit into 64 bits")
    return int(number)


def _is_inside_code_point(encoded: bytes, index: int) -> bool:
    return index < len(encoded) and encoded[index] & 0xC0 == 0x80


OPERATORS = (
    Function("$substr", cut_by_bytes, (3, 3), spends=True),
    Function("$substrBytes", cut_by_bytes, (3, 3), spends=True),
    Function("$substrCP", cut_by_code_points, (3, 3), spends=True),
    Function("$indexOfBytes", byte_index, (2, 4), spends=True),
    Function("$indexOfCP", code_point_index, (2, 4), spends=True),
)
