"""The tokens of a filter in words, each with the column where it begins (the first column is 1)."""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from rollbook.documents.codec import decode_json
from rollbook.documents.values import Value
from rollbook.errors import FilterRefused, RegistryError

Kind: TypeAlias = Literal["word", "path", "symbol", "value", "json", "end"]

KEYWORDS = frozenset({"and", "or", "not", "in", "has", "all", "any", "exists", "missing", "size", "type"})
CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}

TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<symbol><=|>=|!=|=~|!~|[=<>~(),])
    |(?P<string>"(?:[^"\\]|\\.)*")
    |`(?P<path>[^`]*)`
    |(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![^\s(),=<>!~"`])
    |(?P<json>[\[{])
    |(?P<word>[^\s(),=<>!~"`{}\[\]]+)""",
    re.VERBOSE | re.DOTALL,
)

DECODER = json.JSONDecoder(parse_constant=float)


class Token(Struct, frozen=True):
    """``text`` as it was written; ``value`` is that of a string, a number or JSON, or the name of a path."""

    kind: Kind
    text: str
    column: int
    value: Any = None

    def is_keyword(self, *names: str) -> bool:
        """Whether it is one of these keywords, in any case of letters."""
        return self.kind == "word" and self.text.lower() in names

    def is_symbol(self, *symbols: str) -> bool:
        """Whether it is one of these symbols."""
        return self.kind == "symbol" and self.text in symbols


def tokens_in(text: str) -> Iterator[Token]:
    """The tokens of ``text``, the last of kind ``end``. Refuses (FilterRefused) what is no token."""
    place = 0
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            raise refused(f"{text[place]!r} can't stand here", place + 1)
        column, place = place + 1, match.end()
        match match.lastgroup:
            case "symbol":
                yield Token("symbol", match[0], column)
            case "string" | "number":
                yield Token("value", match[0], column, _decoded(match[0], column))
            case "path":
                yield Token("path", match[0], column, match["path"])
            case "json":
                place = _end_of_json(text, column - 1)
                yield Token("json", text[column - 1 : place], column, _decoded(text[column - 1 : place], column))
            case "word":
                yield Token("word", match[0], column, match[0])
    yield Token("end", "", len(text) + 1)


def refused(problem: str, column: int) -> FilterRefused:
    """The refusal of a filter in words."""
    return FilterRefused(f"column {column}: {problem}")


def _end_of_json(text: str, place: int) -> int:
    try:
        return DECODER.raw_decode(text, place)[1]
    except (ValueError, RecursionError):
        raise refused("this JSON is not complete, or is none", place + 1) from None


def _decoded(text: str, column: int) -> Value:
    try:
        return decode_json(text.encode())
    except (RegistryError, UnicodeEncodeError):
        raise refused(f"{text[:50]} is no JSON", column) from None
