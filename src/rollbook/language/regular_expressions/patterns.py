"""Compiled patterns: whether a text has a match, and where it is.

One rule: time is linear in the text, and memory is bounded, whatever the pattern. A pattern that is a plain text
between anchors needs no engine at all; another is first asked for the text that each of its matches must contain,
which is the cheaper question.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

import re2
from msgspec import Struct

from rollbook.errors import LanguageRefused
from rollbook.language.regular_expressions.reading import INVALID_PATTERN
from rollbook.language.regular_expressions.translation import Translation, translate
from rollbook.limits import DEFAULT_LIMITS

PATTERN_MEMORY_BYTES = 1 << 20
PATTERNS_KEPT = 256
OPTION_LETTERS = frozenset("imsxu")
UNKNOWN_OPTION = 51108

Spans: TypeAlias = list[tuple[int, int]]

_PLAIN = re.compile(r"(\^?)((?:[^\\^$.|?*+()\[\]{}]|\\[^\w\s])*)(\$?)")


class Match(Struct, frozen=True):
    """Where a pattern matched, counted in characters, and the texts of its groups (None where one took no part)."""

    start: int
    end: int
    groups: tuple[str | None, ...]


class Pattern(Struct, frozen=True):
    """A compiled pattern. ``matches`` tells whether a text has a match anywhere."""

    pattern: str
    options: str
    matches: Callable[[str], bool]
    _spans: Callable[[bytes, int], Spans | None]

    def search(self, text: str, start: int = 0) -> Match | None:
        """The first match that begins at character ``start`` or later."""
        encoded = text.encode()
        begin = start if len(encoded) == len(text) else len(text[:start].encode())
        spans = self._spans(encoded, begin)
        return None if spans is None else _match(encoded, spans)

    def find_all(self, text: str) -> Iterator[Match]:
        """Every match, from left to right: none overlaps another, and after an empty one a character is passed over."""
        encoded = text.encode()
        begin = place = 0
        while (spans := self._spans(encoded, begin)) is not None:
            match = _match(encoded, spans, begin, place)
            yield match
            begin, place = spans[0][1], match.end
            if match.start == match.end and place < len(text):
                begin += len(text[place].encode())
                place += 1
            if place == len(text):
                return


def _match(encoded: bytes, spans: Spans, begin: int = 0, place: int = 0) -> Match:
    """The match at ``spans``; byte ``begin``, no later than it, is known to be character ``place``."""
    start, end = spans[0]
    before = place + len(encoded[begin:start].decode())
    groups = tuple(None if low < 0 else encoded[low:high].decode() for low, high in spans[1:])
    return Match(before, before + len(encoded[start:end].decode()), groups)


@lru_cache(maxsize=PATTERNS_KEPT)
def compile_pattern(pattern: str, options: str = "", length_max: int = DEFAULT_LIMITS.pattern_length_max) -> Pattern:
    """The pattern, compiled; refuses (LanguageRefused) what is too long, invalid, or beyond a linear-time engine.

    ``options`` are ``i`` (ignore case), ``m`` (``^`` and ``$`` at every line), ``s`` (``.`` takes newlines too) and
    ``x`` (white space and comments in the pattern do not count); ``u`` is taken and means nothing.
    """
    _check(pattern, options, length_max)
    translation = translate(pattern, options)
    search = compiled_engine(translation).search
    spans = _finder(translation, search)
    plain = None if set(options) - {"s", "u"} else _PLAIN.fullmatch(pattern)
    matches = _plain_test(plain) if plain else _test(translation, search, spans)
    return Pattern(pattern, options, matches, spans)


def _check(pattern: str, options: str, length_max: int) -> None:
    if len(pattern.encode()) > length_max:
        raise LanguageRefused(f"the regular expression is longer than {length_max} bytes", mongo_code=INVALID_PATTERN)
    if "\0" in pattern:
        raise LanguageRefused("a regular expression can't contain the character NUL", mongo_code=2)
    if (problem := problem_with_options(options)) is not None:
        raise problem


def problem_with_options(options: str) -> LanguageRefused | None:
    """The refusal of options in which there is a letter that is none."""
    unknown = set(options) - OPTION_LETTERS
    if "\0" in unknown:
        return LanguageRefused("the options of a regular expression can't contain the character NUL", mongo_code=2)
    if unknown:
        why = f"there is no option {min(unknown)!r} of regular expressions: the options are i, m, s, x and u"
        return LanguageRefused(why, mongo_code=UNKNOWN_OPTION)
    return None


def compiled_engine(translation: Translation) -> Any:
    """The engine's own pattern, bounded in memory; refuses (LanguageRefused) what the engine does not take."""
    engine_options = re2.Options()
    engine_options.max_mem = PATTERN_MEMORY_BYTES
    engine_options.log_errors = False
    try:
        return re2.compile(translation.pattern.encode(), engine_options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace")
        raise LanguageRefused(f"the regular expression is invalid: {reason}", mongo_code=INVALID_PATTERN) from None


def _finder(translation: Translation, search: Callable[..., Any]) -> Callable[[bytes, int], Spans | None]:
    """Finds the first match; makes good what the translation could not say of a newline that ends the text."""

    def found(encoded: bytes, begin: int) -> Spans | None:
        match = search(encoded, begin)
        return None if match is None else [match.span(group) for group in range(match.re.groups + 1)]

    def found_by_line(encoded: bytes, begin: int) -> Spans | None:
        whole = found(encoded, begin)
        if begin == len(encoded) or not encoded.endswith(b"\n"):
            return whole
        if whole and translation.at_line_starts and whole[0][0] == len(encoded):
            whole = None
        shorter = found(encoded[:-1], begin) if translation.before_last_newline else None
        if whole is None or shorter is None:
            return whole or shorter
        return min(whole, shorter, key=lambda spans: (spans[0][0], -spans[0][1]))

    return found_by_line if translation.before_last_newline or translation.at_line_starts else found


def _test(
    translation: Translation, search: Callable[..., Any], spans: Callable[[bytes, int], Spans | None]
) -> Callable[[str], bool]:
    required = translation.required
    if translation.before_last_newline or translation.at_line_starts:
        return lambda text: required in text and spans(text.encode(), 0) is not None
    if required:
        return lambda text: required in text and search(text.encode()) is not None
    return lambda text: search(text.encode()) is not None


def _plain_test(plain: re.Match[str]) -> Callable[[str], bool]:
    from_start, escaped, to_end = plain.groups()
    text = re.sub(r"\\(.)", r"\1", escaped)
    if from_start and to_end:
        return frozenset((text, text + "\n")).__contains__
    if from_start:
        return lambda value: value.startswith(text)
    if to_end:
        endings = (text, text + "\n")
        return lambda value: value.endswith(endings)
    return lambda value: text in value
