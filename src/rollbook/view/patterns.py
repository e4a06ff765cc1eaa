"""Which keys a regular expression matches, looking at as few of them as possible.

Theory: a pattern that begins with a fixed text can only match keys that do, and they stand together in the order of
keys. Other patterns are searched in thousands of keys at once. Either way the engine is the one of the predicate.
"""

import re
from collections.abc import Iterable
from itertools import islice, takewhile

from rollbook.language.regular_expressions.lines import Texts, as_lines, texts_matching
from rollbook.view.effort import UNBOUNDED, Effort
from rollbook.view.trees import PathIndex

BEGUN_AT_ONCE = 1024

_ANCHORED = re.compile(r"\^((?:[^\\^$.|?*+()\[\]{}]|\\[^\w\s])*)([?*{]?)", re.ASCII)


def keys_matching(pattern: str, options: str, node: PathIndex, *, effort: Effort = UNBOUNDED) -> list[str] | None:
    """The keys of ``node`` that the pattern matches; None when looking for them takes more than ``effort``."""
    texts = node.ordered_texts()
    if prefix := fixed_prefix(pattern, options):
        begun = takewhile(lambda text: text.startswith(prefix), texts.after(prefix, included=True))
        blocks: Iterable[Texts] = map(as_lines, iter(lambda: list(islice(begun, BEGUN_AT_ONCE)), []))
    else:
        blocks = texts.derived(as_lines)
    found: list[str] = []
    for block in blocks:
        if effort.spent():
            return None
        found += texts_matching(pattern, options, block)
    return found


def fixed_prefix(pattern: str, options: str) -> str:
    """The text with which everything that the pattern matches begins; empty when that is not plain to see."""
    anchored = _ANCHORED.match(pattern)
    if anchored is None or "|" in pattern or set(options) & {"i", "m", "x"}:
        return ""
    literal, quantifier = anchored.groups()
    characters = re.findall(r"\\?(.)", literal, re.DOTALL)
    return "".join(characters[:-1] if quantifier else characters)
