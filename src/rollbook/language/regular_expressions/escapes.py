"""Escapes: the characters and properties that stand behind a backslash.

One rule: whatever is read as a character comes out as that character, unescaped; its writer escapes it for RE2.
"""

from itertools import takewhile

from rollbook.language.regular_expressions.characters import CONTROL_ESCAPES, LAST_CODE_POINT, PROPERTIES
from rollbook.language.regular_expressions.reading import BACK_REFERENCE, Reader

HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
OCTAL_DIGITS = frozenset("01234567")


def take_property(reader: Reader) -> tuple[str, bool, str]:
    """Name, whether negated, and RE2's words (fit for a bracket, unless negated and longer) of ``p{...}``."""
    negated = reader.take() == "P"
    name = reader.take_until("}") if reader.skip("{") else reader.take()
    if name.startswith("^"):
        name, negated = name[1:], not negated
    if name in PROPERTIES:
        return name, negated, PROPERTIES[name] if not negated else f"[^{PROPERTIES[name]}]"
    return name, negated, rf"\{'P' if negated else 'p'}{{{name}}}"


def take_escaped_character(reader: Reader, *, in_bracket: bool) -> str:
    """The character that an escape stands for; its backslash has been read."""
    letter = reader.take()
    if not (letter.isascii() and letter.isalnum()):
        return letter
    if letter in CONTROL_ESCAPES:
        return CONTROL_ESCAPES[letter]
    if letter == "x":
        return _hexadecimal(reader)
    if letter == "o" and reader.skip("{"):
        return _character(reader, reader.take_until("}"), 8)
    if letter == "c" and reader.peek().isascii() and not reader.at_end():
        return chr(ord(reader.take().upper()) ^ 0x40)
    if letter == "0" or (in_bracket and letter in OCTAL_DIGITS):
        return _character(reader, letter + reader.take_while(OCTAL_DIGITS, 2), 8)
    if letter in "gk" or (letter.isdigit() and _refers_to_a_group(reader)):
        raise reader.unsupported(BACK_REFERENCE)
    if letter in OCTAL_DIGITS:
        return _character(reader, letter + reader.take_while(OCTAL_DIGITS, 2), 8)
    raise reader.invalid(f"the escape \\{letter} is not known")


def _refers_to_a_group(reader: Reader) -> bool:
    """Whether the escaped number whose first digit was read is a group's: else, from 10 on, it is octal."""
    digits = reader.pattern[reader.position - 1 : reader.position + 2]
    number = int("".join(takewhile(str.isdecimal, digits)))
    return number < 10 or number <= reader.pattern.count("(") or digits[0] in "89"


def _hexadecimal(reader: Reader) -> str:
    if reader.skip("{"):
        return _character(reader, reader.take_until("}"), 16)
    return _character(reader, reader.take_while(HEX_DIGITS, 2) or "0", 16)


def _character(reader: Reader, digits: str, radix: int) -> str:
    allowed = HEX_DIGITS if radix == 16 else OCTAL_DIGITS
    if not digits or not allowed.issuperset(digits):
        raise reader.invalid(f"{digits!r} is no number of a character")
    code = int(digits, radix)
    if code > LAST_CODE_POINT or 0xD800 <= code <= 0xDFFF:
        raise reader.invalid(f"there is no character {digits}")
    return chr(code)
