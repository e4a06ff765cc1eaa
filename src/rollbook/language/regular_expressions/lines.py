"""Which of many texts a pattern matches, searched as the lines of one long text.

Theory: asking the engine thousands of times costs thousands of calls; it is quickest on one long text. Where texts are
lines, the edges of a text are the edges of its line: ``\\A`` and ``\\z`` become RE2's ``(?m:^)`` and ``(?m:$)``, and
``\\b`` sees the newline as it would see the edge. A match inside a line is a match of that text. A match that runs on
into the next line says nothing, and the text it begins in is asked by itself. The search goes on after that line.

One rule: the answer is the one that asking each text gives.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from rollbook.language.regular_expressions.patterns import PATTERNS_KEPT, compile_pattern, compiled_engine
from rollbook.language.regular_expressions.translation import translate

EDGES = {r"\A": "(?m:^)", r"\z": "(?m:$)"}


class Texts(Struct, frozen=True):
    """Some texts, made ready to be searched as lines; None where one of them has lines itself."""

    texts: Sequence[str]
    lines: bytes | None


def as_lines(texts: Sequence[str]) -> Texts:
    """The texts, ready to be searched, often."""
    joined = "\n".join(texts)
    return Texts(texts, joined.encode() if joined.count("\n") < len(texts) else None)


def texts_matching(pattern: str, options: str, texts: Texts) -> Iterator[str]:
    """The texts, in their order, in which the pattern has a match; ``compile_pattern`` takes the pattern."""
    matches = compile_pattern(pattern, options).matches
    if texts.lines is None:
        return filter(matches, texts.texts)
    return _matching_lines(texts.lines, _engine_for_lines(pattern, options), matches)


def _matching_lines(lines: bytes, engine: Any, matches: Callable[[str], bool]) -> Iterator[str]:
    begin, size = 0, len(lines)
    while begin <= size and (match := engine.search(lines, begin)) is not None:
        found, found_end = match.span()
        start = lines.rfind(b"\n", begin, found) + 1 or begin
        end = lines.find(b"\n", found)
        end = size if end < 0 else end
        text = lines[start:end].decode()
        if found_end <= end or matches(text):
            yield text
        begin = end + 1


@lru_cache(maxsize=PATTERNS_KEPT)
def _engine_for_lines(pattern: str, options: str) -> Any:
    translation = translate(pattern, options)
    # An escape is two characters: taken in pairs, an escaped backslash before an "A" is not taken for an edge.
    at_lines = re.sub(r"\\.", lambda escape: EDGES.get(escape[0], escape[0]), translation.pattern, flags=re.DOTALL)
    return compiled_engine(replace(translation, pattern=at_lines))
