"""Bracket classes, ``[...]``: read as PCRE reads them, written as RE2 reads them.

PCRE takes a hyphen beside a class (``[a-\\d]``) and ``\\b``, ``\\h``, ``\\Q`` inside brackets; RE2 does not.
"""

from rollbook.language.regular_expressions.characters import (
    CASED_PROPERTIES,
    ESCAPES,
    POSIX_CLASSES,
    UNICODE_ESCAPES,
    UNICODE_POSIX_CLASSES,
    quoted,
)
from rollbook.language.regular_expressions.escapes import take_escaped_character, take_property
from rollbook.language.regular_expressions.reading import Reader


def read_bracket(reader: Reader, *, ignore_case: bool, unicode_classes: bool) -> str:
    """The class whose ``[`` has just been read, in RE2's words."""
    opened_at = reader.position - 1
    opening = "[^" if reader.skip("^") else "["
    written: list[str] = []
    first = True
    while first or not reader.skip("]"):
        if reader.at_end():
            raise reader.invalid("the bracket class is not closed", position=opened_at)
        low = _member(reader, ignore_case=ignore_case, unicode_classes=unicode_classes)
        first = False
        if len(low) == 1 and _continues_range(reader):
            low = _range_from(low, reader, ignore_case=ignore_case, unicode_classes=unicode_classes)
        elif len(low) == 1:
            low = quoted(low)
        written.append(low)
    return opening + "".join(written) + "]"


def _continues_range(reader: Reader) -> bool:
    return reader.follows("-") and not reader.follows("-]")


def _range_from(low: str, reader: Reader, *, ignore_case: bool, unicode_classes: bool) -> str:
    reader.skip("-")
    high = _member(reader, ignore_case=ignore_case, unicode_classes=unicode_classes)
    if len(high) > 1:
        return quoted(low) + quoted("-") + high
    if high < low:
        raise reader.invalid(f"the range {low}-{high} is out of order")
    return f"{quoted(low)}-{quoted(high)}"


def _member(reader: Reader, *, ignore_case: bool, unicode_classes: bool) -> str:
    """One character as it is, or a class in RE2's words (longer)."""
    character = reader.take()
    if character == "[" and (reader.follows(":") or reader.follows(".") or reader.follows("=")):
        return _posix_class(reader, unicode_classes=unicode_classes)
    if character != "\\":
        return character
    return _escape(reader, ignore_case=ignore_case, unicode_classes=unicode_classes)


def _posix_class(reader: Reader, *, unicode_classes: bool) -> str:
    kind = reader.take()
    name = reader.peek_until(f"{kind}]")
    if name is None:
        reader.position -= 1
        return "["
    if kind != ":" or name.removeprefix("^") not in POSIX_CLASSES:
        raise reader.invalid(f"there is no class [{kind}{name}{kind}]")
    reader.take_until(":]")
    if not unicode_classes:
        return f"[:{name}:]"
    if name not in UNICODE_POSIX_CLASSES:
        raise reader.unsupported(f"the class [:{name}:] under (*UCP)")
    return UNICODE_POSIX_CLASSES[name]


def _escape(reader: Reader, *, ignore_case: bool, unicode_classes: bool) -> str:
    letter = reader.peek()
    if letter == "b":
        reader.take()
        return "\b"
    if letter in ("p", "P"):
        name, negated, written = take_property(reader)
        if negated and len(written) > len(rf"\P{{{name}}}"):
            raise reader.unsupported(f"the negated property {name} in a bracket class")
        if ignore_case and name in CASED_PROPERTIES:
            raise reader.unsupported(f"the property {name} in a bracket class that ignores case")
        return written
    if letter in ("Q", "E"):
        raise reader.unsupported(rf"\{letter} in a bracket class", "escape each character by itself")
    if letter in ESCAPES and letter != "N":
        reader.take()
        if unicode_classes and letter in "dDwWsS":
            if letter not in UNICODE_ESCAPES:
                raise reader.unsupported(rf"\{letter} in a bracket class under (*UCP)")
            return UNICODE_ESCAPES[letter]
        return ESCAPES[letter]
    return take_escaped_character(reader, in_bracket=True)
