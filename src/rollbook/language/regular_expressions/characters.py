"""Sets of characters that PCRE names and RE2 does not, or not alike: ``\\s``, ``\\h``, ``\\v``, ``\\p{Xan}``.

A set is written as the inside of a bracket class, so that it serves alone (``[...]``) and as a member (``[a...]``).
"""

from collections.abc import Iterable

Ranges = tuple[tuple[int, int], ...]

LAST_CODE_POINT = 0x10FFFF

WHITESPACE: Ranges = ((0x09, 0x0D), (0x20, 0x20))
HORIZONTAL: Ranges = (
    (0x09, 0x09), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x180E, 0x180E),
    (0x2000, 0x200A), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
)  # fmt: skip
VERTICAL: Ranges = ((0x0A, 0x0D), (0x85, 0x85), (0x2028, 0x2029))
NEWLINE: Ranges = ((0x0A, 0x0A),)


def complement(ranges: Ranges) -> Ranges:
    """Every code point outside ``ranges``, which are in order."""
    starts = (0, *(high + 1 for _, high in ranges))
    ends = (*(low - 1 for low, _ in ranges), LAST_CODE_POINT)
    return tuple((start, end) for start, end in zip(starts, ends, strict=True) if start <= end)


def quoted(character: str) -> str:
    """The character itself, inside or outside of a bracket class."""
    return character if character.isalnum() else f"\\x{{{ord(character):x}}}"


def members(ranges: Iterable[tuple[int, int]]) -> str:
    """The inside of a bracket class."""
    return "".join(quoted(chr(low)) if low == high else f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in ranges)


ESCAPES = {
    "d": r"\d",
    "D": r"\D",
    "w": r"\w",
    "W": r"\W",
    "s": members(WHITESPACE),
    "S": members(complement(WHITESPACE)),
    "h": members(HORIZONTAL),
    "H": members(complement(HORIZONTAL)),
    "v": members(VERTICAL),
    "V": members(complement(VERTICAL)),
    "N": members(complement(NEWLINE)),
}
"""What an escaped letter stands for. PCRE's ``\\s`` has the vertical tab; RE2's has not."""

UNICODE_ESCAPES = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": r"\p{L}\p{N}_", "s": members(WHITESPACE) + r"\x{85}\p{Z}"}
"""The same under ``(*UCP)``, where classes are Unicode's."""

PROPERTIES = {
    "Any": rf"\x{{0}}-\x{{{LAST_CODE_POINT:x}}}",
    "L&": r"\p{Lu}\p{Ll}\p{Lt}",
    "Xan": r"\p{L}\p{N}",
    "Xwd": r"\p{L}\p{N}_",
    "Xsp": members(WHITESPACE) + r"\x{85}\p{Z}",
    "Xps": members(WHITESPACE) + r"\x{85}\p{Z}",
}
"""Properties that only PCRE has."""

CASED_PROPERTIES = frozenset({"Lu", "Ll", "Lt", "L&"})
"""Properties that PCRE keeps case-sensitive under option ``i`` and RE2 does not."""

CONTROL_ESCAPES = {"a": "\x07", "e": "\x1b", "f": "\x0c", "n": "\n", "r": "\r", "t": "\t"}

UNICODE_POSIX_CLASSES = {
    "alnum": r"\p{L}\p{N}",
    "alpha": r"\p{L}",
    "ascii": "[:ascii:]",
    "blank": members(HORIZONTAL),
    "cntrl": "[:cntrl:]",
    "digit": r"\p{Nd}",
    "lower": r"\p{Ll}",
    "space": members(WHITESPACE) + r"\x{85}\p{Z}",
    "upper": r"\p{Lu}",
    "word": r"\p{L}\p{N}_",
    "xdigit": "[:xdigit:]",
}
"""The classes ``[:alpha:]`` and so on under ``(*UCP)``."""

POSIX_CLASSES = frozenset(
    {"alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph"}
    | {"lower", "print", "punct", "space", "upper", "word", "xdigit"}
)
