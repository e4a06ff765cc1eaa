"""Which of many texts a pattern matches, searched as the lines of one long text.

Theory: asking the engine thousands of times costs thousands of calls; it is quickest on one long text. Where texts are
lines, the edges of a text are the edges of its line: ``\\A`` and ``\\z`` become RE2's ``(?m:^)`` and ``(?m:$)``, and
``\\b`` sees the newline as it would see the edge. A match inside a line is a match of that text. A match that runs on
into the next line says nothing, and the text it begins in is asked by itself. The search goes on after that line.

One rule: the answer is the one that asking each text gives.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from rollbook.language.regular_expressions.engines import Engine, RecentlyCompiled, compiled_engine
from rollbook.language.regular_expressions.patterns import compile_pattern
from rollbook.language.regular_expressions.translation import translate

PIECE_SECONDS = 0.004
"""Texts are searched in pieces that take no longer, or by single lines."""

STEPS_MAX = 4_000
"""Costlier patterns are left to those who look at documents one by one, off the event loop."""

EDGES = {r"\A": "(?m:^)", r"\z": "(?m:$)"}


class Texts(Struct, frozen=True):
    """Some texts, made ready to be searched as lines; None where one of them has lines itself."""

    texts: Sequence[str]
    lines: bytes | None


def as_lines(texts: Sequence[str]) -> Texts:
    """The texts, ready to be searched, often."""
    joined = "\n".join(texts)
    return Texts(texts, joined.encode() if joined.count("\n") < len(texts) else None)


def texts_matching(pattern: str, options: str, texts: Texts) -> Iterator[str | None]:
    """The texts, in their order, in which the pattern has a match; ``compile_pattern`` takes the pattern.

    None comes whenever PIECE_SECONDS may have gone by, for a caller that has to look at the clock.
    """
    matches = compile_pattern(pattern, options).matches
    if texts.lines is None:
        return _matching_texts(texts.texts, _engine_for_lines(pattern, options), matches)
    return _matching_lines(texts.lines, _engine_for_lines(pattern, options), matches)


def is_cheap_for_lines(pattern: str, options: str) -> bool:
    """Whether the pattern is simple enough to be searched where others wait."""
    return compile_pattern(pattern, options).steps <= STEPS_MAX


def _matching_texts(texts: Sequence[str], engine: Engine, matches: Callable[[str], bool]) -> Iterator[str | None]:
    seconds = 0.0
    for text in texts:
        if matches(text):
            yield text
        seconds += engine.seconds_per_byte * len(text)
        if seconds >= PIECE_SECONDS:
            seconds = 0.0
            yield None


def _matching_lines(lines: bytes, engine: Engine, matches: Callable[[str], bool]) -> Iterator[str | None]:
    size = len(lines)
    piece_bytes = max(int(PIECE_SECONDS / engine.seconds_per_byte), 1)
    begin = 0
    while begin <= size:
        stop = size if size - begin <= piece_bytes else lines.find(b"\n", begin + piece_bytes)
        stop = size if stop < 0 else stop
        yield from _matching_in(lines, begin, stop, engine.search, matches)
        yield None
        begin = stop + 1


def _matching_in(
    lines: bytes, begin: int, stop: int, search: Callable[..., Any], matches: Callable[[str], bool]
) -> Iterator[str]:
    """The lines between ``begin`` and ``stop``, where lines begin and end, in which there is a match."""
    while begin <= stop and (match := search(lines, begin, stop)) is not None:
        found, found_end = match.span()
        start = lines.rfind(b"\n", begin, found) + 1 or begin
        end = lines.find(b"\n", found, stop)
        end = stop if end < 0 else end
        text = lines[start:end].decode()
        if found_end <= end or matches(text):
            yield text
        begin = end + 1


def _engine_for_lines(pattern: str, options: str) -> Engine:
    engine = _RECENT.get((pattern, options))
    if engine is None:
        # An escape is two characters: taken in pairs, an escaped backslash before an "A" is not taken for an edge.
        translated = translate(pattern, options).pattern
        at_lines = re.sub(r"\\.", lambda escape: EDGES.get(escape[0], escape[0]), translated, flags=re.DOTALL)
        engine = compiled_engine(at_lines, captures=False)
        _RECENT.keep((pattern, options), engine, engine.steps)
    return engine


_RECENT: RecentlyCompiled[Engine] = RecentlyCompiled()

forget_unused = _RECENT.forget_unused
