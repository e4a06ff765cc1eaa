"""Which keys a regular expression matches, looking at as few of them as possible.

Theory: a pattern that begins with a fixed text can only match keys that do, and they stand together in the order of
keys. Other patterns are searched in thousands of keys at once. Either way the engine is the one of the predicate.
"""

import re
from itertools import chain, islice, takewhile

from rollbook.language.regular_expressions.lines import as_lines, texts_matching
from rollbook.view.trees import PathIndex

_ANCHORED = re.compile(r"\^((?:[^\\^$.|?*+()\[\]{}]|\\[^\w\s])*)([?*{]?)", re.ASCII)


def keys_matching(pattern: str, options: str, node: PathIndex, *, found_max: int) -> list[str] | None:
    """The keys of ``node`` that the pattern matches; None when they are more than ``found_max``."""
    texts = node.ordered_texts()
    if prefix := fixed_prefix(pattern, options):
        begun = takewhile(lambda text: text.startswith(prefix), texts.after(prefix, included=True))
        matching = texts_matching(pattern, options, as_lines(list(begun)))
    else:
        matching = chain.from_iterable(texts_matching(pattern, options, block) for block in texts.derived(as_lines))
    found = list(islice(matching, found_max + 1))
    return found if len(found) <= found_max else None


def fixed_prefix(pattern: str, options: str) -> str:
    """The text with which everything that the pattern matches begins; empty when that is not plain to see."""
    anchored = _ANCHORED.match(pattern)
    if anchored is None or "|" in pattern or set(options) & {"i", "m", "x"}:
        return ""
    literal, quantifier = anchored.groups()
    characters = re.findall(r"\\?(.)", literal, re.DOTALL)
    return "".join(characters[:-1] if quantifier else characters)
