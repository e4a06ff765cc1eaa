"""Which keys a regular expression matches, looking at as few of them as possible.

Theory: a pattern that begins with a fixed text can only match keys that do, and they stand together in the order of
keys. A pattern that requires some text anywhere is first searched as that text, in thousands of keys at once. What is
left is tested key by key, with the same engine that the predicate uses.
"""

import re
from collections.abc import Iterable
from itertools import takewhile

from rollbook.language.regular_expressions import compile_pattern
from rollbook.language.regular_expressions.translation import translate
from rollbook.view.ordered import texts_containing
from rollbook.view.trees import PathIndex

_ANCHORED = re.compile(r"\^((?:[^\\^$.|?*+()\[\]{}]|\\[^\w\s])*)([?*{]?)", re.ASCII)


def texts_matching(pattern: str, options: str, node: PathIndex, *, tested_max: int) -> list[str] | None:
    """The keys of ``node`` that the pattern matches; None when more than ``tested_max`` would have to be tested."""
    texts, matches = node.ordered_texts(), compile_pattern(pattern, options).matches
    candidates: Iterable[str] = texts
    if prefix := fixed_prefix(pattern, options):
        candidates = takewhile(lambda text: text.startswith(prefix), texts.after(prefix, included=True))
    elif required := translate(pattern, options).required:
        candidates = texts_containing(required, texts)
    elif len(texts) > tested_max:
        return None
    return [text for text in candidates if matches(text)]


def fixed_prefix(pattern: str, options: str) -> str:
    """The text with which everything that the pattern matches begins; empty when that is not plain to see."""
    anchored = _ANCHORED.match(pattern)
    if anchored is None or "|" in pattern or set(options) & {"i", "m", "x"}:
        return ""
    literal, quantifier = anchored.groups()
    characters = re.findall(r"\\?(.)", literal, re.DOTALL)
    return "".join(characters[:-1] if quantifier else characters)
