"""Compiled patterns: whether a text has a match, and where it is.

One rule: time is linear in the text, and memory is bounded, whatever the pattern; how steep the line is depends on the
pattern, so searches on behalf of a request count as its work (``within``, ``find_all``). A pattern that is a plain text
between anchors needs no engine at all; another is first asked for the text that each of its matches must contain,
which is the cheaper question.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from msgspec import Struct

from rollbook.errors import LanguageRefused
from rollbook.language.regular_expressions.engines import RecentlyCompiled, compiled_engine
from rollbook.language.regular_expressions.reading import INVALID_PATTERN
from rollbook.language.regular_expressions.translation import Translation, translate
from rollbook.limits import DEFAULT_LIMITS, RequestBudget

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
    """A compiled pattern. ``matches`` reports whether a text has a match anywhere.

    ``steps`` is what it costs to compile: the steps of its program and the characters of its text.
    """

    pattern: str
    options: str
    matches: Callable[[str], bool]
    steps: int
    _required: str
    _seconds_per_byte: float
    _spans: Callable[[bytes, int], Spans | None]

    def counted_within(self, work: RequestBudget | None) -> Callable[[str], bool]:
        """As ``within``, for a pattern that was compiled just now: that counts as work too."""
        if work is not None:
            work.spend(self.steps)
        return self.within(work)

    def within(self, work: RequestBudget | None) -> Callable[[str], bool]:
        """``matches``, counted as work; it refuses (WorkExceeded) a search that may take longer than there is time."""
        price, matches, required = self._seconds_per_byte, self.matches, self._required
        if work is None or not price:
            return matches

        def test(text: str) -> bool:
            if required not in text:
                return False
            work.reserve(price * _size_bytes(text))
            return matches(text)

        return test

    def search(self, text: str, start: int = 0) -> Match | None:
        """The first match that begins at character ``start`` or later."""
        encoded = text.encode()
        begin = start if len(encoded) == len(text) else len(text[:start].encode())
        spans = self._spans(encoded, begin)
        return None if spans is None else _match(encoded, spans)

    def find_all(self, text: str, work: RequestBudget | None = None) -> Iterator[Match]:
        """Every match, from left to right: none overlaps another, and after an empty one a character is passed over."""
        encoded = text.encode()
        begin = place = 0
        while (spans := self._next(encoded, begin, work)) is not None:
            match = _match(encoded, spans, begin, place)
            yield match
            begin, place = spans[0][1], match.end
            if match.start == match.end and place < len(text):
                begin += len(text[place].encode())
                place += 1
            if place == len(text):
                return

    def first(self, text: str, work: RequestBudget) -> Match | None:
        """As ``search``, counted as work."""
        encoded = text.encode()
        spans = self._next(encoded, 0, work)
        return None if spans is None else _match(encoded, spans)

    def _next(self, encoded: bytes, begin: int, work: RequestBudget | None) -> Spans | None:
        if work is not None:
            work.reserve(self._seconds_per_byte * (len(encoded) - begin))
        return self._spans(encoded, begin)


def _size_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _match(encoded: bytes, spans: Spans, begin: int = 0, place: int = 0) -> Match:
    """The match at ``spans``; byte ``begin``, no later than it, is known to be character ``place``."""
    start, end = spans[0]
    before = place + len(encoded[begin:start].decode())
    groups = tuple(None if low < 0 else encoded[low:high].decode() for low, high in spans[1:])
    return Match(before, before + len(encoded[start:end].decode()), groups)


def compile_pattern(
    pattern: str, options: str = "", length_max: int = DEFAULT_LIMITS.pattern_length_max, *, captures: bool = False
) -> Pattern:
    """The pattern, compiled; refuses (LanguageRefused) what is too long, invalid, or beyond a linear-time engine.

    ``options`` are ``i`` (ignore case), ``m`` (``^`` and ``$`` at every line), ``s`` (``.`` takes newlines too) and
    ``x`` (white space and comments in the pattern do not count); ``u`` is taken and means nothing. Without
    ``captures``, matches have no groups.
    """
    key = (pattern, options, "captures" if captures else "")
    _check(pattern, options, length_max)
    compiled = _RECENT.get(key)
    if compiled is None:
        compiled = _compiled(pattern, options, captures=captures)
        _RECENT.keep(key, compiled, compiled.steps)
    return compiled


def _compiled(pattern: str, options: str, *, captures: bool) -> Pattern:
    translation = translate(pattern, options)
    engine = compiled_engine(translation.pattern, captures=captures)
    spans = _finder(translation, engine.search)
    plain = None if set(options) - {"s", "u"} else _PLAIN.fullmatch(pattern)
    matches = _plain_test(plain) if plain else _test(translation, engine.search, spans)
    searches = 0 if plain and not captures else 2 if _is_asked_twice(translation) else 1
    price = engine.seconds_per_byte * searches
    return Pattern(pattern, options, matches, engine.steps + len(pattern), translation.required, price, spans)


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

    return found_by_line if _is_asked_twice(translation) else found


def _is_asked_twice(translation: Translation) -> bool:
    return translation.before_last_newline or translation.at_line_starts


def _test(
    translation: Translation, search: Callable[..., Any], spans: Callable[[bytes, int], Spans | None]
) -> Callable[[str], bool]:
    required = translation.required
    if _is_asked_twice(translation):
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


_RECENT: RecentlyCompiled[Pattern] = RecentlyCompiled()

forget_unused = _RECENT.forget_unused
