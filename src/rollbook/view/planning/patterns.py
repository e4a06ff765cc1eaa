"""Which keys a regular expression matches, looking at as few of them as possible.

Theory: a pattern that begins with a fixed text can only match keys that do, and they stand together in the order of
keys. Other patterns are searched in blocks of a thousand keys, each as one text; a pattern that is sure to need some
text is searched only in the blocks that hold its trigrams, where capitals count as small letters. Neighbours in the
order of keys are alike, so most blocks hold few trigrams, and most are passed over. A pattern to which capitals and
small letters are the same passes over blocks of ASCII only, because elsewhere "k" also matches the Kelvin sign. The
engine is the one of the predicate, except for a text without any operator, which is looked for as it stands.

One rule: making a block ready is no effort of the plan that happens to ask first, within a bound. It stays ready until
one of its keys changes, so the next plan goes on from there, and without it every document would have to be looked at.
"""

import re
import time
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile

import numpy as np
from msgspec import Struct

from rollbook.language.regular_expressions.lines import Texts, as_lines, is_cheap_for_lines, texts_matching
from rollbook.view.index.ordered import OrderedKeys
from rollbook.view.index.trees import PathIndex
from rollbook.view.planning.planning_budgets import UNBOUNDED, PlanningBudget

BEGUN_AT_ONCE = 1024

TRIGRAM_BITS = 1 << 13
SPECIAL = frozenset(".^$*+?{}[]()|\\")
TRIGRAM_FACTORS = (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35)

_ANCHORED = re.compile(r"\^((?:[^\\^$.|?*+()\[\]{}]|\\[^\w\s])*)([?*{]?)", re.ASCII)
_ESCAPED = re.compile(r"\\([^\w\s])")
_LITERAL = re.compile(r"(?:[^\\.^$*+?{}\[\]()|\n]|\\[^\w\s])+")
_UNCERTAIN = re.compile(r"[|()\[\]{}\\]")
_BETWEEN_TEXTS = re.compile(r".?[?*]|[.^$+]", re.DOTALL)


def keys_matching(
    pattern: str, options: str, node: PathIndex, *, effort: PlanningBudget = UNBOUNDED
) -> list[str] | None:
    """The keys of ``node`` that the pattern matches; None when looking for them takes more than ``effort``."""
    if not is_cheap_for_lines(pattern, options):
        return None
    texts = node.ordered_texts()
    if prefix := fixed_prefix(pattern, options):
        begun = takewhile(lambda text: text.startswith(prefix), texts.after(prefix, included=True))
        blocks: Iterable[Texts] = map(as_lines, iter(lambda: list(islice(begun, BEGUN_AT_ONCE)), []))
    else:
        ready = _blocks_ready(texts, effort)
        if ready is None:
            return None
        wanted = trigrams_of(required_text(pattern, options).encode().lower())
        blocks = (each.texts for each in ready if each.may_hold(wanted, folded="i" in options))
    found: list[str] = []
    literal = literal_in(pattern, options)
    for block in blocks:
        matching = _holding(literal, block, folded="i" in options) if literal else None
        for text in matching or texts_matching(pattern, options, block):
            if text is not None:
                found.append(text)
            elif effort.spent():
                return None
    return found


def fixed_prefix(pattern: str, options: str) -> str:
    """The text with which everything that the pattern matches begins; empty when that is not plain to see."""
    anchored = _ANCHORED.match(pattern)
    if anchored is None or "|" in pattern or set(options) & {"i", "m", "x"}:
        return ""
    literal, quantifier = anchored.groups()
    characters = re.findall(r"\\?(.)", literal, re.DOTALL)
    return "".join(characters[:-1] if quantifier else characters)


def required_text(pattern: str, options: str) -> str:
    """The longest text that is in everything that the pattern matches; empty when that is not plain to see.

    With the option ``i`` it is in small letters, and in those of ASCII texts that are written so.
    """
    plain = _ESCAPED.sub(lambda found: "." if found[1] in SPECIAL else found[1], pattern)
    if "x" in options or _UNCERTAIN.search(plain):
        return ""
    parts = _BETWEEN_TEXTS.split(plain)
    return (
        max(map(str.lower, filter(str.isascii, parts)), key=len, default="") if "i" in options else max(parts, key=len)
    )


def literal_in(pattern: str, options: str) -> str:
    """The text that the pattern is, with nothing else in it; empty when it is more than a text."""
    return "" if "x" in options or _LITERAL.fullmatch(pattern) is None else _ESCAPED.sub(r"\1", pattern)


def trigrams_of(text: bytes) -> int:
    """A bit for each three bytes that follow each other; some trigrams share a bit."""
    codes = np.frombuffer(text, dtype=np.uint8).astype(np.uint32)
    first, second, third = (np.uint32(factor) for factor in TRIGRAM_FACTORS)
    hashes = codes[:-2] * first ^ codes[1:-1] * second ^ codes[2:] * third
    bits = np.zeros(TRIGRAM_BITS, dtype=np.bool_)
    bits[hashes >> np.uint32(32 - TRIGRAM_BITS.bit_length() + 1)] = True
    return int.from_bytes(np.packbits(bits).tobytes(), "little")


class _Block(Struct, frozen=True):
    texts: Texts
    trigrams: int
    is_ascii: bool

    def may_hold(self, wanted: int, *, folded: bool) -> bool:
        return self.trigrams & wanted == wanted or (folded and not self.is_ascii)


def _holding(literal: str, block: Texts, *, folded: bool) -> Iterator[str | None] | None:
    """The texts that hold the literal, and None at the end; None where that takes the engine to tell."""
    lines = block.lines
    if lines is None or (folded and not (lines.isascii() and literal.isascii())):
        return None
    return (
        _lines_holding(literal.lower().encode(), lines, lines.lower())
        if folded
        else _lines_holding(literal.encode(), lines, lines)
    )


def _lines_holding(literal: bytes, lines: bytes, searched: bytes) -> Iterator[str | None]:
    begin = 0
    while (found := searched.find(literal, begin)) >= 0:
        start, end = searched.rfind(b"\n", begin, found) + 1 or begin, searched.find(b"\n", found)
        end = len(lines) if end < 0 else end
        yield lines[start:end].decode()
        begin = end + 1
    yield None


def _blocks_ready(texts: OrderedKeys[str], effort: PlanningBudget) -> list[_Block] | None:
    """All blocks; None when making them ready takes more than may be spent on it."""
    blocks, began, seconds = [], time.perf_counter(), 0.0
    for block in texts.derived(_ready):
        blocks.append(block)
        seconds = time.perf_counter() - began
        if seconds > effort.beside_left:
            break
    enough = seconds <= effort.beside_left
    effort.spent_beside(seconds)
    return blocks if enough else None


def _ready(texts: list[str]) -> _Block:
    block = as_lines(texts)
    lines = "\n".join(texts).encode() if block.lines is None else block.lines
    return _Block(block, trigrams_of(lines.lower()), lines.isascii())
